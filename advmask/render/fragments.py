"""What of a placed mask is seen at each sub-pixel of a photo, band by band, so that any resolution fits."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from advmask.masks.placement import Placement
from advmask.render.rasterise import rasterise

_SUB_PIXELS_AT_ONCE = 1_000_000


@dataclass(frozen=True, eq=False)
class Samples:
    """Visible sub-pixels of some rows of a photo.

    Attributes:
        pixel: (N,) y * width + x of the pixel that each belongs to, ascending by sub-pixel row.
        uv_mm: (N, 2) from the texture's top-left corner; meaningless on ear loops.
        normals: (N, 3) camera frame, not normalised.
        tangents: (N, 2, 3) camera frame.
        slope: (N, 2, 2) change of `uv_mm` over one sub-pixel to the right and one down.
        is_cloth: (N,) false on ear loops.
    """

    pixel: Int[Tensor, " n"]
    uv_mm: Float[Tensor, "n 2"]
    normals: Float[Tensor, "n 3"]
    tangents: Float[Tensor, "n 2 3"]
    slope: Float[Tensor, "n 2 2"]
    is_cloth: Bool[Tensor, " n"]


def samples(placement: Placement, *, height: int, width: int, supersample: int) -> Iterator[Samples]:
    """Rasterise a placement in bands of whole rows of pixels.

    Args:
        placement: The mask on a photo.
        height: Of the photo, px.
        width: Of the photo, px.
        supersample: Sub-pixels per pixel along each axis.
    """
    fine = supersample
    points = torch.from_numpy(placement.points_px) * fine
    depth = torch.from_numpy(placement.depth_mm)
    faces = torch.from_numpy(placement.faces)
    uv = torch.from_numpy(placement.uv_mm)
    normals, tangents = torch.from_numpy(placement.normals), torch.from_numpy(placement.tangents)
    is_cloth = torch.from_numpy(placement.is_cloth)
    slope = _slopes(points, uv, faces)
    reach = points[faces][..., 1]
    band = max(1, _SUB_PIXELS_AT_ONCE // (width * fine * fine))
    for first in range(0, height, band):
        rows = min(band, height - first)
        top, bottom = first * fine, (first + rows) * fine
        touching = ((reach.amax(dim=1) >= top) & (reach.amin(dim=1) <= bottom)).nonzero()[:, 0]
        if len(touching) == 0:
            continue
        shifted = points - torch.tensor([0.0, top], dtype=points.dtype)
        seen = rasterise(shifted, depth, faces[touching], height=rows * fine, width=width * fine)
        if len(seen.pixel) == 0:
            continue
        corner, weight = faces[touching][seen.face], seen.barycentric
        y = seen.pixel // (width * fine) // fine + first
        x = seen.pixel % (width * fine) // fine
        yield Samples(
            pixel=y * width + x,
            uv_mm=_mixed(uv, corner, weight),
            normals=_mixed(normals, corner, weight),
            tangents=_mixed(tangents.flatten(1), corner, weight).view(-1, 2, 3),
            slope=slope[touching][seen.face],
            is_cloth=is_cloth[touching][seen.face],
        )


def _mixed(values: Tensor, corner: Tensor, weight: Tensor) -> Tensor:
    """Values at the fragments: one corner after another, so that nothing of size (N, 3, k) is made."""
    result = values[corner[:, 0]] * weight[:, :1]
    for number in (1, 2):
        result.addcmul_(values[corner[:, number]], weight[:, number : number + 1])
    return result


def _slopes(points: Tensor, uv: Tensor, faces: Tensor) -> Tensor:
    """Derivative (F, 2, 2) of texture coordinates (second axis) by picture coordinates (first axis)."""
    across = torch.stack([points[faces[:, i]] - points[faces[:, 0]] for i in (1, 2)], dim=1)
    on_cloth = torch.stack([uv[faces[:, i]] - uv[faces[:, 0]] for i in (1, 2)], dim=1)
    determinant = across[:, 0, 0] * across[:, 1, 1] - across[:, 0, 1] * across[:, 1, 0]
    good = determinant.abs() > 1e-9
    inverse = (
        torch.stack([across[:, 1, 1], -across[:, 0, 1], -across[:, 1, 0], across[:, 0, 0]], dim=1).view(
            -1, 2, 2
        )
        / torch.where(good, determinant, 1.0)[:, None, None]
    )
    return torch.where(good[:, None, None], inverse @ on_cloth, 0.0)
