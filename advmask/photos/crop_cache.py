"""Crops kept on disk, so that a photo is read and searched for faces once."""

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from advmask.core.config_folders import user_folder
from advmask.core.shards import Shards
from advmask.core.shown_names import shown
from advmask.photos.settings import FacesSettings

# What decides a crop besides the photo: names and plain values.
Recipe = Mapping[str, str | int | float]

# To be raised whenever the same photo and settings would give another crop than before.
FORMAT_VERSION = 5

_TENSORS = ("picture", "landmarks", "transform", "dense", "occluder")
_FORMER = ("crop-*.safetensors", ".crop-*.safetensors")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class CachedCrop:
    """What a photo's content and the settings decide of a `FaceCrop`, and how many faces there were.

    Attributes:
        picture: (3, size, size), 0 to 255.
        landmarks: Pixels of the crop.
        transform: Points of the photo to points of the crop.
        face_px: Distance between the eyes in the photo.
        faces: Number of faces found in the photo, at least 1.
        photo_size: Width and height of the upright photo in pixels.
        dense: Mesh points as in `FaceCrop`, or None.
        occluder: As in `FaceCrop`, or None.
    """

    picture: UInt8[Tensor, "3 size size"]
    landmarks: Float32[Tensor, "5 2"]
    transform: Float64[Tensor, "2 3"]
    face_px: float
    faces: int
    photo_size: tuple[int, int]
    dense: Float32[Tensor, "468 3"] | None = None
    occluder: UInt8[Tensor, "size size"] | None = None


@dataclass(frozen=True)
class CachedFailure:
    """Why a photo gives no crop, in one sentence that names no file."""

    reason: str


def default_crop_folder() -> Path | None:
    """The folder for crops in this user's cache; None, and nothing is kept, without a home folder."""
    folder = user_folder("cache")
    return None if folder is None else folder / "crops"


class CropCache:
    """Crops by photo content and settings, in shards of a folder that several processes may share.

    What is damaged counts as absent and is replaced. A folder that cannot be written is reported once,
    through `logging`, and stops nothing. Crops are biometric data: a folder made here is for its owner only.

    Args:
        folder: Where the files are; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._shards = None if folder is None else Shards(folder, "crops", former=_FORMER)
        self._writable = folder is not None

    def get(self, sha256: str, recipe: Recipe) -> CachedCrop | CachedFailure | None:
        """Look up what is known of a photo.

        Args:
            sha256: Hexadecimal SHA-256 of the photo file.
            recipe: Everything that, besides the photo, decides the crop.

        Returns:
            The crop, the remembered failure, or None when neither is known. The tensors of a crop are mapped,
            as `Shards.get` says.
        """
        found = None if self._shards is None else self._shards.get(_key(sha256, recipe))
        if found is None:
            return None
        tensors, about = found
        if "failure" in about:
            return CachedFailure(about["failure"])
        return CachedCrop(
            **tensors,
            face_px=float(about["face_px"]),
            faces=int(about["faces"]),
            photo_size=(int(about["width"]), int(about["height"])),
        )

    def put(self, sha256: str, recipe: Recipe, value: CachedCrop | CachedFailure) -> bool:
        """Remember what came of a photo; `sha256` and `recipe` as in `get`. Tells whether it is kept."""
        if self._shards is None or not self._writable:
            return False
        tensors: dict[str, Tensor] = {}
        if isinstance(value, CachedFailure):
            about = {"failure": shown(value.reason)}
        else:
            width, height = value.photo_size
            about = {"face_px": repr(float(value.face_px)), "faces": str(value.faces)}
            about |= {"width": str(width), "height": str(height)}
            tensors = {name: one for name in _TENSORS if (one := getattr(value, name)) is not None}
        try:
            self._shards.put(_key(sha256, recipe), tensors, about)
        except OSError as error:
            self._writable = False
            _log.warning("Crops are not kept for the next run: %s", error)
        return self._writable

    def size(self) -> tuple[int, int]:
        """Count the photos, and the bytes of the files."""
        return (0, 0) if self._shards is None else self._shards.size()

    def clear(self) -> int:
        """Delete the files of this cache, and nothing else in the folder.

        Returns:
            The number of photos.

        Raises:
            RunError: A file cannot be deleted.
        """
        return 0 if self._shards is None else self._shards.clear()


def _key(sha256: str, recipe: Recipe) -> str:
    key = json.dumps([FORMAT_VERSION, sha256, dict(recipe)], sort_keys=True)
    return hashlib.sha256(key.encode()).hexdigest()


def crop_cache(settings: FacesSettings) -> CropCache:
    """The cache that the settings name."""
    if isinstance(settings.cache, Path):
        return CropCache(settings.cache)
    return CropCache(default_crop_folder() if settings.cache else None)
