"""A PNG file as bytes: true size, sRGB profile, text chunks, and the same bytes every time."""

import io
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin

from advmask.colour.srgb_profile import srgb_profile
from advmask.core.errors import DesignError
from advmask.core.shown_names import shown

_LONGEST_KEY = 79
_MM_PER_INCH = 25.4


def encode_png(
    pixels: NDArray[np.uint8], *, pixels_per_mm: float, text: Mapping[str, str] | None = None
) -> bytes:
    """Encode a picture as an 8 bit RGB PNG.

    Args:
        pixels: (H, W, 3) sRGB, 0 to 255.
        pixels_per_mm: Goes into the pHYs chunk, rounded to whole pixels per metre.
        text: Text chunks, written in the order of their keys. A key has 1 to 79 Latin-1 characters.

    Returns:
        The file. It depends on nothing but the arguments and the versions of Pillow and zlib.

    Raises:
        DesignError: A key of `text` cannot be a PNG keyword.

    Source:
        PNG specification, third edition, 11.3.3 (keywords) and 11.3.4.3 (pHYs).
    """
    chunks = PngImagePlugin.PngInfo()
    for key, value in sorted((text or {}).items()):
        _check_keyword(key)
        chunks.add_text(key, shown(value))
    dpi = pixels_per_mm * _MM_PER_INCH
    stream = io.BytesIO()
    Image.fromarray(pixels).save(
        stream, "PNG", pnginfo=chunks, dpi=(dpi, dpi), icc_profile=srgb_profile(), compress_level=6
    )
    return stream.getvalue()


def _check_keyword(key: str) -> None:
    encodable = all(32 <= ord(sign) <= 126 or 161 <= ord(sign) <= 255 for sign in key)
    if not (1 <= len(key) <= _LONGEST_KEY and encodable and key == key.strip()):
        raise DesignError(
            f"The text key {key!r} cannot stand in a PNG file; use 1 to {_LONGEST_KEY} Latin letters, digits "
            "and signs, without a space at either end."
        )
