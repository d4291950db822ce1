"""The face mesh in torch: every operation against LiteRT, damaged files, and the aligner on a face."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from advmask.core.errors import AdvmaskError, WeightsError
from advmask.photos.crops import FaceCrop
from advmask.photos.detection import FaceDetector
from advmask.photos.face_mesh import FaceMesh, read_mesh_model
from advmask.photos.mesh_points import five_from_mesh
from advmask.recognizers.aligners.mesh468 import MODEL_VARIABLE, MeshAligner
from advmask.recognizers.aligners.tflite_network import TfliteNetwork

CODES = {"ADD": 0, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 4, "DEQUANTIZE": 6, "LOGISTIC": 14, "MAX_POOL_2D": 17}
CODES |= {"PAD": 34, "PRELU": 54}


@dataclass
class Writer:
    """Writes small .tflite networks with the format's own classes."""

    draw: np.random.Generator
    tensors: list[Any] = field(default_factory=list)
    buffers: list[Any] = field(default_factory=list)
    operations: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
        self.buffers.append(self.schema.BufferT())

    def tensor(self, shape: tuple[int, ...], values: np.ndarray | None = None, kind: int = 0) -> int:
        one = self.schema.TensorT()
        one.shape, one.type, one.name = list(shape), kind, f"t{len(self.tensors)}".encode()
        one.buffer = 0
        if values is not None:
            data = self.schema.BufferT()
            data.data = np.frombuffer(np.ascontiguousarray(values).tobytes(), np.uint8)
            self.buffers.append(data)
            one.buffer = len(self.buffers) - 1
        self.tensors.append(one)
        return len(self.tensors) - 1

    def half(self, *shape: int) -> int:
        """A stored float16 tensor, widened by its own operation, as converters write them."""
        stored = self.tensor(shape, self.draw.normal(0, 0.4, shape).astype(np.float16), kind=1)
        widened = self.tensor(shape)
        self.step("DEQUANTIZE", [stored], widened)
        return widened

    def step(self, name: str, inputs: list[int], output: int, **options: int) -> int:
        one = self.schema.OperatorT()
        one.opcodeIndex, one.inputs, one.outputs = list(CODES).index(name), inputs, [output]
        made = {
            "CONV_2D": ("Conv2DOptions", self.schema.Conv2DOptionsT),
            "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", self.schema.DepthwiseConv2DOptionsT),
            "MAX_POOL_2D": ("Pool2DOptions", self.schema.Pool2DOptionsT),
            "ADD": ("AddOptions", self.schema.AddOptionsT),
            "PAD": ("PadOptions", self.schema.PadOptionsT),
        }.get(name)
        if made is not None:
            one.builtinOptionsType = getattr(self.schema.BuiltinOptions, made[0])
            one.builtinOptions = made[1]()
            for key, value in options.items():
                setattr(one.builtinOptions, key, value)
        self.operations.append(one)
        return output

    def file(self, inputs: list[int], outputs: list[int]) -> bytes:
        import flatbuffers

        graph = self.schema.SubGraphT()
        graph.tensors, graph.inputs, graph.outputs = self.tensors, inputs, outputs
        graph.operators = self.operations
        model = self.schema.ModelT()
        model.version, model.subgraphs, model.buffers = 3, [graph], self.buffers
        model.operatorCodes = []
        for code in CODES.values():
            one = self.schema.OperatorCodeT()
            one.builtinCode = one.deprecatedBuiltinCode = code
            one.version = 1
            model.operatorCodes.append(one)
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        return bytes(builder.Output())


