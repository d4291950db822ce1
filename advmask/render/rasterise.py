"""A z-buffer rasteriser in pure torch: each triangle takes the pixels between its edges, row by row."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

_SLACK = 1e-6  # px; where an edge crosses a row is only known to rounding


@dataclass(frozen=True)
class Fragments:
    """What is visible: one entry for each covered pixel, in row order.

    Attributes:
        pixel: (N,) y * width + x.
        face: (N,) the nearest triangle there.
        barycentric: (N, 3) weights of the triangle's corners; they sum to one.
    """

    pixel: Int[Tensor, " n"]
    face: Int[Tensor, " n"]
    barycentric: Float[Tensor, "n 3"]


def rasterise(
    points_px: Float[Tensor, "v 2"],
    depth: Float[Tensor, " v"],
    faces: Int[Tensor, "f 3"],
    *,
    height: int,
    width: int,
) -> Fragments:
    """Find the nearest triangle at each pixel centre, and where in it the centre lies.

    Args:
        points_px: Corners, as in `nearest_faces`.
        depth: Depth of the corners.
        faces: Corner numbers.
        height: Of the picture, px.
        width: Of the picture, px.
    """
    nearest = nearest_faces(points_px, depth, faces, height=height, width=width)
    pixel = places_where(nearest >= 0)
    face = nearest[pixel]
    centre = torch.stack([pixel % width, pixel // width], dim=1).to(points_px.dtype) + 0.5
    return Fragments(pixel, face, barycentric(points_px, faces[face], centre))


def barycentric(
    points_px: Float[Tensor, "v 2"], corner: Int[Tensor, "n 3"], place: Float[Tensor, "n 2"]
) -> Float[Tensor, "n 3"]:
    """Weights (N, 3) of the corners of N triangles with an area, one at each of N places; they sum to one."""
    a, b, c = _edge_functions(points_px, corner).unbind(dim=1)
    weights = a * place[:, :1] + b * place[:, 1:] + c
    return weights / weights.sum(dim=1, keepdim=True)


def nearest_faces(
    points_px: Float[Tensor, "v 2"],
    depth: Float[Tensor, " v"],
    faces: Int[Tensor, "f 3"],
    *,
    height: int,
    width: int,
    between: Int[Tensor, "f 2"] | None = None,
) -> Int[Tensor, " pixels"]:
    """Number of the nearest triangle at each pixel centre, row by row; -1 where there is none.

    Convention: points are (x, y) in pixels with centres at +0.5; larger depth is nearer; a centre on an
    edge belongs to the triangle (edges shared by two triangles leave no gap, because both compute the
    same edge function); of equally near triangles the one with the smallest number wins. Both turning
    senses are drawn. Work in float64: float32 coordinates may open single-pixel cracks.

    Args:
        points_px: Corners.
        depth: Depth of the corners.
        faces: Corner numbers.
        height: Of the picture, px.
        width: Of the picture, px.
        between: First row of each triangle, and the row after its last: pictures of a batch stand below each
            other, and what leaves one of them must not appear in the next. None is the whole picture.
    """
    device = faces.device
    corners = points_px.index_select(0, faces.reshape(-1)).view(-1, 3, 2)
    one, other = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
    face, y, first, last = _spans(points_px, faces, corners, area, between, height=height, width=width)
    count = last - first + 1
    # The pixels of a span follow each other, so that their numbers differ from their places by a constant.
    ahead = y * width + first - torch.cumsum(count, dim=0) + count
    span = torch.repeat_interleave(count)
    pixel = ahead.index_select(0, span) + torch.arange(len(span), device=device)
    face = face.index_select(0, span)

    nearest = torch.full((height * width,), -1, dtype=torch.long, device=device)
    nearest.scatter_(0, pixel, face)
    # Where one triangle was put over another, all that are there are compared.
    covered = pixel.index_select(0, places_where(nearest.index_select(0, pixel) != face))
    if len(covered):
        several = torch.zeros(height * width, dtype=torch.bool, device=device)
        several.index_fill_(0, covered, True)
        among = places_where(several.index_select(0, pixel))
        pixel, face = pixel[among], face[among]
        centre = torch.stack([pixel % width, pixel // width], dim=1).to(depth) + 0.5
        away, rise = centre - corners[face, 0], depth[faces] - depth[faces[:, :1]]
        by_x = (rise[:, 1] * other[:, 1] - rise[:, 2] * one[:, 1]) / area
        by_y = (rise[:, 2] * one[:, 0] - rise[:, 1] * other[:, 0]) / area
        z = depth[faces[:, 0]][face] + by_x[face] * away[:, 0] + by_y[face] * away[:, 1]
        largest = torch.full((height * width,), -torch.inf, dtype=z.dtype, device=device)
        largest = largest.scatter_reduce(0, pixel, z, reduce="amax")
        front = places_where(z == largest[pixel])
        pixel, face = pixel[front], face[front]
        nearest.scatter_(0, pixel, len(faces)).scatter_reduce_(0, pixel, face, reduce="amin")
    return nearest


def places_where(mask: Bool[Tensor, " n"]) -> Int[Tensor, " m"]:
    """Where a mask is true, ascending; on the CPU several times as fast as `nonzero`."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.nonzero()[:, 0]


