"""ONNX networks: the figures of onnxruntime, a true gradient, and a sentence for what cannot be used."""

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.network_check import check_network
from advmask.recognizers.onnx_network import load_onnx
from advmask.recognizers.preprocessing import preprocess
from advmask.recognizers.specification import NetworkSpecification, read_specification

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ort = pytest.importorskip("onnxruntime")

SIZE, EMBEDDING = 16, 8


def _specification(**changes: Any) -> NetworkSpecification:
    values = {
        "size": (SIZE, SIZE),
        "channels": "rgb",
        "range": (0, 1),
        "mean": (0.5,) * 3,
        "std": (0.5,) * 3,
        "template": "arcface",
        "distance": "cosine",
        "embedding": EMBEDDING,
    }
    return NetworkSpecification.build({**values, **changes})


def _constant(name: str, values: np.ndarray) -> Any:
    return numpy_helper.from_array(np.asarray(values, dtype=np.float32), name)


def _tiny(
    path: Path, *, nodes: Callable[[], list[Any]] | None = None, inputs: int = 1, outputs: int = 1
) -> Path:
    """Two convolutions with every form of clipping, batch norm and a dense layer; fixed weights."""
    draw = np.random.default_rng(0)
    first = draw.normal(0, 0.5, (6, 3, 3, 3))
    first[0, 0, 0, 0] = 1e-41
    stored = [
        _constant("w1", first),
        _constant("b1", draw.normal(0, 0.5, 6)),
        _constant("w2", draw.normal(0, 0.3, (5, 6, 1, 1))),
        _constant("w3", draw.normal(0, 0.3, (EMBEDDING, 5))),
        _constant("one", draw.random(5) + 0.5),
        _constant("b3", draw.normal(0, 0.1, EMBEDDING)),
    ]
    graph = helper.make_graph(
        nodes() if nodes else _layers(),
        "tiny",
        [_value(f"image{index or ''}", ["n", 3, SIZE, SIZE]) for index in range(inputs)],
        [_value(name, ["n", None]) for name in ("embedding", "pooled")[:outputs]],
        initializer=stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 10)], ir_version=8)
    onnx.save(model, str(path))
    return path


def _value(name: str, shape: list[Any]) -> Any:
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def _layers() -> list[Any]:
    node = helper.make_node
    return [
        node("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("Clip", ["c1"], ["r1"], min=0.0),
        node("Clip", ["r1"], ["r2"], max=0.9),
        node("Conv", ["r2", "w2"], ["c2"], kernel_shape=[1, 1]),
        node("BatchNormalization", ["c2", "one", "one", "one", "one"], ["n2"]),
        # This positive part has two users: its cut at 0.9 must not reach the other one.
        node("Relu", ["n2"], ["p2"]),
        node("Clip", ["p2"], ["q2"], max=0.9),
        node("Add", ["p2", "q2"], ["s2"]),
        node("Clip", ["n2"], ["t2"], min=-0.4, max=0.9),
        node("Add", ["s2", "t2"], ["u2"]),
        node("GlobalAveragePool", ["u2"], ["g"]),
        node("Flatten", ["g"], ["pooled"]),
        node("Gemm", ["pooled", "w3", "b3"], ["embedding"], transB=1),
    ]


def _runtime(path: Path, values: np.ndarray) -> np.ndarray:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: values})[0]


def _check_gradient(network: nn.Module, inputs: Tensor, *, count: int) -> None:
    double, inputs = network.double(), inputs.double().requires_grad_()

    def value(x: Tensor) -> Tensor:
        out = double(x)
        return (out * torch.linspace(-1, 1, out.shape[1], dtype=torch.float64)).sum()

    (gradient,) = torch.autograd.grad(value(inputs), inputs)
    assert bool(gradient.any())
    places = torch.cat([torch.randint(inputs.numel(), (count,)), gradient.abs().flatten().topk(5).indices])
    with torch.no_grad():
        for place in places.tolist():
            shift = torch.zeros(inputs.numel(), dtype=torch.float64)
            shift[place] = 1e-7
            shift = shift.view_as(inputs)
            slope = (value(inputs + shift) - value(inputs - shift)) / 2e-7
            scale = float(gradient.abs().max())
            assert float(slope) == pytest.approx(float(gradient.flatten()[place]), rel=1e-3, abs=1e-4 * scale)


def test_tiny_network_agrees_with_onnxruntime(tmp_path: Path):
    path = _tiny(tmp_path / "tiny.onnx")
    network = load_onnx(path)
    values = np.random.default_rng(3).normal(0, 2, (5, 3, SIZE, SIZE)).astype(np.float32)
    with torch.no_grad():
        found = network(torch.from_numpy(values)).numpy()
    expected = _runtime(path, values)
    assert found.shape == (5, EMBEDDING)
    assert np.ptp(expected) > 0.1
    assert np.abs(found - expected).max() < 1e-4
    check_network(network, _specification(), name="tiny")


def test_tiny_network_has_a_true_gradient(tmp_path: Path):
    network = load_onnx(_tiny(tmp_path / "tiny.onnx"))
    _check_gradient(network, torch.randn(2, 3, SIZE, SIZE), count=30)


def test_network_comes_frozen_in_eval_mode_without_subnormals(tmp_path: Path):
    network = load_onnx(_tiny(tmp_path / "tiny.onnx"))
    assert not any(module.training for module in network.modules())
    parameters = list(network.parameters())
    assert parameters
    assert not any(parameter.requires_grad for parameter in parameters)
    for values in (*parameters, *network.buffers()):
        nonzero = values[values != 0].abs()
        assert not len(nonzero) or float(nonzero.min()) >= torch.finfo(torch.float32).tiny
    assert any(bool((parameter == 0).any()) for parameter in parameters if parameter.shape == (6, 3, 3, 3))


