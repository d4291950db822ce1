"""Networks as others write them: types, constants, opsets, layouts, fixed batches, several outputs."""

import logging
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
import yaml
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn
from torch.nn import functional

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers import weights_store
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.onnx_network import UnconvertibleError, load_onnx
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    ort = pytest.importorskip("onnxruntime")

SIDE, LENGTH = 32, 6
FEEDING: dict[str, Any] = {
    "size": [SIDE, SIDE],
    "channels": "rgb",
    "range": [0, 1],
    "mean": [0.5] * 3,
    "std": [0.5] * 3,
    "template": "arcface",
    "distance": "cosine",
    "embedding": LENGTH,
}


class Face(nn.Module):
    """What most face networks are made of, in small; ends as most of them end."""

    def __init__(self, *, normed: bool = True) -> None:
        super().__init__()
        torch.manual_seed(3)
        self.normed = normed
        self.first = nn.Conv2d(3, 8, 3, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(8)
        self.norm.running_mean.uniform_(-0.5, 0.5)
        self.norm.running_var.uniform_(0.5, 2)
        self.slopes = nn.PReLU(8)
        self.second = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.last = nn.Linear(8 * 4 * 4, LENGTH)
        self.after = nn.BatchNorm1d(LENGTH)

    def forward(self, x: Tensor) -> Tensor:
        x = self.slopes(self.norm(self.first(x)))
        x = functional.avg_pool2d(functional.relu6(self.second(x)) + x, 4)
        found: Tensor = self.after(self.last(x.view(x.shape[0], -1)))
        return functional.normalize(found) if self.normed else found


def _beside(path: Path, **changes: Any) -> Path:
    path.with_suffix(".yaml").write_text(yaml.safe_dump({**FEEDING, **changes}), encoding="utf-8")
    return path


def _exported(
    path: Path, network: nn.Module, *, opset: int = 13, batch: int | None = None, **changes: Any
) -> Path:
    free = {} if batch else {"dynamic_axes": {"image": {0: "n"}, "embedding": {0: "n"}}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network.eval(),
            (torch.zeros(batch or 2, 3, SIDE, SIDE),),
            str(path),
            opset_version=opset,
            dynamo=False,
            input_names=["image"],
            output_names=["embedding"],
            **free,
        )
    return _beside(path, **changes)


def _runtime(path: Path, fed: np.ndarray, *, at_once: int | None = None, output: int = 0) -> np.ndarray:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 4
    session = ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    groups = np.split(fed, range(at_once, len(fed), at_once)) if at_once else [fed]
    return np.concatenate([np.atleast_2d(session.run(None, {given.name: each})[output]) for each in groups])


def _chips(count: int = 4) -> Tensor:
    return torch.rand(count, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))


def _agree(recognizer: Recognizer, wanted: np.ndarray, chips: Tensor, *, within: float = 1e-5) -> None:
    """Embeddings as wanted, and the gradient that finite differences give."""
    assert recognizer.differentiable, recognizer.why_no_gradient
    chips = chips.clone().requires_grad_()
    found = recognizer.embed(chips)
    assert found.dtype == torch.float32
    assert np.abs(wanted).max() > 0.05
    assert np.abs(found.detach().numpy() - wanted).max() < within * np.abs(wanted).max()
    weights = torch.linspace(-1, 1, found.shape[1])
    (gradient,) = torch.autograd.grad((found * weights).sum(), chips)
    draws = torch.Generator().manual_seed(2)
    for picture in (0, len(chips) - 1):
        way = torch.zeros_like(chips)
        way[picture] = gradient[picture].sign() + 0.1 * torch.randn(chips.shape[1:], generator=draws)
        with torch.no_grad():
            ends = [
                float((recognizer.embed(chips + step * way).double() * weights).sum())
                for step in (2e-3, -2e-3)
            ]
        assert (ends[0] - ends[1]) / 4e-3 == pytest.approx(float((gradient * way).sum()), rel=0.05)


@pytest.mark.parametrize("opset", [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20])
def test_every_opset_of_torch_agrees_with_onnxruntime(tmp_path: Path, opset: int) -> None:
    """With a normalised output, whose Clip has an empty bound; axes of reductions move in opset 18."""
    path = _exported(tmp_path / "net.onnx", Face(normed=opset > 7), opset=opset)
    chips = _chips()
    _agree(build_recognizer(f"onnx:{path}"), _runtime(path, (chips * 2 - 1).numpy()), chips)


