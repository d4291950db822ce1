"""What of a placed mask is seen in each pixel of a photo, band by band, so that any resolution fits."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.masks.placement import Placement
from advmask.render.rasterise import nearest_faces

_Floats = NDArray[np.float64]
_SUB_PIXELS_AT_ONCE = 1_000_000
_LEAST_AREA = 1e-9  # px2 of twice a triangle, below which it is taken to be seen edge on


@dataclass(frozen=True, eq=False)
class Samples:
    """The visible sub-pixels of some rows of a photo, those of a pixel one after another.

    Attributes:
        pixel: (M,) y * width + x of the covered pixels, ascending.
        count: (M,) sub-pixels of each that see the mask.
        face: (N,) the triangle that a sub-pixel sees.
        u_mm: (N,) from the texture's left edge; meaningless on ear loops, as is `v_mm`.
        v_mm: (N,) from its upper edge.
        middle_uv_mm: (M, 2) of the sub-pixel in the middle of those of a pixel, as what follows.
        normals: (M, 3) camera frame, not normalised.
        tangents: (M, 2, 3) camera frame.
    """

    pixel: Int64[np.ndarray, " m"]
    count: Int64[np.ndarray, " m"]
    face: Int64[np.ndarray, " n"]
    u_mm: Float64[np.ndarray, " n"]
    v_mm: Float64[np.ndarray, " n"]
    middle_uv_mm: Float64[np.ndarray, "m 2"]
    normals: Float64[np.ndarray, "m 3"]
    tangents: Float64[np.ndarray, "m 2 3"]


def samples(
    placement: Placement,
    slope: Float64[np.ndarray, "f 2 2"],
    *,
    height: int,
    width: int,
    supersample: int,
) -> Iterator[Samples]:
    """Rasterise a placement in bands of whole rows of pixels, within the box that holds it.

    Args:
        placement: The mask on a photo.
        slope: Of its triangles, from `slopes`.
        height: Of the photo, px.
        width: Of the photo, px.
        supersample: Sub-pixels per pixel along each axis.
    """
    fine, points = supersample, placement.points_px
    if len(placement.faces) == 0:
        return
    corners = points[placement.faces]
    lower, upper = corners[..., 1].min(axis=1), corners[..., 1].max(axis=1)
    left, right = _within(corners[..., 0], width)
    top, bottom = _within(corners[..., 1], height)
    band = max(1, _SUB_PIXELS_AT_ONCE // max(1, (right - left) * fine * fine))
    anchor = placement.faces[:, 0]
    level = placement.uv_mm[anchor] - (points[anchor][:, None] @ slope)[:, 0]
    uv_of = [np.ascontiguousarray(one) for one in (*level.T, *slope.reshape(-1, 4).T)]
    for first in range(top, bottom, band):
        rows, columns = min(band, bottom - first), right - left
        touching = np.flatnonzero((upper >= first) & (lower <= first + rows))
        faces, place = placement.faces[touching], (points - [float(left), float(first)]) * fine
        face = nearest_faces(
            torch.from_numpy(place),
            torch.from_numpy(placement.depth_mm),
            torch.from_numpy(faces),
            height=rows * fine,
            width=columns * fine,
        ).numpy()
        # Sub-pixels of a pixel one after another.
        blocks = face.reshape(rows, fine, columns, fine).transpose(0, 2, 1, 3).reshape(-1, fine * fine)
        seen = np.flatnonzero(blocks >= 0)
        if len(seen) == 0:
            continue
        count = (blocks >= 0).sum(axis=1)
        block = np.flatnonzero(count)
        count = count[block]
        y, x = np.divmod(block, columns)
        within = seen - np.repeat(block * fine * fine, count)
        below, beside = (np.indices((fine, fine)).reshape(2, -1) + 0.5) / fine
        centre = (
            np.repeat(x + float(left), count) + beside[within],
            np.repeat(y + float(first), count) + below[within],
        )
        face = touching[blocks.ravel()[seen]]
        u, v, u_right, v_right, u_down, v_down = (one.take(face) for one in uv_of)
        u += centre[0] * u_right + centre[1] * u_down
        v += centre[0] * v_right + centre[1] * v_down
        middle = np.cumsum(count) - count + count // 2
        corner = placement.faces[face[middle]]
        weight = _barycentric(points[corner], centre[0][middle], centre[1][middle])
        yield Samples(
            pixel=(y + first) * width + x + left,
            count=count,
            face=face,
            u_mm=u,
            v_mm=v,
            middle_uv_mm=np.stack([u[middle], v[middle]], axis=1),
            normals=_mixed(placement.normals, corner, weight),
            tangents=_mixed(placement.tangents.reshape(-1, 6), corner, weight).reshape(-1, 2, 3),
        )


def slopes(placement: Placement) -> Float64[np.ndarray, "f 2 2"]:
    """Change of `uv_mm` (second axis) of each triangle over a pixel to the right and one down (first axis).

    Zero where a triangle is seen edge on.
    """
    faces = placement.faces
    points, uv = placement.points_px[faces], placement.uv_mm[faces]
    across, on_cloth = points[:, 1:] - points[:, :1], uv[:, 1:] - uv[:, :1]
    determinant = across[:, 0, 0] * across[:, 1, 1] - across[:, 0, 1] * across[:, 1, 0]
    good = np.abs(determinant) > _LEAST_AREA
    inverse = np.stack([across[:, 1, 1], -across[:, 0, 1], -across[:, 1, 0], across[:, 0, 0]], axis=1)
    inverse = inverse.reshape(-1, 2, 2) / np.where(good, determinant, 1.0)[:, None, None]
    slope: _Floats = np.where(good[:, None, None], inverse @ on_cloth, 0.0)
    return slope


def _within(places: _Floats, most: int) -> tuple[int, int]:
    """Whole pixels from the first to the last place, within the photo."""
    low, high = math.floor(places.min(initial=most)), math.ceil(places.max(initial=0))
    return min(max(low, 0), most), max(min(high, most), 0)


def _barycentric(corners: _Floats, x: _Floats, y: _Floats) -> _Floats:
    """Weights (N, 3) of the corners (N, 3, 2) of triangles at places within them."""
    (ax, ay), (bx, by), (cx, cy) = corners.transpose(1, 2, 0)
    whole = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
    second = ((x - ax) * (cy - ay) - (y - ay) * (cx - ax)) / whole
    third = ((bx - ax) * (y - ay) - (by - ay) * (x - ax)) / whole
    return np.stack([1 - second - third, second, third], axis=1)


def _mixed(values: _Floats, corner: Int64[np.ndarray, "n 3"], weight: _Floats) -> _Floats:
    """Values of the vertices at places within triangles."""
    result: _Floats = np.einsum("nk,nkc->nc", weight, values[corner])
    return result
