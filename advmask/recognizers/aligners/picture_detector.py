"""A detector of a pipeline, run on whole pictures as MTCNN is: by `advmask judge` and `advmask apply`."""

from typing import Protocol

import numpy as np
import torch
from PIL import Image

from advmask.core.errors import ConfigError
from advmask.photos.detection import Face, FaceDetector
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.detector import DetectorAligner
from advmask.recognizers.settings import DETECTORS

_LARGEST_PX = 1280  # of a picture that a detector would otherwise take in its own size


class PictureDetector(Protocol):
    """What finds the faces of a whole picture.

    Attributes:
        sure: Score from which a picture is not searched in other turns.
    """

    @property
    def sure(self) -> float:
        """Score from which a picture is not searched in other turns."""

    def detect(self, image: Image.Image) -> list[Face]:
        """Find all faces of a picture of mode RGB, the largest first."""


def picture_detector(
    name: str, *, min_face_px: int, min_probability: float, largest_only: bool = False
) -> PictureDetector:
    """Build what finds faces.

    Args:
        name: `mtcnn`, or a detector's ONNX file or pack, as aligners are called.
        min_face_px: Smallest longer side of a face, px of the picture.
        min_probability: Of MTCNN's faces; other detectors have the score of their maker.
        largest_only: For MTCNN: whether only the largest face matters.

    Raises:
        ConfigError: There is no such detector.
        WeightsError: Its file is missing, damaged or another.
    """
    if name == "mtcnn":
        return FaceDetector(
            min_face_px=min_face_px, min_probability=min_probability, largest_only=largest_only
        )
    aligner = build_aligner(name)
    if not isinstance(aligner, DetectorAligner):
        raise ConfigError(f"{name} finds no faces in whole pictures; known are {DETECTORS}.")
    return OnWholePictures(aligner, min_face_px=min_face_px)


class OnWholePictures:
    """A detector's own search of a picture, scaled as its maker scales it.

    A detector that takes pictures in their own size is given large ones reduced to 1280 px.

    Args:
        aligner: The detector.
        min_face_px: Smallest longer side of a face, px of the picture.
    """

    def __init__(self, aligner: DetectorAligner, *, min_face_px: int) -> None:
        self.aligner, self._min_face_px = aligner, min_face_px

    @property
    def sure(self) -> float:
        """Score from which a picture is not searched in other turns: that of every face."""
        return self.aligner.confidence

    def detect(self, image: Image.Image) -> list[Face]:
        """Find all faces, the largest first."""
        scale = 1.0
        seen = image
        if not self.aligner.scales and max(image.size) > _LARGEST_PX:
            scale = _LARGEST_PX / max(image.size)
            width, height = (max(1, round(side * scale)) for side in image.size)
            seen = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        per_px = np.array([image.width / seen.width, image.height / seen.height])
        picture = torch.from_numpy(np.array(seen, dtype=np.float32) / 255).permute(2, 0, 1)
        with torch.no_grad():
            found = self.aligner.faces(picture)
        faces = [
            Face(
                box=tuple((box.numpy().reshape(2, 2) * per_px).ravel().tolist()),
                landmarks=points.numpy() * per_px,
                probability=float(score),
            )
            for box, points, score in zip(
                found.boxes.double(), found.points.double(), found.scores, strict=True
            )
        ]
        kept = [face for face in faces if face.side >= self._min_face_px]
        return sorted(kept, key=lambda face: face.area, reverse=True)
