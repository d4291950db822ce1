"""Folders of people, and their split into those who train, validate and test."""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from advmask.core.errors import ConfigError, PhotoError
from advmask.core.near_names import near_file
from advmask.core.shown_names import shown
from advmask.photos.photo_files import is_left_behind, listed, passed_over, photos_in
from advmask.photos.settings import check_split, is_counts, shown_split

PARTS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("validate", "validation", "val", "valid"), "validate"),
    **dict.fromkeys(("test", "testing"), "test"),
}
"""What collections call their parts."""
_FEWEST_PEOPLE = 3
_MANY_OF_ONE = 1000  # photos in one folder, of which more are not taken for one person's without a word
_DATE = re.compile(r"(19|20)\d\d([-_. ]?\d\d){0,2}\b")
_UNPACK = "unpack it into one folder of pictures per person"
_PACKED = {
    ".rec": f"{_UNPACK} (InsightFace's rec2image.py, or CVLface's bundle tools, do so)",
    ".bin": "it holds pairs for verification, without names: it can give thresholds "
    f"(protocol.calibration=FILE.bin), and nobody is enrolled with it; {_UNPACK} for all else",
    ".idx": f"it belongs to a .rec file: {_UNPACK}",
    ".zip": _UNPACK,
    ".tar": _UNPACK,
    ".gz": _UNPACK,
}
_EXPECTED = (
    "give a photo (JPEG, PNG, WebP, HEIC and the like), a folder with one person's photos, or a folder with "
    "one sub-folder of photos per person"
)


@dataclass(frozen=True)
class PersonPhotos:
    """A person and the photo files of that person, in code-point order of their names.

    Attributes:
        name: The person.
        photos: The files.
        passed_over: What else lies in the person's folder, and why it is not read; may be empty.
        part: `train`, `validate` or `test` where the collection says so; else empty.
    """

    name: str
    photos: tuple[Path, ...]
    passed_over: str = ""
    part: str = ""


@dataclass(frozen=True)
class Split:
    """Names of the people who train, validate and test, each in code-point order.

    Attributes:
        train: People a design is optimised on.
        validate: People it is watched on meanwhile.
        test: People it is judged on.
        held_out: Whether there are people to test who do not train. If not, figures say nothing about people
            the design was not trained on.
    """

    train: tuple[str, ...]
    validate: tuple[str, ...]
    test: tuple[str, ...]
    held_out: bool

    def among(self, names: Sequence[str]) -> "Split":
        """The same for those who are there."""
        here = set(names)
        train, validate, test = (
            tuple(name for name in part if name in here) for part in (self.train, self.validate, self.test)
        )
        return Split(train, validate, test, held_out=bool(train and test))


def split_of_parts(parts: Mapping[str, str]) -> Split:
    """The split that a collection brings.

    Args:
        parts: For each person `train`, `validate` or `test`.
    """
    train, validate, test = (
        tuple(sorted(name for name, part in parts.items() if part == wanted))
        for wanted in ("train", "validate", "test")
    )
    return Split(train, validate, test, held_out=bool(train and test))


def missing_photos(root: Path) -> str:
    """The sentence about a folder or photo that is not there."""
    return f"There is no photo and no folder of photos at {root}; {_EXPECTED}.{near_file(root)}"


def find_people(root: Path) -> list[PersonPhotos]:
    """Find people and their photos, by the names of files and folders alone.

    These layouts are known: one sub-folder per person; the same inside one or two further folders, as LFW and
    CASIA are unpacked, if these are three at least and are not called by dates; the same in folders called
    `train`, `val` and `test` of different people, as in VGGFace2, which are then their parts; the photos of
    one person, who is named as the folder; a single photo, whose person is named as the file. A file is a
    photo by its ending or, where that says nothing, by its first bytes. What systems leave next to photos is
    ignored, all else is reported as passed over.

    Args:
        root: Folder or file.

    Returns:
        People in code-point order of their names. A sub-folder without photos is a person without photos,
        so that the caller can name it.

    Raises:
        PhotoError: `root` is missing or unreadable, holds no photo, or fits several of the layouts.
    """
    try:
        if root.is_file():
            if hint := _PACKED.get(root.suffix.lower()):
                raise PhotoError(f"{root} packs its photos into one file, which is not read; {hint}.")
            return [PersonPhotos(shown(root.stem), (root,))]
        if not root.is_dir():
            raise PhotoError(missing_photos(root))
        direct = photos_in(root)
        folders = _folders_in(root)
        people = [
            PersonPhotos(shown(folder.name), photos_in(folder), passed_over(folder)) for folder in folders
        ]
        beside = passed_over(root, folders=False)
    except OSError as error:
        reason = error.strerror or str(error)
        raise PhotoError(f"Cannot read the folder {error.filename or root}: {reason}.") from error
    peopled = any(person.photos for person in people)
    if direct and peopled:
        raise PhotoError(
            f"{root} holds both photos and folders of photos; keep only one person's photos, or only folders."
        )
    if len(direct) > _MANY_OF_ONE:
        raise PhotoError(_flat(root, len(direct)))
    if direct:
        return [PersonPhotos(shown(root.resolve().name) or "person", direct, beside)]
    if not peopled and (inner := _wrapped(folders)):
        return find_people(inner[0]) if len(inner) == 1 else _in_parts(inner)
    if not peopled:
        there = [beside, *(f"{one.name}: {one.passed_over}" for one in people if one.passed_over)]
        why = "; ".join(part for part in there[:4] if part)
        raise PhotoError(f"No photos were found in {root}{f' ({why})' if why else ''}; {_EXPECTED}.")
    return people


