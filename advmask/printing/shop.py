"""What a print shop takes: one picture of the size, resolution and shape that it asks for."""

import io
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from advmask.core.errors import ConfigError
from advmask.core.picture_reading import read_picture
from advmask.core.shown_names import shown
from advmask.printing.raster import Artwork
from advmask.printing.settings import ShopSettings
from advmask.printing.upsample import MM_PER_INCH, dots
from advmask.textures.png_bytes import encode_png

_WHITE = 250
_QUALITY = 95
_SAME_SHAPE = 0.02  # by which a template may differ in its proportions


def shop_picture(pixels: NDArray[np.uint8], shop: ShopSettings, *, dpi: int) -> NDArray[np.uint8]:
    """The artwork in the middle of the shop's picture; white around it and where its template prints nothing.

    Args:
        pixels: (h, w, 3) artwork on white, as it is printed.
        shop: Says how large the picture is.
        dpi: Of both.

    Raises:
        ConfigError: The artwork is larger than what is printed, or the template cannot be read.
    """
    template = None if shop.template is None else _opened(shop.template)
    sides = (shop.height_mm, shop.width_mm) if template is None else _sides_mm(template, shop)
    rows, columns = (
        side if mm is None else dots(mm, dpi=dpi) for side, mm in zip(pixels.shape[:2], sides, strict=True)
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
    fitted = _opened(path).resize(size[::-1], Image.Resampling.BOX)
    free: NDArray[np.bool_] = np.asarray(fitted).min(axis=2) >= _WHITE
    if not free.any():
        raise ConfigError(
            f"{path} is white or clear nowhere, so that nothing would be printed; check shop.template."
        )
    return free


def _opened(path: Path) -> Image.Image:
    return read_picture(path.expanduser(), background=(255, 255, 255), refusal=ConfigError).convert("RGB")


def _sides_mm(template: Image.Image, shop: ShopSettings) -> tuple[float, float]:
    """Height and width of a template, of which at least one is given."""
    ratio = template.width / template.height
    width = shop.width_mm or (shop.height_mm or 0.0) * ratio
    height = shop.height_mm or width / ratio
    if abs(width / height / ratio - 1) > _SAME_SHAPE:
        raise ConfigError(
            f"{shop.template} is {template.width} x {template.height} px, {ratio:.3f} times as wide as high, "
            f"and shop.width_mm={width:g} shop.height_mm={height:g} would squeeze it; give one of the two."
        )
    return height, width


def shop_file(artwork: Artwork, shop: ShopSettings, *, dpi: int, bleed_mm: float) -> bytes:
    """The shop's picture as a file, in true size.

    Args:
        artwork: As it is printed: mirrored, if the shop wants it so.
        shop: What it asks for.
        dpi: Of the artwork.
        bleed_mm: Of the artwork.

    Raises:
        ConfigError: The artwork is larger than what is printed, or the template cannot be read.
    """
    return encoded(shop_picture(artwork.on_white(), shop, dpi=dpi), shop, dpi=dpi, bleed_mm=bleed_mm)


def encoded(pixels: NDArray[np.uint8], shop: ShopSettings, *, dpi: int, bleed_mm: float = 0.0) -> bytes:
    """A picture in the kind of file that a shop takes; the same picture gives the same bytes."""
    if shop.file == "png":
        text = {"advmask:shop": shown(shop.name), "advmask:bleed_mm": f"{bleed_mm:g}"}
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
        f"{name} is for shop={shown(shop.name)}: {turned}, {shop.space}. Its figures are what shops of this "
        "kind commonly ask for: compare them with your shop's, and copy the preset where they differ."
    )
