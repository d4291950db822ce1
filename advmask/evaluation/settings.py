"""How designs are judged: drawn on photos, and photographed as prints."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings
from advmask.masks.settings import MaskSettings
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.settings import GalleryName
from advmask.render.settings import RenderSettings


class ProtocolSettings(Settings):
    """How a design is judged.

    Attributes:
        people: Whose photos are probed.
        fmr: False match rate of the threshold; of a list, the first.
        stricter_fmr: Others, figures at which are given where the people at hand support them; of a list
            given as `fmr`, the rest.
        draws: Draws of the effects per photo; None makes at least 64 probes in all.
        aligners: Where landmarks come from: `mtcnn`, `dlib5`, `mesh468` afresh on each picture, `bare` from
            the bare picture, or `python:module:function`.
        galleries: What probes are compared with: people enrolled with `bare` photos, with `masked` ones
            (under a plain mask), or with both (`pooled`: the better counts).
        seed: Of the draws; training draws from other streams, so these draws were never seen.
        progress: Show progress bars.
        processes: That share the scoring of probes, each with one thread and networks of its own. The results
            are the same.
    """

    people: Literal["train", "validate", "test", "all"] = "test"
    fmr: float = Field(default=1e-2, gt=0, lt=1)
    stricter_fmr: tuple[float, ...] = (1e-3, 1e-4)
    draws: int | None = Field(default=None, ge=1)
    aligners: list[str] = Field(default=["mtcnn", "bare"], min_length=1)
    galleries: list[GalleryName] = Field(default=["bare"], min_length=1)
    seed: int = 1
    progress: bool = True
    processes: int = Field(default=1, ge=1)

    @model_validator(mode="before")
    @classmethod
    def _first_of_a_list(cls, values: Any) -> Any:
        given = values.get("fmr") if isinstance(values, dict) else None
        if isinstance(given, list | tuple) and given:
            values = values | {"fmr": given[0], "stricter_fmr": tuple(given[1:])}
        return values

    @field_validator("stricter_fmr")
    @classmethod
    def _rates(cls, values: tuple[float, ...]) -> tuple[float, ...]:
        if not all(0 < value < 1 for value in values):
            raise ValueError("false match rates lie between 0 and 1")
        return values

    @property
    def fmrs(self) -> tuple[float, ...]:
        """All false match rates, each once, the first one first."""
        return tuple(dict.fromkeys((self.fmr, *self.stricter_fmr)))


class JudgeProtocol(Settings):
    """How pictures of a real print are judged.

    Attributes:
        fmr: False match rate of the threshold.
        every_s: Time from one frame of a video to the next that is looked at, seconds; 0 takes all.
        seed: Of the resampling.
        progress: Show progress bars.
    """

    fmr: float = Field(default=1e-2, gt=0, lt=1)
    every_s: float = Field(default=0.5, ge=0)
    seed: int = 1
    progress: bool = True


class ScoringSettings(Settings):
    """Everything that scores depend on, besides the designs."""

    texels_per_mm: float
    recognizers: list[str]
    faces: FacesSettings
    mask: MaskSettings
    render: RenderSettings
    effects: EffectsSettings
    printer: PrinterSettings
    protocol: ProtocolSettings
