"""Which faces, and how they are found and cut."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator, model_validator

from advmask.core.devices import DeviceName
from advmask.core.errors import ConfigError
from advmask.core.settings import Settings

_PATHS = ("root", "cache", "mesh_model", "people", "masked")
LandmarkSource = Literal["mtcnn", "mesh", "file", "arcface112"]

NO_MESH_MODEL = (
    "faces.landmarks=mesh needs faces.mesh_model=FILE, the mediapipe 0.10.21 wheel or its "
    "face_landmark.tflite (`pip download --no-deps --only-binary :all: mediapipe==0.10.21`)."
)


def not_empty(value: Any) -> Any:
    """A path as it is given; ValueError for an empty one."""
    if value == "":  # an unset variable in a shell; as a path it would mean the folder one stands in
        raise ValueError("an empty path; give one, or null for the default")
    return value


def written_out(value: Path) -> Path:
    """A path with the home folder in place of ~; ValueError where there is none."""
    try:
        return value.expanduser()
    except RuntimeError as error:  # ~name of somebody who does not exist
        raise ValueError(f"{error}; write the folder out") from error


GivenPath = Annotated[
    Path | None,
    BeforeValidator(not_empty),
    AfterValidator(lambda path: None if path is None else written_out(path)),
]
"""A path or null: not empty, its ~ written out."""


class CropSettings(Settings):
    """Where faces are looked for, and how they are found and cut.

    Attributes:
        root: Folder of people, folder of one person's photos, or one photo; None takes the astronaut portrait
            that ships with scikit-image.
        size: Side of the working crops, px; a quarter of it lies between the eyes.
        min_face_px: Smallest face looked for, px of the photo.
        min_probability: Of a detected face.
        cache: Keep crops and placed masks in the user's cache folder; or the folder to keep them in.
    """

    root: Path | None = None
    size: int = Field(default=176, ge=112, le=1024)
    min_face_px: int = Field(default=20, ge=12)
    min_probability: float = Field(default=0.9, ge=0, le=1)
    cache: bool | Path = True

    @field_validator(*_PATHS, mode="before", check_fields=False)
    @classmethod
    def _given(cls, value: Any) -> Any:
        return not_empty(value)

    @field_validator(*_PATHS, check_fields=False)
    @classmethod
    def _home(cls, value: bool | Path | None) -> bool | Path | None:
        return written_out(value) if isinstance(value, Path) else value


class FacesSettings(CropSettings):
    """Which faces, how people are split, and by what landmarks masks are placed.

    Attributes:
        people: A list of who is on which photo of a flat folder: FILE,PERSON[,SPLIT] a line; None takes the
            folders for people.
        masked: Folder of the same people, by the names of their sub-folders, photographed in real plain
            masks: evaluate checks the drawn masks against these.
        split: People who train, validate and test: shares, or numbers such as [44,8,20].
        landmarks: mtcnn finds five points; mesh finds 468 more with the network in `mesh_model`; file reads
            them from `PHOTO.points.json` next to each photo and looks for no faces; arcface112 takes photos
            for chips that were cut by ArcFace's template, of any size, and looks for no faces.
        mesh_model: For mesh: face_landmark.tflite, or the mediapipe 0.10.21 wheel that holds it.
        cache_gb: Of placed masks that are kept. Beyond it files that were not used for longest are deleted,
            and never those that any run has in use, or used within a day.
        device: Where faces are looked for: cpu, cuda; auto takes the device of the training or
            evaluation that they are for, and else a GPU where there is one.
    """

    people: Path | None = None
    masked: Path | None = None
    split: tuple[float, float, float] = (0.61, 0.11, 0.28)
    landmarks: LandmarkSource = "mtcnn"
    mesh_model: Path | None = None
    cache_gb: float = Field(default=8.0, ge=0)
    device: DeviceName = "auto"

    @field_validator("split", mode="before")
    @classmethod
    def _all_three(cls, value: Any) -> Any:
        if isinstance(value, list | tuple) and len(value) != 3:
            raise ValueError("three numbers are needed, for train, validate and test")
        return value

    @field_validator("split")
    @classmethod
    def _three_parts(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        check_split(value)
        return value

    @model_validator(mode="after")
    def _mesh_has_a_model(self) -> "FacesSettings":
        if self.landmarks == "mesh" and self.mesh_model is None:
            raise ValueError(NO_MESH_MODEL)
        return self


def check_split(split: Sequence[float]) -> None:
    """Check that `split` is three whole numbers, or three fractions that sum to 1.

    Raises:
        ConfigError: It is neither.
    """
    possible = len(split) == 3 and all(math.isfinite(number) and number >= 0 for number in split)
    if not possible or not (is_counts(split) or math.isclose(sum(split), 1, abs_tol=1e-6)):
        raise ConfigError(
            f"The split {shown_split(split)} does not fit; give three whole numbers of people, such as "
            "[44,8,20], or three fractions that sum to 1, such as [0.61,0.11,0.28]."
        )


def is_counts(split: Sequence[float]) -> bool:
    """Whether `split` holds numbers of people, not fractions."""
    return all(float(number).is_integer() for number in split) and sum(split) > 1


def shown_split(split: Sequence[float]) -> str:
    """The split as the command line takes it."""
    return "[" + ",".join(f"{number:g}" for number in split) + "]"
