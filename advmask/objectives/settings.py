"""Settings of the objective."""

from typing import Annotated

from pydantic import Field

from advmask.objectives.match import MatchKind
from advmask.settings import Settings

Channel = Annotated[float, Field(ge=0, le=1)]


class ObjectiveSettings(Settings):
    """What is minimised.

    Attributes:
        match: Form of the match term.
        smoothness: Weight of the change of colour per millimetre.
        distance_m: From where the design is looked at, metres; detail that an eye does not resolve there
            (0.29 mm for each metre) has no part in `smoothness`. 0 sees every texel.
        gamut: Weight of the colour difference (Delta E) between what is asked and what the printer prints.
        feature: Weight of features narrower than `finest_mm`.
        finest_mm: Narrowest line; None takes the printer's.
        nps: Weight of the non-printability score of earlier work.
        nps_colours: Its printable colours, sRGB in [0, 1]; None takes 27 of the printer's.
    """

    match: MatchKind = "log_confidence"
    smoothness: float = Field(default=0.0, ge=0)
    distance_m: float = Field(default=0.0, ge=0, le=50)
    gamut: float = Field(default=0.0, ge=0)
    feature: float = Field(default=0.0, ge=0)
    finest_mm: float | None = Field(default=None, ge=0, le=20)
    nps: float = Field(default=0.0, ge=0)
    nps_colours: list[tuple[Channel, Channel, Channel]] | None = Field(
        default=None, min_length=1, max_length=100
    )