TYPES = {
    TensorProto.FLOAT16: torch.float16,
    TensorProto.BFLOAT16: torch.bfloat16,  # which numpy, and onnx before 1.19 with it, has no type for
    TensorProto.DOUBLE: torch.float64,
}


def _in_type(path: Path, kind: int, *, ends: bool) -> None:
    """Store all floats of a file in another type; with `ends` the whole graph computes in it."""
    model = onnx.load(str(path))
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type == TensorProto.FLOAT:
            values = torch.tensor(numpy_helper.to_array(tensor)).to(TYPES[kind])
            name = tensor.name if ends else f"{tensor.name}.stored"
            raw = values.flatten().view(torch.uint8).numpy().tobytes()
            stored = helper.make_tensor(name, kind, values.shape, raw, raw=True)
            if not ends:
                casts.append(helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(stored)
    if ends:
        for each in (*model.graph.input, *model.graph.output):
            each.type.tensor_type.elem_type = kind
    for cast in casts:
        model.graph.node.insert(0, cast)
    onnx.save(model, str(path))


class Plain(nn.Module):
    """Without normalisation, whose constants the exporter writes in float32."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(4)
        self.layers = nn.Sequential(
            nn.Conv2d(3, 8, 5, stride=4),
            nn.PReLU(8),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, LENGTH),
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layers(x)
        return found


@pytest.mark.parametrize("ends", [True, False], ids=["computed", "stored"])
@pytest.mark.parametrize("kind", ["FLOAT16", "BFLOAT16", "DOUBLE"])
def test_onnx_weights_in_other_types_become_float32(tmp_path: Path, kind: str, ends: bool) -> None:
    """Casts of constants among them: what is stored as float16 is used as float32."""
    path = _exported(tmp_path / "net.onnx", Plain())
    chips = _chips()
    wanted = _runtime(path, (chips * 2 - 1).numpy())
    _in_type(path, getattr(TensorProto, kind), ends=ends)
    recognizer = build_recognizer(f"onnx:{path}")
    _agree(recognizer, recognizer.embed(chips).numpy(), chips)
    within = {"FLOAT16": 5e-3, "BFLOAT16": 5e-2, "DOUBLE": 1e-5}[kind]
    _agree(recognizer, wanted, chips, within=within)
    if kind == "FLOAT16" and ends:
        box = build_recognizer(f"onnx-blackbox:{path}")
        half = _runtime(path, (chips * 2 - 1).numpy().astype(np.float16)).astype(np.float32)
        np.testing.assert_array_equal(box.embed(chips).numpy(), half)
        assert np.abs(recognizer.embed(chips).numpy() - half).max() < 5e-3 * np.abs(half).max()


@pytest.mark.parametrize("how", ["constants", "identities", "named"])
def test_constants_in_any_form_are_weights(tmp_path: Path, how: str) -> None:
    """As Constant nodes, as PaddlePaddle writes them; behind Identity; with dots and slashes in names."""
    path = _exported(tmp_path / "net.onnx", Face(), opset=17)
    chips = _chips()
    wanted = _runtime(path, (chips * 2 - 1).numpy())
    model = onnx.load(str(path))
    graph = model.graph
    first = []
    for tensor in list(graph.initializer):
        if how == "constants":
            first.append(helper.make_node("Constant", [], [tensor.name], value=tensor))
            graph.initializer.remove(tensor)
        elif how == "identities":
            tensor_name = tensor.name
            tensor.name = f"{tensor_name}.shared"
            first.append(helper.make_node("Identity", [tensor.name], [tensor_name]))
    if how == "named":
        for number, node in enumerate(graph.node):
            node.name = f"/model/stage.1/{node.op_type}.{number}"
            for names in (node.input, node.output):
                names[:] = [
                    f"/model/a.b/{name}" if name and name not in ("image", "embedding") else name
                    for name in names
                ]
        for tensor in graph.initializer:
            tensor.name = f"/model/a.b/{tensor.name}"
    for node in first:
        graph.node.insert(0, node)
    onnx.save(model, str(path))
    np.testing.assert_allclose(_runtime(path, (chips * 2 - 1).numpy()), wanted, atol=1e-6)
    _agree(build_recognizer(f"onnx:{path}"), wanted, chips)


def _graph(
    path: Path,
    nodes: list[Any],
    stored: dict[str, Any],
    *,
    shape: list[Any] | None = None,
    kind: int = 1,
    outputs: dict[str, list[Any]] | None = None,
    opset: int = 13,
    **changes: Any,
) -> Path:
    ends = [helper.make_tensor_value_info("image", kind, shape or ["n", 3, SIDE, SIDE])]
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, sides)
        for name, sides in (outputs or {"embedding": ["n", LENGTH]}).items()
    ]
    tensors = [numpy_helper.from_array(np.asarray(values), name) for name, values in stored.items()]
    graph = helper.make_graph(nodes, "net", ends, given, initializer=tensors)
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8), str(path)
    )
    return _beside(path, **changes)


def _draws(*shape: int) -> np.ndarray:
    return np.random.default_rng(len(shape)).normal(0, 0.3, shape).astype(np.float32)


def _tail(before: str) -> list[Any]:
    return [
        helper.make_node("GlobalAveragePool", [before], ["pooled"]),
        helper.make_node("Flatten", ["pooled"], ["flat"]),
        helper.make_node("Gemm", ["flat", "v"], ["embedding"], transB=1),
    ]


@pytest.mark.parametrize(
    "window",
    [
        {"pads": [0, 1, 2, 1]},
        {"pads": [2, 0, 1, 0], "strides": [2, 3]},
        {"auto_pad": "SAME_UPPER", "strides": [2, 2]},
        {"auto_pad": "SAME_LOWER", "strides": [2, 2]},
        {"auto_pad": "VALID"},
    ],
)
@pytest.mark.parametrize("kind", ["Conv", "MaxPool", "AveragePool", "AveragePool padded"])
def test_windows_padded_on_one_side_agree_with_onnxruntime(
    tmp_path: Path, kind: str, window: dict[str, Any]
) -> None:
    node = helper.make_node
    last = {
        "Conv": node("Conv", ["c", "u"], ["d"], kernel_shape=[3, 3], **window),
        "MaxPool": node("MaxPool", ["c"], ["d"], kernel_shape=[3, 3], **window),
        "AveragePool": node("AveragePool", ["c"], ["d"], kernel_shape=[3, 3], **window),
        "AveragePool padded": node(
            "AveragePool", ["c"], ["d"], kernel_shape=[3, 3], count_include_pad=1, **window
        ),
    }[kind]
    nodes = [node("Conv", ["image", "w"], ["c"], kernel_shape=[3, 3], strides=[2, 2]), last, *_tail("d")]
    stored = {"w": _draws(5, 3, 3, 3), "u": _draws(5, 5, 3, 3), "v": _draws(LENGTH, 5)}
    path = _graph(tmp_path / "net.onnx", nodes, stored)
    chips = _chips()
    _agree(build_recognizer(f"onnx:{path}"), _runtime(path, (chips * 2 - 1).numpy()), chips, within=1e-4)


def _last_and_whole(path: Path, *, batch: Any, kind: int, whole: bool) -> Path:
    node = helper.make_node
    nodes = [
        node("Cast", ["image"], ["f"], to=TensorProto.FLOAT),
        node("Mul", ["f", "s"], ["m"]),
        node("Transpose", ["m"], ["t"], perm=[0, 3, 1, 2]),
        node("Conv", ["t", "w"], ["c"], kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER"),
        node("Relu", ["c"], ["d"]),
        *_tail("d"),
    ]
    stored = {"w": _draws(5, 3, 3, 3), "v": _draws(LENGTH, 5), "s": np.float32(1 / 255 if whole else 1)}
    feeding = {"range": [0, 255], "mean": [0] * 3, "std": [1] * 3} if whole else {}
    return _graph(
        path,
        nodes,
        stored,
        shape=[batch, SIDE, SIDE, 3],
        kind=kind,
        outputs={"embedding": [batch, LENGTH]},
        **feeding,
    )


@pytest.mark.parametrize("batch", ["n", 1])
@pytest.mark.parametrize("whole", [False, True], ids=["float", "uint8"])
def test_layout_and_type_of_the_input_are_read_from_the_file(tmp_path: Path, batch: Any, whole: bool) -> None:
    """Channels last, as Keras has it, and pictures as bytes, rounded as a camera would."""
    kind = TensorProto.UINT8 if whole else TensorProto.FLOAT
    path = _last_and_whole(tmp_path / "net.onnx", batch=batch, kind=kind, whole=whole)
    chips = _chips()
    fed = (chips * 255).round().numpy().astype(np.uint8) if whole else (chips * 2 - 1).numpy()
    wanted = _runtime(path, np.ascontiguousarray(fed.transpose(0, 2, 3, 1)), at_once=1)
    found = build_recognizer(f"onnx:{path}")
    box = build_recognizer(f"onnx-blackbox:{path}")
    np.testing.assert_allclose(box.embed(chips).numpy(), wanted, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.embed(chips).numpy(), wanted, rtol=1e-4, atol=1e-6)
    gradient = torch.autograd.grad(found.embed(chips.requires_grad_()).sum(), chips)[0]
    assert bool(gradient.flatten(1).any(dim=1).all())


def test_bytes_fed_with_values_about_zero_are_refused_with_what_to_write(tmp_path: Path) -> None:
    path = _last_and_whole(tmp_path / "net.onnx", batch="n", kind=TensorProto.UINT8, whole=True)
    _beside(path)
    for scheme in ("onnx", "onnx-blackbox"):
        with pytest.raises(
            WeightsError, match=r"would be given -1 to 1; write `range: \[0, 255\]`.*uint8 \[n, 32"
        ):
            build_recognizer(f"{scheme}:{path}")


class Attends(nn.Module):
    """A small vision transformer: class token, attention, layer norm."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(5)
        self.patches, self.parts = nn.Conv2d(3, 16, 8, 8), nn.Linear(16, 48)
        self.norm, self.token = nn.LayerNorm(16), nn.Parameter(torch.randn(1, 1, 16))
        self.last = nn.Linear(16, LENGTH)

    def forward(self, x: Tensor) -> Tensor:
        y = self.patches(x).flatten(2).transpose(1, 2)
        y = torch.cat([self.token.expand(y.shape[0], -1, -1), y], 1)
        batch, count, width = y.shape
        query, key, value = (
            self.parts(self.norm(y)).reshape(batch, count, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        )
        seen = (query @ key.transpose(-2, -1) * 8**-0.5).softmax(-1) @ value
        y = y + seen.transpose(1, 2).reshape(batch, count, width)
        found: Tensor = self.last(functional.gelu(y)[:, 0])
        return found


class Mixed(nn.Module):
    """Whatever else networks are made of; `squeeze` is written as a branch on the shape."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(6)
        self.first, self.norm = nn.Conv2d(3, 16, 3, 2, 1), nn.BatchNorm2d(16)
        self.gate, self.groups = nn.Conv2d(16, 16, 1), nn.GroupNorm(4, 16)
        self.each, self.last = nn.InstanceNorm2d(16, affine=True), nn.Linear(16, LENGTH)

    def forward(self, x: Tensor) -> Tensor:
        y = functional.hardswish(self.norm(self.first(x)))
        y = y * functional.hardsigmoid(self.gate(y.mean((2, 3), keepdim=True)))
        y = self.each(self.groups(y))
        ways: list[dict[str, Any]] = [{"mode": "bilinear", "align_corners": False}, {"mode": "nearest"}]
        y = sum(functional.interpolate(y, scale_factor=2, **way) for way in ways)
        y = functional.pad(y, (1, 0, 2, 1), mode="reflect")
        y = functional.leaky_relu(y) + functional.elu(y) + functional.softplus(y)
        y = torch.cat(y.chunk(2, 1)[::-1], 1)
        y = functional.pixel_shuffle(y, 2).repeat(1, 4, 1, 1).flip(3)
        y = torch.where(y > 0, y, y * 0.3)
        y = functional.avg_pool2d(functional.max_pool2d(y, 3, 2, 1, ceil_mode=True), 3, 2, 1, ceil_mode=True)
        y = torch.squeeze(torch.maximum(y.amax((2, 3), keepdim=True), torch.tensor(-5.0)))
        return functional.normalize(self.last(y.reshape(x.shape[0], -1)))


@pytest.mark.parametrize("batch", [None, 1])
@pytest.mark.parametrize("opset", [11, 18])
@pytest.mark.parametrize("network", [Attends, Mixed])
def test_other_layers_agree_with_onnxruntime_and_torch(
    tmp_path: Path, network: type[nn.Module], opset: int, batch: int | None
) -> None:
    """Embeddings with onnxruntime's, gradients with those of the network before it was exported."""
    path = _exported(tmp_path / "net.onnx", network(), opset=opset, batch=batch)
    chips = _chips().requires_grad_()
    recognizer = build_recognizer(f"onnx:{path}")
    found, wanted = recognizer.embed(chips), network().eval()(chips * 2 - 1)
    at_once = _runtime(path, (chips.detach() * 2 - 1).numpy(), at_once=batch)
    assert np.abs(found.detach().numpy() - at_once).max() < 1e-5
    weights = torch.linspace(-1, 1, LENGTH)
    gradient, true = (torch.autograd.grad((each * weights).sum(), chips)[0] for each in (found, wanted))
    assert float((gradient - true).abs().max()) < 1e-4 * float(true.abs().max())


def test_what_does_not_fit_is_told_with_what_the_file_declares(tmp_path: Path) -> None:
    path = _exported(tmp_path / "net.onnx", Face(), opset=11, batch=1, size=[48, 48])
    with pytest.raises(
        WeightsError, match=r"declares its input as 'image', float \[1, 3, 32, 32\]; opset 11"
    ):
        build_recognizer(f"onnx:{path}")
    model = onnx.load(str(path))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 2**40
    onnx.save(model, str(path))
    with pytest.raises(WeightsError, match=r"takes pictures 1099511627776 at a time only"):
        build_recognizer(f"onnx:{path}")


def test_a_padding_far_beyond_the_window_is_not_run_here(tmp_path: Path) -> None:
    """A damaged file that asks for it would take minutes and gigabytes."""
    nodes = [helper.make_node("Conv", ["image", "w"], ["c"], pads=[0, 0, 0, 10**6]), *_tail("c")]
    path = _graph(tmp_path / "net.onnx", nodes, {"w": _draws(5, 3, 3, 3), "v": _draws(LENGTH, 5)})
    with pytest.raises(UnconvertibleError, match="Conv with a padding of 1000000; opset 13"):
        load_onnx(path)


def test_names_that_are_no_text_are_a_sentence(tmp_path: Path) -> None:
    path = _several(tmp_path / "net.onnx")
    model = onnx.load(str(path))
    model.graph.input.add().CopyFrom(model.graph.input[0])
    model.graph.input[1].name = "other"
    path.write_bytes(
        model.SerializeToString().replace(b"other", b"\xffther").replace(b"logits", b"\xffogits")
    )
    for scheme in ("onnx", "onnx-blackbox"):
        with pytest.raises(WeightsError, match=r"net\.onnx"):
            build_recognizer(f"{scheme}:{path}")


def test_intermediate_features_of_a_network_that_runs_in_groups_are_those_of_all_pictures(
    tmp_path: Path,
) -> None:
    """The middle layer runs once for each group."""
    recognizer = build_recognizer(f"onnx:{_exported(tmp_path / 'net.onnx', Fixed(1, mixed=True), batch=1)}")
    ensemble = Ensemble([recognizer])
    pictures = torch.rand(3, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    landmarks = (recognizer.template * 1.5).expand(3, 5, 2)
    seen = []

    def compare(_: int, masked: Tensor, bare: Tensor) -> Tensor:
        seen.append((masked, bare))
        return torch.zeros(())

    ensemble.judged(pictures, landmarks, lambda _, found: found.sum(), intermediate=compare, bare=pictures)
    ((masked, bare),) = seen
    assert len(masked) == 3
    torch.testing.assert_close(masked, bare)
    assert not torch.equal(masked[0], masked[1])


class Fixed(Plain):
    """Written for one number of pictures."""

    def __init__(self, count: int, *, mixed: bool = False) -> None:
        super().__init__()
        self.count, self.mixed = count, mixed

    def forward(self, x: Tensor) -> Tensor:
        found = self.layers[:3](x)
        found = (
            found.reshape(self.count * 2, 4).reshape(self.count, 8)
            if self.mixed
            else found.reshape(self.count, -1)
        )
        last: Tensor = self.layers[4](found)
        return last


@pytest.mark.parametrize("mixed", [False, True], ids=["freed", "in groups"])
@pytest.mark.parametrize("count", [1, 3])
def test_a_fixed_number_of_pictures_is_no_bound(tmp_path: Path, count: int, mixed: bool) -> None:
    path = _exported(tmp_path / "net.onnx", Fixed(count, mixed=mixed), opset=9, batch=count)
    chips = _chips(6)
    wanted = _runtime(path, (chips * 2 - 1).numpy(), at_once=count)
    _agree(build_recognizer(f"onnx:{path}"), wanted, chips)
    assert build_recognizer(f"onnx:{path}").embed(chips[:5]).shape == (5, LENGTH)
    box = build_recognizer(f"onnx-blackbox:{path}")
    np.testing.assert_allclose(box.embed(chips[:5]).numpy(), wanted[:5], rtol=1e-4, atol=1e-6)


def test_an_output_of_one_axis_is_one_embedding(tmp_path: Path) -> None:
    """As vendors write it: opset 9, one picture, the embedding without a batch axis."""
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "w"], ["c"], kernel_shape=[4, 4], strides=[4, 4]),
        node("GlobalAveragePool", ["c"], ["g"]),
        node("Reshape", ["g", "shape"], ["embedding"]),
    ]
    stored = {"w": _draws(LENGTH, 3, 4, 4), "shape": np.array([LENGTH], np.int64)}
    path = _graph(
        tmp_path / "net.onnx",
        nodes,
        stored,
        shape=[1, 3, SIDE, SIDE],
        outputs={"embedding": [LENGTH]},
        opset=9,
    )
    chips = _chips()
    wanted = _runtime(path, (chips * 2 - 1).numpy(), at_once=1)
    _agree(build_recognizer(f"onnx:{path}"), wanted, chips)
    np.testing.assert_allclose(
        build_recognizer(f"onnx-blackbox:{path}").embed(chips).numpy(), wanted, atol=1e-6
    )


