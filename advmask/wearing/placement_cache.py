"""Placements kept on disk, so that masks are laid on a photo once and do not fill the memory."""

import hashlib
import json
import logging
import shutil
from collections.abc import Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor

from advmask.core.config_folders import user_folder
from advmask.core.errors import RunError
from advmask.core.shards import FULL_BYTES, Shards
from advmask.masks.placement import Wear
from advmask.photos.crops import FaceCrop
from advmask.photos.settings import FacesSettings
from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings
from advmask.render.texel_taps import Taps

LIMIT_BYTES = 8 * 10**9  # of files that no run is using

_SPARE_BYTES = 10**9  # of the disk that is left to others
_UNUSED_S = 86400.0  # a run of some hours marks the files it uses once, when it begins
_ABOUT_BYTES = 1024  # of a record besides the numbers of a placement
_TENSORS = ("pixel", "gain", "under", "tint")
_SIZES = ("height", "width", "levels")
_FORMER = ("placements-*.safetensors", ".placements-*.safetensors")
# Whose face it is and where the photo lies change nothing in a placement.
_NOT_IN_KEY = ("person", "source")
# To be raised whenever the same photo, mask and settings would give another placement for a reason outside
# this package's code, such as a library that computes otherwise.
FORMAT_VERSION = 1
# Of the formulas and shipped data that make placements (masks, render, colour, placing), raised whenever a
# photo's placements change, so that those of the formula before are not shown. The golden test of the
# placements says when.
PLACING_VERSION = 3

_log = logging.getLogger(__name__)


def placement_cache(faces: FacesSettings) -> "PlacementCache":
    """The cache for placements on these photos: next to their crops, or none where crops are not kept."""
    folder = default_placement_folder() if faces.cache else None
    if isinstance(faces.cache, Path):
        folder = placements_beside(faces.cache)
    return PlacementCache(folder, limit_bytes=int(faces.cache_gb * 1e9))


def placements_beside(crops: Path) -> Path:
    """The folder for placements that belongs to a folder for crops that the user chose."""
    return crops / "placements"


def default_placement_folder() -> Path | None:
    """The folder for placements in this user's cache; None, and nothing is kept, without a home folder."""
    folder = user_folder("cache")
    return None if folder is None else folder / "placements"


def placement_key(
    crop: FaceCrop,
    *,
    surface_sha256: str,
    wears: Sequence[Wear],
    texels_per_mm: float,
    render: RenderSettings,
) -> str:
    """Hexadecimal SHA-256 over everything that decides a photo's placements, our formulas' version included.

    Args:
        crop: The photo; all of it counts, but for the person's name and the file's place.
        surface_sha256: Of the mask, from `surface_digest`.
        wears: How it sits in each placement.
        texels_per_mm: Of the textures.
        render: How masks are drawn.
    """
    about = {
        "version": FORMAT_VERSION,
        "placing": PLACING_VERSION,
        "surface": surface_sha256,
        "wears": [asdict(wear) for wear in wears],
        "texels_per_mm": float(texels_per_mm),
        "render": render.model_dump(mode="json"),
    }
    digest = hashlib.sha256(json.dumps(about, sort_keys=True).encode())
    for field in fields(crop):
        value = getattr(crop, field.name)
        if field.name in _NOT_IN_KEY:
            continue
        if isinstance(value, Tensor):
            digest.update(f"{field.name} {value.dtype} {tuple(value.shape)} ".encode())
            digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().data)
        else:
            digest.update(f"{field.name} {json.dumps(value)} ".encode())
    return digest.hexdigest()


