"""All faces of a picture, not only the largest, with the landmarks that a mask is placed by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from PIL import Image

from advmask.applying.settings import FindSettings
from advmask.core.errors import PhotoError
from advmask.photos.detection import Face
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.landmark_files import points_path, read_points
from advmask.photos.tiles import Box, overlap
from advmask.photos.turns import find_however_turned
from advmask.recognizers.aligners.picture_detector import picture_detector

# A face looked for again is brought to this size in a square of so many times its side, where faces of half
# its size are still found and a moving one has not left.
_AGAIN_PX = 96
_AGAIN_AROUND = 2.0
_AGAIN_SMALLEST_PX = 48
# Least overlap of a face with where it was.
SAME_FACE = 0.3
# A detected face is so wide and high, in longer sides of the box around its five points, and its middle lies
# so much of the way from mouth to eyes above theirs.
_FACE = (1.95, 2.6)
_BROW = 0.09


@dataclass(frozen=True, eq=False)
class FoundFace:
    """One face in a picture, in that picture's pixels (pixel centres at +0.5).

    Attributes:
        box: Left, top, right and bottom edge (x0, y0, x1, y1).
        five: In the order of `Face.landmarks`.
        dense: Mesh points (x, y, z) as `FaceMesh.points` gives them, or None.
    """

    box: Box
    five: Float64[np.ndarray, "5 2"]
    dense: Float64[np.ndarray, "468 3"] | None = None


class FaceFinder:
    """Finds faces in whole pictures, and again where they were a moment ago.

    Args:
        settings: Which faces, by what.

    Raises:
        WeightsError: The mesh model, or a detector's file, cannot be read or is another network.
    """

    def __init__(self, settings: FindSettings) -> None:
        self.settings = settings
        name = "mtcnn" if settings.landmarks in ("mesh", "file") else settings.landmarks
        self._everywhere, self._nearby = (
            picture_detector(name, min_face_px=smallest, min_probability=settings.min_probability)
            for smallest in (settings.min_face_px, _AGAIN_SMALLEST_PX)
        )
        wanted = settings.landmarks == "mesh" and settings.mesh_model is not None
        self._mesh = FaceMesh(settings.mesh_model.expanduser()) if wanted and settings.mesh_model else None

    def find(self, image: Image.Image) -> list[FoundFace]:
        """Find all faces of a picture of mode RGB, the largest first."""
        return [self._with_mesh(image, face) for face in self._everywhere.detect(image)]

    def find_however_turned(self, image: Image.Image) -> list[FoundFace]:
        """As `find`, but also in a picture that lies on its side or stands on its head."""
        found = find_however_turned(image, self._everywhere.detect, sure=self._everywhere.sure)
        return [self._with_mesh(image, face) for face in found]

    def find_again(self, image: Image.Image, box: Box) -> FoundFace | None:
        """Find a face near the place where it was: some twenty times as fast as `find`.

        Args:
            image: Picture of mode RGB.
            box: Where the face was.
        """
        x0, y0, x1, y1 = box
        side = max(x1 - x0, y1 - y0)
        middle = np.array([(x0 + x1) / 2, (y0 + y1) / 2])
        low = np.floor((middle - _AGAIN_AROUND * side / 2).clip(0, image.size)).astype(int)
        high = np.ceil((middle + _AGAIN_AROUND * side / 2).clip(0, image.size)).astype(int)
        if (high - low < 2).any():
            return None
        seen = np.maximum(2, np.rint((high - low) * _AGAIN_PX / side)).astype(int)
        factors = (high - low) / seen
        part = image.resize(
            (int(seen[0]), int(seen[1])),
            Image.Resampling.LANCZOS,
            box=(*low.tolist(), *high.tolist()),
            reducing_gap=3.0,
        )
        faces = [
            Face(
                box=tuple((np.reshape(face.box, (2, 2)) * factors + low).ravel().tolist()),
                landmarks=face.landmarks * factors + low,
                probability=face.probability,
            )
            for face in self._nearby.detect(part)
        ]
        nearest = max(faces, key=lambda face: overlap(face.box, box), default=None)
        if nearest is None or overlap(nearest.box, box) < SAME_FACE:
            return None
        return self._with_mesh(image, nearest)

    def find_same(self, image: Image.Image, face: FoundFace) -> FoundFace | None:
        """Find a face afresh that may wear something now: near the place where it was, else anywhere."""
        near = self.find_again(image, face.box)
        return near or next((one for one in self.find(image) if overlap(one.box, face.box) > SAME_FACE), None)

    def _with_mesh(self, image: Image.Image, face: Face) -> FoundFace:
        dense = None
        if self._mesh is not None:
            try:
                dense = self._mesh.points(image, face)
            except PhotoError:  # the network sees no face here; five points will do
                dense = None
        return FoundFace(face.box, face.landmarks, dense)


def given_face(photo: Path, *, size: tuple[int, int]) -> FoundFace:
    """The one face whose points lie in a file next to the photo.

    Args:
        photo: The photo.
        size: Width and height of the upright photo in pixels.

    Raises:
        PhotoError: The file is missing, or does not fit the photo.
    """
    given = read_points(points_path(photo), size=size)
    down = given.five[3:].mean(axis=0) - given.five[:2].mean(axis=0)
    length = np.ptp(given.five, axis=0).max()
    middle = (given.five.min(axis=0) + given.five.max(axis=0)) / 2 - _BROW * down
    half = length * np.array(_FACE if abs(down[1]) >= abs(down[0]) else _FACE[::-1]) / 2
    return FoundFace((*(middle - half).tolist(), *(middle + half).tolist()), given.five, given.dense)
