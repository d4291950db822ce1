"""Masks drawn on a batch of pictures straight from pose, wear and mesh: nothing is prepared or kept.

Slower per picture than reading precomputed sampling weights on a CPU, and differentiable in texture, wear,
pose and light; everything but a few counts stays on the device of the pictures.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, luminance, srgb_from_linear
from advmask.masks.folds import fold_ridges
from advmask.masks.placement import Wear
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface
from advmask.render.pyramid import TRIM_LINEAR, MipPyramid
from advmask.render.rasterise import nearest_faces, places_where
from advmask.render.relief_of_batch import relief_of_batch
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
from advmask.render.trilinear import trilinear
from advmask.render.worn_meshes import HeadsAndWear, WornMeshes, worn_meshes

_MIP_BIAS = -0.5  # sub-pixels are averaged afterwards, so that each may read a little too finely
_LIT_BY = 2048  # pixels of each picture that the light is fitted to


def render_directly(
    texture: Float[Tensor, "*b 3 height width"],
    pictures: Float[Tensor, "batch 3 rows columns"],
    surface: MaskSurface,
    how: HeadsAndWear,
    *,
    texels_per_mm: float,
    settings: RenderSettings,
    px_per_mm: Sequence[float],
    wears: Sequence[Wear] | None = None,
    vertices_mm: Float[Tensor, "batch v 3"] | None = None,
    light: Float[Tensor, "batch 4"] | None = None,
    occluders: Float[Tensor, "batch rows columns"] | None = None,
) -> Float[Tensor, "batch 3 rows columns"]:
    """Lay a texture over each photo, differentiably in texture, wear, pose and light.

    Which triangle is seen at which sub-pixel, how much of a pixel the mask covers, its contact shadow and the
    slope of its relief are found at the present parameters and held there: silhouettes and folds carry no
    gradient. What moves is the cloth under each sub-pixel and its normal.

    Args:
        texture: sRGB in [0, 1], of the size `surface.texture_size(texels_per_mm)`; one, or one a picture.
        pictures: The bare photos in [0, 1], sRGB.
        surface: The mask.
        how: How it sits on each head, and how the heads stand in the pictures; on the pictures' device.
        texels_per_mm: Of the texture.
        settings: How masks are drawn; `tolerance` has no meaning here.
        px_per_mm: As in `how`, for what is sized on the host.
        wears: Where folds are taken from; None draws none.
        vertices_mm: The surface's vertices fitted to each person; None takes the surface as it is.
        light: Coefficients as `fit_light` gives them, relative to the photo's mean light; (1, 0, 0, 0) is
            even. None fits them to the photos, without gradient. Without shading they have no meaning.
        occluders: Alpha in [0, 1] of what is in front of the masks.

    Raises:
        ValueError: The texture has another size than the surface asks for.
    """
    batch, _, rows, columns = pictures.shape
    dtype, fine = texture.dtype, settings.supersample
    meshes = worn_meshes(surface, how, vertices_mm=vertices_mm, ear_loops=settings.ear_loops)
    seen = _see(meshes, rows=rows, columns=columns, fine=fine)

    pyramid = MipPyramid(*surface.texture_size(texels_per_mm))
    textures = [texture] if texture.ndim == 3 else list(texture)
    listed = torch.cat([pyramid.build(linear_from_srgb(one)) for one in textures])
    read = trilinear(
        listed,
        pyramid,
        texel=(seen.mixed(meshes.uv_mm.repeat(batch, 1)) * texels_per_mm).to(dtype),
        level=(seen.level + math.log2(texels_per_mm) + _MIP_BIAS).to(dtype),
        first=0 if texture.ndim == 3 else seen.photo[seen.row] * pyramid.texels,
    )
    trim = torch.tensor(TRIM_LINEAR, dtype=dtype, device=pictures.device)
    count = seen.count[:, None].to(dtype)
    cloth = seen.over_pixels(torch.where(seen.is_cloth[:, None], read, trim)) / count

    linear = linear_from_srgb(pictures.permute(0, 2, 3, 1)).reshape(batch, -1, 3)
    coverage = torch.zeros(batch * rows * columns, dtype=torch.float64, device=pictures.device)
    coverage = coverage.index_put((seen.pixel,), seen.count.double() / fine**2).view(batch, rows, columns)
    alpha = soft_alpha(coverage, edge_px=settings.edge_px)
    shadow, lit = torch.zeros_like(alpha), torch.ones_like(coverage.view(-1)[seen.pixel])
    if settings.shading and len(seen.pixel):
        shadow = contact_shadow(coverage, px_per_mm=px_per_mm)
        folds = [fold_ridges(surface.pattern, one.folds) for one in wears or [Wear()] * batch]
        bare = linear.detach().double()
        lit = _lit(seen, meshes, surface, folds, bare, light)
        covered = (coverage > 0).view(batch, -1)
        tint, kept = photo_tint(bare).to(cloth), colours_kept(bare, covered).to(cloth)
        cloth = cloth * tint[seen.photo]
        cloth = torch.lerp(luminance(cloth)[:, None], cloth, kept[seen.photo][:, None])
    if occluders is not None:
        alpha, shadow = alpha * (1 - occluders.double()), shadow * (1 - occluders.double())
    alpha, shadow = alpha.flatten(), shadow.flatten()
    changed = places_where((alpha > 0) | (shadow > 0))
    under = linear.reshape(-1, 3) * ((1 - alpha) * (1 - shadow)).to(linear)[:, None]
    drawn = under.index_add(0, seen.pixel, (cloth * (alpha[seen.pixel] * lit).to(dtype)[:, None]).to(under))
    flat = pictures.permute(0, 2, 3, 1).reshape(-1, 3)
    flat = flat.index_copy(0, changed, srgb_from_linear(drawn[changed]))
    return flat.view(batch, rows, columns, 3).permute(0, 3, 1, 2)


@dataclass(frozen=True, eq=False)
class _Seen:
    """Visible sub-pixels (N) of all pictures, and the pixels (M) they belong to."""

    corner: Int[Tensor, "n 3"]  # among the vertices of all meshes
    weight: Float[Tensor, "n 3"]  # differentiable
    level: Float[Tensor, " n"]  # log2 of mm of cloth in a sub-pixel, differentiable
    is_cloth: Tensor
    pixel: Int[Tensor, " m"]  # of all pictures, ascending
    photo: Int[Tensor, " m"]
    row: Int[Tensor, " n"]  # place in `pixel`
    count: Tensor  # (M,) sub-pixels
    middle: Tensor  # (M,) the sub-pixel that stands for the pixel

    def mixed(self, values: Float[Tensor, "v k"]) -> Float[Tensor, "n k"]:
        """Values of the vertices at the sub-pixels."""
        return (values[self.corner] * self.weight[..., None]).sum(dim=1)

    def in_the_middle(self, values: Float[Tensor, "v k"]) -> Float[Tensor, "m k"]:
        """Values of the vertices at the middle sub-pixels."""
        return (values[self.corner[self.middle]] * self.weight[self.middle][..., None]).sum(dim=1)

    def over_pixels(self, values: Float[Tensor, "n k"]) -> Float[Tensor, "m k"]:
        """Sums of the sub-pixels' values over each pixel."""
        total = values.new_zeros(len(self.pixel), values.shape[1])
        return total.index_add(0, self.row, values)


