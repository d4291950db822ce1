"""Small .tflite networks for the tests: written by hand into flatbuffers, and run in NumPy as written."""

import struct
from dataclasses import dataclass, field
from typing import Any

import numpy as np

CODES = {"ADD": 0, "CONV_2D": 3, "DEPTHWISE_CONV_2D": 4, "DEQUANTIZE": 6, "LOGISTIC": 14, "MAX_POOL_2D": 17}
CODES |= {"PAD": 34, "PRELU": 54}

# Number of an operation's kind of options in the format's schema, and the fields of these options by name.
_STRIDES = {"padding": 0, "strideW": 1, "strideH": 2}
OPTIONS: dict[str, tuple[int, dict[str, int]]] = {
    "CONV_2D": (1, {**_STRIDES, "dilationW": 4, "dilationH": 5}),
    "DEPTHWISE_CONV_2D": (2, {**_STRIDES, "depthMultiplier": 3, "dilationW": 5, "dilationH": 6}),
    "MAX_POOL_2D": (5, {**_STRIDES, "filterWidth": 3, "filterHeight": 4}),
    "ADD": (11, {}),
    "PAD": (22, {}),
}


def flatbuffer(root: dict[int, Any], mark: bytes) -> bytes:
    """A flatbuffer: dicts are tables by field number, lists vectors of tables, arrays vectors of int32."""
    content = bytearray(8)
    content[4:] = mark
    struct.pack_into("<I", content, 0, _written(content, root))
    return bytes(content)


def _written(content: bytearray, value: Any) -> int:
    """Append a value and whatever it refers to; gives its place."""
    content += bytes(-len(content) % 4)
    if isinstance(value, bytes | np.ndarray):
        data = value if isinstance(value, bytes) else value.astype("<i4").tobytes()
        place = len(content)
        content += struct.pack("<I", len(value)) + data
        return place
    items = dict(enumerate(value)) if isinstance(value, list) else value
    if isinstance(value, list):
        place = len(content)
        content += struct.pack("<I", len(items))
    else:
        offsets = [
            4 + 4 * list(items).index(i) if i in items else 0 for i in range(max(items, default=-1) + 1)
        ]
        table = struct.pack(f"<{2 + len(offsets)}H", 4 + 2 * len(offsets), 4 + 4 * len(items), *offsets)
        table += bytes(-len(table) % 4)
        place = len(content) + len(table)
        content += table + struct.pack("<i", len(table))
    first = len(content)
    content += bytes(4 * len(items))
    for slot, item in zip(range(first, first + 4 * len(items), 4), items.values(), strict=True):
        refers = not isinstance(item, int)
        struct.pack_into("<I", content, slot, _written(content, item) - slot if refers else item)
    return place


@dataclass
class Writer:
    """A network as it grows: tensors by number, constants, and steps in order."""

    draw: np.random.Generator
    tensors: list[dict[int, Any]] = field(default_factory=list)
    buffers: list[dict[int, Any]] = field(default_factory=lambda: [{}])
    constants: dict[int, np.ndarray] = field(default_factory=dict)
    steps: list[tuple[str, list[int], int, dict[str, int]]] = field(default_factory=list)

    def tensor(self, shape: tuple[int, ...], values: np.ndarray | None = None, kind: int = 0) -> int:
        number = len(self.tensors)
        if values is not None:
            self.constants[number] = values
            self.buffers.append({0: values.tobytes()})
        buffer = 0 if values is None else len(self.buffers) - 1
        self.tensors.append({0: np.array(shape), 1: kind, 2: buffer})
        return number

    def half(self, *shape: int) -> int:
        """A stored float16 tensor, widened by its own operation, as converters write them."""
        stored = self.tensor(shape, self.draw.normal(0, 0.4, shape).astype(np.float16), kind=1)
        return self.step("DEQUANTIZE", [stored], self.tensor(shape))

    def step(self, name: str, inputs: list[int], output: int, **options: int) -> int:
        self.steps.append((name, inputs, output, options))
        return output

    def file(self, inputs: list[int], outputs: list[int]) -> bytes:
        operators = []
        for name, read, written, options in self.steps:
            one: dict[int, Any] = {
                0: list(CODES).index(name), 1: np.array(read), 2: np.array([written])
            }  # fmt: skip
            if name in OPTIONS:
                kind, fields = OPTIONS[name]
                one |= {3: kind, 4: {fields[key]: options[key] for key in fields if key in options}}
            operators.append(one)
        graph = {0: self.tensors, 1: np.array(inputs), 2: np.array(outputs), 3: operators}
        codes = [{0: code, 2: 1, 3: code} for code in CODES.values()]
        return flatbuffer({0: 3, 1: codes, 2: [graph], 4: self.buffers}, b"TFL3")

    def run(self, picture: np.ndarray, inputs: list[int], outputs: list[int]) -> list[np.ndarray]:
        """What the network gives for a picture (rows, columns, channels), in float64."""
        values = {key: one.astype(np.float64) for key, one in self.constants.items()}
        values[inputs[0]] = picture.astype(np.float64)
        for name, read, written, options in self.steps:
            values[written] = _run(name, [values[one] for one in read], options)
        return [values[one] for one in outputs]


