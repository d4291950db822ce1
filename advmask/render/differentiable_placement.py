"""A slower path with gradients in the placement and the light too, without precomputed sampling weights."""

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Float64, Int
from numpy.typing import NDArray
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, luminance, srgb_from_linear
from advmask.masks.placement import Placement, Wear, place
from advmask.masks.pose import HeadPose
from advmask.masks.relief import relief
from advmask.masks.sliding import slid
from advmask.masks.surface import MaskSurface, vertex_normals
from advmask.render.pyramid import TRIM_LINEAR, MipPyramid
from advmask.render.rasterise import rasterise
from advmask.render.rim import contact_shadow, soft_alpha
from advmask.render.settings import RenderSettings
from advmask.render.skin_light import (
    bent_normals,
    colours_kept,
    evaluate_light,
    fit_light,
    photo_tint,
    white_level,
)

_Array = NDArray[Any]
_MIP_BIAS = -0.5  # sub-pixels are averaged afterwards, so that each may read a little too finely


def render_direct(
    texture: Float[Tensor, "3 height width"],
    picture: Float[Tensor, "3 rows columns"],
    surface: MaskSurface,
    pose: HeadPose,
    *,
    texels_per_mm: float,
    settings: RenderSettings,
    wear: Wear | None = None,
    vertices_mm: Float64[np.ndarray, "v 3"] | None = None,
    shift_mm: Float[Tensor, " 2"] | None = None,
    tilt: Float[Tensor, ""] | None = None,
    scale: Float[Tensor, ""] | None = None,
    angles: Float[Tensor, " 3"] | None = None,
    light: Float[Tensor, " 4"] | None = None,
    occluder: Float[Tensor, "rows columns"] | None = None,
) -> Float[Tensor, "3 rows columns"]:
    """Lay a texture over one photo, differentiably in texture, placement and light.

    Which triangle is seen at which sub-pixel, how much of a pixel the mask covers, its contact shadow and the
    slope of its relief are found at the present parameters and held there: silhouettes and folds carry no
    gradient, and ear loops do not move. What moves is the cloth under each sub-pixel and its normal.

    Args:
        texture: sRGB in [0, 1], of the size `surface.texture_size(texels_per_mm)`.
        picture: The bare photo in [0, 1], sRGB.
        surface: The mask.
        pose: Of the head.
        texels_per_mm: Of the texture.
        settings: How masks are drawn; `tolerance` has no meaning here.
        wear: How the mask sits; None is the ideal place.
        vertices_mm: The surface's vertices fitted to the person; None takes the surface as it is.
        shift_mm: In place of that of `wear`: right in the picture and up.
        tilt: In place of that of `wear`: radians, positive clockwise in the picture.
        scale: In place of that of `wear`.
        angles: In place of those of `pose`: yaw, pitch and roll, radians.
        light: Coefficients as `light.fit_light` gives them, relative to the photo's mean light; (1, 0, 0, 0)
            is even. None fits them to the photo, without gradient. Without shading they have no meaning.
        occluder: Alpha in [0, 1] of what is in front of the mask.

    Raises:
        ValueError: The texture has another size than the surface asks for.
    """
    wear, dtype = wear or Wear(), texture.dtype
    vertices = slid(
        surface.vertices_mm if vertices_mm is None else vertices_mm,
        surface.chart_mm,
        slip_mm=wear.slip_mm,
        stretch=wear.stretch,
    )
    wear = replace(wear, slip_mm=0.0, stretch=0.0)  # done, and without gradient
    device = texture.device
    given = _Parameters(
        shift_mm=_chosen(shift_mm, wear.shift_mm, device),
        tilt=_chosen(tilt, math.radians(wear.tilt_deg), device),
        scale=_chosen(scale, wear.scale, device),
        angles=_chosen(angles, (pose.yaw, pose.pitch, pose.roll), device),
    )
    now = given.placement(surface, vertices, pose, wear, ear_loops=settings.ear_loops)
    points, normals = given.moved(vertices, surface.faces, pose, now)
    rows, columns = picture.shape[-2:]
    seen = _see(now, points, rows=rows, columns=columns, fine=settings.supersample)

    pyramid = MipPyramid(*surface.texture_size(texels_per_mm))
    read = _trilinear(
        pyramid.build(linear_from_srgb(texture)),
        pyramid,
        texel=(seen.mixed(_constant(now.uv_mm, device)) * texels_per_mm).to(dtype),
        level=(seen.level + math.log2(texels_per_mm) + _MIP_BIAS).to(dtype),
    )
    cloth = seen.over_pixels(torch.where(seen.is_cloth[:, None], read, TRIM_LINEAR)) / seen.count[:, None].to(
        dtype
    )

    linear = linear_from_srgb(picture.permute(1, 2, 0)).reshape(-1, 3)
    coverage = torch.zeros(rows * columns, dtype=torch.float64, device=device)
    coverage[seen.pixel] = seen.count.double() / settings.supersample**2
    alpha = soft_alpha(coverage.view(rows, columns), edge_px=settings.edge_px)
    shadow = torch.zeros_like(alpha)
    lit = torch.ones_like(coverage[seen.pixel])
    if settings.shading and len(seen.pixel):
        shadow = contact_shadow(coverage.view(rows, columns), px_per_mm=now.px_per_mm)
        lit, tint, saturation = _shaded(seen, normals, now, linear.detach().double(), light)
        cloth = cloth * tint.to(cloth)
        cloth = torch.lerp(luminance(cloth)[:, None], cloth, saturation)
    if occluder is not None:
        alpha, shadow = alpha * (1 - occluder.double()), shadow * (1 - occluder.double())
    alpha, shadow = alpha.flatten(), shadow.flatten()
    changed = ((alpha > 0) | (shadow > 0)).nonzero()[:, 0]
    under = linear * ((1 - alpha) * (1 - shadow)).to(linear)[:, None]
    drawn = under.index_add(0, seen.pixel, (cloth * (alpha[seen.pixel] * lit).to(dtype)[:, None]).to(under))
    flat = picture.permute(1, 2, 0).reshape(-1, 3)
    return (
        flat.index_copy(0, changed, srgb_from_linear(drawn[changed])).view(rows, columns, 3).permute(2, 0, 1)
    )


