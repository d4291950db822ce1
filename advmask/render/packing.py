"""All that rendering needs to know of one mask on one photo, reduced to the covered sub-pixels."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from advmask.masks.placement import Placement
from advmask.render.colour import linear_from_srgb, luminance
from advmask.render.rasterise import rasterise
from advmask.render.shading import evaluate_light, fit_light, white_level
from advmask.settings import Settings


class RenderSettings(Settings):
    """How masks are drawn.

    Attributes:
        supersample: Sub-pixels per pixel along each axis.
        mip_bias: Added to the level of detail; below zero is sharper, and noisier.
        edge_px: Standard deviation of the rim's softness, pixels.
        shading: Light the mask like the skin it covers; off gives the bare colours.
    """

    supersample: int = Field(default=2, ge=1, le=16)
    mip_bias: float = -0.25
    edge_px: float = Field(default=0.7, ge=0, le=20)
    shading: bool = True


@dataclass(frozen=True)
class PackedPlacement:
    """One mask on one photo: N covered sub-pixels of M covered pixels.

    Attributes:
        row: (N,) int32, which of the M pixels a sub-pixel belongs to, ascending.
        uv_mm: (N, 2) float32, pattern frame from the texture's top-left corner.
        footprint_mm: (N,) float16, side of the square of cloth that a sub-pixel sees.
        pixel: (M,) int32, y * width + x.
        alpha: (M,) float16, how much of the pixel is mask.
        shade: (M,) float16, linear light on white cloth.
    """

    row: Int[Tensor, " n"]
    uv_mm: Float[Tensor, "n 2"]
    footprint_mm: Float[Tensor, " n"]
    pixel: Int[Tensor, " m"]
    alpha: Float[Tensor, " m"]
    shade: Float[Tensor, " m"]

    @property
    def bytes(self) -> int:
        """Memory this placement takes."""
        return sum(value.numel() * value.element_size() for value in vars(self).values())


def pack(
    placement: Placement, picture: Float[Tensor, "3 height width"], *, settings: RenderSettings
) -> PackedPlacement:
    """Rasterise a placement once and keep what every later rendering of it shares.

    Args:
        placement: The mask on the photo; pixels of `picture`.
        picture: The bare photo in [0, 1], sRGB: the light is fitted to the skin that the mask will cover.
        settings: How masks are drawn.
    """
    height, width = picture.shape[-2:]
    fine = settings.supersample
    points = torch.from_numpy(placement.points_px) * fine
    faces = torch.from_numpy(placement.faces)
    fragments = rasterise(
        points, torch.from_numpy(placement.depth_mm), faces, height=height * fine, width=width * fine
    )
    uv_mm = torch.from_numpy(placement.uv_mm)
    attributes = torch.cat(
        [uv_mm, _log_footprint(points, uv_mm, faces)[:, None], torch.from_numpy(placement.normals)], dim=1
    )
    seen = (attributes[faces][fragments.face] * fragments.barycentric[..., None]).sum(dim=1)

    x, y = fragments.pixel % (width * fine) // fine, fragments.pixel // (width * fine) // fine
    owner = y * width + x
    count = torch.bincount(owner, minlength=height * width)
    pixel = count.nonzero()[:, 0]
    row = torch.zeros_like(count).index_copy(0, pixel, torch.arange(len(pixel)))[owner]
    order = torch.argsort(row, stable=True)
    normals = torch.zeros(len(pixel), 3, dtype=seen.dtype).index_add(0, row, seen[:, 3:])
    shade = _shade(F.normalize(normals, dim=1), picture, pixel, settings)
    alpha = _soft_alpha(pixel, count[pixel] / fine**2, height, width, settings.edge_px)
    seen = seen[order]
    return PackedPlacement(
        row=row[order].int(),
        uv_mm=seen[:, :2].float(),
        footprint_mm=seen[:, 2].exp().half(),
        pixel=pixel.int(),
        alpha=alpha.half(),
        shade=shade.half(),
    )


@dataclass(frozen=True)
class PackedBatch:
    """Several packed placements laid end to end, in working precision.

    Attributes:
        row: (N,) which of the M pixels a sub-pixel belongs to.
        uv_mm: (N, 2).
        footprint_mm: (N,).
        pixel: (M,) position in the batch: photo * height * width + y * width + x.
        photo: (M,) which photo of the batch.
        alpha: (M,).
        shade: (M,).
        share: (M,) one over the number of sub-pixels of a pixel.
    """

    row: Int[Tensor, " n"]
    uv_mm: Float[Tensor, "n 2"]
    footprint_mm: Float[Tensor, " n"]
    pixel: Int[Tensor, " m"]
    photo: Int[Tensor, " m"]
    alpha: Float[Tensor, " m"]
    shade: Float[Tensor, " m"]
    share: Float[Tensor, " m"]

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "PackedBatch":
        """The same batch on another device, its floating-point fields in another precision if given."""
        moved = {
            name: value.to(device, dtype) if dtype and value.is_floating_point() else value.to(device)
            for name, value in vars(self).items()
        }
        return PackedBatch(**moved)


def collate(packed: Sequence[PackedPlacement], *, height: int, width: int) -> PackedBatch:
    """Lay packed placements end to end; the i-th belongs to the i-th photo of the batch."""
    rows, pixels, photos = [], [], []
    start = 0
    for number, item in enumerate(packed):
        rows.append(item.row.long() + start)
        pixels.append(item.pixel.long() + number * height * width)
        photos.append(torch.full((len(item.pixel),), number))
        start += len(item.pixel)
    row = torch.cat(rows)
    return PackedBatch(
        row=row,
        uv_mm=torch.cat([item.uv_mm for item in packed]),
        footprint_mm=torch.cat([item.footprint_mm for item in packed]).float(),
        pixel=torch.cat(pixels),
        photo=torch.cat(photos),
        alpha=torch.cat([item.alpha for item in packed]).float(),
        shade=torch.cat([item.shade for item in packed]).float(),
        share=1 / torch.bincount(row, minlength=start).float(),
    )


def _log_footprint(points: Tensor, uv: Tensor, faces: Tensor) -> Tensor:
    """Log of the side of the cloth square seen by one sub-pixel, (V,): the mean over a corner's triangles.

    The square has the area of the true footprint, so that cloth seen at a slant is blurred a little
    across and sampled a little coarsely along.
    """
    on_cloth = _double_area(uv[faces]).abs()
    in_picture = _double_area(points[faces]).abs()
    side = 0.5 * torch.log((on_cloth / in_picture.clamp(min=1e-9)).clamp(min=1e-12))
    total = torch.zeros(len(points), dtype=points.dtype).index_add(
        0, faces.flatten(), side.repeat_interleave(3)
    )
    return total / torch.bincount(faces.flatten(), minlength=len(points)).clamp(min=1)


def _double_area(corners: Tensor) -> Tensor:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]


def _shade(normals: Tensor, picture: Tensor, pixel: Tensor, settings: RenderSettings) -> Tensor:
    if not settings.shading:
        return torch.ones(len(pixel))
    brightness = luminance(linear_from_srgb(picture.permute(1, 2, 0)).double())
    if len(pixel) == 0:
        return torch.ones(0)
    light = fit_light(normals, brightness.flatten()[pixel])
    return evaluate_light(light, normals) * white_level(brightness)


def _soft_alpha(pixel: Tensor, coverage: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """Coverage with a rim softened inwards: the blurred coverage, stretched to reach zero at the border."""
    if sigma <= 0:
        return coverage
    full = torch.zeros(height * width, dtype=torch.float64)
    full[pixel] = coverage.double()
    radius = max(1, round(3 * sigma))
    kernel = torch.exp(-0.5 * (torch.arange(-radius, radius + 1, dtype=torch.float64) / sigma) ** 2)
    kernel = kernel / kernel.sum()
    blurred = F.pad(full.view(1, 1, height, width), (radius, radius, radius, radius), mode="replicate")
    blurred = F.conv2d(F.conv2d(blurred, kernel.view(1, 1, 1, -1)), kernel.view(1, 1, -1, 1)).flatten()
    margin = 0.15
    return ((blurred[pixel] - margin) / (1 - 2 * margin)).clamp(0, 1)