def _see(meshes: WornMeshes, *, rows: int, columns: int, fine: int) -> _Seen:
    """Rasterise all meshes; their pictures stand below each other."""
    batch, vertices = meshes.depth_mm.shape
    device, size = meshes.depth_mm.device, len(meshes.faces)
    front = places_where(meshes.front.view(-1))
    owner, face = front // size, front % size
    corners = meshes.faces[face] + (owner * vertices)[:, None]
    below = torch.arange(batch, device=device) * (rows * fine)
    offset = torch.stack([torch.zeros_like(below), below], dim=1)[:, None]
    points = (meshes.points_px * fine + offset).view(-1, 2)
    nearest = nearest_faces(
        points.detach(),
        meshes.depth_mm.detach().reshape(-1),
        corners,
        height=batch * rows * fine,
        width=columns * fine,
        between=torch.stack([below, below + rows * fine], dim=1)[owner],
    )
    # Sub-pixels of a pixel one after another.
    blocks = nearest.view(batch * rows, fine, columns, fine).transpose(1, 2).reshape(-1, fine * fine)
    inside = (blocks >= 0).sum(dim=1)
    pixel, there = places_where(inside > 0), places_where(blocks.view(-1) >= 0)
    count = inside[pixel]
    row = torch.repeat_interleave(count)
    within, block = there % (fine * fine), pixel[row]
    centre = torch.stack(
        [block % columns * fine + within % fine, block // columns * fine + within // fine], dim=1
    )
    seen = blocks.view(-1)[there]
    corner = corners[seen]
    away = points[corner] - (centre.to(points) + 0.5)[:, None]
    doubled = _cross(away.roll(-1, dims=1), away.roll(-2, dims=1))
    area = doubled.sum(dim=1)
    flat = meshes.uv_mm[corner % vertices]
    on_cloth = _cross(flat[:, 1] - flat[:, 0], flat[:, 2] - flat[:, 0])
    return _Seen(
        corner=corner,
        weight=doubled / area[:, None],
        level=0.5 * torch.log2(on_cloth.abs().clamp(min=1e-12) / area.abs()),
        is_cloth=meshes.is_cloth[face[seen]],
        pixel=pixel,
        photo=pixel // (rows * columns),
        row=row,
        count=count,
        middle=torch.cumsum(count, dim=0) - count + count // 2,
    )


def _lit(
    seen: _Seen,
    meshes: WornMeshes,
    surface: MaskSurface,
    folds: Sequence[Sequence[Ridge]],
    linear: Float[Tensor, "batch n 3"],
    light: Float[Tensor, "batch 4"] | None,
) -> Float[Tensor, " m"]:
    """Light on each covered pixel, as `packing.pack` finds it."""
    batch, brightness = len(linear), luminance(linear)
    normals = F.normalize(seen.in_the_middle(meshes.normals.view(-1, 3)), dim=1)
    with torch.no_grad():
        uv = seen.in_the_middle(meshes.uv_mm.repeat(batch, 1))
        tangents = seen.in_the_middle(meshes.tangents.view(-1, 6)).view(-1, 2, 3)
        origin = torch.tensor(surface.origin_mm, dtype=torch.float64)
        moved = uv + origin.to(uv)
        slope, kept = relief_of_batch(moved, seen.photo, surface.relief, folds)
        if light is None:
            light = fit_light(*_some(normals, brightness.view(-1)[seen.pixel], seen.photo, batch))
    bent = bent_normals(normals, tangents, slope)
    light, white = light.to(bent)[seen.photo], white_level(brightness)[seen.photo]
    return evaluate_light(light, bent) * kept * white


def _some(normals: Tensor, brightness: Tensor, photo: Tensor, batch: int) -> tuple[Tensor, Tensor]:
    """As many pixels of each picture, evenly spread over those that are covered."""
    count = torch.zeros(batch, dtype=torch.long, device=photo.device).index_add(
        0, photo, torch.ones_like(photo)
    )
    first = torch.cumsum(count, dim=0) - count
    share = (torch.arange(_LIT_BY, device=photo.device) + 0.5) / _LIT_BY
    place = first[:, None] + (share * count[:, None]).long().minimum(count[:, None] - 1)
    place = place.clamp(0, max(len(photo) - 1, 0))
    return normals[place], brightness[place]


def _cross(first: Tensor, second: Tensor) -> Tensor:
    return first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