@dataclass(frozen=True, eq=False)
class _Parameters:
    """What a gradient may be asked for, float64."""

    shift_mm: Tensor
    tilt: Tensor
    scale: Tensor
    angles: Tensor

    def placement(
        self, surface: MaskSurface, vertices_mm: _Array, pose: HeadPose, wear: Wear, *, ear_loops: bool
    ) -> Placement:
        """The placement at the present parameters."""
        yaw, pitch, roll = self.angles.tolist()
        right, up = self.shift_mm.tolist()
        worn = replace(
            wear, shift_mm=(right, up), tilt_deg=math.degrees(self.tilt.item()), scale=self.scale.item()
        )
        turned = replace(pose, yaw=yaw, pitch=pitch, roll=roll)
        return place(surface, turned, wear=worn, vertices_mm=vertices_mm, ear_loops=ear_loops)

    def moved(
        self, vertices_mm: _Array, faces: _Array, pose: HeadPose, now: Placement
    ) -> tuple[Tensor, Tensor]:
        """Picture points (V, 2) and camera normals (V, 3) of all vertices; ear loops stay."""
        device = self.tilt.device
        vertices = _constant(vertices_mm, device)
        none, one = torch.zeros_like(self.tilt), torch.ones_like(self.tilt)
        in_plane = torch.stack([self.scale, self.scale, one])
        centre = torch.stack([none, vertices[:, 1].mean(), none])
        turn = _turn(-self.tilt, 2)
        shift = torch.cat([self.shift_mm, none[None]])
        worn = (vertices - centre) @ turn.T * in_plane + centre + shift
        # A linear map A takes area-weighted normals to those of the mapped mesh by its inverse transpose.
        normals = _constant(vertex_normals(vertices_mm, faces), device) @ turn.T / in_plane
        yaw, pitch, roll = self.angles
        rotation = _turn(-roll, 2) @ _turn(yaw, 1) @ _turn(-pitch, 0)
        flip = torch.tensor([1.0, -1.0], dtype=torch.float64, device=device)
        middle = torch.tensor(pose.translation_px, dtype=torch.float64, device=device)
        points = pose.scale_px_per_mm * (worn @ rotation.T)[:, :2] * flip + middle
        loops = slice(len(vertices), None)
        return (
            torch.cat([points, _constant(now.points_px[loops], device)]),
            torch.cat([F.normalize(normals @ rotation.T, dim=1), _constant(now.normals[loops], device)]),
        )


@dataclass(frozen=True, eq=False)
class _Seen:
    """Visible sub-pixels (N) and the pixels (M) they belong to."""

    corner: Int[Tensor, "n 3"]
    weight: Float[Tensor, "n 3"]  # differentiable
    level: Float[Tensor, " n"]  # log2 of mm of cloth in a sub-pixel, differentiable
    is_cloth: Tensor
    pixel: Int[Tensor, " m"]  # ascending
    row: Int[Tensor, " n"]  # place in `pixel`
    count: Tensor  # (M,) sub-pixels
    middle: Tensor  # (M,) the sub-pixel that stands for the pixel

    def mixed(self, values: Float[Tensor, "v k"]) -> Float[Tensor, "n k"]:
        """Values of the vertices at the sub-pixels."""
        return (values[self.corner] * self.weight[..., None]).sum(dim=1)

    def over_pixels(self, values: Float[Tensor, "n k"]) -> Float[Tensor, "m k"]:
        """Sums of the sub-pixels' values over each pixel."""
        total = values.new_zeros(len(self.pixel), values.shape[1])
        return total.index_add(0, self.row, values)


