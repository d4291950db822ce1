"""MTCNN's cascade of three networks over many pictures at once, of any sizes, on any device."""

import warnings
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int, UInt8
from torch import Tensor

from advmask.core.threads import one_thread

# The first network looks through a window of this size, at every second pixel of pictures that are reduced
# again and again by this factor.
WINDOW_PX = 12
_STRIDE, _FACTOR = 2, 0.709
_CHIP_PX = (24, 48)  # what the second and the third network look at

# Beliefs from which each network hands a box on, and overlaps beyond which two boxes are one: within a scale,
# among all scales, and at the end as a share of the smaller.
_BELIEF = (0.6, 0.7, 0.7)
_WITHIN_SCALE, _AMONG_SCALES, _OF_SMALLER = 0.5, 0.7, 0.7

_AT_ONCE = 512  # chips, which bounds memory


@dataclass(frozen=True, eq=False)
class Detected:
    """Faces found in one picture, most probable first; pixels as MTCNN counts them.

    Attributes:
        boxes: (n, 4) left, top, right, bottom.
        probability: (n,) in [0, 1].
        points: (n, 5, 2) landmarks.
        seen: (n, 4) boxes on which the landmark network ran, before they were corrected.
    """

    boxes: Float[Tensor, "n 4"]
    probability: Float[Tensor, " n"]
    points: Float[Tensor, "n 5 2"]
    seen: Float[Tensor, "n 4"]

    def cpu(self) -> "Detected":
        """The same in the host's memory."""
        return Detected(self.boxes.cpu(), self.probability.cpu(), self.points.cpu(), self.seen.cpu())


