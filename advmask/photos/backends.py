"""Where landmarks come from: MTCNN, a face mesh, a file next to the photo, or the template of chips."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float64
from PIL import Image

from advmask.core.errors import ConfigError, PhotoError
from advmask.core.together import together
from advmask.photos.chips import chip_points
from advmask.photos.crop_cache import CachedFailure, Recipe
from advmask.photos.detection import Face, FaceDetector, choose_face
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.landmark_files import points_path, read_points
from advmask.photos.settings import NO_MESH_MODEL, LandmarkSource
from advmask.photos.turns import however_turned


@dataclass(frozen=True, eq=False)
class Located:
    """A face in a photo, in pixels of the upright photo.

    Attributes:
        five: In the order of `Face.landmarks`.
        dense: Mesh points (x, y, z) as `FaceMesh.points` gives them, or None.
        faces: Number of faces in the photo.
    """

    five: Float64[np.ndarray, "5 2"]
    dense: Float64[np.ndarray, "468 3"] | None
    faces: int


@runtime_checkable
class LandmarkBackend(Protocol):
    """What finds the landmarks of a photo.

    Attributes:
        recipe: What, besides the photo and its companion, decides the landmarks.
        seconds: CPU time that a small photo takes, about.
        device: Where networks run.
    """

    recipe: Recipe
    seconds: float
    device: torch.device = torch.device("cpu")

    def companion(self, photo: Path) -> Path | None:
        """Give the file next to the photo that decides the landmarks too, if there is such a file."""

    def locate(self, image: Image.Image, photo: Path) -> Located | CachedFailure:
        """Find the face, or say why not, in words that fit every copy of the photo.

        Raises:
            PhotoError: The landmarks cannot be had, for a reason not to be remembered.
        """

    def locate_all(
        self, images: Sequence[Image.Image], photos: Sequence[Path]
    ) -> list[Located | CachedFailure | PhotoError]:
        """As `locate`, for several photos at once, with what is raised given back."""
        return [_tried(self, image, photo) for image, photo in zip(images, photos, strict=True)]


def _tried(backend: LandmarkBackend, image: Image.Image, photo: Path) -> Located | CachedFailure | PhotoError:
    try:
        return backend.locate(image, photo)
    except PhotoError as error:
        return error


class DetectedLandmarks(LandmarkBackend):
    """MTCNN, which is made at the first photo.

    Args:
        min_face_px: As in `FaceDetector`.
        min_probability: As in `FaceDetector`.
        device: Where its networks run.
    """

    seconds = 0.05

    def __init__(
        self, *, min_face_px: int, min_probability: float, device: torch.device | str = "cpu"
    ) -> None:
        self.recipe: Recipe = {
            "detector": "mtcnn",
            "min_face_px": min_face_px,
            "min_probability": min_probability,
            "device": torch.device(device).type,  # the last bits of landmarks depend on it
        }
        self._min_face_px, self._min_probability = min_face_px, min_probability
        self.device = torch.device(device)
        self._detector: FaceDetector | None = None

    def companion(self, photo: Path) -> Path | None:
        """No file next to the photo counts."""
        return None

    def locate(self, image: Image.Image, photo: Path) -> Located | CachedFailure:
        """Find the largest face, also in a photo that lies on its side or stands on its head."""
        return _located(self.choose(image))

    def locate_all(
        self, images: Sequence[Image.Image], photos: Sequence[Path]
    ) -> list[Located | CachedFailure | PhotoError]:
        """As `locate`; on a GPU the networks see the photos together."""
        return [_located(found) for found in self.choose_all(images)]

    def choose(self, image: Image.Image) -> tuple[Face, int] | CachedFailure:
        """Give the largest face and the number of faces, or say that there is none."""
        return self.choose_all([image])[0]

    def choose_all(self, images: Sequence[Image.Image]) -> list[tuple[Face, int] | CachedFailure]:
        """As `choose`, for several pictures at once."""
        if not images:
            return []
        if self._detector is None:
            self._detector = FaceDetector(
                min_face_px=self._min_face_px,
                min_probability=self._min_probability,
                largest_only=True,
                device=self.device,
            )
        found = together([however_turned(image) for image in images], self._detector.detect_all)
        return [
            (choose_face(faces, size=image.size), len(faces))
            if faces
            else CachedFailure(
                f"No face of {self._min_face_px} px or more was found; use a photo that shows the whole face."
            )
            for image, faces in zip(images, found, strict=True)
        ]


def _located(found: tuple[Face, int] | CachedFailure) -> Located | CachedFailure:
    return found if isinstance(found, CachedFailure) else Located(found[0].landmarks, None, found[1])


class MeshLandmarks(LandmarkBackend):
    """MTCNN finds the face and gives the five points; a mesh network adds 468.

    Args:
        detected: The detector.
        mesh: The network.
    """

    seconds = 0.1

    def __init__(self, detected: DetectedLandmarks, mesh: FaceMesh) -> None:
        self._detected, self._mesh, self.device = detected, mesh, detected.device
        self.recipe: Recipe = {**detected.recipe, "mesh": mesh.sha256}

    def companion(self, photo: Path) -> Path | None:
        """No file next to the photo counts."""
        return None

    def locate(self, image: Image.Image, photo: Path) -> Located | CachedFailure:
        """Find the largest face and its mesh."""
        return self._with_mesh(image, self._detected.choose(image))

    def locate_all(
        self, images: Sequence[Image.Image], photos: Sequence[Path]
    ) -> list[Located | CachedFailure | PhotoError]:
        """As `locate`; on a GPU MTCNN sees the photos together, and the mesh network one by one."""
        found = self._detected.choose_all(images)
        return [self._with_mesh(image, one) for image, one in zip(images, found, strict=True)]

    def _with_mesh(
        self, image: Image.Image, found: tuple[Face, int] | CachedFailure
    ) -> Located | CachedFailure:
        if isinstance(found, CachedFailure):
            return found
        face, faces = found
        try:
            return Located(face.landmarks, self._mesh.points(image, face), faces)
        except PhotoError as error:
            return CachedFailure(str(error))


class FileLandmarks(LandmarkBackend):
    """A file next to each photo; no detector runs."""

    seconds = 0.01

    def __init__(self) -> None:
        self.recipe: Recipe = {"detector": "file"}

    def companion(self, photo: Path) -> Path | None:
        """The points file."""
        return points_path(photo)

    def locate(self, image: Image.Image, photo: Path) -> Located | CachedFailure:
        """Read the points of the photo's one face."""
        given = read_points(points_path(photo), size=image.size)
        return Located(given.five, given.dense, 1)


