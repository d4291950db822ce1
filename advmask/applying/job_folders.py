"""Which files are worked on, and what the results are called: a folder's tree, mirrored."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from advmask.applying.picture_files import WRITTEN_SUFFIXES
from advmask.applying.video_files import VIDEO_SUFFIXES
from advmask.core.errors import ConfigError, PhotoError
from advmask.core.near_names import near_file
from advmask.core.picture_formats import PHOTO_SUFFIXES, kind_of_file
from advmask.photos.photo_files import is_beside_photo, is_left_behind, is_photo

# The ending that is added to a name that says no format which is written, by the kind of picture.
_WRITTEN_AS = {
    "JPEG": ".jpg", "HEIC": ".jpg", "AVIF": ".jpg", "WEBP": ".webp", "TIFF": ".tif", "BMP": ".bmp",
}  # fmt: skip


@dataclass(frozen=True)
class Job:
    """One file to be worked on."""

    source: Path
    target: Path
    kind: Literal["picture", "video"]


@dataclass(frozen=True)
class Plan:
    """What is to be done.

    Attributes:
        jobs: Files to be worked on, in code-point order of their paths.
        sources: All files that were given, those of `done` too.
        done: Results that exist already.
        strange: Files that are neither pictures nor videos, broken links, links to folders, and folders that
            cannot be read.
    """

    jobs: tuple[Job, ...]
    sources: tuple[Path, ...]
    done: tuple[Path, ...]
    strange: tuple[Path, ...]


def plan_jobs(source: Path, output: Path, *, overwrite: bool) -> Plan:
    """Find the files to be worked on.

    Hidden files and folders, what else systems leave next to photos, and what describes a photo
    (`*.occluder.png`, `*.points.json`) are passed over; links to folders are not followed.

    Args:
        source: A picture, a video, or a folder of them.
        output: For a folder, the folder of the results, which get the same names below it; to a name
            without an ending that can be written (HEIC, GIF, none) one is added. For a file, the
            result, or an existing folder for it.
        overwrite: Whether results that exist are made again.

    Raises:
        PhotoError: `source` is missing, is not a picture or video, or is a folder that holds none.
        ConfigError: A result would replace what it is made from, or lie among it; or its ending does not fit.
    """
    if not source.exists():
        raise PhotoError(
            f"There is no photo, video or folder at {source}; check its name.{near_file(source)}"
        )
    sources, strange = _found(source) if source.is_dir() else ([_one(source)], [])
    if source.is_dir():
        _check_folders(source, output)
        if not sources:
            raise PhotoError(f"{source} holds no photos or videos; name another folder with input=.")
        pairs = [(path, _written(path, output / path.relative_to(source))) for path in sources]
    else:
        pairs = [(source, _target(source, output))]
    taken = {path.resolve() for path in sources}
    jobs = []
    for path, target in pairs:
        if target.resolve() in taken:
            raise ConfigError(f"output= would replace {target}, which is given as input; name another place.")
        jobs.append(Job(path, target, "video" if path.suffix.lower() in VIDEO_SUFFIXES else "picture"))
    there = [job.target.exists() and not overwrite for job in jobs]
    return Plan(
        jobs=tuple(job for job, known in zip(jobs, there, strict=True) if not known),
        sources=tuple(sources),
        done=tuple(job.target for job, known in zip(jobs, there, strict=True) if known),
        strange=tuple(strange),
    )


def _found(folder: Path) -> tuple[list[Path], list[Path]]:
    """Pictures and videos of a tree, and what else is in it."""
    wanted: list[Path] = []
    strange: list[Path] = []
    unreadable: list[OSError] = []
    for root, folders, names in os.walk(folder, onerror=unreadable.append):
        folders[:] = sorted(name for name in folders if not is_left_behind(Path(name)))
        strange += [Path(root) / name for name in folders if (Path(root) / name).is_symlink()]
        for name in names:
            path = Path(root) / name
            if is_left_behind(path) or is_beside_photo(path):
                continue
            known = is_photo(path) or (path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
            (wanted if known else strange).append(path)
    strange += [Path(error.filename) for error in unreadable]
    return sorted(wanted), sorted(strange)


def _written(source: Path, target: Path) -> Path:
    """The target, with an ending where its own says no format that is written."""
    if target.suffix.lower() in WRITTEN_SUFFIXES | VIDEO_SUFFIXES:
        return target
    return target.with_name(target.name + _WRITTEN_AS.get(kind_of_file(source) or "", ".png"))


def _one(source: Path) -> Path:
    if not (is_photo(source) or source.suffix.lower() in VIDEO_SUFFIXES):
        raise PhotoError(
            f"{source} is neither a photo nor a video by its name; its ending should be one of "
            f"{_listed(PHOTO_SUFFIXES | VIDEO_SUFFIXES)}."
        )
    return source


def _target(source: Path, output: Path) -> Path:
    if output.is_dir():
        return _written(source, output / source.name)
    kind = VIDEO_SUFFIXES if source.suffix.lower() in VIDEO_SUFFIXES else WRITTEN_SUFFIXES
    if output.suffix.lower() not in kind:
        raise ConfigError(
            f"output={output} does not say what to write: it is not a folder that exists, and {source.name} "
            f"can be written as {_listed(kind)}."
        )
    return output


def _check_folders(source: Path, output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise ConfigError(f"{output} is a file, and {source} a folder; name a folder with output=.")
    if output.resolve().is_relative_to(source.resolve()):
        raise ConfigError(
            f"output={output} lies in the folder that is read, {source}; name a folder next to it, so that "
            "nothing is replaced or worked on twice."
        )


def _listed(endings: frozenset[str]) -> str:
    return ", ".join(sorted(endings))
