"""A mask as a PNG at true size."""

from collections.abc import Mapping
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

import advmask
from advmask.errors import DesignError
from advmask.files import written_aside
from advmask.printing.outline import PatternOutline
from advmask.printing.raster import rasterise_mask
from advmask.printing.upsample import MM_PER_INCH
from advmask.textures.png_bytes import encode_png


def write_mask_png(
    path: Path,
    texels: Float[Tensor, "3 H W"],
    outline: PatternOutline,
    *,
    dpi: int = 300,
    bleed_mm: float = 3.0,
    text: Mapping[str, str] | None = None,
) -> None:
    """Write a mask as an 8 bit RGB PNG, to be printed at 100 %.

    The picture is the texture rectangle with `bleed_mm` added on each side, in true size (pHYs), with an sRGB
    profile and a magenta cut line along the outline. See `rasterise_mask` for what stands where. The same
    arguments give the same bytes.

    Args:
        path: The PNG file.
        texels: (3, H, W) in [0, 1], sRGB.
        outline: The pattern.
        dpi: Dots per inch, 72 to 1200.
        bleed_mm: How far the design goes on past the cut line, 0 to 10 mm.
        text: Text chunks to add.

    Raises:
        DesignError: The texels do not fit the pattern, or an argument is out of range.
        RunError: The file cannot be written.
    """
    content = mask_png(texels, outline, dpi=dpi, bleed_mm=bleed_mm, text=text)
    with written_aside(path) as aside:
        aside.write_bytes(content)


def mask_png(
    texels: Float[Tensor, "3 H W"],
    outline: PatternOutline,
    *,
    dpi: int = 300,
    bleed_mm: float = 3.0,
    text: Mapping[str, str] | None = None,
) -> bytes:
    """The file that `write_mask_png` writes."""
    own = {
        "advmask:version": advmask.__version__,
        "advmask:pattern": outline.name,
        "advmask:dpi": str(dpi),
        "advmask:bleed_mm": f"{bleed_mm:g}",
    }
    taken = [key for key in own if key in (text or {})]
    if taken:
        raise DesignError(f"The text key {taken[0]} is set by advmask itself; use another key.")
    pixels = rasterise_mask(texels, outline, dpi=dpi, bleed_mm=bleed_mm)
    return encode_png(pixels, pixels_per_mm=dpi / MM_PER_INCH, text=own | dict(text or {}))
