"""What a print shop takes: one picture of the size, resolution and shape that it asks for."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advmask.core.errors import ConfigError
from advmask.core.picture_reading import read_picture
from advmask.printing.raster import Artwork
from advmask.printing.settings import ShopSettings
from advmask.printing.upsample import MM_PER_INCH, dots
from advmask.textures.png_bytes import encode_png

_WHITE = 250
_QUALITY = 95


def shop_picture(pixels: NDArray[np.uint8], shop: ShopSettings, *, dpi: int) -> NDArray[np.uint8]:
    """The artwork in the middle of the shop's picture; white around it and where its template prints nothing.

    Args:
        pixels: (h, w, 3) artwork on white, as it is printed.
        shop: Says how large the picture is.
        dpi: Of both.

    Raises:
        ConfigError: The artwork is larger than what is printed, or the template cannot be read.
    """
    rows, columns = (
        side if mm is None else dots(mm, dpi=dpi)
        for side, mm in zip(pixels.shape[:2], (shop.height_mm, shop.width_mm), strict=True)
    )
    free = np.ones((rows, columns), dtype=np.bool_)
    if shop.template is not None:
        free = printable(shop.template, size=(rows, columns))
    inside_rows, inside_columns = np.flatnonzero(free.any(axis=1)), np.flatnonzero(free.any(axis=0))
    top, bottom = int(inside_rows[0]), int(inside_rows[-1]) + 1
    left, right = int(inside_columns[0]), int(inside_columns[-1]) + 1
    height, width = pixels.shape[:2]
    if height > bottom - top or width > right - left:
        mm = MM_PER_INCH / dpi
        raise ConfigError(
            f"The artwork measures {width * mm:.0f} x {height * mm:.0f} mm with its bleed, and shop="
            f"{shop.name} prints {(right - left) * mm:.0f} x {(bottom - top) * mm:.0f} mm; take a "
            "smaller size or bleed, or give shop.width_mm and shop.height_mm."
        )
    picture = np.full((rows, columns, 3), 255, dtype=np.uint8)
    y, x = top + (bottom - top - height) // 2, left + (right - left - width) // 2
    picture[y : y + height, x : x + width] = pixels
    picture[~free] = 255
    return picture


def printable(path: Path, *, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a shop's template is white or clear, brought to (rows, columns).

    Raises:
        ConfigError: It is no picture, or prints nowhere.
    """
    picture = read_picture(path.expanduser(), background=(255, 255, 255), refusal=ConfigError)
    fitted = picture.convert("RGB").resize(size[::-1], Image.Resampling.BOX)
    free: NDArray[np.bool_] = np.asarray(fitted).min(axis=2) >= _WHITE
    if not free.any():
        raise ConfigError(
            f"{path} is white or clear nowhere, so that nothing would be printed; check shop.template."
        )
    return free


def shop_file(artwork: Artwork, shop: ShopSettings, *, dpi: int) -> bytes:
    """The shop's picture as a file, in true size.

    Args:
        artwork: As it is printed: mirrored, if the shop wants it so.
        shop: What it asks for.
        dpi: Of the artwork.

    Raises:
        ConfigError: The artwork is larger than what is printed, or the template cannot be read.
    """
    return encoded(shop_picture(artwork.on_white(), shop, dpi=dpi), shop, dpi=dpi)


def encoded(pixels: NDArray[np.uint8], shop: ShopSettings, *, dpi: int) -> bytes:
    """A picture in the kind of file that a shop takes; the same picture gives the same bytes."""
    if shop.file == "png":
        text = {"advmask:shop": shop.name, "advmask:bleed_mm": f"{shop.bleed_mm or 0:g}"}
        return encode_png(pixels, pixels_per_mm=dpi / MM_PER_INCH, text=text)
    stream = io.BytesIO()
    picture = Image.fromarray(pixels)
    if shop.file == "tiff":
        picture.save(stream, "TIFF", dpi=(dpi, dpi), compression=None)
    else:
        picture.save(stream, "JPEG", dpi=(dpi, dpi), quality=_QUALITY, subsampling=0)
    return stream.getvalue()


def shop_words(shop: ShopSettings, name: str, *, mirrored: bool) -> str:
    """What is to be said about the file that a shop gets."""
    turned = "is mirrored" if mirrored else "is not mirrored"
    return (
        f"{name} is for shop={shop.name}: {turned}, {shop.space}. Its figures are what shops of this kind "
        "commonly ask for: compare them with your shop's, and copy the preset where they differ."
    )
