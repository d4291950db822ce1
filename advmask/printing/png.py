"""A mask as a PNG at true size."""

import advmask
from advmask.errors import DesignError
from advmask.masks.pattern import FlatPattern
from advmask.printing.raster import rasterise_mask
from advmask.printing.settings import PrintingSettings
from advmask.printing.upsample import MM_PER_INCH
from advmask.textures.design_files import Design
from advmask.textures.png_bytes import encode_png


def mask_png(design: Design, pattern: FlatPattern, printing: PrintingSettings) -> bytes:
    """A mask as an 8 bit RGB PNG, to be printed at 100 %.

    The picture is that of `rasterise_mask` with its magenta cut line, in true size (pHYs), with an sRGB
    profile. The same arguments give the same bytes.

    Args:
        design: The design; its texts go into the file.
        pattern: The flat pattern.
        printing: Resolution and bleed.

    Raises:
        DesignError: The design does not fit the pattern, or uses a text key that is set here.
    """
    own = {
        "advmask:version": advmask.__version__,
        "advmask:pattern": pattern.name,
        "advmask:size": pattern.size,
        "advmask:dpi": str(printing.dpi),
        "advmask:bleed_mm": f"{printing.bleed_mm:g}",
    }
    taken = [key for key in own if key in design.text]
    if taken:
        raise DesignError(f"The text key {taken[0]} is set by advmask itself; use another key.")
    pixels = rasterise_mask(design, pattern, printing)
    return encode_png(pixels, pixels_per_mm=printing.dpi / MM_PER_INCH, text=own | design.text)
