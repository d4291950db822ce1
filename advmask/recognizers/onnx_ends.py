"""What an ONNX file declares of its input and outputs, and which of them are used."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any

from advmask.core.errors import WeightsError
from advmask.recognizers.specification import NetworkSpecification

_log = logging.getLogger(__name__)

FLOATS = ("float", "float16", "bfloat16", "double")
_MOST_AT_ONCE = 1024
_WHOLE = {"uint8": (0, 255), "int8": (-128, 127), "uint16": (0, 65535), "int32": (-(2**31), 2**31 - 1)}


@dataclass(frozen=True)
class End:
    """An input or output as the file declares it.

    Attributes:
        name: As in the graph.
        kind: `float`, `float16`, `uint8`, `bool`, ...
        shape: Numbers, names of free sizes, or None where nothing is said of the shape.
    """

    name: str
    kind: str
    shape: list[int | str] | None

    def __str__(self) -> str:
        """In a sentence."""
        shape = "of any shape" if self.shape is None else f"[{', '.join(str(s) or '?' for s in self.shape)}]"
        return f"{self.name!r}, {self.kind} {shape}"


@dataclass(frozen=True)
class Ends:
    """How a network's file wants to be fed, and what is taken of what it gives.

    Attributes:
        pictures: The input.
        output: Name of the output that is taken.
        switches: Names of inputs that say whether it is being trained, which are given as false.
        opset: Version of ONNX's operators.
    """

    pictures: End
    output: str
    switches: list[End] = field(default_factory=list)
    opset: int = 0

    @property
    def channels_last(self) -> bool:
        """Whether pictures come as (B, H, W, 3)."""
        shape = self.pictures.shape or []
        return len(shape) == 4 and shape[3] == 3 and shape[1] != 3

    @property
    def batch(self) -> int | None:
        """How many pictures it takes at once, where that is fixed."""
        first = (self.pictures.shape or [""])[0]
        return first if isinstance(first, int) and first > 0 else None

    @property
    def whole(self) -> tuple[int, int] | None:
        """Lowest and highest value where it takes whole numbers."""
        return _WHOLE.get(self.pictures.kind)

    @property
    def declared(self) -> str:
        """A sentence for errors."""
        return f"The file declares its input as {self.pictures}" + (
            f"; opset {self.opset}." if self.opset else "."
        )


def ends_of_model(model: Any, path: Path, specification: NetworkSpecification | None) -> Ends:
    """Of an onnx `ModelProto`.

    Raises:
        WeightsError: It has other than one input for pictures or no output that fits, or takes no pictures.
    """
    stored = {tensor.name for tensor in model.graph.initializer}
    opset = max((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), default=0)
    return _ends(
        [_end(each) for each in model.graph.input if each.name not in stored],
        [_end(each) for each in model.graph.output],
        path,
        specification,
        opset=opset,
    )


def ends_of_session(session: Any, path: Path, specification: NetworkSpecification | None) -> Ends:
    """Of an `onnxruntime.InferenceSession`; see `ends_of_model`."""
    inputs, outputs = (
        [
            End(
                each.name,
                each.type.removeprefix("tensor(").removesuffix(")"),
                [side if isinstance(side, int) else str(side or "") for side in each.shape],
            )
            for each in some
        ]
        for some in (session.get_inputs(), session.get_outputs())
    )
    return _ends(inputs, outputs, path, specification)


def _end(proto: Any) -> End:
    from onnx import TensorProto

    tensor = proto.type.tensor_type
    known = tensor.elem_type in TensorProto.DataType.values()
    kind = TensorProto.DataType.Name(tensor.elem_type).lower() if known else "unknown"
    shape: list[int | str] | None = None
    if tensor.HasField("shape"):
        shape = [
            dim.dim_value if dim.HasField("dim_value") else str(dim.dim_param) for dim in tensor.shape.dim
        ]
    return End(str(proto.name), kind, shape)  # bytes where a damaged file names no text


def _ends(
    inputs: Sequence[End],
    outputs: Sequence[End],
    path: Path,
    specification: NetworkSpecification | None,
    *,
    opset: int = 0,
) -> Ends:
    switches = [each for each in inputs if each.kind == "bool"]
    pictures = [each for each in inputs if each.kind != "bool"]
    if len(pictures) != 1:
        raise _other_than_one("input", pictures, path)
    ends = Ends(pictures[0], _output(outputs, path, specification), switches, opset)
    shape = pictures[0].shape
    fits = (
        shape is None
        or not shape
        or (len(shape) == 4 and (3 in (shape[1], shape[3]) or isinstance(shape[1], str)))
    )
    if not fits or pictures[0].kind not in (*FLOATS, *_WHOLE):
        raise WeightsError(
            f"{path} takes no colour pictures; [n, 3, height, width] or [n, height, width, 3] was "
            f"expected. {ends.declared}"
        )
    if (ends.batch or 1) > _MOST_AT_ONCE:
        raise WeightsError(f"{path} takes pictures {ends.batch} at a time only. {ends.declared}")
    if specification is not None and ends.whole is not None:
        _check_whole(ends, path, specification)
    return ends


def _other_than_one(what: str, ends: Sequence[End], path: Path) -> WeightsError:
    names = ", ".join(each.name for each in ends)
    found = f"{len(ends)} ({names})" if ends else "none"
    return WeightsError(
        f"{path} has {found} {what}s; exactly one {what} was expected. Export it with one {what}."
    )


def _output(outputs: Sequence[End], path: Path, specification: NetworkSpecification | None) -> str:
    named = None if specification is None else specification.output
    if named is not None:
        if named not in [each.name for each in outputs]:
            raise WeightsError(
                f"{path} has no output {named!r}, as `output` in its YAML says; it has "
                f"{', '.join(str(each) for each in outputs)}."
            )
        return named
    if len(outputs) == 1:
        return outputs[0].name
    if specification is None or not outputs:
        raise _other_than_one("output", outputs, path)
    length = specification.embedding
    floats = [each for each in outputs if each.kind in FLOATS]
    fitting = [each for each in floats if _length(each) == length] or [
        e for e in floats if _length(e) is None
    ]
    if not fitting:
        raise WeightsError(
            f"{path} has no output with the {length} values of `embedding`; it has "
            f"{', '.join(str(each) for each in outputs)}. Mend `embedding`, or name one: `output: NAME`."
        )
    others = ", ".join(repr(each.name) for each in outputs if each is not fitting[0])
    _log.info(
        f"{path.name} has {len(outputs)} outputs; {fitting[0].name!r} is taken for the embedding, not "
        f"{others} (`output: NAME` in its YAML takes another)."
    )
    return fitting[0].name


def _length(end: End) -> int | None:
    """Values for each picture, where the file says so."""
    shape = end.shape
    if not shape:
        return None
    sides = shape if len(shape) == 1 else shape[1:]
    return (
        prod(side for side in sides if isinstance(side, int))
        if all(isinstance(s, int) for s in sides)
        else None
    )


def _check_whole(ends: Ends, path: Path, specification: NetworkSpecification) -> None:
    """Whole numbers as input want values of 0..255, not ones about 0."""
    low, high = specification.range
    fed = [
        (value - mean) / std
        for value in (low, high)
        for mean, std in zip(specification.mean, specification.std, strict=True)
    ]
    least, most = ends.whole or (0, 255)
    if min(fed) < least - 0.5 or max(fed) > most + 0.5 or max(fed) - min(fed) < 32:
        raise WeightsError(
            f"{path} takes whole numbers, and would be given {min(fed):g} to {max(fed):g}; write "
            f"`range: [0, 255]`, `mean: [0, 0, 0]` and `std: [1, 1, 1]` into its YAML. {ends.declared}"
        )