class PlacementCache:
    """Placements by photo, mask and settings, in shards of a folder that several processes may share.

    What is damaged counts as absent and is replaced. A folder that cannot be written, or a disk that is
    nearly full, is reported once, through `logging`, and stops nothing. Placements hold what is seen of the
    face around and under the mask, which is biometric data: a folder made here is for its owner only.

    Args:
        folder: Where the files are; None keeps nothing.
        limit_bytes: Beyond it `prune` deletes what was not used for `unused_s`.
        unused_s: Seconds within which files are left alone, as another run may be using them.
        spare_bytes: Of the disk that are never taken.
        full_bytes: Size of a shard, which is what is deleted at once.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        limit_bytes: int = LIMIT_BYTES,
        spare_bytes: int = _SPARE_BYTES,
        unused_s: float = _UNUSED_S,
        full_bytes: int = FULL_BYTES,
    ) -> None:
        self._shards = (
            None if folder is None else Shards(folder, "placements", former=_FORMER, full_bytes=full_bytes)
        )
        self._folder = folder
        self._limit = limit_bytes
        self._spare = spare_bytes
        self._unused = unused_s
        self._writable = folder is not None

    def holds(self, key: str, ways: int) -> bool:
        """Tell whether `ways` placements are kept, which are then in use and not deleted.

        Checksums are compared when a placement is first asked for.
        """
        shards = self._shards
        return shards is not None and all(_key_of(key, way) in shards for way in range(ways))

    def get(self, key: str, way: int) -> PackedPlacement | None:
        """Map one placement, as `Shards.get` does.

        Returns:
            The placement, or None when there is none or it is damaged.
        """
        found = None if self._shards is None else self._shards.get(_key_of(key, way))
        return None if found is None else _placement(*found)

    def put(self, key: str, placements: Sequence[PackedPlacement]) -> bool:
        """Keep the placements of a photo.

        Returns:
            Whether they are kept; otherwise the caller has to hold them in memory.
        """
        if self._shards is None or not self._writable:
            return False
        try:
            self._make_room(sum(item.bytes + _ABOUT_BYTES for item in placements))
            for way, item in enumerate(placements):
                self._shards.put(_key_of(key, way), *_record(item))
        except (RunError, OSError) as error:
            self._writable = False
            _log.warning(
                "Placed masks are held in memory, of which many photos need much, and not kept for the next "
                "run: %s",
                error,
            )
        return self._writable

    def prune(self) -> int:
        """Delete the files that were not used for longest until the rest is within the limit.

        Files that any process has in use, or used lately, stay, whatever they take: runs that share a folder
        beyond its limit would otherwise place each other's masks again and again.

        Returns:
            The bytes freed.
        """
        if self._shards is None:
            return 0
        _, taken = self._shards.size()
        return self._shards.shrink(taken - self._limit, unused_s=self._unused)

    def size(self) -> tuple[int, int]:
        """Count the placements, and the bytes of the files."""
        return (0, 0) if self._shards is None else self._shards.size()

    def clear(self) -> int:
        """Delete the files of this cache, and nothing else in the folder.

        A run that is using them places its masks again.

        Returns:
            The number of placements.

        Raises:
            RunError: A file cannot be deleted.
        """
        return 0 if self._shards is None else self._shards.clear()

    def _make_room(self, needed: int) -> None:
        assert self._folder is not None
        assert self._shards is not None
        there = next(folder for folder in (self._folder, *self._folder.absolute().parents) if folder.exists())
        shortage = needed + self._spare - shutil.disk_usage(there).free
        if shortage > 0 and self._shards.shrink(shortage) < shortage:
            raise RunError(
                f"The disk of {self._folder} has less than {self._spare / 1e9:.1f} GB left; free some of it, "
                "or choose another folder."
            )


def _key_of(key: str, way: int) -> str:
    return hashlib.sha256(f"{key}/{way}".encode()).hexdigest()


def _record(item: PackedPlacement) -> tuple[dict[str, Tensor], dict[str, str]]:
    tensors = vars(item.taps) | {name: getattr(item, name) for name in _TENSORS}
    about = {name: str(getattr(item.pyramid, name)) for name in _SIZES}
    return tensors, about | {"saturation": repr(float(item.saturation))}


def _placement(tensors: dict[str, Tensor], about: dict[str, str]) -> PackedPlacement:
    return PackedPlacement(
        **{name: tensors.pop(name) for name in _TENSORS},
        taps=Taps(**tensors),
        saturation=float(about["saturation"]),
        pyramid=MipPyramid(*(int(about[name]) for name in _SIZES)),
    )