class Mtcnn:
    """The networks that facenet-pytorch carries in its wheel, loaded when they are first needed.

    What each picture gets does not depend on the others but for rounding, 0.001 px in landmarks: convolutions
    of another number of pictures, or chips, give other last bits.

    Source:
        Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded CNNs, 2016.
    """

    @cached_property
    def _networks(self) -> Any:
        with warnings.catch_warnings():
            # Older torch versions warn about the way in which the wheel stores its weights.
            warnings.simplefilter("ignore")
            from facenet_pytorch import MTCNN

            return MTCNN(keep_all=True).eval().to(memory_format=torch.channels_last)

    @torch.no_grad()
    def find(
        self, pictures: Sequence[UInt8[Tensor, "rows columns 3"]], smallest_px: Sequence[float]
    ) -> list[Detected]:
        """Find the faces of each picture.

        Args:
            pictures: RGB, on the device to work on.
            smallest_px: Smallest longer side of a face box in each.
        """
        if not pictures:
            return []
        networks = self._networks.to(pictures[0].device)
        exact = torch.backends.cudnn.flags(enabled=torch.backends.cudnn.enabled, allow_tf32=False)
        with one_thread(), exact if pictures[0].is_cuda else nullcontext():
            owner, boxes = self._proposed(networks.pnet, pictures, smallest_px)
            sums = _Sums.of(pictures)
            owner, boxes = sums.inside(owner, boxes)
            if not len(owner):
                return [_nothing(one) for one in pictures]
            correction, belief = _in_parts(networks.rnet, sums, owner, boxes, _CHIP_PX[0])
            sure = belief[:, 1] > _BELIEF[1]
            owner, boxes, correction, belief = owner[sure], boxes[sure], correction[sure], belief[sure, 1]
            kept = _distinct(owner, boxes, belief, _AMONG_SCALES)
            owner, boxes = owner[kept], _squared(_corrected(boxes[kept], correction[kept]))
            owner, seen = sums.inside(owner, boxes)
            if not len(owner):
                return [_nothing(one) for one in pictures]
            correction, marks, belief = _in_parts(networks.onet, sums, owner, seen, _CHIP_PX[1])
        sure = belief[:, 1] > _BELIEF[2]
        owner, seen, belief = owner[sure], seen[sure], belief[sure, 1]
        sides = (seen[:, 2:] - seen[:, :2] + 1)[:, None]
        points = marks[sure].view(-1, 2, 5).transpose(1, 2) * sides + seen[:, None, :2] - 1
        boxes = _corrected(seen, correction[sure])
        order = belief.argsort(descending=True, stable=True)
        owner, boxes, belief, points, seen = (each[order] for each in (owner, boxes, belief, points, seen))
        found = []
        for number in range(len(pictures)):
            own = (owner == number).nonzero()[:, 0]
            own = own[_outside_others(boxes[own])]
            found.append(Detected(boxes[own], belief[own], points[own], seen[own]))
        return found

    def _proposed(
        self, network: Any, pictures: Sequence[Tensor], smallest_px: Sequence[float]
    ) -> tuple[Int[Tensor, " n"], Float[Tensor, "n 4"]]:
        """Square boxes of the first network and whose they are; pictures of one size share its passes."""
        device = pictures[0].device
        owners, boxes = [torch.zeros(0, dtype=torch.long, device=device)], [torch.zeros(0, 4, device=device)]
        kinds: dict[tuple[int, int, float], list[int]] = {}
        for number, (one, least) in enumerate(zip(pictures, smallest_px, strict=True)):
            kinds.setdefault((one.shape[0], one.shape[1], least), []).append(number)
        for (height, width, least), numbers in kinds.items():
            batch = torch.stack([pictures[number].permute(2, 0, 1) for number in numbers]).float()
            scale, own, found = WINDOW_PX / least, [], []
            shortest = min(height, width) * scale
            while shortest >= WINDOW_PX:
                size = (int(height * scale + 1), int(width * scale + 1))
                correction, belief = network(_normalised(F.interpolate(batch, size=size, mode="area")))
                picture, row, column = (belief[:, 1] >= _BELIEF[0]).nonzero(as_tuple=True)
                corner = torch.stack([column, row], dim=1) * float(_STRIDE) + 1
                box = torch.cat([corner, corner + WINDOW_PX - 1], dim=1).div(scale).floor()
                score = belief[picture, 1, row, column]
                kept = _distinct(picture, box, score, _WITHIN_SCALE)
                told = torch.cat([box, correction[picture, :, row, column], score[:, None]], dim=1)
                own.append(picture[kept])
                found.append(told[kept])
                scale, shortest = scale * _FACTOR, shortest * _FACTOR
            if own:
                owner, told = torch.cat(own), torch.cat(found)
                kept = _distinct(owner, told[:, :4], told[:, 8], _AMONG_SCALES)
                owners.append(torch.tensor(numbers, device=device)[owner[kept]])
                box, correction = told[kept, :4], told[kept, 4:8]
                sides = (box[:, 2:] - box[:, :2]).repeat(1, 2)
                boxes.append(_squared(box + correction * sides))
        return torch.cat(owners), torch.cat(boxes)


