"""What a print shop asks for."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from advmask.core.settings import Settings
from advmask.printers.settings import BleedMm, Dpi

SideMm = Annotated[float, Field(ge=10, le=5000)]


class ShopSettings(Settings):
    """What a shop asks for.

    Attributes:
        name: Of the shop or product; none for no file of this kind.
        about: What it is, and who says so.
        width_mm: Of the picture; None takes the artwork's.
        height_mm: Of the picture; None takes the artwork's.
        dpi: Dots per inch of all files; None leaves it to printing.dpi.
        bleed_mm: Beyond the cut in all files; None leaves it to printing.bleed_mm.
        mirrored: Whether it wants files that are mirrored already; None leaves it to the printer.
        space: Colours of the picture; CMYK is for a profile, see convert.
        file: png, tiff or jpeg.
        product: mask, the artwork in the middle of the picture; or fabric, the tile that the shop repeats.
        template: A picture of the shop's: where it is white or clear is printed, and its proportions are
            those of the picture.
    """

    name: str = "none"
    about: str = ""
    width_mm: SideMm | None = None
    height_mm: SideMm | None = None
    dpi: Dpi | None = None
    bleed_mm: BleedMm | None = None
    mirrored: bool | None = None
    space: Literal["sRGB"] = "sRGB"
    file: Literal["png", "tiff", "jpeg"] = "png"
    product: Literal["mask", "fabric"] = "mask"
    template: Path | None = None