def _run(name: str, given: list[np.ndarray], options: dict[str, int]) -> np.ndarray:  # noqa: PLR0911
    x = given[0]
    match name:
        case "ADD":
            return x + given[1]
        case "PAD":
            return np.pad(x, given[1].astype(int)[1:])
        case "PRELU":
            return np.where(x < 0, x * given[1][0, 0], x)
        case "MAX_POOL_2D":
            size = (options["filterHeight"], options["filterWidth"])
            return _windows(x, size, options, fill=-np.inf).max(axis=(3, 4))
        case "CONV_2D":
            seen = _windows(x, given[1].shape[1:3], options, fill=0)
            return np.einsum("hwcij,oijc->hwo", seen, given[1]) + given[2]
        case "DEPTHWISE_CONV_2D":
            seen = _windows(x, given[1].shape[1:3], options, fill=0)
            return np.einsum("hwcij,ijc->hwc", seen, given[1][0]) + given[2]
    return x


def _windows(x: np.ndarray, kernel: tuple[int, ...], options: dict[str, int], *, fill: float) -> np.ndarray:
    """(h, w, channels, i, j): what each output sees; by the rule SAME where padding is 0, else within x."""
    strides = options["strideH"], options["strideW"]
    if options["padding"] == 0:
        pairs = [(0, 0)] * 3
        for axis in (0, 1):
            started = -(-x.shape[axis] // strides[axis])
            more = max((started - 1) * strides[axis] + kernel[axis] - x.shape[axis], 0)
            pairs[axis] = (more // 2, more - more // 2)
        x = np.pad(x, pairs, constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=(0, 1))
    return windows[:: strides[0], :: strides[1]]


def out(extent: int, kernel: int, stride: int, same: bool) -> int:
    return -(-extent // stride) if same else (extent - kernel) // stride + 1


def small_network(
    seed: int, rows: int, columns: int, *, kernel: int, stride: int, same: bool
) -> tuple[Writer, list[int], list[int]]:
    """Convolution, PReLU, depthwise convolution, a pooled and padded shortcut, and their sum."""
    writer = Writer(np.random.default_rng(seed))
    padding = 0 if same else 1
    x = writer.tensor((1, rows, columns, 3))
    shape = (1, out(rows, kernel, stride, same), out(columns, kernel, stride, same), 4)
    strides = {"strideH": stride, "strideW": stride, "padding": padding}
    once = {"dilationH": 1, "dilationW": 1}
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
    return writer, [x], [total, y]


def network(seed: int, rows: int, columns: int, *, kernel: int, stride: int, same: bool) -> bytes:
    """The file of `small_network`."""
    writer, inputs, outputs = small_network(seed, rows, columns, kernel=kernel, stride=stride, same=same)
    return writer.file(inputs, outputs)