def out(extent: int, kernel: int, stride: int, same: bool) -> int:
    return -(-extent // stride) if same else (extent - kernel) // stride + 1


def network(seed: int, rows: int, columns: int, *, kernel: int, stride: int, same: bool) -> bytes:
    """Convolution, PReLU, depthwise convolution, a pooled and padded shortcut, and their sum."""
    writer = Writer(np.random.default_rng(seed))
    padding = 0 if same else 1
    x = writer.tensor((1, rows, columns, 3))
    shape = (1, out(rows, kernel, stride, same), out(columns, kernel, stride, same), 4)
    strides = {"strideH": stride, "strideW": stride, "padding": padding}
    once = {"dilationHFactor": 1, "dilationWFactor": 1}
    y = writer.tensor(shape)
    inputs = [x, writer.half(4, kernel, kernel, 3), writer.half(4)]
    writer.step("CONV_2D", inputs, y, **strides, **once)
    inputs = [y, writer.half(1, 1, 4)]
    y = writer.step("PRELU", inputs, writer.tensor(shape))
    small = (1, out(shape[1], 2, 2, same), out(shape[2], 2, 2, same))
    strides = {"strideH": 2, "strideW": 2, "padding": padding}
    inputs = [y, writer.half(1, 2, 2, 4), writer.half(4)]
    deep = writer.step(
        "DEPTHWISE_CONV_2D", inputs, writer.tensor((*small, 4)), depthMultiplier=1, **strides, **once
    )
    inputs = [deep, writer.half(6, 1, 1, 4), writer.half(6)]
    one = {"strideH": 1, "strideW": 1, "padding": 0}
    deep = writer.step("CONV_2D", inputs, writer.tensor((*small, 6)), **one, **once)
    pooled = writer.tensor((*small, 4))
    writer.step("MAX_POOL_2D", [y], pooled, filterHeight=2, filterWidth=2, **strides)
    pairs = writer.tensor((4, 2), np.array([[0, 0], [0, 0], [0, 0], [0, 2]], np.int32), kind=2)
    padded = writer.step("PAD", [pooled, pairs], writer.tensor((*small, 6)))
    total = writer.step("ADD", [padded, deep], writer.tensor((*small, 6)))
    return writer.file([x], [total, y])


def by_litert(content: bytes, picture: np.ndarray) -> list[np.ndarray]:
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(
        model_content=content,
        num_threads=1,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], picture[None])
    interpreter.invoke()
    return [interpreter.get_tensor(one["index"]) for one in interpreter.get_output_details()]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10000),
    rows=st.integers(9, 20),
    columns=st.integers(9, 20),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    same=st.booleans(),
)
def test_every_operation_is_litert_s(
    seed: int, rows: int, columns: int, kernel: int, stride: int, same: bool
) -> None:
    content = network(seed, rows, columns, kernel=kernel, stride=stride, same=same)
    picture = np.random.default_rng(seed + 1).normal(size=(rows, columns, 3)).astype(np.float32)
    expected = by_litert(content, picture)
    found = TfliteNetwork(content, name="small")(torch.from_numpy(picture).permute(2, 0, 1)[None])
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.permute(0, 2, 3, 1).numpy(), theirs, atol=2e-5)


def test_it_is_frozen_and_has_a_true_gradient() -> None:
    content = network(3, 9, 11, kernel=3, stride=2, same=True)
    ours = TfliteNetwork(content, name="small").double()
    assert not list(ours.parameters())
    picture = torch.randn(1, 3, 9, 11, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: ours(x)[0], picture)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_a_sentence_and_nothing_worse(data: st.DataObject) -> None:
    content = bytearray(network(1, 9, 9, kernel=3, stride=1, same=True))
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    try:
        TfliteNetwork(bytes(content), name="broken.tflite")
    except WeightsError as error:
        assert "broken.tflite" in str(error)  # noqa: PT017


def test_other_operations_are_refused() -> None:
    writer = Writer(np.random.default_rng(0))
    x, y = writer.tensor((1, 4, 4, 3)), writer.tensor((1, 4, 4, 3))
    writer.step("LOGISTIC", [x], y)
    with pytest.raises(WeightsError, match="operation 14 is unknown here"):
        TfliteNetwork(writer.file([x], [y]), name="sigmoid.tflite")


def test_without_a_file_it_says_which_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    with pytest.raises(WeightsError, match=f"mediapipe==0.10.21.*{MODEL_VARIABLE}"):
        MeshAligner()
    monkeypatch.setenv(MODEL_VARIABLE, str(tmp_path / "nowhere.tflite"))
    with pytest.raises(AdvmaskError, match=r"nowhere\.tflite"):
        MeshAligner()
    (tmp_path / "small.tflite").write_bytes(network(1, 192, 192, kernel=3, stride=1, same=True))
    with pytest.raises(WeightsError, match="another network than mediapipe's face mesh"):
        MeshAligner(model=tmp_path / "small.tflite")


