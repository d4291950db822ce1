"""Any picture file as texels: a starting design, or a design somebody else made."""

import io
import warnings
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError
from torch import Tensor

from advmask.errors import DesignError
from advmask.textures.srgb import srgb_profile

_SIXTEEN_BIT_MODES = ("I", "I;16", "I;16L", "I;16B", "I;16N")


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
    """Read a picture file as 8 bit sRGB on white, turned upright.

    Args:
        path: A picture in any format Pillow reads.

    Returns:
        A picture of mode RGB whose `info` still holds what the file said (text chunks, density).

    Raises:
        DesignError: The file is missing, is not a picture, is damaged or is too large to open.
    """
    if not path.is_file():
        raise DesignError(f"There is no file {path}; give the path of a picture.")
    try:
        with warnings.catch_warnings():
            # Pillow warns about odd metadata and about pictures above 89 megapixels; both are usable.
            warnings.simplefilter("ignore")
            with Image.open(path) as opened:
                opened.load()
                return _upright_rgb(opened)
    except UnidentifiedImageError as error:
        raise DesignError(f"{path} is not a picture; give a PNG, JPEG, TIFF or WebP file.") from error
    except Image.DecompressionBombError as error:
        raise DesignError(f"{path} has too many pixels to open safely; make it smaller first.") from error
    # The decoders raise nearly anything on damaged files (SyntaxError, struct.error, KeyError, ...).
    except Exception as error:
        raise DesignError(f"{path} is damaged or not readable ({error}); save it anew as PNG.") from error


def texels_of(picture: Image.Image) -> Float[Tensor, "3 H W"]:
    """The pixels of an RGB picture as (3, H, W) float32 in [0, 1]."""
    pixels = np.array(picture, dtype=np.float32) / 255.0
    return torch.from_numpy(pixels).permute(2, 0, 1).contiguous()


def _upright_rgb(opened: Image.Image) -> Image.Image:
    info = dict(opened.info)
    picture = _on_white(_to_srgb(_eight_bit(ImageOps.exif_transpose(opened))))
    picture.info = info
    return picture


def _eight_bit(picture: Image.Image) -> Image.Image:
    if picture.mode == "F":
        raise DesignError("a picture of floating-point numbers has no defined white")
    if picture.mode not in _SIXTEEN_BIT_MODES:
        return picture
    # Pillow clips 16 bit greys at 255 when it converts them, which turns most pictures white.
    greys = np.asarray(picture).astype(np.float64) / 65535.0
    return Image.fromarray((greys.clip(0.0, 1.0) * 255.0).round().astype(np.uint8))


def _to_srgb(picture: Image.Image) -> Image.Image:
    profile = picture.info.get("icc_profile")
    has_alpha = "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info
    if picture.mode in ("P", "PA", "La", "RGBa", "RGBX"):
        picture = picture.convert("RGBA" if has_alpha else "RGB")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "LAB"):
        return picture
    target = "RGBA" if picture.mode == "RGBA" else "RGB"
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        srgb = ImageCms.ImageCmsProfile(io.BytesIO(srgb_profile()))
        converted = ImageCms.profileToProfile(picture, source, srgb, outputMode=target)
    except (ImageCms.PyCMSError, OSError, ValueError):
        # A broken profile, or one for another kind of picture: every viewer then ignores it, and so do we.
        return picture
    return picture if converted is None else converted


def _on_white(picture: Image.Image) -> Image.Image:
    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture.convert("RGB")
    layered = picture.convert("RGBA")
    white = Image.new("RGBA", layered.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layered).convert("RGB")


def _covering_box(picture: Image.Image, height: int, width: int) -> tuple[float, float, float, float]:
    scale = min(picture.width / width, picture.height / height)
    left = (picture.width - width * scale) / 2.0
    top = (picture.height - height * scale) / 2.0
    right = min(picture.width, left + width * scale)
    bottom = min(picture.height, top + height * scale)
    return max(0.0, left), max(0.0, top), right, bottom
