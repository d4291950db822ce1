"""Folders of people, and their split into those who train, validate and test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advmask.core.errors import ConfigError, PhotoError
from advmask.photos.occluders import is_occluder
from advmask.photos.settings import check_split, is_counts, shown_split

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"})

_EXPECTED = "give a folder with one sub-folder of photos (jpg, png, webp, bmp, tif) per person"


@dataclass(frozen=True)
class PersonPhotos:
    """A person and the photo files of that person, in code-point order of their names."""

    name: str
    photos: tuple[Path, ...]


@dataclass(frozen=True)
class Split:
    """Names of the people who train, validate and test, each in code-point order.

    Attributes:
        train: People a design is optimised on.
        validate: People it is watched on meanwhile.
        test: People it is judged on.
        held_out: Whether there are people to test who do not train. If not, figures say nothing about people
            whom the design never saw.
    """

    train: tuple[str, ...]
    validate: tuple[str, ...]
    test: tuple[str, ...]
    held_out: bool


def find_people(root: Path) -> list[PersonPhotos]:
    """Find people and their photos, by the names of files and folders alone.

    Three layouts are known: one sub-folder per person; the photos of one person, who is named as the folder;
    a single photo, whose person is named as the file. Hidden files, hidden folders, files with other endings,
    occluders and anything deeper are passed over.

    Args:
        root: Folder or file.

    Returns:
        People in code-point order of their names. A sub-folder without photos is a person without photos,
        so that the caller can name it.

    Raises:
        PhotoError: `root` is missing or unreadable, holds no photo, or mixes the first two layouts.
    """
    try:
        if root.is_file():
            return [PersonPhotos(root.stem, (root,))]
        if not root.is_dir():
            raise PhotoError(f"There is no folder of photos at {root}; {_EXPECTED}.")
        direct = _photos_in(root)
        folders = sorted(
            (entry for entry in root.iterdir() if entry.is_dir() and not entry.name.startswith(".")),
            key=lambda entry: entry.name,
        )
        people = [PersonPhotos(folder.name, _photos_in(folder)) for folder in folders]
    except OSError as error:
        reason = error.strerror or str(error)
        raise PhotoError(f"Cannot read the folder {error.filename or root}: {reason}.") from error
    peopled = any(person.photos for person in people)
    if direct and peopled:
        raise PhotoError(
            f"{root} holds both photos and folders of photos; keep only one person's photos, or only folders."
        )
    if direct:
        return [PersonPhotos(root.resolve().name or "person", direct)]
    if not peopled:
        raise PhotoError(f"No photos were found in {root}; {_EXPECTED}.")
    return people


def _photos_in(folder: Path) -> tuple[Path, ...]:
    found = (
        entry
        for entry in folder.iterdir()
        if entry.suffix.lower() in PHOTO_SUFFIXES
        and not entry.name.startswith(".")
        and not is_occluder(entry)
        and entry.is_file()
    )
    return tuple(sorted(found, key=lambda entry: entry.name))


def split_people(names: Sequence[str], split: Sequence[float]) -> Split:
    """Split people, in code-point order of their names, into train, validate and test.

    Fractions are turned into whole people by largest remainder; then every share above zero that got nobody
    takes one person from the largest share. With fewer than three people there is nobody to hold out: all
    of them are in all three parts, and `held_out` is False.

    Args:
        names: Distinct names.
        split: Three whole numbers of people (whoever is left over is not used), or three fractions that sum
            to 1. Three whole numbers that sum to 1 are read as fractions.

    Raises:
        ConfigError: The three numbers are neither, or ask for more people than there are.
    """
    check_split(split)
    ordered = sorted(set(names))
    if is_counts(split):
        counts = [int(number) for number in split]
        if sum(counts) > len(ordered):
            raise ConfigError(
                f"The split {shown_split(split)} asks for {sum(counts)} people, but there are "
                f"{len(ordered)}; ask for fewer, or give three fractions that sum to 1."
            )
    else:
        counts = _shares(len(ordered), split)
    if len(ordered) < 3:
        everybody = tuple(ordered)
        return Split(everybody, everybody, everybody, held_out=False)
    first, second, third = counts
    return Split(
        tuple(ordered[:first]),
        tuple(ordered[first : first + second]),
        tuple(ordered[first + second : first + second + third]),
        held_out=third > 0,
    )


def _shares(people: int, fractions: Sequence[float]) -> list[int]:
    # Rounded so that 0.1 * 70 is 7 and not a little more or less.
    quotas = [round(people * fraction, 6) for fraction in fractions]
    counts = [math.floor(quota) for quota in quotas]
    by_remainder = sorted(range(3), key=lambda part: counts[part] - quotas[part])
    for part in by_remainder[: people - sum(counts)]:
        counts[part] += 1
    for part in range(3):
        if fractions[part] > 0 and counts[part] == 0 and max(counts) > 1:
            counts[counts.index(max(counts))] -= 1
            counts[part] = 1
    return counts
