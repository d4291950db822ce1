"""Finding faces and their five landmarks with MTCNN."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float64
from PIL import Image

from advmask.core.errors import PhotoError
from advmask.core.threads import one_thread

# Longest side given to the detector. Its networks see at most 48 px of a face, so more pixels cost time only.
_LONGEST_PX = 1280

# The first network of MTCNN looks through a window of this size.
_WINDOW_PX = 12

# Smallest face looked for in a reduced photo, where `min_face_px` would fall below what MTCNN finds.
_SMALLEST_PX = 20

# facenet-pytorch truncates the corner of a face box to whole pixels when it cuts the box out, but not when it
# maps the landmarks back, which puts them half a pixel too far right and down on average. (Landmarks of 61
# photos and of their mirror images disagree by 1.0 px without this, and by nothing with it.)
TRUNCATION_PX = 0.5

# Two boxes count as equally large when the smaller has at least this share of the larger's area.
_NEARLY = 0.9


@dataclass(frozen=True, eq=False)
class Face:
    """A face found in a picture, in that picture's pixels (pixel centres at +0.5).

    Attributes:
        box: Left, top, right and bottom edge (x0, y0, x1, y1); may reach outside the picture.
        landmarks: Points (x, y) of the left-in-image eye, the right-in-image eye, the nose tip, the
            left-in-image and the right-in-image corner of the mouth.
        probability: The detector's own belief that this is a face, in [0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: Float64[np.ndarray, "5 2"]
    probability: float

    @property
    def area(self) -> float:
        """Area of the box in square pixels."""
        x0, y0, x1, y1 = self.box
        return max(x1 - x0, 0.0) * max(y1 - y0, 0.0)


class FaceDetector:
    """MTCNN with the weights that facenet-pytorch carries in its wheel; nothing is downloaded.

    The networks are loaded at the first picture, not at construction.

    Args:
        min_face_px: Smallest longer side of a face box, in pixels of the picture given. In a picture larger
            than 1280 px, which is reduced before the search, faces below 20 px of the *reduced* picture are
            not found either.
        min_probability: Smallest probability of a face that is reported, in [0, 1].
        device: Torch device of the networks.

    Source:
        Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded CNNs, 2016.
    """

    def __init__(self, *, min_face_px: int = 20, min_probability: float = 0.9, device: str = "cpu") -> None:
        if min_face_px < _WINDOW_PX:
            raise PhotoError(f"min_face_px is {min_face_px}; MTCNN finds faces from {_WINDOW_PX} px upwards.")
        self._min_face_px = min_face_px
        self._min_probability = min_probability
        self._device = device
        self._mtcnn: Any = None

    def detect(self, image: Image.Image) -> list[Face]:
        """Find all faces.

        Args:
            image: Picture of mode RGB.

        Returns:
            The faces, largest box first; empty when there is none.
        """
        reduction = min(1.0, _LONGEST_PX / max(image.size))
        seen = image
        if reduction < 1:
            width, height = (max(1, round(side * reduction)) for side in image.size)
            seen = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        smallest = max(self._min_face_px * reduction, min(self._min_face_px, _SMALLEST_PX))
        # Edge coordinates, so that resizing is one factor per axis and no half pixel is lost.
        factors = np.array([image.width / seen.width, image.height / seen.height])
        boxes, probabilities, points = self._run(seen, smallest)
        faces = [
            Face(
                box=tuple((box.reshape(2, 2) * factors).ravel().tolist()),
                landmarks=(five - TRUNCATION_PX) * factors,
                probability=float(probability),
            )
            for box, probability, five in zip(boxes, probabilities, points, strict=True)
        ]
        return sorted(filter(self._is_wanted, faces), key=lambda face: face.area, reverse=True)

    def _is_wanted(self, face: Face) -> bool:
        x0, y0, x1, y1 = face.box
        return (
            face.probability >= self._min_probability
            and max(x1 - x0, y1 - y0) >= self._min_face_px
            and bool(np.isfinite([*face.box, *face.landmarks.ravel()]).all())
        )

    def _run(self, image: Image.Image, smallest_px: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Boxes (n, 4), probabilities (n,) and landmarks (n, 5, 2) as float64."""
        nothing = np.zeros((0, 4)), np.zeros(0), np.zeros((0, 5, 2))
        if min(image.size) * (_WINDOW_PX / smallest_px) < _WINDOW_PX:
            return nothing  # MTCNN would build an empty pyramid and fail
        mtcnn = self._networks()
        mtcnn.min_face_size = smallest_px
        try:
            with one_thread():
                boxes, probabilities, points = mtcnn.detect(image, landmarks=True)
        except IndexError:
            # When a candidate box leaves the picture altogether, MTCNN drops it from one list and not
            # from the other. A margin keeps every candidate inside.
            boxes, probabilities, points = self._with_margin(image)
        if boxes is None:
            return nothing
        # The arrays come with dtype object, a workaround in facenet-pytorch for batches of unequal lengths.
        return tuple(np.asarray(part, dtype=np.float64) for part in (boxes, probabilities, points))  # type: ignore[return-value]

    def _with_margin(self, image: Image.Image) -> tuple[Any, Any, Any]:
        margin = max(image.size) // 2
        wide = Image.new("RGB", (image.width + 2 * margin, image.height + 2 * margin), (128, 128, 128))
        wide.paste(image, (margin, margin))
        try:
            boxes, probabilities, points = self._networks().detect(wide, landmarks=True)
        except IndexError:
            return None, None, None
        if boxes is None:
            return None, None, None
        return boxes - margin, probabilities, points - margin

    def _networks(self) -> Any:
        if self._mtcnn is None:
            with warnings.catch_warnings():
                # Older torch versions warn about the way in which the wheel stores its weights.
                warnings.simplefilter("ignore")
                import torch
                from facenet_pytorch import MTCNN

                self._mtcnn = MTCNN(keep_all=True, device=torch.device(self._device)).eval()
        return self._mtcnn


def choose_face(faces: Sequence[Face], *, size: tuple[int, int]) -> Face:
    """Choose the one face that a photo is taken to be of.

    The largest box wins: the person portrayed stands in front. Where others have at least nine tenths of its
    area, size decides nothing, and the one of them nearest to the centre of the picture is taken.

    Args:
        faces: At least one face.
        size: Width and height of the picture in pixels.

    Raises:
        PhotoError: There is no face.
    """
    if not faces:
        raise PhotoError("There is no face to choose from; use a photo that shows the whole face.")
    largest = max(face.area for face in faces)
    centre = np.array(size) / 2

    def off_centre(face: Face) -> float:
        return float(np.hypot(*(np.reshape(face.box, (2, 2)).mean(0) - centre)))

    return min((face for face in faces if face.area >= _NEARLY * largest), key=off_centre)