def _see(now: Placement, points: Tensor, *, rows: int, columns: int, fine: int) -> _Seen:
    device = points.device
    faces, uv = _constant(now.faces, device), _constant(now.uv_mm, device)
    points, width = points * fine, columns * fine
    found = rasterise(
        points.detach(), _constant(now.depth_mm, device), faces, height=rows * fine, width=width
    )
    corner = faces[found.face]
    centre = torch.stack([found.pixel % width, found.pixel // width], dim=1).to(points) + 0.5
    away = points[corner] - centre[:, None]
    doubled = _cross(away.roll(-1, dims=1), away.roll(-2, dims=1))
    area = doubled.sum(dim=1)
    on_cloth = _cross(uv[corner[:, 1]] - uv[corner[:, 0]], uv[corner[:, 2]] - uv[corner[:, 0]])
    pixel = found.pixel // width // fine * columns + found.pixel % width // fine
    order = torch.argsort(pixel, stable=True)
    pixel, row, count = torch.unique(pixel, return_inverse=True, return_counts=True)
    return _Seen(
        corner=corner,
        weight=doubled / area[:, None],
        level=0.5 * torch.log2(on_cloth.abs().clamp(min=1e-12) / area.abs()),
        is_cloth=torch.from_numpy(now.is_cloth).to(device)[found.face],
        pixel=pixel,
        row=row,
        count=count,
        middle=order[torch.cumsum(count, dim=0) - count + count // 2],
    )


def _shaded(
    seen: _Seen, normals: Tensor, now: Placement, linear: Tensor, light: Tensor | None
) -> tuple[Tensor, Tensor, float]:
    """Light (M,) on each covered pixel, tint and saturation, as `packing.pack` finds them."""
    device = normals.device
    smooth = F.normalize(seen.over_pixels(seen.mixed(normals)), dim=1)
    uv = seen.mixed(_constant(now.uv_mm, device))[seen.middle].detach()
    slope, kept = (torch.from_numpy(part).to(device) for part in relief(uv.cpu().numpy(), now.relief))
    flat = _constant(now.tangents, device).flatten(1)
    tangents = seen.mixed(flat)[seen.middle].detach().view(-1, 2, 3)
    bent = bent_normals(smooth, tangents, slope)
    if light is None:
        light = fit_light(smooth.detach(), luminance(linear[seen.pixel]))
    lit = evaluate_light(light.to(device, torch.float64), bent) * kept * white_level(luminance(linear))
    return lit, photo_tint(linear), colours_kept(linear[seen.pixel])


def _trilinear(listed: Tensor, pyramid: MipPyramid, *, texel: Tensor, level: Tensor) -> Tensor:
    """Colours (N, C) at places (N, 2) of level 0 and levels of detail (N,); differentiable in both."""
    level = level.clamp(0, pyramid.levels - 1)
    finer = level.detach().long().clamp(max=max(pyramid.levels - 2, 0))
    share = (level - finer)[:, None]
    below = _bilinear(listed, pyramid, texel, finer)
    if pyramid.levels == 1:
        return below
    return torch.lerp(below, _bilinear(listed, pyramid, texel, finer + 1), share)


def _bilinear(listed: Tensor, pyramid: MipPyramid, texel: Tensor, level: Tensor) -> Tensor:
    device = texel.device
    stored = torch.tensor([pyramid.stored(one)[::-1] for one in range(pyramid.levels)], device=device)[level]
    first = torch.tensor([pyramid.offset(one) for one in range(pyramid.levels)], device=device)[level]
    size = torch.tensor([pyramid.width, pyramid.height], device=device)
    unit = 2.0 ** level[:, None].to(texel)
    inside = torch.minimum((texel / unit).clamp(min=0.5), (size / unit).clamp(min=1.0) - 0.5) - 0.5
    corner = inside.detach().floor().long()
    right, below = (inside - corner).unbind(dim=1)
    other = torch.minimum(corner + 1, stored - 1)

    def at(x: Tensor, y: Tensor) -> Tensor:
        return listed[first + y * stored[:, 0] + x]

    upper = torch.lerp(at(corner[:, 0], corner[:, 1]), at(other[:, 0], corner[:, 1]), right[:, None])
    lower = torch.lerp(at(corner[:, 0], other[:, 1]), at(other[:, 0], other[:, 1]), right[:, None])
    return torch.lerp(upper, lower, below[:, None])


def _turn(angle: Tensor, axis: int) -> Tensor:
    """Rotation (3, 3) about an axis: 0, 1, 2 for x, y, z."""
    cos, sin, none, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    entries = {
        0: [one, none, none, none, cos, -sin, none, sin, cos],
        1: [cos, none, sin, none, one, none, -sin, none, cos],
        2: [cos, -sin, none, sin, cos, none, none, none, one],
    }
    return torch.stack(entries[axis]).view(3, 3)


def _cross(first: Tensor, second: Tensor) -> Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]


def _chosen(tensor: Tensor | None, default: object, device: torch.device) -> Tensor:
    if tensor is None:
        return torch.tensor(default, dtype=torch.float64, device=device)
    return tensor.to(device, torch.float64)


def _constant(values: object, device: torch.device) -> Tensor:
    return torch.as_tensor(values, device=device)
