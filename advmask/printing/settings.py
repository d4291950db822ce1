"""How masks are printed."""

import re
from typing import Literal

from pydantic import Field, field_validator

from advmask.core.settings import Settings

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
