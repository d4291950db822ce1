"""Which files of a folder are photos, and what is said of those that are not."""

import os
from collections.abc import Iterable
from pathlib import Path

from advmask.core.picture_formats import PHOTO_SUFFIXES, kind_of_file
from advmask.core.shown_names import shown
from advmask.photos.occluders import is_occluder

_POINTS_ENDING = ".points.json"
_MOST_NAMED = 3

# What systems, archives and network storage leave next to photos; nobody put it there.
_LEFT_BEHIND = frozenset(
    {
        *("__macosx", "@eadir", "@__thumb", "#recycle", "$recycle.bin", "system volume information"),
        *("thumbs.db", "thumbs.db:encryptable", "ehthumbs.db", "desktop.ini", "picasa.ini", "icon\r"),
        "lost+found",
    }
)
_VIDEO_SUFFIXES = frozenset(
    {
        ".mp4",
        ".mov",
        ".m4v",
        ".mkv",
        ".avi",
        ".webm",
        ".mts",
        ".m2ts",
        ".3gp",
        ".mpg",
        ".mpeg",
        ".wmv",
        ".flv",
    }
)
_RAW_SUFFIXES = frozenset(
    {
        *(".dng", ".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".orf", ".raf", ".rw2"),
        *(".pef", ".srw", ".raw", ".rwl", ".iiq", ".3fr", ".erf", ".kdc", ".dcr", ".mrw", ".x3f"),
    }
)


def is_left_behind(path: Path) -> bool:
    """Whether a name is hidden, or one of those that systems leave next to photos."""
    return path.name.startswith(".") or path.name.lower() in _LEFT_BEHIND


def is_beside_photo(path: Path) -> bool:
    """Whether a file describes a photo (`photo.occluder.png`, `photo.points.json`), by its name."""
    return is_occluder(path) or path.name.lower().endswith(_POINTS_ENDING)


def is_photo(path: Path) -> bool:
    """Whether a file is a photo: by its ending, or, where that says nothing, by its first bytes."""
    if is_left_behind(path) or is_beside_photo(path) or not path.is_file():
        return False
    suffix = path.suffix.lower()
    if suffix in PHOTO_SUFFIXES:
        return True
    if suffix in _VIDEO_SUFFIXES | _RAW_SUFFIXES:
        return False
    kind = kind_of_file(path)
    return kind is not None and (kind != "TIFF" or not suffix)  # raw photos begin as TIFF do


def photos_in(folder: Path) -> tuple[Path, ...]:
    """The photos that lie in a folder itself, in code-point order of their names.

    Raises:
        OSError: The folder cannot be read.
    """
    return tuple(sorted(filter(is_photo, folder.iterdir()), key=lambda entry: entry.name))


def passed_over(folder: Path, *, folders: bool = True) -> str:
    """Say what lies in a folder and is not read as a photo, and why; an empty text where all is read.

    What systems leave behind, what describes a photo, and folders without photos are no matter.

    Args:
        folder: The folder.
        folders: Whether photos in folders inside it are passed over too.

    Raises:
        OSError: The folder cannot be read.
    """
    by_reason: dict[tuple[str, str], list[str]] = {}
    deeper: list[str] = []
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if is_left_behind(entry) or is_beside_photo(entry) or is_photo(entry):
            continue
        if entry.is_dir():
            if folders and (count := _photos_below(entry)):
                deeper.append(f"{count} in {entry.name}")
            continue
        by_reason.setdefault(_reason(entry), []).append(entry.name)
    parts = [
        f"{len(names)} {singular if len(names) == 1 else plural} ({listed(names)})"
        for (singular, plural), names in by_reason.items()
    ]
    if deeper:
        parts.append(
            f"photos one folder too deep ({listed(deeper)}), which belong into the person's own folder"
        )
    return "; ".join(parts)


def _reason(path: Path) -> tuple[str, str]:
    """Why a file that `is_photo` refuses is passed over, for one and for several."""
    suffix = path.suffix.lower()
    if path.is_symlink() and not path.exists():
        return "broken link", "broken links"
    if not path.is_file():
        return "entry that is not a regular file", "entries that are not regular files"
    if suffix in _VIDEO_SUFFIXES:
        return "video", "videos"
    if suffix in _RAW_SUFFIXES:
        return "raw photo, to be exported as JPEG", "raw photos, to be exported as JPEG"
    return "file that is not a picture", "files that are not pictures"


def listed(names: Iterable[str]) -> str:
    """The first three names, and how many more there are."""
    known = list(names)
    more = len(known) - _MOST_NAMED
    return ", ".join(map(shown, known[:_MOST_NAMED])) + (f" and {more} more" if more > 0 else "")


def _photos_below(folder: Path) -> int:
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_left_behind(Path(name))]
        count += sum(is_photo(Path(root) / name) for name in names)
    return count
