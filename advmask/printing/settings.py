"""How masks are printed."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from advmask.core.settings import Settings
from advmask.masks.settings import MaskSettings
from advmask.printers.settings import PrinterSettings

Paper = Literal["a4", "letter"]
"""Of the calibration chart and the capture protocol."""
Size = Literal["S", "M", "L", "child"]
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
_OWN_PAPER = re.compile(r"(\d+(?:\.\d+)?)x(\d+(?:\.\d+)?)\Z")
_LEAST_MM, _MOST_MM = 140.0, 5000.0


class PrintingSettings(Settings):
    """Settings of the print files.

    Attributes:
        dpi: Dots per inch of the print files, 72 to 1200. Print shops ask for 300.
        bleed_mm: How far the design goes on past the cut line, 0 to 20 mm, so that a cut a little off
            shows no white. Print shops ask for 3, and for 6 where the design is sublimated.
    """

    dpi: int = Field(default=300, ge=72, le=1200)
    bleed_mm: float = Field(default=3.0, ge=0.0, le=20.0)


class SheetSettings(Settings):
    """How a mask lies on paper.

    Attributes:
        paper: `none` for one page just as large as needed, a name of `PAPERS`, or `WIDTHxHEIGHT` in mm. A
            sheet larger than the paper is tiled.
        margin_mm: What the printer cannot print at the edges of the paper.
        overlap_mm: How far neighbouring tiles overlap.
        mirrored: Left and right exchanged, for paper that is then transferred to cloth.
        cut_line: Draw the cut, and ticks where folds end, on the artwork.
        beyond: What lies beyond the bleed in a PNG.
    """

    paper: str = "none"
    margin_mm: float = Field(default=5.0, ge=0, le=25)
    overlap_mm: float = Field(default=10.0, ge=2, le=30)
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
            raise ValueError(f"a paper is none, {', '.join(PAPERS)}, or WIDTHxHEIGHT in mm such as 210x297")
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


def _size_of(name: str) -> tuple[float, float] | None:
    if name in PAPERS:
        return PAPERS[name]
    own = _OWN_PAPER.match(name)
    if own is None:
        return None
    sides = sorted(float(side) for side in own.groups())
    return sides[0], sides[1]


class SheetMargins(Settings):
    """The part of `SheetSettings` that has a section of its own."""

    margin_mm: float
    overlap_mm: float


class AskedPrinting(Settings):
    """Resolution and bleed as asked for; None leaves them to the printer or the run."""

    dpi: int | None = None
    bleed_mm: float | None = None

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
    """The fabric that masks are laid out on."""

    width_mm: float = Field(ge=150, le=10000)
    gap_mm: float = Field(ge=0, le=200)


class ExportSettings(Settings):
    """Everything the files depend on, besides the design; `conf/export.yaml` says what each is."""

    mask: MaskSettings
    sizes: list[Size] | None
    texels_per_mm: float = Field(ge=0.5, le=24)
    out: Path | None
    overwrite: bool
    paper: str
    sheet: SheetMargins
    printing: AskedPrinting
    mirrored: bool | None
    cut_line: bool
    beyond: Literal["white", "transparent"]
    convert: bool
    proof: bool | None
    repeat: bool
    fabric: ClothSettings
    printer: PrinterSettings

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
