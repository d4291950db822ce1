"""Any picture file as texels: a starting design, or a design somebody else made."""

from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.errors import DesignError
from advmask.pictures import WHITE, read_picture


def read_picture_as_texels(path: Path, *, height: int, width: int) -> Float[Tensor, "3 {height} {width}"]:
    """Read any picture file and fit it to a texture.

    The picture is scaled to cover the rectangle, keeping its proportions, and what stands over is cut off
    evenly on both sides. Scaling is antialiased (Lanczos). Transparent parts become white, a turn recorded
    in EXIF is carried out, and an embedded colour profile (CMYK too) is converted to sRGB.

    Args:
        path: A picture in any format Pillow reads; of several frames the first is taken.
        height: Texels from top to bottom.
        width: Texels from left to right.

    Returns:
        (3, height, width) float32 in [0, 1], sRGB.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    if height < 1 or width < 1:
        raise DesignError(f"A texture needs at least 1 x 1 texels, got {width} x {height}.")
    picture = open_as_srgb(path)
    fitted = picture.resize(
        (width, height), Image.Resampling.LANCZOS, box=_covering_box(picture, height, width)
    )
    return texels_of(fitted)


def open_as_srgb(path: Path) -> Image.Image:
    """Read a picture file as 8 bit sRGB on white, turned upright; see `advmask.pictures.read_picture`.

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    return read_picture(path, background=WHITE, refusal=DesignError)


def texels_of(picture: Image.Image) -> Float[Tensor, "3 H W"]:
    """The pixels of an RGB picture as (3, H, W) float32 in [0, 1]."""
    pixels = np.array(picture, dtype=np.float32) / 255.0
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def _covering_box(picture: Image.Image, height: int, width: int) -> tuple[float, float, float, float]:
    scale = min(picture.width / width, picture.height / height)
    left = (picture.width - width * scale) / 2.0
    top = (picture.height - height * scale) / 2.0
    right = min(picture.width, left + width * scale)
    bottom = min(picture.height, top + height * scale)
    return max(0.0, left), max(0.0, top), right, bottom