class ChipLandmarks(LandmarkBackend):
    """Photos that are aligned chips, whose landmarks are the template's; no detector runs."""

    seconds = 0.01

    def __init__(self) -> None:
        self.recipe: Recipe = {"detector": "arcface112"}

    def companion(self, photo: Path) -> Path | None:
        """No file next to the chip counts."""
        return None

    def locate(self, image: Image.Image, photo: Path) -> Located | CachedFailure:
        """Give the template's points."""
        five = chip_points(image.size)
        if five is None:
            width, height = image.size
            return CachedFailure(
                f"The picture is {width} x {height} px, and a chip by ArcFace's template is square; leave "
                "out faces.landmarks=arcface112 for whole photos and for other templates."
            )
        return Located(five, None, 1)


def landmark_backend(
    source: LandmarkSource,
    *,
    mesh_model: Path | None,
    min_face_px: int,
    min_probability: float,
    device: torch.device | str = "cpu",
) -> LandmarkBackend:
    """Build the backend that the settings name.

    Args:
        source: Which.
        mesh_model: File of the mesh network, or a wheel that holds it; for "mesh" only.
        min_face_px: As in `FaceDetector`.
        min_probability: As in `FaceDetector`.
        device: Where MTCNN runs.

    Raises:
        ConfigError: "mesh" without a file.
        WeightsError: The file cannot be read.
    """
    if source == "file":
        return FileLandmarks()
    if source == "arcface112":
        return ChipLandmarks()
    detected = DetectedLandmarks(min_face_px=min_face_px, min_probability=min_probability, device=device)
    if source == "mtcnn":
        return detected
    if mesh_model is None:
        raise ConfigError(NO_MESH_MODEL)
    return MeshLandmarks(detected, FaceMesh(mesh_model))
