"""Reading the graph of a .tflite network: a flatbuffer, read with nothing but the standard library."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from advmask.core.errors import WeightsError

_T = TypeVar("_T")

# Codes of the format (schema version 3): those a plain convolutional network is made of.
_OPERATIONS = {
    0: "ADD",
    3: "CONV_2D",
    4: "DEPTHWISE_CONV_2D",
    6: "DEQUANTIZE",
    17: "MAX_POOL_2D",
    34: "PAD",
    54: "PRELU",
}
_TYPES = {0: "<f4", 1: "<f2", 2: "<i4"}

# Fields of each operation's options in the order of the schema: name, position, type, default.
_CONVOLUTION = (
    ("same", 0, "b", 0),
    ("stride", 1, "i", 0),
    ("activation", 3, "b", 0),
    ("dilation", 4, "i", 1),
)
_OPTIONS = {
    "CONV_2D": _CONVOLUTION,
    "DEPTHWISE_CONV_2D": (
        ("same", 0, "b", 0),
        ("stride", 1, "i", 0),
        ("activation", 4, "b", 0),
        ("dilation", 5, "i", 1),
    ),
    "MAX_POOL_2D": (
        ("same", 0, "b", 0),
        ("stride", 1, "i", 0),
        ("size", 3, "i", 0),
        ("activation", 5, "b", 0),
    ),
    "ADD": (("activation", 0, "b", 0),),
}

# A network of a few megabytes has hundreds of entries; a damaged length must not be believed.
_MOST_ENTRIES = 1 << 22


@dataclass(frozen=True)
class Operation:
    """One step of the graph.

    Attributes:
        name: As in the format's schema, such as CONV_2D.
        inputs: Numbers of the tensors it reads.
        output: Number of the tensor it writes.
        options: Its integer settings. `same` is 0 for padding SAME and 1 for VALID, as stored.
    """

    name: str
    inputs: tuple[int, ...]
    output: int
    options: Mapping[str, int]


@dataclass(frozen=True)
class Graph:
    """A network as the file tells it.

    Attributes:
        operations: In order of execution.
        constants: Number and values of the tensors that the file stores, float16 widened to float32.
        inputs: Numbers of the tensors fed in.
        outputs: Numbers of the tensors read out.
    """

    operations: tuple[Operation, ...]
    constants: Mapping[int, NDArray[np.generic]]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


def read_tflite(content: bytes, *, name: str) -> Graph:
    """Read the first graph of a .tflite file.

    Args:
        content: The file.
        name: What to call it in errors.

    Raises:
        WeightsError: It is not a .tflite file, is damaged, or holds operations other than plain convolutions.

    Source:
        The format's published schema and the flatbuffers encoding.
    """
    if content[4:8] != b"TFL3":
        raise WeightsError(f"{name} is not a .tflite network; it should begin with the mark TFL3.")
    try:
        return _graph(_Table(content, struct.unpack_from("<I", content)[0]))
    except (struct.error, IndexError, ValueError, KeyError) as error:
        raise WeightsError(f"{name} is damaged, or not a network of plain convolutions ({error}).") from error


class _Table:
    """A flatbuffer table: its fields are found through a list of offsets, in the order of the schema."""

    def __init__(self, content: bytes, at: int) -> None:
        self._content, self._at = content, at
        self._fields = at - self._read("<i", at)

    def number(self, field: int, kind: str, default: int) -> int:
        at = self._where(field)
        return default if at is None else int(self._read(f"<{kind}", at))

    def table(self, field: int) -> "_Table | None":
        at = self._where(field)
        return None if at is None else _Table(self._content, self._follow(at))

    def tables(self, field: int) -> list["_Table"]:
        return self._vector(field, 4, lambda at: _Table(self._content, self._follow(at)))

    def numbers(self, field: int) -> tuple[int, ...]:
        return tuple(self._vector(field, 4, lambda at: int(self._read("<i", at))))

    def block(self, field: int) -> bytes:
        at = self._where(field)
        if at is None:
            return b""
        start = self._follow(at)
        length = self._read("<I", start)
        found = self._content[start + 4 : start + 4 + length]
        if len(found) < length:
            raise ValueError("it ends too early")
        return found

    def _vector(self, field: int, step: int, read: Callable[[int], _T]) -> list[_T]:
        at = self._where(field)
        if at is None:
            return []
        start = self._follow(at)
        length = self._read("<I", start)
        if length > _MOST_ENTRIES:
            raise ValueError(f"a list of {length} entries")
        return [read(start + 4 + step * i) for i in range(length)]

    def _where(self, field: int) -> int | None:
        entry = 4 + 2 * field
        if entry >= self._read("<H", self._fields):
            return None
        offset = self._read("<H", self._fields + entry)
        return self._at + offset if offset else None

    def _follow(self, at: int) -> int:
        return at + self._read("<I", at)

    def _read(self, kind: str, at: int) -> int:
        if at < 0:
            raise ValueError("an offset before its beginning")
        return int(struct.unpack_from(kind, self._content, at)[0])


def _graph(model: _Table) -> Graph:
    # The code of an operation is in field 3, or in field 0 of older files; the larger counts.
    codes = [max(one.number(0, "b", 0), one.number(3, "i", 0)) for one in model.tables(1)]
    buffers = model.tables(4)
    subgraph = model.tables(2)[0]
    constants = {}
    for number, tensor in enumerate(subgraph.tables(0)):
        data = buffers[tensor.number(2, "I", 0)].block(0)
        if data:
            kind = _TYPES.get(tensor.number(1, "b", 0))
            if kind is None:
                raise ValueError(f"tensor {number} has a type unknown here")
            values = np.frombuffer(data, kind).reshape(tensor.numbers(0))
            constants[number] = values.astype(np.float32) if kind == "<f2" else values
    return Graph(
        operations=tuple(_operation(one, codes) for one in subgraph.tables(3)),
        constants=MappingProxyType(constants),
        inputs=subgraph.numbers(1),
        outputs=subgraph.numbers(2),
    )


def _operation(table: _Table, codes: list[int]) -> Operation:
    code = codes[table.number(0, "I", 0)]
    if code not in _OPERATIONS:
        raise ValueError(f"operation {code} is unknown here")
    name = _OPERATIONS[code]
    (output,) = table.numbers(2)
    stored = table.table(4)
    options = {
        key: default if stored is None else stored.number(field, kind, default)
        for key, field, kind, default in _OPTIONS.get(name, ())
    }
    if options.get("activation", 0) or options.get("dilation", 1) != 1:
        raise ValueError(f"{name} with a built-in activation or dilation")
    return Operation(name, table.numbers(1), output, MappingProxyType(options))
