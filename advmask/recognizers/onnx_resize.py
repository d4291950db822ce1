"""Resizing maps as ONNX does, each axis by itself and with every way of laying the samples."""

import math

import torch
from torch import Tensor

from advmask.recognizers.onnx_node import Node, Run, UnsupportedError

_MOST = 2**28  # 1 GB of float32


def within_reason(count: int) -> None:
    """Refuse to make more values than any face network holds, as a damaged file may ask for.

    Raises:
        ValueError: There are more.
    """
    if count > _MOST:
        raise ValueError(f"it asks for {count} values at once")


def resize(node: Node) -> Run:
    """Nearest and linear, along each axis by itself, with every way of ONNX to lay the samples."""
    old = node.kind == "Upsample" or node.opset < 11
    scales_at, sizes_at = (1, 9) if old else (2, 3)
    given = node.constant(scales_at)
    scales = node.get("scales") if given is None or not given.numel() else given.tolist()
    known = node.ints(sizes_at)
    computed = known is None and node.has(sizes_at)  # from another map's shape, where the file leaves it free
    if not old:
        node.read.add(1)  # the region, which only a way of laying samples that is not converted reads
    axes = node.get("axes")
    way = "asymmetric" if old else node.get("coordinate_transformation_mode", "half_pixel")
    mode, rounding = (
        node.get("mode", "nearest"),
        "floor" if old else node.get("nearest_mode", "round_prefer_floor"),
    )
    if (
        mode not in ("nearest", "linear", "bilinear")
        or node.get("antialias", 0)
        or not (scales or known or computed)
    ):
        raise UnsupportedError(f"{node.kind} of mode {mode}, with antialias or of no size")
    if way not in ("asymmetric", "half_pixel", "pytorch_half_pixel", "align_corners"):
        raise UnsupportedError(f"{node.kind} with samples laid by {way}")
    if node.get("keep_aspect_ratio_policy", "stretch") != "stretch":
        raise UnsupportedError(f"{node.kind} that keeps proportions")

    def places(side: int, size: int, scale: float, device: torch.device) -> Tensor:
        out = torch.arange(size, dtype=torch.float64, device=device)
        if way == "align_corners":
            return out * ((side - 1) / (size - 1) if size > 1 else 0)
        if way == "asymmetric":
            return out / scale
        centred = (out + 0.5) / scale - 0.5
        return centred if way == "half_pixel" or size > 1 else torch.zeros_like(out)

    def along(x: Tensor, axis: int, size: int, scale: float) -> Tensor:
        side = x.shape[axis]
        at = places(side, size, scale, x.device)
        if mode == "nearest":
            ways = {
                "floor": torch.floor(at),
                "ceil": torch.ceil(at),
                "round_prefer_floor": torch.ceil(at - 0.5),
                "round_prefer_ceil": torch.floor(at + 0.5),
            }
            return x.index_select(axis, ways[rounding].clamp(0, side - 1).long())
        at = at.clamp(0, side - 1)
        low = at.floor().clamp(max=max(side - 2, 0)).long()
        share = (at - low).to(x.dtype).view([-1 if i == axis else 1 for i in range(x.dim())])
        first, second = x.index_select(axis, low), x.index_select(axis, (low + 1).clamp(max=side - 1))
        return first + (second - first) * share

    def run(x: Tensor, *later: Tensor | None) -> Tensor:
        told = later[-1] if computed else None
        sizes = known if told is None else [int(each) for each in told.flatten()]
        for place, axis in enumerate(axes or range(x.dim())):
            at = axis % x.dim()
            size = sizes[place] if sizes else math.floor(x.shape[at] * scales[place])
            if at > 0 and size != x.shape[at]:  # pictures are never resampled into others
                within_reason(x.numel() // x.shape[at] * size)
                x = along(x, at, size, size / x.shape[at] if sizes else scales[place])
        return x

    return run
