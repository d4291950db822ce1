"""How masks are printed."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, field_validator, model_validator

from advmask.core.settings import Settings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import BleedMm, Dpi, PrinterSettings
from advmask.textures.settings import CopyMm, Fit, TexelsPerMm

Paper = Literal["a4", "letter"]
"""Of the calibration chart and the capture protocol."""
Size = Literal["S", "M", "L", "child"]
SideMm = Annotated[float, Field(ge=10, le=5000)]
# Width and height in mm, upright.
PAPERS = {
    "a5": (148.0, 210.0),
    "a4": (210.0, 297.0),
    "a3": (297.0, 420.0),
    "a2": (420.0, 594.0),
    "letter": (215.9, 279.4),
    "legal": (215.9, 355.6),
    "tabloid": (279.4, 431.8),
}
_OWN_PAPER = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)(mm|in)?\Z")
_LEAST_MM, _MOST_MM = 140.0, 5000.0
_FINEST_PER_MM = 24.0


class ShopSettings(Settings):
    """What a shop asks for.

    Attributes:
        name: Of the shop or product; none for no file of this kind.
        about: What it is, and who says so.
        width_mm: Of the picture; None takes the artwork's, and with a template what its proportions say.
        height_mm: As width_mm; a template needs one of the two.
        dpi: Dots per inch of this file; printing.dpi, where that is given, comes first.
        bleed_mm: Beyond the cut in this file; printing.bleed_mm, where that is given, comes first.
        mirrored: Whether it wants a file that is mirrored already; None leaves it to the printer.
        space: Colours of the picture; CMYK is for a profile, see convert.
        file: png, tiff or jpeg.
        product: mask, the artwork in the middle of the picture; or fabric, the tile that the shop repeats.
        template: A picture of the shop's: where it is white or clear is printed, and its proportions are
            those of the picture.
    """

    name: str = Field(default="none", min_length=1)
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

    @model_validator(mode="after")
    def _named(self) -> Self:
        fields = type(self).model_fields
        given = [key for key in fields if getattr(self, key) != fields[key].default and key != "about"]
        if self.name == "none" and given:
            raise ValueError(
                f"without a shop, shop.{given[0]} would change nothing; name a preset with shop=NAME, or one "
                "of your own with shop.name=NAME"
            )
        return self

    @model_validator(mode="after")
    def _template_has_a_size(self) -> Self:
        if self.template is not None and self.width_mm is None and self.height_mm is None:
            raise ValueError(
                "the shape that shop.template shows needs a size; give shop.width_mm or shop.height_mm of the"
                " whole template"
            )
        return self


class PrintingSettings(Settings):
    """Settings of the print files.

    Attributes:
        dpi: Dots per inch of the print files. Print shops ask for 300.
        bleed_mm: How far the design goes on past the cut line, mm, so that a cut a little off shows no white.
            Print shops ask for 3, and for 6 where the design is sublimated.
    """

    dpi: Dpi = 300
    bleed_mm: BleedMm = 3.0


class SheetMargins(Settings):
    """What paper leaves to print on.

    Attributes:
        margin_mm: What the printer cannot print at the edges of the paper, mm.
        overlap_mm: Of neighbouring tiles, mm.
        ruler_mm: What the ruler of an earlier print measured, mm; the pages are then scaled so that this
            printer prints it as 100 mm.
    """

    margin_mm: float = Field(default=5.0, ge=0, le=25)
    overlap_mm: float = Field(default=10.0, ge=2, le=30)
    ruler_mm: float = Field(default=100.0, ge=80, le=125)


class SheetSettings(SheetMargins):
    """How a mask lies on paper.

    Attributes:
        paper: `none` for one page as large as needed; a5, a4, a3, a2, letter, legal, tabloid, or
            `WIDTHxHEIGHT` in mm (210x297) or inches (8.5x11in). A sheet larger than the paper is tiled.
        mirrored: Left and right exchanged, for paper that is then transferred to cloth.
        cut_line: Draw the cut, and ticks where folds end, on the artwork.
        beyond: What lies beyond the bleed in the PNG.
    """

    paper: str = "none"
    mirrored: bool = False
    cut_line: bool = False
    beyond: Literal["white", "transparent"] = "white"

    @field_validator("paper")
    @classmethod
    def _known_paper(cls, paper: str) -> str:
        name = paper.lower()
        if name == "none":
            return name
        size = _size_of(name)
        if size is None:
            raise ValueError(
                f"a paper is none, {', '.join(PAPERS)}, or WIDTHxHEIGHT in mm or inches, such as 210x297 or "
                "8.5x11in"
            )
        if min(size) < _LEAST_MM or max(size) > _MOST_MM:
            raise ValueError(
                f"a paper has at least {_LEAST_MM:g} mm on its shorter side, or the ruler and the notes do "
                f"not fit, and at most {_MOST_MM:g} mm; a5 is the smallest by name"
            )
        return name

    @property
    def paper_mm(self) -> tuple[float, float] | None:
        """Shorter and longer side of the paper; None for a page as large as needed."""
        return None if self.paper == "none" else _size_of(self.paper)

    @property
    def room_mm(self) -> tuple[float, float] | None:
        """The paper as the printer measures it: pages of this size are scaled to it at the end."""
        sides = self.paper_mm
        return None if sides is None else (sides[0] * self.ruler_mm / 100, sides[1] * self.ruler_mm / 100)


def _size_of(name: str) -> tuple[float, float] | None:
    if name in PAPERS:
        return PAPERS[name]
    own = _OWN_PAPER.match(name)
    if own is None:
        return None
    unit = 25.4 if own.group(3) == "in" else 1.0
    sides = sorted(float(side) * unit for side in own.groups()[:2])
    return sides[0], sides[1]


class AskedPrinting(Settings):
    """Resolution and bleed as asked for.

    Attributes:
        dpi: Dots per inch; None takes the printer's, and in export the run's where no printer is named.
        bleed_mm: How far the design goes on beyond the cut, mm; None as for `dpi`.
    """

    dpi: Dpi | None = None
    bleed_mm: BleedMm | None = None

    def over(self, base: PrinterSettings | PrintingSettings) -> PrintingSettings:
        """What was asked for, and the rest as `base` has it.

        Raises:
            ConfigError: It cannot be printed so.
        """
        return PrintingSettings.build(
            {
                "dpi": base.dpi if self.dpi is None else self.dpi,
                "bleed_mm": base.bleed_mm if self.bleed_mm is None else self.bleed_mm,
            }
        )


class ClothSettings(Settings):
    """The fabric that masks are laid out on.

    Attributes:
        width_mm: Of the fabric, mm.
        gap_mm: Between masks, beyond their bleed, mm.
    """

    width_mm: float = Field(default=1400.0, ge=150, le=10000)
    gap_mm: float = Field(default=10.0, ge=0, le=200)


class ExportSettings(Settings):
    """Everything the files depend on, besides the design.

    Attributes:
        sizes: Sizes to write, such as [S,M,L,child]; None writes that of the run or of mask.size.
        texels_per_mm: Resolution at which a picture file is taken; None takes its own, up to the print's.
        fit: How a picture file is laid on the mask: cover; contain, all of it with its rim's colour around;
            tile, copies; or template, where it was drawn on that of `advmask pattern template=true`.
        copy_mm: Width of a copy for fit=tile, mm.
        out: Folder for the files; None: exports in the run folder, or next to other output.
        overwrite: Replace files that you changed, or that export did not write.
        paper: none for one page as large as needed; a5, a4, a3, a2, letter, legal, tabloid, or WIDTHxHEIGHT
            in mm (210x297) or inches (8.5x11in). Larger masks are tiled.
        mirrored: Exchange left and right, for transfer paper; None does as the printer needs it.
        cut_line: Draw the cut, and ticks where folds end, on the artwork.
        beyond: What lies beyond the bleed in the PNG.
        convert: Convert colours to printer.profile: PNG and PDF for a profile of RGB, a TIFF for one of CMYK.
        proof: Draw what the printer makes of the design; None does if a printer is named.
        repeat: Also tiles to be repeated over fabric: the masks laid out, and the design as endless cloth.
        sheet: Margins, and the correction by the ruler.
        printing: Resolution and bleed.
        fabric: For `repeat`.
        mask: For a picture file; a run brings its own.
        printer: Whose bleed, resolution and mirroring are used, and whose proof is drawn.
        shop: What a shop asks for, in one picture more.
    """

    sizes: list[Size] | None = None
    texels_per_mm: TexelsPerMm | None = None
    fit: Fit = "cover"
    copy_mm: CopyMm = 60.0
    out: Path | None = None
    overwrite: bool = False
    paper: str = "none"
    mirrored: bool | None = None
    cut_line: bool = False
    beyond: Literal["white", "transparent"] = "white"
    convert: bool = False
    proof: bool | None = None
    repeat: bool = False
    sheet: SheetMargins = SheetMargins()
    printing: AskedPrinting = AskedPrinting()
    fabric: ClothSettings = ClothSettings()
    mask: MaskSettings = MaskSettings()
    printer: PrinterSettings = PrinterSettings()
    shop: ShopSettings = ShopSettings()

    @property
    def asked_by_shop(self) -> AskedPrinting:
        """Resolution and bleed of the file for the shop: as asked for, or else as the shop wants it."""
        values = {
            name: getattr(self.shop, name) if own is None else own
            for name, own in self.printing.model_dump().items()
        }
        return AskedPrinting.build(values)

    @property
    def finest_per_mm(self) -> float:
        """Texels per mm beyond which the prints show no more."""
        asked = (self.printing.dpi, self.asked_by_shop.dpi)
        dpi = max(self.printer.dpi if one is None else one for one in asked)
        return min(_FINEST_PER_MM, 1.01 * dpi / 25.4)

    @property
    def mirrored_for_shop(self) -> bool:
        """Whether the file for the shop is mirrored."""
        asked = (self.mirrored, self.shop.mirrored, self.printer.mirrored)
        return next(one for one in asked if one is not None)

    def on_paper(self) -> SheetSettings:
        """How masks lie on paper, mirrored as the printer needs it where nothing else was asked for.

        Raises:
            ConfigError: There is no such paper, or it has no such margins.
        """
        mirrored = self.printer.mirrored if self.mirrored is None else self.mirrored
        return SheetSettings.build(
            {
                "paper": self.paper,
                "mirrored": mirrored,
                "cut_line": self.cut_line,
                "beyond": self.beyond,
                **self.sheet.model_dump(),
            }
        )
