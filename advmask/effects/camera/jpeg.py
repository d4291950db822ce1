"""JPEG as cameras write it and libraries read it, without the coding of bits, which loses nothing."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from advmask.core.constants import constant, numbers
from advmask.effects.camera.filtering import chosen_photos
from advmask.effects.camera.settings import JpegSettings
from advmask.effects.camera.straight_through import straight_through
from advmask.effects.draws import Draws

# ITU-T T.81, annex K.1: steps of quantisation of luminance and chrominance.
_LUMINANCE = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)
_CHROMINANCE = (
    (17, 18, 24, 47, 99, 99, 99, 99),
    (18, 21, 26, 66, 99, 99, 99, 99),
    (24, 26, 56, 99, 99, 99, 99, 99),
    (47, 66, 99, 99, 99, 99, 99, 99),
    *(((99,) * 8,) * 4),
)
# JFIF: luminance and the two differences of colour from red, green and blue, without the offset of 128.
_YCC = ((0.299, 0.587, 0.114), (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_RGB = ((1.0, 0.0, 1.402), (1.0, -0.344136, -0.714136), (1.0, 1.772, 0.0))


@dataclass(frozen=True)
class JpegDraw:
    """Quality of each photo, 1 to 100, or 0 where it is not compressed; and how colour is kept."""

    quality: Int64[Tensor, "batch"]
    subsampled: bool


def draw_jpeg(settings: JpegSettings, *, batch: int, draws: Draws) -> JpegDraw | None:
    """Draw which photos are compressed, and their quality, from high to low; None if none is."""
    if not settings.share:
        return None
    chosen = draws.chance((batch,), settings.share)
    low, high = settings.quality
    quality = draws.uniform((batch,), high, low).round().long() * chosen
    return JpegDraw(quality, settings.subsampled) if bool(quality.any()) else None


def apply_jpeg(
    pictures: Float[Tensor, "batch 3 rows columns"], drawn: JpegDraw
) -> Float[Tensor, "batch 3 rows columns"]:
    """Compress pictures and read them again; the gradient passes as if nothing had been done.

    What is compressed is first clipped and rounded to 8 bits, as in a file, and so is the result.

    Args:
        pictures: sRGB; values beyond [0, 1] are clipped in what is compressed, and left alone elsewhere.
        drawn: For each picture.

    Returns:
        The same tensor if nothing is compressed.
    """
    chosen = chosen_photos(drawn.quality)
    if not len(chosen):
        return pictures
    with torch.no_grad():
        quality = drawn.quality[chosen]
        given = pictures[chosen].contiguous()
        tables = quantisation_tables(quality.clamp(min=1)).to(pictures.dtype)
        read = _written_and_read(given, tables, subsampled=drawn.subsampled)
        read = torch.where((quality > 0)[:, None, None, None], read, given)
        result = pictures.contiguous().index_copy(0, chosen, read)
    return straight_through(pictures, result)


def quantisation_tables(quality: Int64[Tensor, "count"]) -> Int64[Tensor, "count 2 64"]:
    """Steps of quantisation for luminance and chrominance at a quality, as libjpeg scales annex K's."""
    scale = torch.where(quality < 50, 5000 // quality, 200 - 2 * quality)[:, None, None]
    return ((numbers(quality, (_LUMINANCE, _CHROMINANCE)).view(2, 64) * scale + 50) // 100).clamp(1, 255)


def _written_and_read(pictures: Tensor, tables: Tensor, *, subsampled: bool) -> Tensor:
    """Pictures (K, 3, H, W) in [0, 1] through files with the tables (K, 2, 64)."""
    count, _, rows, columns = pictures.shape
    step = 16 if subsampled else 8
    values = F.pad(pictures, (0, -columns % step, 0, -rows % step), mode="replicate").mul_(255)
    values.round_().clamp_(0, 255)
    high, wide = values.shape[-2:]
    ycc = (numbers(values, _YCC) @ values.view(count, 3, -1)).round_().view(count, 3, high, wide)
    # Colour is halved as it is transformed: a block of 16 x 16 pixels has coefficients for its 8 x 8 means.
    luminance = _quantised(ycc[:, :1] - 128, tables[:, :1], _cosines(ycc, halved=False))
    colour = _quantised(ycc[:, 1:], tables[:, 1:], _cosines(ycc, halved=subsampled))
    if subsampled:
        colour = _doubled(colour)
    read = torch.cat([luminance, colour], dim=1).view(count, 3, -1)
    rgb = (numbers(values, _RGB) @ read).view(count, 3, high, wide)[..., :rows, :columns]
    return rgb.add_(128.5).floor_().clamp_(0, 255).mul_(1 / 255)


def _quantised(planes: Tensor, tables: Tensor, transform: Tensor) -> Tensor:
    """Blocks of planes (K, C, H, W) with cosine coefficients rounded to steps (K, 1, 64), each 8 x 8."""
    count, channels, rows, columns = planes.shape
    side = math.isqrt(transform.shape[1])
    down, across = rows // side, columns // side
    blocks = planes.reshape(count, channels, down, side, across, side).transpose(3, 4)
    coefficients = (blocks.reshape(-1, side**2) @ transform.T).view(count, -1, 64)
    coefficients.mul_(1 / tables).round_().mul_(tables)
    restored = (coefficients.view(-1, 64) @ _cosines(planes, halved=False)).view(
        count, channels, down, across, 8, 8
    )
    return restored.transpose(3, 4).reshape(count, channels, 8 * down, 8 * across)


@constant
def _cosines(*, halved: bool) -> Float[Tensor, "64 pixels"]:
    """The orthonormal cosine transform of a block of 8 x 8, or of the 2 x 2 means of one of 16 x 16."""
    pixel = torch.arange(8, dtype=torch.float64)
    one = torch.cos((2 * pixel + 1) * pixel[:, None] * (math.pi / 16)) / 2
    one[0] /= math.sqrt(2)
    if halved:
        one = one.repeat_interleave(2, dim=1) / 2
    return torch.kron(one, one)


def _doubled(planes: Tensor) -> Tensor:
    """Colour at twice the resolution, 3/4 of the nearer pixel and 1/4 of the next, as libjpeg reads it."""
    return F.interpolate(planes, scale_factor=2, mode="bilinear", align_corners=False)
