"""Any picture file as texels: a starting design, or a design somebody else made."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.core.errors import DesignError
from advmask.core.picture_reading import WHITE, read_picture
from advmask.textures.picture_fit import fit_picture, warn_of_fit
from advmask.textures.settings import Fit
from advmask.textures.svg_drawing import is_svg, read_svg


def read_picture_as_texels(
    path: Path,
    *,
    height: int,
    width: int,
    fit: Fit = "cover",
    copy_width: int = 1,
    warn: bool = False,
) -> Float[Tensor, "3 {height} {width}"]:
    """Read any picture file and fit it to a texture.

    By default the picture is scaled to cover the rectangle, keeping its proportions, and what stands over is
    cut off evenly on both sides. Scaling is antialiased, without rims along edges. Transparent parts become
    white, a turn recorded in EXIF is carried out, and an embedded colour profile (CMYK too) is converted to
    sRGB.

    Args:
        path: A picture in any format Pillow reads, of several frames the first; or an SVG drawing.
        height: Texels from top to bottom.
        width: Texels from left to right.
        fit: `cover`, `contain` or `tile`; see `fit_picture`.
        copy_width: Width of a copy for `tile`, texels.
        warn: Log a warning where the picture fits badly.

    Returns:
        (3, height, width) float32 in [0, 1], sRGB.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    if height < 1 or width < 1:
        raise DesignError(f"A texture needs at least 1 x 1 texels, got {width} x {height}.")
    picture = open_as_srgb(path)
    if warn:
        warn_of_fit(picture, path, height=height, width=width, fit=fit, copy_width=copy_width)
    return texels_of(fit_picture(picture, height=height, width=width, fit=fit, copy_width=copy_width))


def read_mask_picture(path: Path, *, height: int, width: int) -> Float[Tensor, "{height} {width}"]:
    """Read a picture that says where something applies: 1 where white, 0 where black or transparent.

    It is fitted as `cover` does, without ringing at its edges.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    picture = open_as_srgb(path, background=(0, 0, 0)).convert("L")
    fitted = fit_picture(picture, height=height, width=width, resample=Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(fitted, dtype=np.float32) / 255.0)


def open_as_srgb(
    path: Path, *, background: tuple[int, int, int] = WHITE, max_pixels: int = 200_000_000
) -> Image.Image:
    """Read a picture file as 8 bit sRGB, turned upright; a vector drawing at `svg_drawing.SIDE_PX`.

    Args:
        path: The file; see `picture_reading` and `svg_drawing`.
        background: Behind transparent parts.
        max_pixels: Refuse larger pictures before decoding them.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    if is_svg(path):
        return read_svg(path, background=background)
    return read_picture(path, max_pixels=max_pixels, background=background, refusal=DesignError)


def texels_of(picture: Image.Image) -> Float[Tensor, "3 H W"]:
    """The pixels of an RGB picture as (3, H, W) float32 in [0, 1]."""
    pixels = np.array(picture, dtype=np.float32) / 255.0
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()