def _spans(
    points: Float[Tensor, "v 2"],
    faces: Int[Tensor, "f 3"],
    corners: Float[Tensor, "f 3 2"],
    area: Float[Tensor, " f"],
    between: Int[Tensor, "f 2"] | None,
    *,
    height: int,
    width: int,
) -> tuple[Int[Tensor, " s"], Int[Tensor, " s"], Int[Tensor, " s"], Int[Tensor, " s"]]:
    """Triangle, row, first and last column (s,) of all runs of pixels whose centres lie in a triangle."""
    low = (corners[..., 1].amin(dim=1) - 0.5).ceil().clamp(0, height).long()
    high = (corners[..., 1].amax(dim=1) - 0.5).floor().clamp(-1, height - 1).long()
    if between is not None:
        low, high = torch.maximum(low, between[:, 0]), torch.minimum(high, between[:, 1] - 1)
    rows = (high - low + 1).clamp(min=0) * (area != 0)
    face = torch.repeat_interleave(rows)
    y = torch.arange(len(face), device=face.device) + (low - torch.cumsum(rows, dim=0) + rows).index_select(
        0, face
    )
    lines = _borders(corners, area).index_select(0, face)
    centre = y.to(corners.dtype) + 0.5
    across = lines[..., 0] + (centre[:, None] - lines[..., 1]) * lines[..., 2]
    left = torch.maximum(across[:, 0], across[:, 1]) - 0.5
    right = torch.minimum(across[:, 2], across[:, 3]) - 0.5
    first, last = (left - _SLACK).ceil().clamp(0, width), (right + _SLACK).floor().clamp(-1, width - 1)
    # Within the slack, the edge functions decide.
    near = places_where((left + _SLACK).ceil().clamp(0, width) != first)
    first[near] += _outside(_edge_functions(points, faces[face[near]]), first[near] + 0.5, centre[near]).to(
        first
    )
    near = places_where((right - _SLACK).floor().clamp(-1, width - 1) != last)
    last[near] -= _outside(_edge_functions(points, faces[face[near]]), last[near] + 0.5, centre[near]).to(
        last
    )
    return face, y, first.long(), torch.maximum(last, first - 1).long()


def _borders(corners: Float[Tensor, "f 3 2"], area: Float[Tensor, " f"]) -> Float[Tensor, "f 4 3"]:
    """Two lines that a triangle lies to the right of, and two that it lies to the left of, level edges not.

    Each is a point (x, y) and the change of x with y; a triangle with one edge on a side has it twice.
    """
    end = corners.roll(-1, dims=1)
    along = end - corners
    slope = along[..., 0] / along[..., 1]
    side = along[..., 1] * area[:, None].sign()  # below zero where the triangle lies to the right
    order = side.argsort(dim=1)
    lines = torch.cat([corners, slope[..., None]], dim=2)
    lowest, middle, highest = (order[:, number, None, None].expand(-1, 1, 3) for number in range(3))
    middle_side = side.gather(1, order[:, 1:2])[..., None]
    second = torch.where(middle_side < 0, middle, lowest)
    third = torch.where(middle_side > 0, middle, highest)
    return torch.cat([lines.gather(1, one) for one in (lowest, second, third, highest)], dim=1)


def _outside(
    edges: Float[Tensor, "n 3 3"], x: Float[Tensor, " n"], y: Float[Tensor, " n"]
) -> Bool[Tensor, " n"]:
    """Whether places lie outside triangles."""
    a, b, c = edges.unbind(dim=1)
    weights = a * x[:, None] + b * y[:, None] + c
    return ~((weights >= 0).all(dim=1) | (weights <= 0).all(dim=1))


def _edge_functions(points: Float[Tensor, "v 2"], faces: Int[Tensor, "f 3"]) -> Float[Tensor, "f 3 3"]:
    """Coefficients a, b, c (axis 1) of the edge opposite each corner (axis 2): a x + b y + c.

    The value is twice the signed area of the edge and the point. Two triangles that share an edge get the
    same numbers up to their sign, so that no rounding lets a point fall between them.
    """
    start, end = faces.roll(-1, dims=1), faces.roll(-2, dims=1)
    low, high = points[torch.minimum(start, end)], points[torch.maximum(start, end)]
    along = high - low
    a, b = -along[..., 1], along[..., 0]
    c = along[..., 1] * low[..., 0] - along[..., 0] * low[..., 1]
    sign = torch.where(start < end, 1.0, -1.0).to(points.dtype)
    return torch.stack([a, b, c], dim=1) * sign[:, None]
