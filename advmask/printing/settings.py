"""How masks are printed."""

from pydantic import Field

from advmask.settings import Settings


class PrintingSettings(Settings):
    """Settings of the print files.

    Attributes:
        dpi: Dots per inch of the print files, 72 to 1200. Print shops ask for 300.
        bleed_mm: How far the design goes on past the cut line, 0 to 10 mm, so that a cut a little off
            shows no white. Print shops ask for 3, and for 6 where the design is sublimated.
    """

    dpi: int = Field(default=300, ge=72, le=1200)
    bleed_mm: float = Field(default=3.0, ge=0.0, le=10.0)
