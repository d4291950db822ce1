"""From one photo file to its crop, through the cache."""

from pathlib import Path

import numpy as np
import torch

from advmask.errors import PhotoError
from advmask.files import sha256
from advmask.photos.cache import CachedCrop, CachedFailure, CropCache
from advmask.photos.crops import FaceCrop, apply_transform, crop_transform, cut_crop
from advmask.photos.detection import FaceDetector, choose_face
from advmask.pictures import read_picture

# Below this distance between the eyes there is no face left to recognise.
_MIN_EYES_PX = 10


class CropCutter:
    """Cuts crops by one recipe; the detector is made when a photo is new to the cache, and not before.

    Args:
        cache: Where crops are looked up and kept.
        size: Side of the crops in pixels.
        min_face_px: As in `FaceDetector`.
        min_probability: As in `FaceDetector`.
    """

    def __init__(self, cache: CropCache, *, size: int, min_face_px: int, min_probability: float) -> None:
        self._cache = cache
        self._size = size
        self._min_face_px, self._min_probability = min_face_px, min_probability
        self._recipe: dict[str, str | int | float] = {
            "detector": "mtcnn",
            "size": size,
            "min_face_px": min_face_px,
            "min_probability": min_probability,
            "min_eyes_px": _MIN_EYES_PX,
        }
        self._detector: FaceDetector | None = None
        self._seen: dict[tuple[str, str], Path] = {}

    def cut(self, path: Path, *, person: str) -> tuple[FaceCrop, int]:
        """Cut the face of one photo.

        Args:
            path: The photo.
            person: Whose it is.

        Returns:
            The crop, and how many faces the photo shows.

        Raises:
            PhotoError: The photo is unreadable, shows no face or one too small, or was given before for the
                same person.
        """
        content = _content(path)
        first = self._seen.setdefault((person, content), path)
        if first != path:
            raise PhotoError(f"This is the same photo as {first.name}; it counts once.")
        known = self._cache.get(content, self._recipe)
        if known is None:
            known = self._looked_at(path)
            self._cache.put(content, self._recipe, known)
        if isinstance(known, CachedFailure):
            raise PhotoError(known.reason)
        crop = FaceCrop(
            picture=known.picture,
            landmarks=known.landmarks,
            person=person,
            source=path,
            transform=known.transform,
            face_px=known.face_px,
            sha256=content,
        )
        return crop, known.faces

    def _looked_at(self, path: Path) -> CachedCrop | CachedFailure:
        image = read_picture(path)  # an unreadable file raises and is not remembered: permissions change
        if self._detector is None:
            self._detector = FaceDetector(
                min_face_px=self._min_face_px, min_probability=self._min_probability
            )
        faces = self._detector.detect(image)
        if not faces:
            return CachedFailure(
                f"No face of {self._min_face_px} px or more was found; use a photo that shows the whole face."
            )
        landmarks = choose_face(faces, size=image.size).landmarks
        eyes_px = float(np.hypot(*(landmarks[1] - landmarks[0])))
        if eyes_px < _MIN_EYES_PX:
            return CachedFailure(
                f"The eyes are {eyes_px:.1f} px apart, and {_MIN_EYES_PX} px are needed; use a larger photo."
            )
        try:
            transform = crop_transform(landmarks, size=self._size)
            picture = cut_crop(image, transform, size=self._size)
        except PhotoError as error:
            return CachedFailure(str(error))
        return CachedCrop(
            picture=torch.from_numpy(picture).permute(2, 0, 1).contiguous(),
            landmarks=torch.from_numpy(apply_transform(transform, landmarks)).to(torch.float32),
            transform=torch.from_numpy(transform),
            face_px=eyes_px,
            faces=len(faces),
        )


def _content(path: Path) -> str:
    try:
        return sha256(path)
    except OSError as error:
        read_picture(path)  # knows the sentence for every way in which a file cannot be opened
        raise PhotoError(f"Cannot read {path}: {error.strerror or error}; try again.") from error
