"""All that rendering needs to know of one mask on one photo, reduced to the pixels it changes."""

import math
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, luminance
from advmask.masks.placement import Placement
from advmask.masks.relief import relief
from advmask.render.footprint import exact_footprints, join_footprints, merged_footprints
from advmask.render.fragments import Samples, samples
from advmask.render.pyramid import MipPyramid
from advmask.render.rim import contact_shadow, soft_alpha
from advmask.render.settings import RenderSettings
from advmask.render.skin_light import bent_normals, evaluate_light, fit_light, photo_tint, white_level
from advmask.render.texel_taps import Taps, taps_from_entries

_MOST_SPLITS = 4
# Texels from one sub-pixel to the next up to which that many samples keep 1 mm checks above 35 dB.
_ONE_IS_ENOUGH, _TWO_ARE_ENOUGH = 0.55, 1.4


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
) -> PackedPlacement:
    """Rasterise a placement once and keep what every later rendering of it shares.

    Args:
        placement: The mask on the photo; pixels of `picture`.
        picture: The bare photo in [0, 1], sRGB: the light is fitted to the skin that the mask will cover.
        pyramid: Of the textures that will be rendered.
        texels_per_mm: Of those textures.
        settings: How masks are drawn.
        occluder: Alpha in [0, 1] of what is in front of the mask: hair, hands, glasses.
    """
    height, width = picture.shape[-2:]
    fine = settings.supersample
    bands = [
        _band(part, pyramid, texels_per_mm, settings)
        for part in samples(placement, height=height, width=width, supersample=fine)
    ]
    linear = linear_from_srgb(picture.permute(1, 2, 0)).double().reshape(height * width, 3)
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
        fitted = fit_light(normals, luminance(linear[covered]))
        lit[covered] = evaluate_light(fitted, bumpy) * light * white_level(luminance(linear))
        tint, saturation = photo_tint(linear, covered)
        shadow = contact_shadow(coverage.view(height, width), px_per_mm=placement.px_per_mm)
    alpha = soft_alpha(coverage.view(height, width), edge_px=settings.edge_px)
    if occluder is not None:
        alpha, shadow = alpha * (1 - occluder.double()), shadow * (1 - occluder.double())
    alpha, shadow = alpha.flatten(), shadow.flatten()
    pixel = ((alpha > 0) | (shadow > 0)).nonzero()[:, 0]
    return PackedPlacement(
        taps=_taps(bands, alpha, pixel, pyramid),
        pixel=pixel.int(),
        gain=(alpha * lit)[pixel].half(),
        under=(linear[pixel] * ((1 - alpha) * (1 - shadow))[pixel, None]).half(),
        tint=tint.float(),
        saturation=saturation,
        pyramid=pyramid,
    )


@dataclass(frozen=True, eq=False)
class _Band:
    """Covered pixels of some rows of a photo."""

    pixel: Tensor  # (P,) ascending
    count: Tensor  # (P,) covered sub-pixels
    normals: Tensor  # (P, 3) summed
    middle_uv: Tensor  # (P, 2) of the sub-pixel in the middle
    middle_tangents: Tensor  # (P, 2, 3)
    rows: np.ndarray  # place in `pixel` of each tap
    places: np.ndarray
    weights: np.ndarray


def _band(part: Samples, pyramid: MipPyramid, texels_per_mm: float, settings: RenderSettings) -> _Band:
    order = torch.argsort(part.pixel, stable=True)
    pixel, row, count = torch.unique(part.pixel, return_inverse=True, return_counts=True)
    normals = torch.zeros(len(pixel), 3, dtype=torch.float64).index_add(0, row, part.normals)
    middle = order[torch.cumsum(count, dim=0) - count + count // 2]
    cloth = part.is_cloth
    entries = _footprints(part, row, cloth, count, pyramid, texels_per_mm, settings)
    loops = torch.bincount(row[~cloth], minlength=len(pixel)).double() / count
    strap = loops.nonzero()[:, 0]
    return _Band(
        pixel,
        count,
        normals,
        part.uv_mm[middle],
        part.tangents[middle],
        *join_footprints(entries, (strap.numpy(), np.full(len(strap), pyramid.trim), loops[strap].numpy())),
    )


def _footprints(
    part: Samples,
    row: Tensor,
    cloth: Tensor,
    count: Tensor,
    pyramid: MipPyramid,
    texels_per_mm: float,
    settings: RenderSettings,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    slope = part.slope[cloth] * texels_per_mm
    # Texels between neighbouring samples: the side of the square as large as a sub-pixel's footprint.
    step = (slope[:, 0, 0] * slope[:, 1, 1] - slope[:, 0, 1] * slope[:, 1, 0]).abs().sqrt()
    places = _reading_places(float(step.median()) if len(step) else 1.0)
    texel = part.uv_mm[cloth] * texels_per_mm
    readings = torch.cat([texel + x * slope[:, 0] + y * slope[:, 1] for x, y in places])
    keys, weights = exact_footprints(
        row[cloth].repeat(len(places)).numpy(),
        readings.numpy(),
        share=(1.0 / (count.double() * len(places))).numpy(),
        pyramid=pyramid,
    )
    return merged_footprints(keys, weights, tolerance=settings.tolerance, pyramid=pyramid)


def _reading_places(step: float) -> list[tuple[float, float]]:
    """Where in a sub-pixel the cloth is read, so that samples lie about a texel apart or closer.

    Args:
        step: Texels from one sub-pixel to the next.

    Returns:
        Offsets (x, y) from its middle, in sub-pixels: the middle, two on a diagonal, or a square grid.
    """
    if step <= _ONE_IS_ENOUGH:
        return [(0.0, 0.0)]
    if step <= _TWO_ARE_ENOUGH:
        return [(-0.25, -0.25), (0.25, 0.25)]
    splits = min(_MOST_SPLITS, math.ceil(step))
    line = [(number + 0.5) / splits - 0.5 for number in range(splits)]
    return [(x, y) for y in line for x in line]


def _with_relief(bands: list[_Band], normals: Tensor, placement: Placement) -> tuple[Tensor, Tensor]:
    """Normals bent by seams and folds, and the light that their shadows leave."""
    uv = torch.cat([band.middle_uv for band in bands]).numpy()
    slope, light = relief(uv, placement.relief)
    tangents = torch.cat([band.middle_tangents for band in bands])
    return bent_normals(normals, tangents, torch.from_numpy(slope)), torch.from_numpy(light)


def _taps(bands: list[_Band], alpha: Tensor, pixel: Tensor, pyramid: MipPyramid) -> Taps:
    number = torch.full((len(alpha),), -1)
    number[pixel] = torch.arange(len(pixel))
    rows, places, weights = [], [], []
    for band in bands:
        row = torch.where(alpha[band.pixel] > 0, number[band.pixel], -1).numpy()[band.rows]
        kept = row >= 0
        rows.append(row[kept])
        places.append(band.places[kept])
        weights.append(band.weights[kept])
    if not bands:
        rows, places, weights = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0)]
    return taps_from_entries(
        np.concatenate(rows),
        np.concatenate(places),
        np.concatenate(weights),
        rows=len(pixel),
        texels=pyramid.texels,
    )
