"""All that rendering needs to know of one mask on one photo, reduced to the covered pixels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor

from advmask.masks.placement import Placement
from advmask.render.colour import linear_from_srgb, luminance
from advmask.render.pyramid import MipPyramid
from advmask.render.rasterise import rasterise
from advmask.render.shading import evaluate_light, fit_light, white_level
from advmask.render.taps import Taps, merge_taps
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
    """One mask on one photo: the M pixels it covers, and the taps that read their cloth.

    Attributes:
        taps: M pixels by the texels of the pyramid it was packed for.
        pixel: (M,) int32, y * width + x, ascending.
        alpha: (M,) float16, how much of the pixel is mask.
        shade: (M,) float16, linear light on white cloth.
        pyramid: That pyramid.
    """

    taps: Taps
    pixel: Int[Tensor, " m"]
    alpha: Float[Tensor, " m"]
    shade: Float[Tensor, " m"]
    pyramid: MipPyramid

    @property
    def bytes(self) -> int:
        """Memory this placement takes."""
        tensors = [*vars(self.taps).values(), self.pixel, self.alpha, self.shade]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def pack(
    placement: Placement,
    picture: Float[Tensor, "3 height width"],
    *,
    pyramid: MipPyramid,
    texels_per_mm: float,
    settings: RenderSettings,
) -> PackedPlacement:
    """Rasterise a placement once and keep what every later rendering of it shares.

    Args:
        placement: The mask on the photo; pixels of `picture`.
        picture: The bare photo in [0, 1], sRGB: the light is fitted to the skin that the mask will cover.
        pyramid: Of the textures that will be rendered.
        texels_per_mm: Of those textures.
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
    lod = seen[:, 2] / math.log(2) + math.log2(texels_per_mm) + settings.mip_bias
    texel, weight = pyramid.trilinear(seen[:, :2] * texels_per_mm, lod)
    normals = torch.zeros(len(pixel), 3, dtype=seen.dtype).index_add(0, row, seen[:, 3:])
    shade = _shade(F.normalize(normals, dim=1), picture, pixel, settings)
    alpha = _soft_alpha(pixel, count[pixel] / fine**2, height, width, settings.edge_px)
    return PackedPlacement(
        taps=merge_taps(row, texel, weight, rows=len(pixel), texels=pyramid.texels),
        pixel=pixel.int(),
        alpha=alpha.half(),
        shade=shade.half(),
        pyramid=pyramid,
    )


@dataclass(frozen=True)
class PackedBatch:
    """Several packed placements laid end to end, in working precision.

    Attributes:
        start: (M + 1) int32, where each pixel's taps begin.
        texel: (nnz) int32, places in the pyramid's list.
        weight: (nnz).
        pixel: (M,) position in the batch: photo * height * width + y * width + x.
        photo: (M,) which photo of the batch.
        alpha: (M,).
        shade: (M,).
        pyramid: That all were packed for.
    """

    start: Int[Tensor, " m1"]
    texel: Int[Tensor, " nnz"]
    weight: Float[Tensor, " nnz"]
    pixel: Int[Tensor, " m"]
    photo: Int[Tensor, " m"]
    alpha: Float[Tensor, " m"]
    shade: Float[Tensor, " m"]
    pyramid: MipPyramid

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "PackedBatch":
        """The same batch on another device, its floating-point fields in another precision if given."""
        moved = {
            name: value.to(device, dtype) if dtype and value.is_floating_point() else value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return PackedBatch(**moved, pyramid=self.pyramid)


def collate(packed: Sequence[PackedPlacement], *, height: int, width: int) -> PackedBatch:
    """Lay packed placements end to end; the i-th belongs to the i-th photo of the batch.

    Raises:
        ValueError: They were packed for textures of different sizes.
    """
    if len({item.pyramid for item in packed}) != 1:
        raise ValueError("placements of a batch must be packed for textures of one size")
    starts, pixels, photos = [torch.zeros(1, dtype=torch.int32)], [], []
    entries = 0
    for number, item in enumerate(packed):
        starts.append(item.taps.start[1:] + entries)
        entries += len(item.taps.texel)
        pixels.append(item.pixel.long() + number * height * width)
        photos.append(torch.full((len(item.pixel),), number))
    return PackedBatch(
        start=torch.cat(starts),
        texel=torch.cat([item.taps.texel for item in packed]),
        weight=torch.cat([item.taps.weight for item in packed]).float(),
        pixel=torch.cat(pixels),
        photo=torch.cat(photos),
        alpha=torch.cat([item.alpha for item in packed]).float(),
        shade=torch.cat([item.shade for item in packed]).float(),
        pyramid=packed[0].pyramid,
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
