"""Weight files that are whole, and files that are not, or that hold more than weights."""

import argparse
import os
import pickle
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

from advmask.core.errors import WeightsError
from advmask.recognizers.state_dicts import fill, read_state_dict, under_prefix


def _state() -> dict[str, torch.Tensor]:
    return {"a.weight": torch.randn(4, 3), "a.bias": torch.randn(4), "count": torch.tensor(3)}


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_tensors_come_as_they_were_written(tmp_path: Path, ending: str) -> None:
    state, path = _state(), tmp_path / f"net{ending}"
    (safetensors.torch.save_file if ending == ".safetensors" else torch.save)(state, path)
    found = read_state_dict(path)
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], state[name]) for name in state)


def test_old_files_and_checkpoints_are_read(tmp_path: Path) -> None:
    state = _state()
    torch.save(state, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert read_state_dict(tmp_path / "old.pth").keys() == state.keys()
    torch.save({"state_dict": state, "epoch": 3, "args": argparse.Namespace(lr=1)}, tmp_path / "c.ckpt")
    assert read_state_dict(tmp_path / "c.ckpt").keys() == state.keys()


def test_subnormal_values_become_zero_and_halves_whole(tmp_path: Path) -> None:
    values = torch.tensor([1e-41, -1e-40, 0.5, 2e-38])
    torch.save({"w": values, "h": torch.tensor([0.5]).half(), "n": torch.tensor(1)}, tmp_path / "net.pth")
    found = read_state_dict(tmp_path / "net.pth")
    assert found["w"].tolist() == torch.tensor([0, 0, 0.5, 2e-38]).tolist()
    assert found["h"].dtype == torch.float32
    assert found["n"].dtype == torch.int64


class _Harmful:
    """A pickle that makes a file when it is loaded without care."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("form", ["zip", "old", "bare"])
def test_a_pickle_with_code_is_refused_and_not_run(tmp_path: Path, form: str) -> None:
    path, trace = tmp_path / "net.pth", tmp_path / "was-here"
    content = {"w": torch.zeros(2), "x": _Harmful(trace)}
    if form == "bare":
        path.write_bytes(pickle.dumps(content))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=form == "zip")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        with pytest.raises(WeightsError, match=r"net\.pth (holds more than weights: .* ref|is not a whole)"):
            read_state_dict(path)
    assert not trace.exists()
    assert not warned


def test_code_under_a_bystanders_name_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names of Lightning are not looked up: what they stand for is never called."""
    trace = tmp_path / "was-here"
    plain = tmp_path / "plain.pth"
    torch.save({"state_dict": {"w": torch.ones(2)}, "x": _Harmful(trace)}, plain)
    path = tmp_path / "net.ckpt"
    with zipfile.ZipFile(plain) as read, zipfile.ZipFile(path, "w") as write:
        for item in read.namelist():
            data = read.read(item)
            if item.endswith("data.pkl"):
                assert b"cposix\nmkdir\n" in data or b"cnt\nmkdir\n" in data
                data = data.replace(b"cposix\nmkdir\n", b"clightning.os\nmkdir\n")
                data = data.replace(b"cnt\nmkdir\n", b"clightning.os\nmkdir\n")
            write.writestr(item, data)
    assert read_state_dict(path)["w"].tolist() == [1, 1]
    assert not trace.exists()


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_cut_or_changed_files_are_refused_in_a_sentence(tmp_path: Path, ending: str) -> None:
    path, draw = tmp_path / f"net{ending}", np.random.default_rng(0)
    state = {"a": torch.randn(40, 3), "b": torch.randn(5)}
    (safetensors.torch.save_file if ending == ".safetensors" else torch.save)(state, path)
    whole = path.read_bytes()
    for end in [0, 1, 7, *range(10, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:end])
        with pytest.raises(WeightsError, match=rf"net\{ending} "):
            read_state_dict(path)
    refused = 0
    for _ in range(150):
        content = bytearray(whole)
        for place in draw.integers(0, len(whole), 3):
            content[place] = draw.integers(256)
        path.write_bytes(bytes(content))
        try:
            read_state_dict(path)
        except WeightsError:
            refused += 1
    assert refused > 50


def test_sizes_in_the_file_are_not_believed(tmp_path: Path) -> None:
    torch.save({"a": torch.arange(8.0)}, tmp_path / "plain.pth")
    path = tmp_path / "net.pth"
    with zipfile.ZipFile(tmp_path / "plain.pth") as read, zipfile.ZipFile(path, "w") as write:
        for item in read.namelist():
            data = read.read(item)
            # The count of values in the storage and in the tensor: 8 becomes 2130706432.
            write.writestr(
                item, data.replace(b"K\x08", b"J\0\0\0\x7f") if item.endswith("data.pkl") else data
            )
    with pytest.raises(WeightsError, match="not a whole weight file"):
        read_state_dict(path)


def test_what_holds_no_weights_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "net.pth"
    with pytest.raises(WeightsError, match="There is no weight file"):
        read_state_dict(path)
    endless: dict[str, Any] = {}
    endless["state_dict"] = endless
    for content in ([torch.zeros(2)], {}, {"epoch": 3}, torch.zeros(3), endless):
        torch.save(content, path)
        with pytest.raises(WeightsError, match="no weights by name"):
            read_state_dict(path)
    path.write_bytes(b"<html>Sign in to download</html>")
    with pytest.raises(WeightsError, match=r"net\.pth"):
        read_state_dict(path)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("backbone.pth", bytes(10**6))
    with pytest.raises(WeightsError, match="compressed archive; unpack it"):
        read_state_dict(path)
    with path.open("wb") as stream:
        stream.truncate(2**36)
    with pytest.raises(WeightsError, match="larger than 4 GiB"):
        read_state_dict(path)


def test_the_prefix_is_found_where_the_key_stands() -> None:
    state = {"module.a.w": torch.ones(1), "module.b": torch.ones(1), "head.w": torch.ones(1)}
    found = under_prefix(state, key="a.w", prefixes=("", "module."), path=Path("x"))
    assert sorted(found) == ["a.w", "b"]
    with pytest.raises(
        WeightsError, match=r"c was expected, it begins with module\.a\.w, module\.b, head\.w"
    ):
        under_prefix(state, key="c", prefixes=("",), path=Path("x"))


def test_counters_of_batches_may_be_missing() -> None:
    with torch.device("meta"):
        network = nn.BatchNorm1d(3)
    state = {name: torch.rand(3) for name in ("weight", "bias", "running_mean", "running_var")}
    fill(network, state, path=Path("x"))
    assert torch.equal(network.weight, state["weight"])
    assert not network.training
    assert not network.weight.requires_grad
    assert network.num_batches_tracked is not None
    assert not network.num_batches_tracked.is_meta
