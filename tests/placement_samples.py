"""Faces and placements of a fraction of a second, for tests of what keeps them."""

import dataclasses
import hashlib
from pathlib import Path

import torch
from torch import Tensor

from advmask.photos.crops import FaceCrop, canonical_points
from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.render.texel_taps import Taps

SIDE = 112
PYRAMID = MipPyramid(20, 30, 3)


def face(number: int = 0, **changes: object) -> FaceCrop:
    """A smooth picture with the five points of a mean face."""
    draws = torch.Generator().manual_seed(number)
    coarse = torch.rand(1, 3, 7, 7, generator=draws)
    smooth = torch.nn.functional.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=False)
    crop = FaceCrop(
        picture=(smooth[0] * 255).to(torch.uint8),
        landmarks=torch.from_numpy(canonical_points(size=SIDE)).float(),
        person=f"p{number % 3}",
        source=Path(f"{number}.png"),
        transform=torch.eye(2, 3, dtype=torch.float64),
        face_px=28.0,
        sha256=hashlib.sha256(str(number).encode()).hexdigest(),
        photo_size=(SIDE, SIDE),
    )
    return dataclasses.replace(crop, **changes)  # type: ignore[arg-type]


def placement(
    number: int = 0, *, pixels: int | None = None, pyramid: MipPyramid = PYRAMID
) -> PackedPlacement:
    """Random numbers in the form of a placement; none of its sizes is that of another number."""
    draws = torch.Generator().manual_seed(number)
    pixels = 5 + number % 7 if pixels is None else pixels
    counts = torch.randint(0, 4, (pixels,), generator=draws)
    start = torch.cat([torch.zeros(1, dtype=torch.long), counts.cumsum(0)]).int()
    taps = int(start[-1])

    def texels() -> Tensor:
        return torch.randint(0, pyramid.texels, (taps,), generator=draws, dtype=torch.int32)

    return PackedPlacement(
        taps=Taps(start, texels(), torch.rand(taps, generator=draws).half()),
        pixel=torch.randperm(SIDE * SIDE, generator=draws)[:pixels].sort().values.int(),
        gain=torch.rand(pixels, generator=draws).half(),
        under=torch.rand(pixels, 3, generator=draws).half(),
        tint=torch.rand(3, generator=draws),
        saturation=0.1 * (number % 11),
        pyramid=pyramid,
    )


def tensors(value: object) -> dict[str, object]:
    """The fields of a record, those of its taps among them."""
    fields = dict(vars(value))
    return {**vars(fields.pop("taps")), **fields} if "taps" in fields else fields


def same(one: object, other: object) -> bool:
    """Whether two records are equal to the last bit, in kind of number too."""
    first, second = tensors(one), tensors(other)
    return first.keys() == second.keys() and all(
        value.dtype == other.dtype and torch.equal(value, other)
        if isinstance(value, Tensor) and isinstance(other := second[name], Tensor)
        else value == second[name]
        for name, value in first.items()
    )


def anonymous_kb() -> int:
    """Memory of this process that lies in no file, on Linux."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("RssAnon"))
