"""A file that is named as another kind of network than it holds is told by the right name."""

import pickle
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

from advmask.core.errors import WeightsError
from advmask.recognizers.file_kinds import Kind, file_kind
from advmask.recognizers.recognizer_names import build_recognizer

WriteNetwork = Callable[..., Path]


@pytest.fixture
def files(tmp_path: Path, write_network: WriteNetwork) -> dict[str, tuple[Path, Kind]]:
    """A file of each kind, each with the ending .bin, so that names tell nothing."""
    network = nn.Conv2d(3, 2, 3)
    found: dict[str, tuple[Path, Kind]] = {}
    for name, kind in (
        ("script", "torchscript"),
        ("trace", "torchscript"),
        ("zip", "weights"),
        ("old", "weights"),
        ("whole", "weights"),
        ("pickle", "weights"),
        ("tensors", "weights"),
        ("net", "onnx"),
        ("text", "other"),
        ("empty", "other"),
        ("cut", "other"),
    ):
        found[name] = tmp_path / f"{name}.bin", kind
    paths = {name: path for name, (path, _) in found.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises other formats
        torch.jit.script(network).save(str(paths["script"]))
        torch.jit.trace(network, torch.zeros(1, 3, 8, 8)).save(str(paths["trace"]))
    torch.save(network.state_dict(), paths["zip"])
    torch.save(network.state_dict(), paths["old"], _use_new_zipfile_serialization=False)
    torch.save(network, paths["whole"])
    paths["pickle"].write_bytes(pickle.dumps({"w": 3}))
    safetensors.torch.save_file(network.state_dict(), paths["tensors"])
    write_network(paths["net"]).with_suffix(".yaml").unlink()
    paths["text"].write_text("<html>Sign in</html>")
    paths["empty"].write_bytes(b"")
    paths["cut"].write_bytes(paths["script"].read_bytes()[:500])
    return found


def test_kinds_are_told_by_content(files: dict[str, tuple[Path, Kind]]) -> None:
    assert {name: file_kind(path) for name, (path, _) in files.items()} == {
        name: kind for name, (_, kind) in files.items()
    }


@pytest.mark.parametrize(
    ("scheme", "own"),
    [
        ("torchscript", "torchscript"),
        ("onnx", "onnx"),
        ("onnx-blackbox", "onnx"),
        ("iresnet50", "weights"),
        ("magface", "weights"),
        ("adaface", "weights"),
    ],
)
def test_another_kind_is_refused_with_the_name_it_needs(
    files: dict[str, tuple[Path, Kind]], scheme: str, own: Kind
) -> None:
    for path, kind in files.values():
        if kind in (own, "other"):
            continue
        with pytest.raises(WeightsError) as refused:
            build_recognizer(f"{scheme}:{path}")
        said = str(refused.value)
        assert said.startswith(f"{path} holds ")
        ways = {
            "weights": [f"iresnet50:{path}", f"magface:{path}", f"adaface:{path}", "python:FILE.py:FUNCTION"],
            "onnx": [f"write onnx:{path}."],
            "torchscript": [f"write torchscript:{path}."],
        }
        assert all(way in said for way in ways[kind])
        assert "state dict" in said or "weights" not in (kind, own)
    cut = files["cut"][0]
    if own != "onnx":
        with pytest.raises(WeightsError, match=r"cut\.bin is not a whole .* its end is missing; .* again"):
            build_recognizer(f"{scheme}:{cut}")
