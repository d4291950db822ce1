"""A z-buffer rasteriser in pure torch: each triangle is tried on the pixels between its edges, row by row."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor


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
    """Find the nearest triangle at each pixel centre.

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
    """
    face, x, y = _candidates(points_px[faces], height=height, width=width)
    a, b, c = _edge_functions(points_px, faces)[face].unbind(dim=1)
    centre_x, centre_y = x.to(points_px.dtype)[:, None] + 0.5, y.to(points_px.dtype)[:, None] + 0.5
    weights = a * centre_x + b * centre_y + c
    area = weights.sum(dim=1)
    inside = ((weights >= 0).all(dim=1) | (weights <= 0).all(dim=1)) & (area != 0)
    face, weights, area = face[inside], weights[inside], area[inside]
    pixel = (y * width + x)[inside]
    barycentric = weights / area[:, None]
    z = (barycentric * depth[faces][face]).sum(dim=1)

    nearest = torch.full((height * width,), -torch.inf, dtype=z.dtype, device=z.device)
    nearest = nearest.scatter_reduce(0, pixel, z, reduce="amax")
    front = z == nearest[pixel]
    pixel, face, barycentric = pixel[front], face[front], barycentric[front]
    owner = torch.full((height * width,), len(faces), dtype=torch.long, device=z.device)
    owner = owner.scatter_reduce(0, pixel, face, reduce="amin")
    chosen = face == owner[pixel]
    pixel, face, barycentric = pixel[chosen], face[chosen], barycentric[chosen]
    order = torch.argsort(pixel)
    return Fragments(pixel=pixel[order], face=face[order], barycentric=barycentric[order])


def _candidates(
    corners: Float[Tensor, "f 3 2"], *, height: int, width: int
) -> tuple[Int[Tensor, " n"], Int[Tensor, " n"], Int[Tensor, " n"]]:
    """Triangle, column and row (n,) of all pixels whose centres may lie in a triangle.

    A little too many: where an edge crosses a row is only known to rounding, and the edge functions decide.
    """
    device = corners.device
    low = (corners[..., 1].amin(dim=1) - 0.5).ceil().long().clamp(min=0)
    high = (corners[..., 1].amax(dim=1) - 0.5).floor().long().clamp(max=height - 1)
    rows = (high - low + 1).clamp(min=0)
    face = torch.repeat_interleave(torch.arange(len(corners), device=device), rows)
    y = low[face] + torch.arange(len(face), device=device) - (torch.cumsum(rows, dim=0) - rows)[face]
    centre = y.to(corners.dtype)[:, None] + 0.5

    start, end = corners[face], corners.roll(-1, dims=1)[face]
    rise = end[..., 1] - start[..., 1]
    crossed = (torch.minimum(start[..., 1], end[..., 1]) <= centre) & (
        torch.maximum(start[..., 1], end[..., 1]) >= centre
    )
    crossed &= rise != 0  # the neighbours of a level edge end in its corners
    share = ((centre - start[..., 1]) / torch.where(rise == 0, 1.0, rise)).clamp(0, 1)
    across = start[..., 0] + share * (end[..., 0] - start[..., 0])
    nowhere = torch.full_like(across, torch.inf)
    slack = 1e-6
    first = torch.where(crossed, across, nowhere).amin(dim=1).sub(0.5 + slack).ceil()
    last = torch.where(crossed, across, -nowhere).amax(dim=1).sub(0.5 - slack).floor()
    first, last = first.clamp(0, width).long(), last.clamp(-1, width - 1).long()
    count = (last - first + 1).clamp(min=0)
    span = torch.repeat_interleave(torch.arange(len(face), device=device), count)
    x = first[span] + torch.arange(len(span), device=device) - (torch.cumsum(count, dim=0) - count)[span]
    return face[span], x, y[span]


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
