"""Masks worn on the heads of a batch as meshes in the pictures, in torch: differentiable in wear and pose.

The same formulas as `masks.placement.place`, `masks.sliding` and `masks.straps`, for many heads at once.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float64, Int64
from torch import Tensor

from advmask.masks.placement import Wear
from advmask.masks.pose import HeadPose
from advmask.masks.sliding import UNIT_MM, held_and_still, spline_of
from advmask.masks.straps import STATIONS, STRAPS, StrapKind, strap_corners
from advmask.masks.surface import MaskSurface, same_places


@dataclass(frozen=True, eq=False)
class HeadsAndWear:
    """How masks sit on the heads of a batch, and how these stand in their pictures; float64, one device.

    Attributes:
        shift_mm: (B, 2) as in `Wear`, as are the next four.
        tilt: (B,) radians.
        scale: (B,).
        slip_mm: (B,).
        stretch: (B,).
        angles: (B, 3) yaw, pitch and roll, radians.
        px_per_mm: (B,).
        middle_px: (B, 2) where the head frame's origin lies in the picture.
    """

    shift_mm: Float64[Tensor, "batch 2"]
    tilt: Float64[Tensor, " batch"]
    scale: Float64[Tensor, " batch"]
    slip_mm: Float64[Tensor, " batch"]
    stretch: Float64[Tensor, " batch"]
    angles: Float64[Tensor, "batch 3"]
    px_per_mm: Float64[Tensor, " batch"]
    middle_px: Float64[Tensor, "batch 2"]

    def part(self, which: slice) -> "HeadsAndWear":
        """Some of them."""
        return HeadsAndWear(**{name: value[which] for name, value in vars(self).items()})


def heads_and_wear(
    poses: Sequence[HeadPose],
    wears: Sequence[Wear],
    *,
    device: torch.device | str = "cpu",
    given: Mapping[str, Tensor] | None = None,
) -> HeadsAndWear:
    """Poses and wear as tensors.

    Args:
        poses: Of the heads.
        wears: One for each; folds are not part of a mesh.
        device: Of the tensors.
        given: Fields of `HeadsAndWear` in place of what `poses` and `wears` say; they may ask for a
            gradient.
    """
    found: dict[str, Any] = {
        "shift_mm": [one.shift_mm for one in wears],
        "tilt": [math.radians(one.tilt_deg) for one in wears],
        "scale": [one.scale for one in wears],
        "slip_mm": [one.slip_mm for one in wears],
        "stretch": [one.stretch for one in wears],
        "angles": [(one.yaw, one.pitch, one.roll) for one in poses],
        "px_per_mm": [one.scale_px_per_mm for one in poses],
        "middle_px": [one.translation_px for one in poses],
    }
    tensors = {name: torch.tensor(value, dtype=torch.float64) for name, value in found.items()}
    tensors |= given or {}
    return HeadsAndWear(**{name: value.to(device, torch.float64) for name, value in tensors.items()})


@dataclass(frozen=True, eq=False)
class WornMeshes:
    """Masks with their ear loops in the pictures of a batch; one topology for all.

    Attributes:
        points_px: (B, V, 2).
        depth_mm: (B, V) larger is nearer.
        normals: (B, V, 3) unit, camera frame.
        tangents: (B, V, 2, 3) camera frame, zero on ear loops.
        uv_mm: (V, 2) from the texture's top-left corner, zero on ear loops.
        faces: (F, 3).
        is_cloth: (F,).
        front: (B, F) which triangles face the camera.
    """

    points_px: Float64[Tensor, "batch v 2"]
    depth_mm: Float64[Tensor, "batch v"]
    normals: Float64[Tensor, "batch v 3"]
    tangents: Float64[Tensor, "batch v 2 3"]
    uv_mm: Float64[Tensor, "v 2"]
    faces: Int64[Tensor, "f 3"]
    is_cloth: Bool[Tensor, " f"]
    front: Bool[Tensor, "batch f"]


def worn_meshes(
    surface: MaskSurface,
    how: HeadsAndWear,
    *,
    vertices_mm: Float64[Tensor, "batch v 3"] | None = None,
    ear_loops: bool = True,
) -> WornMeshes:
    """Put a mask on all heads of a batch.

    Args:
        surface: The mask.
        how: How it sits.
        vertices_mm: Its vertices fitted to each person; None takes the surface as it is.
        ear_loops: Draw them, or the straps in their place.
    """
    known = _known(surface, how.tilt.device)
    base = known.vertices if vertices_mm is None else vertices_mm
    vertices = base + _slid(base, known, how)
    normals, tangents = _normals(vertices, known), _tangents(vertices, known)
    none, one = torch.zeros_like(how.tilt), torch.ones_like(how.tilt)
    # A linear map A takes tangents along, and area-weighted normals by its inverse transpose.
    in_plane = torch.stack([how.scale, how.scale, one], dim=1)
    turn = rotation(-how.tilt, 2)
    centre = torch.stack([none, vertices[..., 1].mean(dim=1), none], dim=1)[:, None]
    shift = torch.cat([how.shift_mm, none[:, None]], dim=1)[:, None]
    vertices = (vertices - centre) @ turn.mT * in_plane[:, None] + centre + shift
    normals = F.normalize(normals @ turn.mT / in_plane[:, None], dim=2)
    tangents = tangents @ turn.mT[:, None] * in_plane[:, None, None]
    faces, is_cloth, uv = known.faces, known.is_cloth, known.uv
    outside_in = torch.zeros(len(how.tilt), len(faces), dtype=torch.bool, device=faces.device)
    straps = STRAPS.get(surface.pattern.straps)
    if ear_loops and straps is not None:
        loops, outward = _strands(vertices[:, known.corners], straps)
        added = loops.shape[1]
        strap = _strap_faces(added).to(faces.device)
        a, b, c = (loops[:, strap[:, corner]] for corner in range(3))
        inwards = (torch.linalg.cross(b - a, c - a) * outward[:, strap[:, 0]]).sum(dim=2) < 0
        outside_in = torch.cat([outside_in, inwards], dim=1)
        faces = torch.cat([faces, strap + vertices.shape[1]])
        is_cloth = torch.cat([is_cloth, torch.zeros(len(strap), dtype=torch.bool, device=faces.device)])
        vertices, normals = torch.cat([vertices, loops], dim=1), torch.cat([normals, outward], dim=1)
        tangents, uv = F.pad(tangents, (0, 0, 0, 0, 0, added)), F.pad(uv, (0, 0, 0, added))
    yaw, pitch, roll = how.angles.unbind(dim=1)
    head = rotation(-roll, 2) @ rotation(yaw, 1) @ rotation(-pitch, 0)
    camera = vertices @ head.mT
    flip = torch.tensor([1.0, -1.0], dtype=torch.float64, device=faces.device)
    points = how.px_per_mm[:, None, None] * camera[..., :2] * flip + how.middle_px[:, None]
    a, b, c = (points[:, faces[:, corner]] for corner in range(3))
    # Counter-clockwise in a y-up frame is a negative area where y points down.
    area = (b - a)[..., 0] * (c - a)[..., 1] - (b - a)[..., 1] * (c - a)[..., 0]
    front = torch.where(outside_in, -area, area).detach() < 0
    return WornMeshes(
        points, camera[..., 2], normals @ head.mT, tangents @ head.mT[:, None], uv, faces, is_cloth, front
    )


def rotation(angle: Float64[Tensor, " batch"], axis: int) -> Float64[Tensor, "batch 3 3"]:
    """Rotations about an axis: 0, 1, 2 for x, y, z."""
    cos, sin, none, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    entries = {
        0: [one, none, none, none, cos, -sin, none, sin, cos],
        1: [cos, none, sin, none, one, none, -sin, none, cos],
        2: [cos, -sin, none, sin, cos, none, none, none, one],
    }
    return torch.stack(entries[axis], dim=1).view(-1, 3, 3)


@dataclass(frozen=True, eq=False)
class _Known:
    """What of a surface is the same on every head, on one device."""

    vertices: Tensor  # (V, 3)
    uv: Tensor  # (V, 2) from the texture's corner
    chart: Tensor  # (V, 2)
    held: Tensor  # (V,) share of a slip
    middle: Tensor  # () of the chart
    faces: Tensor  # (F, 3)
    is_cloth: Tensor  # (F,)
    place: Tensor  # (V,) vertices in one place have one number
    corners: Tensor  # (4,) where the ear loops hang
    to_uv: Tensor  # (F, 2, 2) takes two edges of a triangle to its tangents
    count: Tensor  # (V,) triangles with tangents at a vertex
    centres: Tensor  # (n,) of the spline, as the next three
    centres_mm: Tensor  # (n, 2)
    solved: Tensor  # (n + 3, n)
    before: Tensor  # (V, n + 3)


@lru_cache(maxsize=8)
def _known(surface: MaskSurface, device: torch.device) -> _Known:
    a, b, c = (surface.uv_mm[surface.faces[:, corner]] for corner in range(3))
    flat = np.stack([b - a, c - a], axis=1)  # edges by (u, v)
    good = np.abs(np.linalg.det(flat)) > 1e-12
    to_uv = np.zeros_like(flat)
    to_uv[good] = np.linalg.inv(flat[good])
    count = np.bincount(surface.faces.ravel(), np.repeat(good, 3), len(surface.uv_mm)).clip(1)
    spline = spline_of(surface.chart_mm)
    parts = (
        surface.vertices_mm,
        surface.uv_mm - np.asarray(surface.origin_mm),
        surface.chart_mm,
        *held_and_still(surface.chart_mm),
        surface.faces,
        np.ones(len(surface.faces), dtype=bool),
        same_places(surface.vertices_mm),
        np.array(strap_corners(surface.vertices_mm)),
        to_uv,
        count,
        spline.centres,
        spline.places_mm,
        spline.solved,
        spline.before,
    )
    return _Known(*(torch.as_tensor(np.array(part)).to(device) for part in parts))


def _slid(base: Tensor, known: _Known, how: HeadsAndWear) -> Tensor:
    """(B, V, 3) how far each vertex slides along the face."""
    coefficients = known.solved @ base[..., known.centres, :]
    (across, down), wider = known.chart.T, 1 + how.stretch[:, None]
    moved = known.middle + (down - known.middle) / wider + how.slip_mm[:, None] * known.held
    now = torch.stack([across * wider, moved], dim=2)
    squares = (now[:, :, None] - known.centres_mm).square().sum(dim=3)
    radial = 0.5 * squares * squares.clamp(min=1e-200).log()
    affine = torch.cat([torch.ones_like(now[..., :1]), now / UNIT_MM], dim=2)
    result: Tensor = (torch.cat([radial, affine], dim=2) - known.before) @ coefficients
    return result


def _normals(vertices: Tensor, known: _Known) -> Tensor:
    a, b, c = (vertices[:, known.faces[:, corner]] for corner in range(3))
    weighted = torch.linalg.cross(b - a, c - a)
    total = torch.zeros_like(vertices)
    for corner in range(3):
        total = total.index_add(1, known.place[known.faces[:, corner]], weighted)
    return F.normalize(total[:, known.place], dim=2)


def _tangents(vertices: Tensor, known: _Known) -> Tensor:
    a, b, c = (vertices[:, known.faces[:, corner]] for corner in range(3))
    by_uv = known.to_uv @ torch.stack([b - a, c - a], dim=2)
    total = vertices.new_zeros(*vertices.shape[:2], 2, 3)
    for corner in range(3):
        total = total.index_add(1, known.faces[:, corner], by_uv)
    return total / known.count[:, None, None]


def _strands(corners: Tensor, kind: StrapKind) -> tuple[Tensor, Tensor]:
    """Vertices (B, S, 3) of the ribbons from four corners (B, 4, 3) to out of sight, and their normals."""
    ear = torch.as_tensor(kind.ends_mm, device=corners.device)
    ear = torch.stack([ear * ear.new_tensor([side, 1.0, 1.0]) for side in (-1.0, 1.0)]).view(1, 4, 3)
    share = corners.new_tensor([0.6, 0.4])
    bend = torch.stack(
        [
            ear[..., 0].expand_as(corners[..., 0]),
            share[0] * corners[..., 1] + share[1] * ear[..., 1],
            share[1] * corners[..., 2] + share[0] * ear[..., 2],
        ],
        dim=2,
    )
    t = torch.linspace(0, 1, STATIONS, dtype=torch.float64, device=corners.device)[:, None]
    path = (1 - t) ** 2 * corners[:, :, None] + 2 * t * (1 - t) * bend[:, :, None] + t**2 * ear[:, :, None]
    along = F.normalize(torch.gradient(path, dim=2)[0], dim=3)
    outward = path * path.new_tensor([1.0, 0.0, 0.5]) + path.new_tensor([0.0, 0.0, 10.0])
    outward = F.normalize(outward - (outward * along).sum(dim=3, keepdim=True) * along, dim=3)
    across = torch.linalg.cross(along, outward) * (kind.width_mm / 2)
    path = path + outward
    ribbons = torch.stack([path - across, path + across], dim=3)
    return ribbons.flatten(1, 3), outward.repeat_interleave(2, dim=2).flatten(1, 2)


def _strap_faces(vertices: int) -> Tensor:
    """Triangles of four ribbons of two vertices a station, of either turning sense."""
    first = torch.arange(0, vertices, 2 * STATIONS)[:, None]
    a = (first + 2 * torch.arange(STATIONS - 1)).flatten()
    return torch.cat([torch.stack([a, a + 1, a + 2], 1), torch.stack([a + 1, a + 3, a + 2], 1)])
