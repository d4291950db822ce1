"""Which faces of a picture wear the mask, and how steady it sits in a video."""

from pathlib import Path
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from advmask.core.settings import Settings
from advmask.photos.settings import NO_MESH_MODEL
from advmask.recognizers.settings import check_detector

Share = Literal["square", "portrait", "gif"]
"""square: 1080 x 1080, side by side; portrait: 1080 x 1350; gif: 1080 x 1080, one after the other."""


class FindSettings(Settings):
    """Which faces are found, and by what points masks are placed.

    Attributes:
        min_face_px: Smallest face that gets a mask, px of the picture: the longer side of its box.
        min_probability: Of a face that MTCNN detects; other detectors have the score of their makers.
        landmarks: mtcnn finds five points; mesh finds 468 more with the network in `mesh_model`; file reads
            those of one face from `PHOTO.points.json` next to each photo; scrfd:PATH, retinaface:PATH,
            yunet:PATH and insightface:PACK find faces and five points by another detector.
        mesh_model: For mesh: face_landmark.tflite, or the mediapipe 0.10.21 wheel that holds it.
    """

    min_face_px: int = Field(default=30, ge=12)
    min_probability: float = Field(default=0.9, ge=0, le=1)
    landmarks: str = "mtcnn"
    mesh_model: Path | None = None

    @field_validator("mesh_model", mode="before")
    @classmethod
    def _not_empty(cls, value: Any) -> Any:
        if value == "":
            raise ValueError("an empty path; give one, or null for the default")
        return value

    @field_validator("landmarks")
    @classmethod
    def _known(cls, value: str) -> str:
        if value not in ("mesh", "file"):
            check_detector(value, others="mesh, file, ")
        return value

    @model_validator(mode="after")
    def _mesh_has_a_model(self) -> "FindSettings":
        if self.landmarks == "mesh" and self.mesh_model is None:
            raise ValueError(NO_MESH_MODEL)
        return self


class SteadySettings(Settings):
    """How steady masks are held in a video.

    Attributes:
        every: Frames from one search of the whole picture for new faces to the next.
        span_s: Longest time over which a still face's place is averaged, s: the standard deviation of the
            weights. Moving faces get shorter ones by themselves; 0 leaves all as it was found.
        gap_s: Longest time for which a face that was not found keeps its mask, s.
    """

    every: int = Field(default=5, ge=1, le=100)
    span_s: float = Field(default=0.4, ge=0, le=10)
    gap_s: float = Field(default=0.4, ge=0, le=10)