@pytest.fixture(scope="module")
def wheel() -> Path:
    if not (named := os.environ.get(MODEL_VARIABLE)):
        pytest.skip(f"{MODEL_VARIABLE} names no mediapipe wheel")
    return Path(named)


def test_the_mesh_network_is_litert_s(wheel: Path) -> None:
    content = read_mesh_model(wheel)
    picture = np.random.default_rng(0).random((192, 192, 3)).astype(np.float32)
    ours = TfliteNetwork(content, name="mesh")(torch.from_numpy(picture).permute(2, 0, 1)[None])
    for one, other in zip(ours, by_litert(content, picture), strict=True):
        np.testing.assert_allclose(one.flatten().numpy(), other.ravel(), atol=1e-3)


def test_the_landmarks_are_those_of_the_photos_own_mesh(wheel: Path, crop: FaceCrop) -> None:
    pytest.importorskip("ai_edge_litert")
    image = Image.fromarray(crop.picture.permute(1, 2, 0).numpy())
    face = FaceDetector().detect(image)[0]
    expected = five_from_mesh(FaceMesh(wheel).points(image, face)[:, :2])
    eyes = float((crop.landmarks[1] - crop.landmarks[0]).norm())
    for given_box in (False, True):
        aligner = MeshAligner(model=wheel, given_box=given_box)
        points, found = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
        assert found.tolist() == [True]
        # Both start from another square, and the points settle to 1 or 2 % in two looks.
        off = np.linalg.norm(points[0].numpy() - expected, axis=1)
        assert off.max() < 0.05 * eyes


def test_no_face_is_said_to_be_none_and_the_gradient_comes_from_the_others(
    wheel: Path, crop: FaceCrop
) -> None:
    grey = torch.full_like(crop.as_float(), 0.5)
    pictures = torch.stack([grey, crop.as_float()]).requires_grad_()
    for given_box in (False, True):
        aligner = MeshAligner(model=wheel, given_box=given_box)
        points, found = aligner.landmarks(pictures, crop.landmarks.expand(2, 5, 2))
        assert found.tolist() == [False, True]
        assert not bool(points[0].any())
        (gradient,) = torch.autograd.grad(points.sum(), pictures)
        assert gradient.flatten(1).any(dim=1).tolist() == [False, True]
    nobody, found = MeshAligner(model=wheel).landmarks(grey[None], crop.landmarks[None])
    assert not bool(found.any() or nobody.any())


def test_the_gradient_of_a_look_is_true(wheel: Path, crop: FaceCrop) -> None:
    aligner = MeshAligner(model=wheel, given_box=True)
    hint = crop.landmarks.double()[None]
    picture = crop.as_float().double()[None].requires_grad_()
    (gradient,) = torch.autograd.grad(aligner.landmarks(picture, hint)[0].sum(), picture)
    with torch.no_grad():
        for index in gradient.abs().flatten().topk(300).indices[::50].tolist():
            step = torch.zeros_like(picture).flatten()
            step[index] = 1e-6
            step = step.view_as(picture)
            ends = [aligner.landmarks(picture + sign * step, hint)[0].sum() for sign in (1, -1)]
            found = float(ends[0] - ends[1]) / 2e-6
            assert found == pytest.approx(float(gradient.flatten()[index]), rel=1e-3)


def test_a_finer_picture_has_the_same_mesh(wheel: Path, crop: FaceCrop) -> None:
    aligner = MeshAligner(model=wheel, given_box=True)
    points, _ = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
    fine = torch.nn.functional.interpolate(
        crop.as_float()[None], scale_factor=5.0, mode="bilinear", align_corners=False
    )
    found, _ = aligner.landmarks(fine, 5 * crop.landmarks[None])
    assert float((found / 5 - points).norm(dim=-1).max()) < 1.0
