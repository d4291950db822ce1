"""Placements kept on disk, so that masks are laid on a photo once and do not fill the memory."""

import contextlib
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, fields
from pathlib import Path

import torch
from torch import Tensor

from advmask.core.config_folders import user_folder
from advmask.core.errors import RunError
from advmask.core.files import delete, written_aside
from advmask.masks.placement import Wear
from advmask.photos.crops import FaceCrop
from advmask.photos.settings import FacesSettings
from advmask.render.packing import PackedPlacement
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_files import (
    FORMAT_VERSION,
    count_placements,
    placements_to_bytes,
    read_placement,
)

LIMIT_BYTES = 8 * 10**9  # of files that no run is using

_SPARE_BYTES = 10**9  # of the disk that is left to others
_UNUSED_S = 86400.0  # a run of some hours marks the files it uses once, when it begins
_ABANDONED_S = 3600.0  # after which a file half written was left behind by a killed process
# Whose face it is and where the photo lies change nothing in a placement.
_NOT_IN_KEY = ("person", "source")
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
    """A folder with one file per photo, mask and settings, which holds all placements of the photo.

    A damaged file counts as absent and is replaced. A folder that cannot be written, or a disk that is nearly
    full, is reported once, through `logging`, and stops nothing. Several processes may share the folder.
    Placements hold what is seen of the face around and under the mask, which is biometric data: a folder made
    here is for its owner only.

    Args:
        folder: Where the files are; None keeps nothing.
        limit_bytes: Beyond it `prune` deletes what was not used for `unused_s`.
        unused_s: Seconds within which files are left alone, as another run may be using them.
        spare_bytes: Of the disk that are never taken.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        limit_bytes: int = LIMIT_BYTES,
        spare_bytes: int = _SPARE_BYTES,
        unused_s: float = _UNUSED_S,
    ) -> None:
        self._folder = folder
        self._limit = limit_bytes
        self._spare = spare_bytes
        self._unused = unused_s
        self._writable = folder is not None
        self._used: set[str] = set()  # keys, which pruning leaves alone
        self._checked: set[tuple[str, int]] = set()

    def holds(self, key: str, ways: int) -> bool:
        """Tell whether there is a file with `ways` placements, and mark it as used now.

        Looks at no more than its header: checksums are compared when a placement is first asked for.
        """
        if self._folder is None:
            return False
        path = self._path(key)
        try:
            found = count_placements(path) == ways
        except (OSError, ValueError):
            return False
        if found:
            self._used.add(key)
            with contextlib.suppress(OSError):  # a folder that can only be read serves as well
                os.utime(path)
        return found

    def get(self, key: str, way: int) -> PackedPlacement | None:
        """Map one placement, as `read_placement` does.

        Returns:
            The placement, or None when there is none or its file is damaged.
        """
        if self._folder is None:
            return None
        try:
            found = read_placement(self._path(key), way, check=(key, way) not in self._checked)
        except (OSError, ValueError):
            return None
        self._checked.add((key, way))
        return found

    def put(self, key: str, placements: Sequence[PackedPlacement]) -> bool:
        """Keep the placements of a photo.

        Returns:
            Whether they are kept; otherwise the caller has to hold them in memory.
        """
        if self._folder is None or not self._writable:
            return False
        content = placements_to_bytes(placements)
        self._checked -= {(key, way) for way in range(len(placements))}
        try:
            # Made here and not by `written_aside`, which would let others in.
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_room(len(content))
            with written_aside(self._path(key)) as aside:
                aside.write_bytes(content)
        except (RunError, OSError) as error:
            self._writable = False
            _log.warning(
                "Placed masks are held in memory, of which many photos need much, and not kept for the next "
                "run: %s",
                error,
            )
            return False
        self._used.add(key)
        return True

    def prune(self) -> int:
        """Delete the files that were not used for longest until the rest is within the limit.

        Files used through this object, or lately by anybody, stay, whatever they take: runs that share a
        folder beyond its limit would otherwise place each other's masks again and again.

        Returns:
            The bytes freed.
        """
        _, taken = self.size()
        return self._delete_oldest(taken - self._limit, unused_s=self._unused)

    def size(self) -> tuple[int, int]:
        """Count the files and their bytes."""
        sizes = [about.st_size for _, about in self._files()]
        return len(sizes), sum(sizes)

    def clear(self) -> int:
        """Delete the files of this cache, and nothing else in the folder.

        A run that is using them places its masks again.

        Returns:
            The number of files deleted.

        Raises:
            RunError: A file cannot be deleted.
        """
        return delete(path for path, _ in self._files())

    def _make_room(self, needed: int) -> None:
        assert self._folder is not None
        shortage = needed + self._spare - shutil.disk_usage(self._folder).free
        if shortage > 0 and self._delete_oldest(shortage) < shortage:
            raise RunError(
                f"The disk of {self._folder} has less than {self._spare / 1e9:.1f} GB left; free some of it, "
                "or choose another folder."
            )

    def _delete_oldest(self, excess: int, *, unused_s: float = 0.0) -> int:
        """Delete files not used by this object, oldest first, until `excess` bytes are freed.

        Files used within `unused_s` seconds by anybody are left alone.
        """
        freed, now = 0, time.time()
        used = {self._path(key).name for key in self._used}
        for path, about in sorted(self._files(), key=lambda found: found[1].st_mtime):
            if path.name.startswith("."):
                if now - about.st_mtime < _ABANDONED_S:
                    continue  # somebody may be writing it
            elif freed >= excess or path.name in used or now - about.st_mtime < unused_s:
                continue
            with contextlib.suppress(OSError):  # deleted by another process meanwhile, or not ours
                path.unlink()
                freed += about.st_size
        return freed

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / f"placements-{key}.safetensors"

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        if self._folder is None or not self._folder.is_dir():
            return
        for pattern in ("placements-*.safetensors", ".placements-*.safetensors"):
            for path in list(self._folder.glob(pattern)):
                with contextlib.suppress(OSError):
                    yield path, path.stat()
