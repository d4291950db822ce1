"""A user's own network by TorchScript or Python, and ONNX networks that run without gradient."""

import hashlib
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.recognizer import embed_all
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers

WriteNetwork = Callable[..., Path]

MODULE = """
import torch
from torch import nn

FEEDING = {
    "size": [32, 24], "channels": "bgr", "range": [0, 255], "mean": [1, 2, 3], "std": [4, 5, 6],
    "template": "arcface", "distance": "euclidean", "embedding": 6, "family": "mine", "licence": "MIT",
    "calibration": {"fmr": 0.01, "threshold": -1.5, "scale": 3},
}

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.layer = nn.Conv2d(3, 6, 4, stride=4)
        self.layer.weight.data[0, 0, 0, 0] = 1e-41
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(torch.relu(self.layer(x))).mean(dim=(2, 3))

class Blind(Net):
    def forward(self, x):
        return super().forward(x).detach()

def build():
    return Net(), FEEDING

def plain():
    return Net()

def blind():
    return Blind(), FEEDING

def wrong_key():
    return Net(), {**FEEDING, "chanels": "rgb"}

def wrong_size():
    return Net(), {**FEEDING, "embedding": 7}

def fails():
    raise RuntimeError("no weights on this machine")

def number():
    return 3
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A module of the user's in the current folder; its name is new in every test."""
    name = f"net_of_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:12]}"
    (tmp_path / f"{name}.py").write_text(MODULE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return name


def test_a_python_function_builds_a_recognizer(module: str, tmp_path: Path) -> None:
    by_name = build_recognizer(f"python:{module}:build")
    by_path = build_recognizer(f"python:{tmp_path / module}.py:build")
    assert by_name.label == by_path.label == f"{module}.build"
    assert (by_name.family, by_name.licence, by_name.differentiable) == ("mine", "MIT", True)
    assert by_name.calibrated.threshold == -1.5
    assert by_name.weights_sha256 == by_path.weights_sha256
    assert len(by_name.weights_sha256) == 64
    assert not any(each.training for each in by_name.modules())
    assert not any(each.requires_grad for each in by_name.parameters())
    weight = by_name.get_parameter("network.layer.weight")
    assert float(weight[0, 0, 0, 0]) == 0
    chips = torch.rand(2, 3, 32, 24)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ([1.0, 2, 3], [4.0, 5, 6]))
    expected = by_name.network((chips[:, [2, 1, 0]] * 255 - mean) / std)
    torch.testing.assert_close(by_name.embed(chips), expected, rtol=1e-4, atol=1e-4)


def test_a_network_alone_is_fed_as_insightface_does(module: str) -> None:
    specification = build_recognizer(f"python:{module}:plain").specification
    assert (specification.size, specification.channels, specification.embedding) == ((112, 112), "rgb", 6)
    assert specification.mean == specification.std == (0.5,) * 3


@pytest.mark.parametrize(
    ("place", "error", "says"),
    [
        ("{module}:gone", ConfigError, "has no function gone; it has build, plain, blind, wrong_key"),
        ("{module}:biuld", ConfigError, r"has no function biuld; did you mean build( or blind)?\?"),
        ("{module}k:build", ConfigError, r"cannot import {module}k\. Did you mean {module}\?"),
        ("nowhere.at_all:build", ConfigError, r"looked for in the folder you are in \({folder}\)"),
        ("nowhere:build", ConfigError, r"is named python:/path/to/file\.py:build$"),
        ("needs_another:build", ConfigError, "cannot import needs_another, which needs not_installed_here"),
        ("{module}", ConfigError, "names no function; write python:MODULE:FUNCTION"),
        ("", ConfigError, "names no function"),
        ("no_such_module_here:build", ConfigError, "cannot import no_such_module_here"),
        ("{folder}/gone.py:build", ConfigError, "There is no Python file"),
        ("{module}:fails", ConfigError, r"fails\(\) failed \(RuntimeError: no weights on this machine\)"),
        ("{module}:number", ConfigError, r"number\(\) gives int; a torch\.nn\.Module was expected"),
        ("{module}:wrong_key", ConfigError, "Unknown setting chanels; did you mean channels"),
        ("{module}:wrong_size", WeightsError, r"gives \(2, 6\) for 2 pictures; \(2, 7\) was expected"),
    ],
)
def test_functions_that_build_nothing_are_named(
    module: str, tmp_path: Path, place: str, error: type[Exception], says: str
) -> None:
    (tmp_path / "needs_another.py").write_text("import not_installed_here", encoding="utf-8")
    says = says.replace("{module}", module).replace("{folder}", re.escape(str(tmp_path)))
    with pytest.raises(error, match=says):
        build_recognizer("python:" + place.format(module=module, folder=tmp_path))


