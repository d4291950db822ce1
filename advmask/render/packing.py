"""All that rendering needs to know of one mask on one photo, reduced to the pixels it changes."""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from advmask.colour.srgb import luminance
from advmask.masks.placement import Placement
from advmask.masks.relief import relief
from advmask.render.footprint import footprints, join_footprints
from advmask.render.fragments import Samples, samples, slopes
from advmask.render.pyramid import MipPyramid
from advmask.render.rasterise import places_where
from advmask.render.rim import contact_shadow, soft_alpha
from advmask.render.settings import RenderSettings
from advmask.render.skin_light import PhotoLight, bent_normals, colours_kept, evaluate_light, fit_light
from advmask.render.texel_taps import Taps, taps_from_entries


@dataclass(frozen=True, eq=False)
class PackedPlacement:
    """One mask on one photo: the M pixels it changes, and the sampling weights that read their cloth.

    A pixel shows `under + gain * colour`, in linear light, where `colour` is the printed cloth after the
    photo's tint and saturation.

    Attributes:
        taps: M pixels by the texels of the pyramid it was packed for.
        pixel: (M,) int32, y * width + x, ascending.
        gain: (M,) float16, light on the cloth times the share of the pixel that is mask.
        under: (M, 3) float16, linear light of the photo that is still seen.
        tint: (3,) colour of the light relative to white.
        saturation: 1 for colours as printed, 0 for a grey photo.
        pyramid: That pyramid.
    """

    taps: Taps
    pixel: Int[Tensor, " m"]
    gain: Float[Tensor, " m"]
    under: Float[Tensor, "m 3"]
    tint: Float[Tensor, " 3"]
    saturation: float
    pyramid: MipPyramid

    @property
    def bytes(self) -> int:
        """Memory this placement takes."""
        tensors = [*vars(self.taps).values(), self.pixel, self.gain, self.under, self.tint]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def pack(
    placement: Placement,
    picture: Float[Tensor, "3 height width"],
    *,
    pyramid: MipPyramid,
    texels_per_mm: float,
    settings: RenderSettings,
    occluder: Float[Tensor, "height width"] | None = None,
    photo: PhotoLight | None = None,
) -> PackedPlacement:
    """Rasterise a placement once and keep what every later rendering of it shares.

    Args:
        placement: The mask on the photo; pixels of `picture`.
        picture: The bare photo in [0, 1], sRGB: the light is fitted to the skin that the mask will cover.
        pyramid: Of the textures that will be rendered.
        texels_per_mm: Of those textures.
        settings: How masks are drawn.
        occluder: Alpha in [0, 1] of what is in front of the mask: hair, hands, glasses.
        photo: What the picture tells of its light, where that was read before.
    """
    height, width = picture.shape[-2:]
    photo = photo or PhotoLight.of(picture)
    fine = settings.supersample
    slope = slopes(placement)
    bands = [
        _band(part, placement.is_cloth, slope * (texels_per_mm / fine), pyramid, texels_per_mm, settings)
        for part in samples(placement, slope, height=height, width=width, supersample=fine)
    ]
    coverage = torch.zeros(height * width, dtype=torch.float64)
    lit = torch.zeros(height * width, dtype=torch.float64)
    covered = torch.cat([band.pixel for band in bands]) if bands else torch.zeros(0, dtype=torch.long)
    tint, saturation = torch.ones(3), 1.0
    shadow = torch.zeros(height, width, dtype=torch.float64)
    if bands:
        coverage[covered] = torch.cat([band.count for band in bands]).double() / fine**2
        lit[covered] = 1.0
    if bands and settings.shading:
        normals = F.normalize(torch.cat([band.normals for band in bands]), dim=1)
        bumpy, light = _with_relief(bands, normals, placement)
        skin = photo.linear(covered)
        fitted = fit_light(normals, luminance(skin))
        lit[covered] = evaluate_light(fitted, bumpy) * light * photo.white
        tint, saturation = photo.tint, float(colours_kept(skin))
        shadow = contact_shadow(coverage.view(height, width), px_per_mm=placement.px_per_mm)
    alpha = soft_alpha(coverage.view(height, width), edge_px=settings.edge_px)
    if occluder is not None:
        alpha, shadow = alpha * (1 - occluder.double()), shadow * (1 - occluder.double())
    alpha, shadow = alpha.flatten(), shadow.flatten()
    pixel = places_where((alpha > 0) | (shadow > 0))
    return PackedPlacement(
        taps=_taps(bands, alpha, pixel, pyramid),
        pixel=pixel.int(),
        gain=(alpha * lit)[pixel].half(),
        under=(photo.linear(pixel) * ((1 - alpha) * (1 - shadow))[pixel, None]).half(),
        tint=tint.float(),
        saturation=saturation,
        pyramid=pyramid,
    )


@dataclass(frozen=True, eq=False)
class _Band:
    """Covered pixels of some rows of a photo."""

    pixel: Tensor  # (P,) ascending
    count: Tensor  # (P,) covered sub-pixels
    normals: Tensor  # (P, 3)
    uv: np.ndarray  # (P, 2)
    tangents: Tensor  # (P, 2, 3)
    rows: np.ndarray  # place in `pixel` of each tap
    places: np.ndarray
    weights: np.ndarray


def _band(
    part: Samples,
    is_cloth: np.ndarray,
    slope: np.ndarray,
    pyramid: MipPyramid,
    texels_per_mm: float,
    settings: RenderSettings,
) -> _Band:
    cloth, each = is_cloth[part.face], part.count
    seen: slice | np.ndarray = slice(None)
    if not cloth.all():
        seen = np.flatnonzero(cloth)
        each = np.add.reduceat(cloth, np.cumsum(part.count) - part.count, dtype=np.int64)
    entries = footprints(
        each,
        np.stack([(axis[seen] * texels_per_mm).astype(np.float32) for axis in (part.u_mm, part.v_mm)]),
        share=1.0 / part.count,
        pyramid=pyramid,
        tolerance=settings.tolerance,
        kind=part.face[seen],
        slope=slope,
    )
    loops = 1 - each / part.count
    strap = np.flatnonzero(loops)
    return _Band(
        torch.from_numpy(part.pixel),
        torch.from_numpy(part.count),
        torch.from_numpy(part.normals),
        part.middle_uv_mm,
        torch.from_numpy(part.tangents),
        *join_footprints(entries, (strap, np.full(len(strap), pyramid.trim), loops[strap])),
    )


def _with_relief(bands: list[_Band], normals: Tensor, placement: Placement) -> tuple[Tensor, Tensor]:
    """Normals bent by seams and folds, and the light that their shadows leave."""
    slope, light = relief(np.concatenate([band.uv for band in bands]), placement.relief)
    tangents = torch.cat([band.tangents for band in bands])
    return bent_normals(normals, tangents, torch.from_numpy(slope)), torch.from_numpy(light)


def _taps(bands: list[_Band], alpha: Tensor, pixel: Tensor, pyramid: MipPyramid) -> Taps:
    number = torch.full((len(alpha),), -1)
    number[pixel] = torch.arange(len(pixel))
    rows, places, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.float32)]
    for band in bands:
        row = torch.where(alpha[band.pixel] > 0, number[band.pixel], -1).numpy()[band.rows]
        kept = np.flatnonzero(row >= 0)
        rows.append(row[kept])
        places.append(band.places[kept])
        weights.append(band.weights[kept])
    return taps_from_entries(
        np.concatenate(rows), np.concatenate(places), np.concatenate(weights), rows=len(pixel)
    )
