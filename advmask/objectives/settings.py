"""Settings of the objective."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from advmask.core.settings import Settings

MatchKind = Literal["confidence", "log_confidence", "similarity"]
Channel = Annotated[float, Field(ge=0, le=1)]


class StyleSettings(Settings):
    """An artwork whose texture is aimed at.

    Attributes:
        picture: Its file; scaled to cover the mask; its colours, edges and grain at that size count.
        weight: Of the distance to them (sliced Wasserstein); 20 to 100 show.
    """

    picture: str | None = None
    weight: float = Field(default=0.0, ge=0)

    @model_validator(mode="after")
    def _of_something(self) -> Self:
        if self.weight and not self.picture:
            raise ValueError("a weight needs an artwork; name its file as style.picture")
        return self


class ObjectiveSettings(Settings):
    """What is minimised.

    Attributes:
        match: Form of the match term: log_confidence is -log(1 - match confidence) and pushes hardest where
            the match is surest; confidence gives up on photos far from the threshold; similarity knows no
            threshold.
        tail: Share of the photos of a batch, those that match best, whose mean counts (CVaR); 1 counts all.
        over_recognizers: mean; or smooth_max: the recognizer that matches best counts most. Terms of
            different recognizers compare only in the forms that know thresholds.
        temperature: Of smooth_max, in units of the match term; lower comes closer to the worst alone.
        displacement: Weight of displacing the landmarks that aligners with a gradient find, per eye distance
            that they move.
        displacement_reach: No landmark counts as moved by more, eye distances.
        masked_gallery: Weight of the match with the same person enrolled under a plain mask.
        impostor: Weight of the match with the most similar other person.
        features: Weight of the similarity of masked and bare photos at an intermediate layer of each network.
        smoothness: Weight of the change of colour per millimetre.
        distance_m: From where the design is looked at, m; detail that an eye does not resolve there (0.29 mm
            for each metre) has no part in `smoothness`. 0 sees every texel.
        fidelity: Weight of the colour difference (Delta E) between the texture and its start.
        style: An artwork whose texture is aimed at, wherever on the mask.
        gamut: Weight of the colour difference (Delta E) between what is asked and what the printer prints.
        feature: Weight of lines and gaps narrower than `finest_mm`.
        finest_mm: Narrowest line, mm; None takes the printer's.
        nps: Weight of the non-printability score of earlier work.
        nps_colours: Its printable colours, sRGB [[r, g, b], ...] of 0 to 1; None takes 27 of the printer's.
    """

    match: MatchKind = "log_confidence"
    tail: float = Field(default=1.0, gt=0, le=1)
    over_recognizers: Literal["mean", "smooth_max"] = "mean"
    temperature: float = Field(default=0.5, ge=0.01, le=100)
    masked_gallery: float = Field(default=0.0, ge=0)
    impostor: float = Field(default=0.0, ge=0)
    displacement: float = Field(default=0.0, ge=0)
    displacement_reach: float = Field(default=0.5, ge=0.05, le=5)
    features: float = Field(default=0.0, ge=0)
    smoothness: float = Field(default=0.02, ge=0)
    distance_m: float = Field(default=0.0, ge=0, le=50)
    fidelity: float = Field(default=0.0, ge=0)
    style: StyleSettings = StyleSettings()
    gamut: float = Field(default=0.0, ge=0)
    feature: float = Field(default=0.0, ge=0)
    finest_mm: float | None = Field(default=None, ge=0, le=20)
    nps: float = Field(default=0.0, ge=0)
    nps_colours: list[tuple[Channel, Channel, Channel]] | None = Field(
        default=None, min_length=1, max_length=100
    )
