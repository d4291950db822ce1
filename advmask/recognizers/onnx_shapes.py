"""ONNX operators that move, cut, join and resize values, as torch runs them."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from advmask.recognizers.onnx_layers import Builder
from advmask.recognizers.onnx_node import Node, Run, UnsupportedError
from advmask.recognizers.onnx_operators import together
from advmask.recognizers.onnx_resize import resize, within_reason

_TYPES = {2: torch.uint8, 3: torch.int8, 5: torch.int16, 6: torch.int32, 7: torch.int64, 9: torch.bool}
FLOATS = (1, 10, 11, 16, 17, 18, 19, 20)
"""Numbers of floating types in ONNX; all are computed with in float32."""


class _Numbers:
    """Whole numbers that a node is given: some known beforehand, some computed."""

    def __init__(self, node: Node, places: Sequence[int], names: Sequence[str]) -> None:
        pairs = list(zip(places, names, strict=True))
        self._later = [node.has(place) and not node.known(place) for place, _ in pairs]
        self._known = [node.ints(place, name) for place, name in pairs]

    def of(self, values: Sequence[Tensor]) -> list[list[int] | None]:
        """All of them, once the computed ones are there."""
        given: Iterator[Tensor] = iter(values)
        return [
            next(given).flatten().tolist() if later else known
            for later, known in zip(self._later, self._known, strict=True)
        ]


def _reshape(node: Node) -> Run:
    numbers, exact = _Numbers(node, (1,), ("shape",)), node.get("allowzero", 0)
    free, known = node.batch, node.known(1)

    def run(x: Tensor, *later: Tensor) -> Tensor:
        (shape,) = numbers.of(later)
        target = list(shape or [])
        if free is not None and known and len(target) > 1 and target[0] == free:
            target[0] = x.shape[0] if -1 in target[1:] else -1
        if not exact:
            target = [x.shape[i] if side == 0 else side for i, side in enumerate(target)]
        return x.reshape(target)

    return run


def _flatten(node: Node) -> Run:
    axis = node.get("axis", 1)
    return lambda x: x.reshape(math.prod(x.shape[: axis if axis >= 0 else x.dim() + axis]), -1)


def _squeeze(node: Node) -> Run:
    numbers = _Numbers(node, (1,), ("axes",))

    def run(x: Tensor, *later: Tensor) -> Tensor:
        (axes,) = numbers.of(later)
        return x.squeeze() if axes is None else x.squeeze(tuple(axes))

    return run


def _unsqueeze(node: Node) -> Run:
    numbers = _Numbers(node, (1,), ("axes",))

    def run(x: Tensor, *later: Tensor) -> Tensor:
        axes = numbers.of(later)[0] or []
        rank = x.dim() + len(axes)
        for axis in sorted(each % rank for each in axes):
            x = x.unsqueeze(axis)
        return x

    return run


def _transpose(node: Node) -> Run:
    order = node.get("perm")
    return lambda x: x.permute(list(order) if order else list(range(x.dim()))[::-1])


def _concat(node: Node) -> Run:
    axis = node.get("axis", 1)
    return lambda *values: torch.cat(together(*values), dim=axis)


def _split(node: Node) -> Run:
    axis, count = node.get("axis", 0), len(node.outputs)
    numbers = _Numbers(node, (1,), ("split",))

    def run(x: Tensor, *later: Tensor) -> Any:
        (sizes,) = numbers.of(later)
        return x.split(sizes if sizes else math.ceil(x.shape[axis] / count), dim=axis)

    return run


def _slice(node: Node) -> Run:
    numbers = _Numbers(node, (1, 2, 3, 4), ("starts", "ends", "axes", "steps"))

    def run(x: Tensor, *later: Tensor) -> Tensor:
        starts, ends, axes, steps = numbers.of(later)
        starts, ends = starts or [], ends or []
        axes, steps = axes or list(range(len(starts))), steps or [1] * len(starts)
        for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
            kept = range(x.shape[axis])[start:end:step]
            if step > 0:
                whole: list[Any] = [slice(None)] * x.dim()
                whole[axis] = slice(kept.start, max(kept.stop, kept.start), step)
                x = x[tuple(whole)]
            else:
                x = x.index_select(axis, torch.tensor(list(kept), dtype=torch.int64, device=x.device))
        return x

    return run


def _pad(node: Node) -> Run:
    numbers = _Numbers(node, (1, 3), ("pads" if node.opset > 1 else "paddings", ""))
    given = node.constant(2)
    value = float(node.get("value", 0.0) if given is None else given)
    modes = {"constant": "constant", "reflect": "reflect", "edge": "replicate", "wrap": "circular"}
    mode = modes.get(node.get("mode", "constant"))
    if mode is None:
        raise UnsupportedError(f"Pad of mode {node.get('mode')}")

    def run(x: Tensor, *later: Tensor) -> Tensor:
        pads, axes = numbers.of(later)
        pads, axes = pads or [], axes if axes is not None else list(range(x.dim()))
        sides = [0] * (2 * x.dim())
        for place, axis in enumerate(axes):
            at = 2 * (x.dim() - 1 - axis % x.dim())
            sides[at], sides[at + 1] = pads[place], pads[place + len(axes)]
        within_reason(
            math.prod(side + max(sum(sides[2 * i : 2 * i + 2]), 0) for i, side in enumerate(x.shape[::-1]))
        )
        if mode == "constant":
            return functional.pad(x, sides, value=value)
        inner = max(2 * (x.dim() - 2), 2)
        if any(sides[inner:]):
            raise ValueError(f"padding by {mode} of pictures and channels cannot be converted")
        return functional.pad(x, sides[:inner], mode=mode)

    return run


def _gather(node: Node) -> Run:
    axis = node.get("axis", 0)

    def run(x: Tensor, index: Tensor) -> Tensor:
        at = axis % x.dim()
        flat = torch.remainder(index.flatten().long().to(x.device), x.shape[at])
        found = x.index_select(at, flat)
        return torch.reshape(found, [*x.shape[:at], *index.shape, *x.shape[at + 1 :]])

    return run


def _gather_elements(node: Node) -> Run:
    axis = node.get("axis", 0)
    return lambda x, index: torch.gather(x, axis, torch.remainder(index.to(x.device), x.shape[axis]))


def _expand(node: Node) -> Run:
    numbers = _Numbers(node, (1,), ("",))

    def run(x: Tensor, *later: Tensor) -> Tensor:
        shape = numbers.of(later)[0] or []
        whole = torch.broadcast_shapes(x.shape, tuple(shape))
        within_reason(math.prod(whole))
        return x.expand(whole)

    return run


def _tile(node: Node) -> Run:
    numbers = _Numbers(node, (1,), ("",))

    def run(x: Tensor, *later: Tensor) -> Tensor:
        counts = numbers.of(later)[0] or []
        within_reason(x.numel() * math.prod(counts))
        return x.repeat(*counts)

    return run


def _filled(node: Node) -> Run:
    numbers, given = _Numbers(node, (0,), ("",)), node.get("value")
    value = torch.zeros(1) if given is None else given

    def run(*later: Tensor) -> Tensor:
        shape = numbers.of(later)[0] or []
        within_reason(math.prod(shape))
        return torch.full(shape, value.item(), dtype=value.dtype)

    return run


def _range(_: Node) -> Run:
    def run(start: Tensor, end: Tensor, step: Tensor) -> Tensor:
        first, last, by = start.item(), end.item(), step.item()
        within_reason(int(abs((last - first) / by)))
        return torch.arange(first, last, by, dtype=start.dtype)

    return run


def _shape(node: Node) -> Run:
    part = slice(node.get("start", 0), node.get("end"))
    return lambda x: torch.tensor(x.shape[part], dtype=torch.int64)


def _cast(node: Node) -> Run:
    to = node.get("to")
    if isinstance(to, str):  # before opset 6
        to = {"FLOAT": 1, "UINT8": 2, "INT32": 6, "INT64": 7, "BOOL": 9, "FLOAT16": 10, "DOUBLE": 11}.get(to)
    kind = torch.float32 if to in FLOATS else _TYPES.get(to)
    if kind is None:
        raise UnsupportedError(f"Cast to type {to}")
    if kind == torch.float32:  # of the precision that the network is run in
        return lambda x: x if x.is_floating_point() else x.float()
    return lambda x: x.to(kind)


def _dropout(node: Node) -> Run:
    node.read.update((1, 2))  # its share, and whether it is trained
    return lambda x: x


def _trilu(node: Node) -> Run:
    shift = node.ints(1) or [0]
    run = torch.triu if node.get("upper", 1) else torch.tril
    return lambda x: run(x, shift[0])


def _depth_to_space(node: Node) -> Run:
    size, columns = node.get("blocksize"), node.get("mode", "DCR") == "DCR"

    def run(x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        if not columns:
            return functional.pixel_shuffle(x, size)
        parts = x.reshape(batch, size, size, channels // size**2, height, width)
        return parts.permute(0, 3, 4, 1, 5, 2).reshape(batch, -1, height * size, width * size)

    return run


def _space_to_depth(node: Node) -> Run:
    size = node.get("blocksize")

    def run(x: Tensor) -> Tensor:
        batch, channels, height, width = x.shape
        parts = x.reshape(batch, channels, height // size, size, width // size, size)
        return parts.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height // size, width // size)

    return run


SHAPES: dict[str, Builder] = {
    "Reshape": _reshape,
    "Flatten": _flatten,
    "Squeeze": _squeeze,
    "Unsqueeze": _unsqueeze,
    "Transpose": _transpose,
    "Concat": _concat,
    "Split": _split,
    "Slice": _slice,
    "Pad": _pad,
    "Gather": _gather,
    "GatherElements": _gather_elements,
    "Expand": _expand,
    "Tile": _tile,
    "ConstantOfShape": _filled,
    "Range": _range,
    "Shape": _shape,
    "Size": lambda _: lambda x: torch.tensor(x.numel()),
    "Cast": _cast,
    "CastLike": lambda _: lambda x, like: x.to(like.dtype),
    "Identity": lambda _: lambda x: x,
    "Dropout": _dropout,
    "Trilu": _trilu,
    "DepthToSpace": _depth_to_space,
    "SpaceToDepth": _space_to_depth,
    "Resize": resize,
    "Upsample": resize,
}
"""Each makes of a node what runs it."""