@dataclass(frozen=True, eq=False)
class _Sums:
    """Sums of all pixels above and left of each, of pictures of any size, picture after picture.

    The mean over any box is then four readings, for all boxes of all pictures at once and exactly.
    """

    sums: Int[Tensor, "n 3"]
    first: Int[Tensor, " pictures"]
    height: Int[Tensor, " pictures"]
    width: Int[Tensor, " pictures"]

    @classmethod
    def of(cls, pictures: Sequence[Tensor]) -> "_Sums":
        summed = [
            F.pad(one.int().cumsum(0, dtype=torch.int32).cumsum(1, dtype=torch.int32), (0, 0, 1, 0, 1, 0))
            for one in pictures
        ]
        sizes = torch.tensor([one.shape[:2] for one in pictures], device=pictures[0].device)
        taken = (sizes + 1).prod(dim=1)
        return cls(torch.cat([one.view(-1, 3) for one in summed]), taken.cumsum(0) - taken, *sizes.T)

    def inside(
        self, owner: Int[Tensor, " n"], boxes: Float[Tensor, "n 4"]
    ) -> tuple[Int[Tensor, " m"], Float[Tensor, "m 4"]]:
        """Those of which some lies in their picture."""
        left, top, right, bottom = self._rims(owner, boxes)
        there = ((right > left) & (bottom > top)).nonzero()[:, 0]
        return owner[there], boxes[there]

    def _rims(self, owner: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        left, top, right, bottom = boxes.trunc().long().T
        right, bottom = torch.minimum(right, self.width[owner]), torch.minimum(bottom, self.height[owner])
        return left.clamp(min=1) - 1, top.clamp(min=1) - 1, right, bottom

    def cut(
        self, owner: Int[Tensor, " n"], boxes: Float[Tensor, "n 4"], size: int
    ) -> Float[Tensor, "n 3 size size"]:
        """Chips of boxes that lie in their picture, each reduced by the mean over areas."""
        left, top, right, bottom = self._rims(owner, boxes)
        number = torch.arange(size, device=boxes.device)
        (x0, x1), (y0, y1) = (
            (
                start[:, None] + number * length[:, None] // size,
                start[:, None] - (-(number + 1) * length[:, None] // size),
            )
            for start, length in ((left, right - left), (top, bottom - top))
        )
        line = (self.width[owner] + 1)[:, None]
        above, below = (self.first[owner][:, None] + rows * line for rows in (y0, y1))

        def at(rows: Tensor, columns: Tensor) -> Tensor:
            return self.sums.index_select(0, (rows[:, :, None] + columns[:, None]).view(-1))

        total = at(below, x1) - at(above, x1) - at(below, x0) + at(above, x0)
        area = ((y1 - y0)[:, :, None] * (x1 - x0)[:, None]).view(-1, 1)
        chips = (total / area).view(-1, size, size, 3).permute(0, 3, 1, 2)
        return _normalised(chips)


def _nothing(picture: Tensor) -> Detected:
    none = torch.zeros(0, device=picture.device)
    return Detected(none.view(0, 4), none, none.view(0, 5, 2), none.view(0, 4))


def _normalised(pictures: Tensor) -> Tensor:
    return (pictures - 127.5) / 128


def _in_parts(
    network: Any, sums: _Sums, owner: Int[Tensor, " n"], boxes: Float[Tensor, "n 4"], size: int
) -> tuple[Tensor, ...]:
    """What a network says of the chips of boxes, of which there is at least one."""
    some = zip(owner.split(_AT_ONCE), boxes.split(_AT_ONCE), strict=True)
    parts = [network(sums.cut(whose, where, size)) for whose, where in some]
    return tuple(torch.cat(each) for each in zip(*parts, strict=True))


def _distinct(owner: Tensor, boxes: Tensor, belief: Tensor, most: float) -> Tensor:
    """Places of the boxes that overlap no surer one of the same picture by more, surest first."""
    from torchvision.ops import nms  # type: ignore[import-untyped]  # two seconds to load

    # Moved apart by picture, in a precision in which that changes nothing.
    apart = boxes.double()
    if len(boxes):
        apart = apart + (owner * (apart.max() - apart.min() + 1))[:, None]
    kept: Tensor = nms(apart, belief.double(), most)
    return kept


def _corrected(boxes: Tensor, correction: Tensor) -> Tensor:
    sides = (boxes[:, 2:] - boxes[:, :2] + 1).repeat(1, 2)
    return boxes + correction * sides


def _squared(boxes: Tensor) -> Tensor:
    """The smallest squares around the same centres."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longer = sides.amax(dim=1, keepdim=True)
    corner = boxes[:, :2] + sides * 0.5 - longer * 0.5
    return torch.cat([corner, corner + longer], dim=1)


def _outside_others(boxes: Float[Tensor, "n 4"]) -> list[int]:
    """Places of boxes, surest first, of which no surer one holds, or is held in, too large a share."""
    sides = boxes[:, 2:] - boxes[:, :2] + 1
    area = sides.prod(dim=1)
    shared = torch.minimum(boxes[:, None, 2:], boxes[None, :, 2:]) - torch.maximum(
        boxes[:, None, :2], boxes[None, :, :2]
    )
    shared = (shared + 1).clamp(min=0).prod(dim=2)
    held = (shared / torch.minimum(area[:, None], area[None]) > _OF_SMALLER).tolist()
    kept: list[int] = []
    for number, row in enumerate(held):
        if not any(row[other] for other in kept):
            kept.append(number)
    return kept