def test_files_that_are_no_network_are_refused(tmp_path: Path):
    path = tmp_path / "bad.onnx"
    with pytest.raises(WeightsError, match="no ONNX file"):
        load_onnx(path)
    with pytest.raises(WeightsError, match="no ONNX file"):
        load_onnx(tmp_path)
    whole = _tiny(tmp_path / "tiny.onnx").read_bytes()
    for content in (b"", b"hello, this is text\n" * 20, b"\x89PNG\r\n\x1a\n" + bytes(99), b"\xff" * 50):
        path.write_bytes(content)
        with pytest.raises(WeightsError, match=r"bad\.onnx"):
            load_onnx(path)
    for end in range(1, len(whole), 61):
        path.write_bytes(whole[:end])
        with pytest.raises(WeightsError, match=r"bad\.onnx"):
            load_onnx(path)


def test_flipped_bytes_never_escape_as_another_error(tmp_path: Path):
    path, draw = tmp_path / "bad.onnx", np.random.default_rng(0)
    whole = _tiny(tmp_path / "tiny.onnx").read_bytes()
    refused = 0
    for _ in range(60):
        content = bytearray(whole)
        for place in draw.integers(0, len(whole), 3):
            content[place] = draw.integers(256)
        path.write_bytes(bytes(content))
        try:
            check_network(load_onnx(path), _specification(), name="bad")
        except WeightsError:
            refused += 1
    assert refused > 0


def test_unsupported_operators_are_all_named(tmp_path: Path):
    def nodes() -> list[Any]:
        return [
            helper.make_node("Hardmax", ["image"], ["a"]),
            helper.make_node("MaxRoiPool", ["a", "w3"], ["b"], pooled_shape=[1, 1]),
            helper.make_node("Flatten", ["a"], ["embedding"]),
        ]

    with pytest.raises(WeightsError, match=r"Hardmax, MaxRoiPool"):
        load_onnx(_tiny(tmp_path / "odd.onnx", nodes=nodes))


@pytest.mark.parametrize(
    ("ends", "says"),
    [({"inputs": 2}, "2 .image, image1. inputs"), ({"outputs": 2}, "2 .embedding, pooled. outputs")],
)
def test_more_than_one_input_or_output_is_refused(tmp_path: Path, ends: dict[str, int], says: str):
    with pytest.raises(WeightsError, match=says):
        load_onnx(_tiny(tmp_path / "two.onnx", **ends))


class _Fixed(nn.Module):
    """Gives what a function makes of the flattened input."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, inputs: Tensor) -> Any:
        return self.function(inputs)


@pytest.mark.parametrize(
    ("function", "says"),
    [
        (lambda x: x.flatten(1)[:, :5], r"gives \(2, 5\) for 2 pictures; \(2, 8\) was expected"),
        (lambda x: x.flatten()[: EMBEDDING * len(x)].view(1, -1), "free batch dimension"),
        (lambda x: x.reshape(1, -1)[:, :EMBEDDING], r"gives \(1, 8\) for 2 pictures"),
        (lambda x: x.flatten(1)[:, :EMBEDDING] * float("nan"), "infinite, undefined or all-zero"),
        (lambda x: x.flatten(1)[:, :EMBEDDING] * 0, "all-zero"),
        (lambda x: [x], "gives list"),
        (lambda x: x @ torch.zeros(3, 3), "does not run on 2 x 3 x 16 x 16"),
        (lambda x: (x - x.mean(0)).flatten(1)[:, :EMBEDDING] + x.mean(), "another embedding alone"),
    ],
)
def test_check_says_what_a_network_does_wrong(function: Callable[[Tensor], Any], says: str):
    with pytest.raises(WeightsError, match=f"somenet {'.*' if not says.startswith('gives') else ''}{says}"):
        check_network(_Fixed(function), _specification(), name="somenet")


def test_check_feeds_the_range_the_specification_names():
    seen: list[Tensor] = []

    def look(x: Tensor) -> Tensor:
        seen.append(x.clone())
        return x.flatten(1)[:, :EMBEDDING]

    specification = _specification(range=(0, 255), mean=(0, 100, 0), std=(1, 1, 10), size=(24, 16))
    check_network(_Fixed(look), specification, name="somenet")
    assert sorted(len(each) for each in seen) == [1, 2]
    for inputs in seen:
        assert inputs.shape[1:] == (3, 24, 16)
        for channel, (low, high) in enumerate([(0, 255), (-100, 155), (0, 25.5)]):
            values = inputs[:, channel]
            assert low <= float(values.min()) < low + 0.1 * (high - low)
            assert high >= float(values.max()) > high - 0.1 * (high - low)


@pytest.mark.shared
@pytest.mark.parametrize("name", ["mobilefacenet_ms1m", "mobileface_v2"])
def test_shared_networks_agree_with_onnxruntime(shared_dir: Path, name: str):
    path = shared_dir / "weights" / f"{name}.onnx"
    specification, network = read_specification(path), load_onnx(path)
    check_network(network, specification, name=name)
    chips = torch.rand(3, 3, *specification.size)
    inputs = preprocess(
        chips,
        channels=specification.channels,
        value_range=specification.range,
        mean=specification.mean,
        std=specification.std,
    )
    with torch.no_grad():
        found = network(inputs).numpy()
    expected = _runtime(path, inputs.numpy())
    assert np.abs(expected).max() > 0.1
    assert np.abs(found - expected).max() < 1e-4
    _check_gradient(network, inputs[:1], count=10)
