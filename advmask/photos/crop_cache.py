"""Crops kept on disk, so that a photo is read and searched for faces once."""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from jaxtyping import Float32, Float64, UInt8
from torch import Tensor

from advmask.core.config_folders import user_folder
from advmask.core.errors import RunError
from advmask.core.files import delete, written_aside
from advmask.core.shown_names import shown
from advmask.photos.settings import FacesSettings

# What decides a crop besides the photo: names and plain values.
Recipe = Mapping[str, str | int | float]

# To be raised whenever the same photo and settings would give another crop than before.
FORMAT_VERSION = 4

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
    """A folder with one safetensors file per photo content and settings.

    A damaged file counts as absent and is replaced. A folder that cannot be written is reported once, through
    `logging`, and stops nothing. Crops are biometric data: a folder made here is for its owner only.

    Args:
        folder: Where the files are; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._writable = folder is not None

    def get(self, sha256: str, recipe: Recipe) -> CachedCrop | CachedFailure | None:
        """Look up what is known of a photo.

        Args:
            sha256: Hexadecimal SHA-256 of the photo file.
            recipe: Everything that, besides the photo, decides the crop.

        Returns:
            The crop, the remembered failure, or None when neither is known. The tensors of a crop are mapped
            from the file, copy on write: the system reads them in and drops them again as it sees fit, so
            that they do not count against memory. They outlive the file's deletion.
        """
        if self._folder is None:
            return None
        path = self._path(sha256, recipe)
        try:
            with safetensors.safe_open(path, framework="pt") as file:
                about = file.metadata() or {}
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return _unpacked(about, tensors)
        except (OSError, safetensors.SafetensorError, KeyError, ValueError, RuntimeError):
            return None

    def put(self, sha256: str, recipe: Recipe, value: CachedCrop | CachedFailure) -> None:
        """Remember what came of a photo; `sha256` and `recipe` as in `get`."""
        if self._folder is None or not self._writable:
            return
        about, tensors = _packed(value)
        content = safetensors.torch.save(tensors, about)
        try:
            # Made here and not by `written_aside`, which would let others in.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            with written_aside(self._path(sha256, recipe)) as aside:
                aside.write_bytes(content)
        except (RunError, OSError) as error:
            self._writable = False
            _log.warning("Crops are not kept for the next run: %s", error)

    def size(self) -> tuple[int, int]:
        """Count the files and their bytes."""
        sizes = [size for path in self._files() if (size := _bytes_of(path)) is not None]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Delete the files of this cache, and nothing else in the folder.

        Returns:
            The number of files deleted.

        Raises:
            RunError: A file cannot be deleted.
        """
        return delete(self._files())

    def _path(self, sha256: str, recipe: Recipe) -> Path:
        assert self._folder is not None
        key = json.dumps([FORMAT_VERSION, sha256, dict(recipe)], sort_keys=True)
        return self._folder / f"crop-{hashlib.sha256(key.encode()).hexdigest()}.safetensors"

    def _files(self) -> Iterator[Path]:
        if self._folder is not None and self._folder.is_dir():
            yield from self._folder.glob("crop-*.safetensors")
            yield from self._folder.glob(".crop-*.safetensors")  # left behind by a killed process


def _packed(value: CachedCrop | CachedFailure) -> tuple[dict[str, str], dict[str, Tensor]]:
    if isinstance(value, CachedFailure):
        about: dict[str, str] = {"failure": shown(value.reason)}
        tensors: dict[str, Tensor] = {}
    else:
        width, height = value.photo_size
        about = {
            "face_px": repr(float(value.face_px)),
            "faces": str(value.faces),
            "width": str(width),
            "height": str(height),
        }
        tensors = {
            name: tensor.contiguous().cpu()
            for name in ("picture", "landmarks", "transform", "dense", "occluder")
            if (tensor := getattr(value, name)) is not None
        }
    about["digest"] = _digest(about, tensors)
    return about, tensors


def _unpacked(about: dict[str, str], tensors: dict[str, Tensor]) -> CachedCrop | CachedFailure:
    if about.pop("digest") != _digest(about, tensors):
        raise ValueError("the content is not what was written")
    if "failure" in about:
        return CachedFailure(about["failure"])
    return CachedCrop(
        **tensors,
        face_px=float(about["face_px"]),
        faces=int(about["faces"]),
        photo_size=(int(about["width"]), int(about["height"])),
    )


def _digest(about: Mapping[str, str], tensors: Mapping[str, Tensor]) -> str:
    """A checksum of all that is kept; safetensors has none, and a disk can flip a bit."""
    digest = hashlib.sha256(json.dumps(dict(about), sort_keys=True).encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)} ".encode())
        # No copy: reading through the mapping leaves the bytes where the system can drop them.
        digest.update(tensor.contiguous().view(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _bytes_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None  # deleted by another process meanwhile


def crop_cache(settings: FacesSettings) -> CropCache:
    """The cache that the settings name."""
    if isinstance(settings.cache, Path):
        return CropCache(settings.cache)
    return CropCache(default_crop_folder() if settings.cache else None)