def test_a_network_without_gradient_is_for_evaluation_only(module: str) -> None:
    blind = f"python:{module}:blind"
    (built,) = build_recognizers([blind])
    assert not built.differentiable
    with pytest.raises(ConfigError, match=r"blind cannot be trained against: no gradient comes through it"):
        build_recognizers([f"python:{module}:build", blind], differentiable=True)


def _script(folder: Path, network: nn.Module, **changes: Any) -> Path:
    path = folder / "mine.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises other formats
        torch.jit.script(network).save(str(path))
    settings = {
        "size": [16, 16],
        "channels": "rgb",
        "range": [0, 1],
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
        "template": "arcface",
        "distance": "cosine",
        "embedding": 5,
        **changes,
    }
    path.with_suffix(".yaml").write_text(yaml.safe_dump(settings), encoding="utf-8")
    return path


def _small() -> nn.Module:
    network = nn.Sequential(
        nn.Conv2d(3, 5, 4, stride=4), nn.Dropout(0.5), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    )
    network[0].weight.data[0, 0, 0, 0] = -1e-41
    return network


def test_torchscript_is_fed_as_its_yaml_says(tmp_path: Path) -> None:
    network = _small()
    path = _script(tmp_path, network, channels="bgr")
    recognizer = build_recognizer(f"torchscript:{path}")
    assert (recognizer.label, recognizer.family, recognizer.differentiable) == ("mine", "user", True)
    assert recognizer.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert not any(each.requires_grad for each in recognizer.parameters())
    for values in recognizer.parameters():
        assert not bool(((values != 0) & (values.abs() < torch.finfo(torch.float32).tiny)).any())
    chips = torch.rand(3, 3, 16, 16, requires_grad=True)
    found = recognizer.embed(chips)
    torch.testing.assert_close(found, network.eval()(chips.flip(1) * 2 - 1))
    found.sum().backward()
    assert bool(chips.grad.any())


def test_torchscript_that_is_none_or_damaged_is_refused(tmp_path: Path) -> None:
    path = _script(tmp_path, _small())
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[:100], whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"mine\.pt is not a whole TorchScript file") as refused:
            build_recognizer(f"torchscript:{path}")
        assert "miniz" not in str(refused.value)
        assert "its end is missing" in str(refused.value) or not content.startswith(b"PK")
    with pytest.raises(WeightsError, match="There is no TorchScript file"):
        build_recognizer(f"torchscript:{tmp_path / 'gone.pt'}")


def test_torchscript_with_operators_of_another_package_names_them(tmp_path: Path) -> None:
    path = _script(tmp_path, _small())
    changed = tmp_path / "changed.pt"
    with zipfile.ZipFile(path) as read, zipfile.ZipFile(changed, "w") as write:
        for item in read.namelist():
            data = read.read(item)
            write.writestr(
                item, data.replace(b"torch.flatten(", b"ops.my.flatten(") if item.endswith(".py") else data
            )
    with pytest.raises(WeightsError, match=r"changed\.pt needs the operator my::flatten, which torch alone"):
        build_recognizer(f"torchscript:{changed}")


def test_torchscript_that_does_not_fit_its_size_says_why_in_one_line(tmp_path: Path) -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 5))
    path = _script(tmp_path, network, size=[16, 24])
    with pytest.raises(
        WeightsError, match=r"does not run on 2 x 3 x 16 x 24 values \(.*shapes.*\); check `siz"
    ):
        build_recognizer(f"torchscript:{path}")