def _several(path: Path, **changes: Any) -> Path:
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "w"], ["maps"], kernel_shape=[4, 4], strides=[4, 4]),
        node("GlobalAveragePool", ["maps"], ["pooled"]),
        node("Flatten", ["pooled"], ["flat"]),
        node("Gemm", ["flat", "v"], ["logits"], transB=1),
        node("LpNormalization", ["flat"], ["normed"], axis=1),
    ]
    outputs = {
        "maps": ["n", LENGTH, 8, 8],
        "logits": ["n", 9],
        "flat": ["n", LENGTH],
        "normed": ["n", LENGTH],
    }
    stored = {"w": _draws(LENGTH, 3, 4, 4), "v": _draws(9, LENGTH)}
    return _graph(path, nodes, stored, outputs=outputs, **changes)


@pytest.mark.parametrize("scheme", ["onnx", "onnx-blackbox"])
def test_of_several_outputs_one_is_taken_and_named(
    tmp_path: Path, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, chips = _several(tmp_path / "net.onnx"), _chips()
    fed = (chips * 2 - 1).numpy()
    with caplog.at_level(logging.INFO, logger="advmask"):
        found = build_recognizer(f"{scheme}:{path}").embed(chips).numpy()
    assert "'flat' is taken for the embedding" in caplog.text
    assert "`output: NAME` in its YAML takes another" in caplog.text
    np.testing.assert_allclose(found, _runtime(path, fed, output=2), atol=1e-6)
    _beside(path, output="normed")
    found = build_recognizer(f"{scheme}:{path}").embed(chips).numpy()
    np.testing.assert_allclose(found, _runtime(path, fed, output=3), atol=1e-6)
    _beside(path, output="nrmed")
    with pytest.raises(WeightsError, match=r"no output 'nrmed'.*it has 'maps', float \[n, 6, 8, 8\]"):
        build_recognizer(f"{scheme}:{path}")
    _beside(path, embedding=7)
    with pytest.raises(
        WeightsError, match=r"no output with the 7 values of `embedding`.*'logits', float \[n, 9\]"
    ):
        build_recognizer(f"{scheme}:{path}")


def test_a_network_that_gives_no_gradient_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    nodes = [
        *_tail("image")[:2],
        helper.make_node("Hardmax", ["flat"], ["h"], axis=1),
        helper.make_node("Add", ["flat", "h"], ["s"]),
        helper.make_node("Gemm", ["s", "v"], ["embedding"], transB=1),
    ]
    path = _graph(tmp_path / "net.onnx", nodes, {"v": _draws(LENGTH, 3)}, opset=15)
    with caplog.at_level(logging.WARNING, logger="advmask"):
        assert not build_recognizer(f"onnx:{path}").differentiable
    assert "runs in onnxruntime, as a black box" in caplog.text
    assert "Hardmax, opset 15" in caplog.text


def _script(
    path: Path,
    network: nn.Module,
    *,
    frozen: bool = False,
    traced: int | None = None,
    kind: torch.dtype = torch.float32,
) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises other formats
        network = network.eval()
        script = (
            torch.jit.trace(network, torch.zeros(traced, 3, SIDE, SIDE, dtype=kind))
            if traced
            else torch.jit.script(network)
        )
        (torch.jit.freeze(script) if frozen else script).save(str(path))
    return _beside(path)


class Typed(Plain):
    """Casts its own input, as many do who save in half."""

    def __init__(self, kind: torch.dtype) -> None:
        super().__init__()
        self.kind = kind
        self.to(kind)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.layers(x.to(self.kind))
        return found


KINDS = [torch.float16, torch.bfloat16, torch.float64]


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize("network", [Plain, Typed])
@pytest.mark.parametrize("kind", KINDS)
def test_torchscript_in_other_types_runs_in_float32(
    tmp_path: Path, kind: torch.dtype, network: Any, frozen: bool
) -> None:
    wanted = Plain().to(kind).float()
    made = Plain().to(kind) if network is Plain else Typed(kind)
    traced = 2 if network is Plain else 1
    path = _script(tmp_path / "net.pt", made, frozen=frozen, traced=traced, kind=kind)
    chips = _chips()
    with torch.no_grad():
        figures = wanted(chips * 2 - 1).numpy()
    _agree(build_recognizer(f"torchscript:{path}"), figures, chips, within=2e-5)


@pytest.mark.parametrize("network", [Plain, Typed])
@pytest.mark.parametrize("kind", KINDS)
def test_modules_in_other_types_give_float32(kind: torch.dtype, network: Any) -> None:
    wanted = Plain().to(kind).float()
    made = Plain().to(kind) if network is Plain else Typed(kind)
    recognizer = Recognizer.from_module(made, size=(SIDE, SIDE), template="arcface")
    assert next(made.parameters()).dtype == kind  # the user's stays what it was
    assert recognizer.specification.embedding == LENGTH
    chips = _chips()
    with torch.no_grad():
        found, figures = recognizer.embed(chips), wanted(chips * 2 - 1)
    assert found.dtype == torch.float32
    within = 1e-5 if network is Plain or kind == torch.float64 else 5e-2
    assert float((found - figures).abs().max()) < within * float(figures.abs().max())
    assert recognizer.differentiable


def test_a_trace_made_on_a_gpu_runs_on_the_cpu(tmp_path: Path) -> None:
    """A device is written into the program of such a trace."""

    class Made(Plain):
        def forward(self, x: Tensor) -> Tensor:
            found: Tensor = self.layers(x) + torch.ones(LENGTH, device=torch.device("cpu"))
            return found

    whole = _script(tmp_path / "cpu.pt", Made(), traced=2)
    path = _beside(tmp_path / "gpu.pt")
    with zipfile.ZipFile(whole) as read, zipfile.ZipFile(path, "w") as write:
        changed = 0
        for item in read.namelist():
            data = read.read(item)
            if item.endswith(".py"):
                changed += data.count(b'torch.device("cpu")')
                data = data.replace(b'torch.device("cpu")', b'torch.device("cuda:0")')
            write.writestr(item, data)
    assert changed
    chips = _chips()
    with torch.no_grad():
        wanted = Made().eval()(chips * 2 - 1).numpy()
    _agree(build_recognizer(f"torchscript:{path}"), wanted, chips)


@pytest.mark.parametrize("count", [1, 2, 4])
def test_a_trace_of_a_fixed_number_of_pictures_runs_in_groups(tmp_path: Path, count: int) -> None:
    path = _script(tmp_path / "net.pt", Fixed(count), traced=count)
    chips = _chips(6)
    with torch.no_grad():
        wanted = Plain().eval()(chips * 2 - 1).numpy()
    _agree(build_recognizer(f"torchscript:{path}"), wanted, chips)


def test_modules_of_other_shapes_are_fed_as_they_take_and_give() -> None:
    class Last(Plain):
        def forward(self, x: Tensor) -> Any:
            return super().forward(x.permute(0, 3, 1, 2))[..., None, None], x

    recognizer = Recognizer.from_module(Last(), size=(SIDE, SIDE), template="arcface", embedding=LENGTH)
    chips = _chips()
    with torch.no_grad():
        torch.testing.assert_close(recognizer.embed(chips), Plain()(chips * 2 - 1))


@pytest.mark.parametrize("count", [1, 2])
def test_a_network_of_torch_export_is_named_as_what_it_is(tmp_path: Path, count: int) -> None:
    """Beside its name the error gives the function that runs it, and that one runs it."""
    path = _beside(tmp_path / "net.pt2")
    program = torch.export.export(Plain().eval(), (torch.zeros(count, 3, SIDE, SIDE),))
    torch.export.save(program, str(path))
    for scheme in ("torchscript", "onnx", "iresnet50"):
        with pytest.raises(WeightsError, match=r"net\.pt2 holds a network of torch\.export") as refused:
            build_recognizer(f"{scheme}:{path}")
    lines = re.findall(r"`(.+?)`", str(refused.value))
    lines[1] += f", {FEEDING}"
    (tmp_path / "net.py").write_text("\n".join(lines), encoding="utf-8")
    chips = _chips()
    with torch.no_grad():
        wanted = Plain().eval()(chips * 2 - 1).numpy()
    _agree(build_recognizer(f"python:{tmp_path}/net.py:build"), wanted, chips)


def _external(path: Path) -> Path:
    _exported(path, Plain())
    onnx.save(
        onnx.load(str(path)),
        str(path),
        save_as_external_data=True,
        location=f"{path.name}.data",
        size_threshold=0,
    )
    return path


def test_weights_in_a_file_beside_are_read_and_count_for_the_checksum(tmp_path: Path) -> None:
    path = _external(tmp_path / "net.onnx")
    chips = _chips()
    found = build_recognizer(f"onnx:{path}")
    _agree(found, _runtime(path, (chips * 2 - 1).numpy()), chips)
    data = path.with_name("net.onnx.data")
    whole = data.read_bytes()
    data.write_bytes(bytes(reversed(whole[:4])) + whole[4:])
    assert build_recognizer(f"onnx:{path}").weights_sha256 != found.weights_sha256
    data.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(WeightsError, match=r"net\.onnx"):
        build_recognizer(f"onnx:{path}")
    data.unlink()
    for scheme in ("onnx", "onnx-blackbox"):
        with pytest.raises(
            WeightsError, match=r"lie in net\.onnx\.data, which is not next to it; copy that file to"
        ):
            build_recognizer(f"{scheme}:{path}")


def test_weights_in_a_file_beside_are_kept_with_the_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "kept"
    monkeypatch.setenv("ADVMASK_WEIGHTS", str(folder))
    path = _external(tmp_path / "net.onnx")
    _, added = weights_store.add(path, name="mine")
    assert added.weights_sha256 == build_recognizer(f"onnx:{path}").weights_sha256
    assert sorted(each.name for each in folder.iterdir()) == [
        "SHA256SUMS",
        "mine.onnx",
        "mine.yaml",
        "net.onnx.data",
    ]
    assert [wrong for _, _, wrong in weights_store.verify() if wrong] == []
    kept = folder / "net.onnx.data"
    kept.write_bytes(kept.read_bytes()[::-1])
    assert any(wrong for _, _, wrong in weights_store.verify())
    with pytest.raises(WeightsError, match=r"net\.onnx\.data has SHA-256"):
        build_recognizer("mine")
    with pytest.raises(
        ConfigError, match=r"lie in net\.onnx\.data, and .* is another file; store all in one file"
    ):
        weights_store.add(path, name="other")
    assert not (folder / "other.onnx").exists()
