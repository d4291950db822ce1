"""How designs are judged: drawn on photos, and photographed as prints."""

from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from advmask.core.devices import DeviceName
from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings, default_effects
from advmask.masks.settings import MaskSettings
from advmask.photos.settings import FacesSettings, GivenPath
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.settings import GalleryName, ServiceSettings, check_detector
from advmask.render.settings import RenderSettings
from advmask.textures.settings import TexelsPerMm


class ProtocolSettings(Settings):
    """How a design is judged.

    Attributes:
        people: Whose photos are probed.
        fmr: False match rate of the threshold; a list gives the others too.
        stricter_fmr: Others to give figures at, where there are 10 / FMR comparisons.
        draws: Of the effects per photo; None makes at least 64 probes in all.
        aligners: Where landmarks come from: mtcnn, dlib5, mesh468, box, three-point, scrfd:PATH find them on
            each picture; bare takes those of the bare one; python:module:function.
        galleries: What probes are compared with: people enrolled with bare photos, masked ones (under a plain
            mask), or pooled: both, the better counts.
        shard: The part that is scored here, such as 1/4, of an evaluation in parts on several machines; who
            comes last writes the results, which are those of one run. evaluate only.
        linkability: Also match faces that wear the same mask with each other; evaluate only.
        pairs: List of pairs of photos (LFW's pairs.txt, CVLface's pairs.csv, lines A,B,same): their second
            photos alone are probed, against the first ones bare; evaluate only.
        calibration: InsightFace's .bin of verification pairs, such as lfw.bin: gives recognizers their
            threshold where the people at hand are too few for one.
        mask_detector: Also ask it whether faces are masked: python:FILE.py:FUNCTION, python:MODULE:FUNCTION
            or onnx:PATH (docs/own_parts.md); evaluate only.
        seed: Of the draws; training draws from other streams, so the design was not trained on these draws.
        progress: Show progress bars.
        processes: That share the scoring, one thread and networks of its own in each; same results.
        device: Where recognizers run that are named: cpu, cuda; auto takes a GPU where there is one, for
            processes=1. Another device changes figures by rounding.
    """

    people: Literal["train", "validate", "test", "all"] = "test"
    fmr: float = Field(default=1e-2, gt=0, lt=1)
    stricter_fmr: tuple[float, ...] = (1e-3, 1e-4)
    draws: int | None = Field(default=None, ge=1)
    aligners: list[str] = Field(default=["mtcnn", "bare"], min_length=1)
    galleries: list[GalleryName] = Field(default=["bare"], min_length=1)
    shard: str | None = Field(default=None, pattern=r"^[1-9]\d*/[1-9]\d*$")
    linkability: bool = True
    pairs: GivenPath = None
    calibration: GivenPath = None
    mask_detector: str | None = None
    seed: int = 1
    progress: bool = True
    processes: int = Field(default=1, ge=1)
    device: DeviceName = "auto"

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

    @field_validator("shard")
    @classmethod
    def _one_of_the_parts(cls, value: str | None) -> str | None:
        if value is not None and int(value.partition("/")[0]) > int(value.partition("/")[2]):
            raise ValueError("a part and how many there are, such as 2/4, were expected")
        return value

    @property
    def fmrs(self) -> tuple[float, ...]:
        """All false match rates, each once, the first one first."""
        return tuple(dict.fromkeys((self.fmr, *self.stricter_fmr)))


class JudgeProtocol(Settings):
    """How pictures of a real print are judged.

    Attributes:
        fmr: False match rate of the threshold.
        calibration: InsightFace's .bin of verification pairs, such as lfw.bin: gives recognizers their
            threshold where the people at hand are too few for one.
        aligner: What finds and aligns the face on each picture: mtcnn, scrfd:PATH, retinaface:PATH,
            yunet:PATH or insightface:PACK.
        every_s: Time between frames of a video that are looked at, s; 0 takes all.
        seed: Of the resampling.
        progress: Show progress bars.
    """

    fmr: float = Field(default=1e-2, gt=0, lt=1)
    calibration: GivenPath = None
    aligner: str = "mtcnn"
    every_s: float = Field(default=0.5, ge=0)
    seed: int = 1
    progress: bool = True

    @field_validator("aligner")
    @classmethod
    def _known(cls, value: str) -> str:
        check_detector(value)
        return value


class ScoringSettings(Settings):
    """Everything that scores depend on, besides the designs.

    Attributes:
        recognizers: Names such as dlib, facenet:vggface2, onnx:PATH or present: docs/recognizers.md.
        texels_per_mm: Resolution at which a picture file is worn.
        faces: Whose.
        mask: Which.
        render: How.
        effects: What happens between print and recognizer.
        printer: Which.
        protocol: How.
        services: What services on the net may be sent.
    """

    recognizers: list[str] = Field(default=["dlib"], min_length=1)
    texels_per_mm: TexelsPerMm = 3.0
    faces: FacesSettings = FacesSettings()
    mask: MaskSettings = MaskSettings()
    render: RenderSettings = RenderSettings()
    effects: EffectsSettings = Field(default_factory=default_effects)
    printer: PrinterSettings = PrinterSettings()
    protocol: ProtocolSettings = ProtocolSettings()
    services: ServiceSettings = ServiceSettings()