def _wrapped(folders: Sequence[Path]) -> list[Path]:
    """Which of some folders hold those of people; or, where there is one and it wraps others, of these."""
    inner = _of_people(folders)
    if inner or len(folders) != 1:
        return inner
    deeper = _of_people(_folders_in(folders[0]))
    dated = any(_DATE.match(folder.name) for folder in (*folders, *deeper))
    return [] if dated else deeper  # else one person's albums by years


def _of_people(folders: Sequence[Path]) -> list[Path]:
    """Which of some folders hold those of people; next to a part that does, another part may be small."""
    holding = [folder for folder in folders if _holds_people(folder)]
    if not any(folder.name.lower() in PARTS for folder in holding):
        return holding
    parts = [
        folder
        for folder in folders
        if folder.name.lower() in PARTS and any(photos_in(entry) for entry in _folders_in(folder))
    ]
    return sorted({*holding, *parts}, key=lambda folder: folder.name)


def _folders_in(folder: Path) -> list[Path]:
    entries = (entry for entry in folder.iterdir() if entry.is_dir() and not is_left_behind(entry))
    return sorted(entries, key=lambda entry: entry.name)


def _holds_people(folder: Path) -> bool:
    """Whether a folder holds those of people, and not one person's photos by date."""
    inner = [entry for entry in _folders_in(folder) if photos_in(entry)]
    return len(inner) >= _FEWEST_PEOPLE and not all(_DATE.match(entry.name) for entry in inner)


def _in_parts(folders: Sequence[Path]) -> list[PersonPhotos]:
    """People of several folders of people, if these are called train, validate and test and share nobody."""
    names = " and ".join(shown(str(folder)) for folder in folders[:3])
    parts = [PARTS.get(folder.name.lower(), "") for folder in folders]
    if not all(parts) or len(set(parts)) < len(parts):
        raise PhotoError(f"There are folders of people in {names}; name one of them.")
    found = [
        replace(person, part=part)
        for part, folder in zip(parts, folders, strict=True)
        for person in find_people(folder)
    ]
    times = Counter(person.name for person in found)
    if twice := sorted(name for name, count in times.items() if count > 1):
        raise PhotoError(
            f"There are folders of people in {names}; name one of them. They are not read as parts, for "
            f"{listed(twice)} would be in more than one: people are split here, not photos."
        )
    return sorted(found, key=lambda person: person.name)


def _flat(root: Path, number: int) -> str:
    """What is said of a folder with so many photos that it may be one person's, or a whole collection."""
    near = [
        path
        for folder in (root, root.resolve().parent)
        for path in sorted(folder.glob("*identity*"))
        if path.suffix.lower() in (".txt", ".csv")
    ]
    file = shown(str(near[0])) if near else "FILE"
    return (
        f"{root} holds {number:,} photos and no folders: are they of many people, or of one? For many name "
        f"the list of who is on which photo, faces.people={file} (lines FILE,PERSON). For one move them into "
        "a folder of their own inside another, and name that one."
    )


def passed_over_notices(root: Path, people: Sequence[PersonPhotos]) -> list[str]:
    """Sentences about what `find_people(root)` passed over, for each person and next to their folders."""
    notices = [f"Passed over of {one.name}: {one.passed_over}." for one in people if one.passed_over]
    with suppress(OSError):  # it could be read a moment ago
        of_one = root.is_file() or any(path.parent == root for one in people for path in one.photos)
        if not of_one and (beside := passed_over(root, folders=False)):
            notices.insert(0, f"Passed over in {root}: {beside}.")
    return notices


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
