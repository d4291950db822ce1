"""How three families of face detectors are fed, and what their numbers mean: SCRFD, RetinaFace and YuNet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Faces:
    """Every place where a detector might have seen a face.

    Attributes:
        scores: (N,) in [0, 1].
        boxes: (N, 4) left, top, right, bottom, px of the picture it was fed, pixel centres at whole numbers.
        points: (N, 5, 2) landmarks in the same units: eyes, nose, mouth corners, left in the picture first.
    """

    scores: Float[Tensor, " places"]
    boxes: Float[Tensor, "places 4"]
    points: Float[Tensor, "places 5 2"]


@dataclass(frozen=True)
class Layout:
    """A family of detectors.

    Attributes:
        channels: Order of the input channels.
        mean: Subtracted from values in 0..255, per channel in that order.
        std: Divided by.
        side: Of the square that a picture is scaled into, px; None takes pictures in their own size.
        confidence: Lowest score of a face.
        overlap: Intersection over union from which a box is another of the same face.
        decode: From the outputs, without the axis of pictures, and height and width of the input.
        widths: Numbers for each place in each of the outputs, in any order.
    """

    channels: str
    mean: tuple[float, float, float]
    std: float
    side: int | None
    confidence: float
    overlap: float
    decode: Callable[[Sequence[Tensor], tuple[int, int]], Faces]
    widths: tuple[tuple[int, ...], ...]


def scrfd(outputs: Sequence[Tensor], size: tuple[int, int]) -> Faces:
    """SCRFD: for each stride scores, distances from the anchor to the box's sides, and to the points.

    Source:
        Guo et al., Sample and Computation Redistribution for Efficient Face Detection, 2021.
    """
    scores, sides, offsets = (_by_width(outputs, width) for width in (1, 4, 10))
    boxes, points = [], []
    for number, (side, offset) in enumerate(zip(sides, offsets, strict=True)):
        stride = 8 * 2**number
        anchors = _cells(size, stride).to(side)
        anchors = (anchors * stride).repeat_interleave(len(side) // len(anchors), dim=0)
        boxes.append(torch.cat([anchors - side[:, :2] * stride, anchors + side[:, 2:] * stride], dim=1))
        points.append(anchors[:, None] + offset.reshape(-1, 5, 2) * stride)
    return Faces(torch.cat(scores)[:, 0], torch.cat(boxes), torch.cat(points))


def retinaface(outputs: Sequence[Tensor], size: tuple[int, int]) -> Faces:
    """RetinaFace of three levels: offsets to prior boxes in units of these, scaled by variances.

    Source:
        Deng et al., RetinaFace: Single-stage Dense Face Localisation in the Wild, 2019; priors and variances
        as in Liu et al., SSD, 2016.
    """
    (box,), (score,), (offset,) = (_by_width(outputs, width) for width in (4, 2, 10))
    centres, sides = [], []
    for stride, lengths in ((8, (16, 32)), (16, (64, 128)), (32, (256, 512))):
        cells = (_cells(size, stride).to(box) + 0.5) * stride
        centres.append(cells.repeat_interleave(2, dim=0))
        sides.append(torch.tensor(lengths).to(box).repeat(len(cells)))
    centre, side = torch.cat(centres), torch.cat(sides)[:, None]
    middle, extent = centre + 0.1 * box[:, :2] * side, side * torch.exp(0.2 * box[:, 2:])
    points = centre[:, None] + 0.1 * offset.reshape(-1, 5, 2) * side[:, None]
    return Faces(score[:, 1], torch.cat([middle - extent / 2, middle + extent / 2], dim=1), points)


def yunet(outputs: Sequence[Tensor], size: tuple[int, int]) -> Faces:
    """YuNet: for each stride two scores, whose geometric mean counts, box and points from the cell's corner.

    Source:
        Wu, Peng and Yu, YuNet: A Tiny Millisecond-level Face Detector, 2023.
    """
    halves, sides, offsets = (_by_width(outputs, width) for width in (1, 4, 10))
    scores, boxes, points = [], [], []
    for number, (side, offset) in enumerate(zip(sides, offsets, strict=True)):
        stride = 8 * 2**number
        cells = _cells(size, stride).to(side)
        one, two = (half.clamp(0, 1)[:, 0] for half in halves[2 * number : 2 * number + 2])
        scores.append((one * two).sqrt())
        middle, extent = (cells + side[:, :2]) * stride, torch.exp(side[:, 2:]) * stride
        boxes.append(torch.cat([middle - extent / 2, middle + extent / 2], dim=1))
        points.append((cells[:, None] + offset.reshape(-1, 5, 2)) * stride)
    return Faces(torch.cat(scores), torch.cat(boxes), torch.cat(points))


LAYOUTS = {
    # As InsightFace, Pytorch_Retinaface and OpenCV feed them.
    "scrfd": Layout("rgb", (127.5,) * 3, 128.0, 640, 0.5, 0.4, scrfd, tuple([(1, 4, 10)] * 3)),
    "retinaface": Layout("bgr", (104.0, 117.0, 123.0), 1.0, None, 0.5, 0.4, retinaface, ((4, 2, 10),)),
    "yunet": Layout("bgr", (0.0,) * 3, 1.0, None, 0.9, 0.3, yunet, tuple([(1, 1, 4, 10)] * 3)),
}
"""By the names that users write before the colon."""


def layout_of(widths: Sequence[int]) -> str | None:
    """The family whose detectors give outputs of these widths; None where no family does."""
    for name, layout in LAYOUTS.items():
        if sorted(widths) == sorted(width for group in layout.widths for width in group):
            return name
    return None


def _by_width(outputs: Sequence[Tensor], width: int) -> list[Tensor]:
    """The outputs of a width, those of small strides, which have most rows, first."""
    return sorted((each for each in outputs if each.shape[-1] == width), key=len, reverse=True)


def _cells(size: tuple[int, int], stride: int) -> Tensor:
    """(n, 2) column and row of every cell, row by row."""
    rows, columns = (-(-length // stride) for length in size)
    row, column = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
    return torch.stack([column, row], dim=-1).reshape(-1, 2)
