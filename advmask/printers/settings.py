"""What a printer is: how it answers colours, how finely it prints, and how much prints differ."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from advmask.core.settings import Settings

_Share = Annotated[float, Field(ge=0, le=1.2)]  # optical brighteners take paper and cotton above 1
Reflectance = tuple[_Share, _Share, _Share]
Dpi = Annotated[int, Field(ge=72, le=1200)]
BleedMm = Annotated[float, Field(ge=0, le=20)]
Intent = Literal["perceptual", "relative", "saturation", "absolute"]


class InkSettings(Settings):
    """Reflectances of the solid inks and their overprints, as linear sRGB relative to a perfect white.

    Light saturated inks may lie outside sRGB; their negative channels are given as 0.

    Attributes:
        white: Bare paper or fabric.
        cyan: Solid cyan on it; the other inks and overprints in the same way.
        magenta: Solid magenta.
        yellow: Solid yellow.
        red: Magenta and yellow.
        green: Cyan and yellow.
        blue: Cyan and magenta.
        black: The darkest print: black ink, or all inks.
        yule_nielsen: Yule-Nielsen factor n of light that spreads in the paper: 1 none, 2 full.
        dot_gain: Growth of a dot of half coverage that the driver has not compensated, as coverage; negative
            where it has compensated too much.
    """

    white: Reflectance
    cyan: Reflectance
    magenta: Reflectance
    yellow: Reflectance
    red: Reflectance
    green: Reflectance
    blue: Reflectance
    black: Reflectance
    yule_nielsen: float = Field(default=1.7, ge=1, le=4)
    dot_gain: float = Field(default=0.0, ge=-0.2, le=0.4)


class VariationSettings(Settings):
    """How prints of one printer differ; drawn once per print.

    Attributes:
        dot_gain: Change of the coverage at half coverage, plus or minus.
        ink: Relative change of the amount of each ink and so of its density, plus or minus.
        misregistration_mm: Shift of each ink against the others, plus or minus, along both axes, mm.
        grain: Standard deviation of the grain, 0 to this, relative to the reflectance, in dots of `grain_mm`.
        grain_mm: Size of the grain, mm.
        banding: Relative change of reflectance from the mean to the middle of a band, 0 to this.
        banding_mm: Width of two bands, a dark one and a light one, mm.
    """

    dot_gain: float = Field(default=0.0, ge=0, le=0.2)
    ink: float = Field(default=0.0, ge=0, le=0.5)
    misregistration_mm: float = Field(default=0.0, ge=0, le=2)
    grain: float = Field(default=0.0, ge=0, le=0.3)
    grain_mm: float = Field(default=0.5, gt=0, le=5)
    banding: float = Field(default=0.0, ge=0, le=0.2)
    banding_mm: float = Field(default=5.0, gt=0, le=50)


class PrinterSettings(Settings):
    """A printer, with its paper or fabric; the default prints perfectly.

    Colours are answered by one of `inks` (a model), `profile` (an ICC profile) and `table` (measured by
    `advmask calibrate fit`), or as asked if there is none of them.

    Attributes:
        name: For reports and text chunks.
        about: Where the figures come from: a source, a measurement or a guess.
        inks: Model of the inks, linear sRGB relative to a perfect white.
        profile: ICC profile of the printer and paper, a file .icc or .icm; the print shop has it.
        intent: For the profile; `relative` is taken with black point compensation.
        table: Colour table of a printer measured with `advmask calibrate`, a `.safetensors` file.
        spread_mm: Standard deviation of the spread of ink along each axis, mm.
        finest_mm: Narrowest line that prints reliably, mm.
        varies: How prints differ.
        mirrored: Printed mirrored, on paper that is then transferred.
        bleed_mm: How far a design goes on beyond the cut line, mm; print shops ask for 3.
        dpi: Dots per inch of the print files; print shops ask for 300.
    """

    name: str = "none"
    about: str = ""
    inks: InkSettings | None = None
    profile: Path | None = None
    intent: Intent = "relative"
    table: Path | None = None
    spread_mm: float = Field(default=0.0, ge=0, le=3)
    finest_mm: float = Field(default=0.0, ge=0, le=10)
    varies: VariationSettings = VariationSettings()
    mirrored: bool = False
    bleed_mm: BleedMm = 3.0
    dpi: Dpi = 300

    @field_validator("profile", "table", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":  # as printer=icc leaves it
            raise ValueError("an empty path; name the file, which is the profile of your printer and paper")
        return value

    @model_validator(mode="after")
    def _one_answer(self) -> Self:
        given = [name for name in ("inks", "profile", "table") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"a printer answers colours by one of inks, profile and table, not by {given}")
        return self