def test_a_black_box_gives_the_converted_networks_embeddings(
    tmp_path: Path, write_network: WriteNetwork
) -> None:
    path = write_network(tmp_path / "mine.onnx", channels="bgr", range=[0, 255])
    plain, box = build_recognizers([f"onnx:{path}", f"onnx-blackbox:{path}"])
    assert (plain.label, box.label) == ("mine", "mine-blackbox")
    assert plain.differentiable
    assert not box.differentiable
    chips = torch.rand(5, 3, 32, 32)
    torch.testing.assert_close(box.embed(chips), plain.embed(chips), rtol=1e-4, atol=1e-4)
    with pytest.raises(ConfigError, match=r"mine\.onnx is a black box without gradient"):
        box.embed(chips.requires_grad_())
    with pytest.raises(ConfigError, match="cannot be trained against: it was asked for as a black box"):
        build_recognizers([f"onnx-blackbox:{path}"], differentiable=True)


def test_the_yaml_can_ask_for_a_black_box(tmp_path: Path, write_network: WriteNetwork) -> None:
    path = write_network(tmp_path / "mine.onnx", gradient=False)
    box = build_recognizer(f"onnx:{path}")
    assert box.why_no_gradient == "the YAML next to mine.onnx says gradient: false"


def _unconvertible(path: Path, write_network: WriteNetwork, *, batch: Any = "n") -> Path:
    """A network with an operator that the converter lacks, and onnxruntime does not."""
    write_network(path)
    nodes = [
        helper.make_node("AveragePool", ["image"], ["p"], kernel_shape=[16, 16], strides=[16, 16]),
        helper.make_node("Flatten", ["p"], ["f"]),
        helper.make_node("Hardmax", ["f"], ["h"], axis=1),
        helper.make_node("Concat", ["f", "h"], ["c"], axis=1),
        helper.make_node("Gemm", ["c", "w"], ["embedding"], transB=1),
    ]
    draw = np.random.default_rng(0).normal(0, 1, (6, 24)).astype(np.float32)
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in [("image", [batch, 3, 32, 32]), ("embedding", [batch, 6])]
    ]
    graph = helper.make_graph(
        nodes, "odd", ends[:1], ends[1:], initializer=[numpy_helper.from_array(draw, "w")]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, str(path))
    return path


@pytest.mark.parametrize("batch", ["n", 1])
def test_what_cannot_be_converted_runs_as_a_black_box(
    tmp_path: Path, write_network: WriteNetwork, batch: Any
) -> None:
    path = _unconvertible(tmp_path / "odd.onnx", write_network, batch=batch)
    box = build_recognizer(f"onnx:{path}")
    assert "cannot be converted to torch" in box.why_no_gradient
    assert "Hardmax" in box.why_no_gradient
    chips = torch.rand(3, 3, 32, 32)
    whole = box.embed(chips)
    assert whole.shape == (3, 6)
    torch.testing.assert_close(whole[1:2], box.embed(chips[1:2]))


def test_a_damaged_black_box_is_refused(tmp_path: Path, write_network: WriteNetwork) -> None:
    path = write_network(tmp_path / "mine.onnx", gradient=False)
    whole = path.read_bytes()
    for content in (b"", b"hello", whole[: len(whole) // 2]):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"mine\.onnx"):
            build_recognizer(f"onnx:{path}")
    with pytest.raises(WeightsError, match="There is no ONNX file"):
        build_recognizer(f"onnx-blackbox:{tmp_path / 'gone.onnx'}")


def test_undefined_embeddings_of_photos_are_named(tmp_path: Path, write_network: WriteNetwork) -> None:
    recognizer = build_recognizer(f"onnx:{write_network(tmp_path / 'mine.onnx')}")

    class _Undefined(nn.Module):
        def forward(self, fed: Tensor) -> Tensor:
            return torch.where(fed.mean(dim=(1, 2, 3))[:, None] > 0.9, torch.nan, 1.0).expand(-1, 6)

    recognizer.network = _Undefined()
    pictures = torch.rand(4, 3, 40, 40)
    pictures[2] = 1
    with pytest.raises(WeightsError, match="gives undefined embeddings for 1 of 4 photos"):
        embed_all(recognizer, pictures, recognizer.template.expand(4, 5, 2))
