"""Lists that say who is on which photo, as collections in one flat folder have them."""

import csv
import re
from pathlib import Path

from advmask.core.errors import PhotoError
from advmask.core.shown_names import shown
from advmask.photos.people_folders import PARTS, PersonPhotos, Split, split_of_parts

_FILE = ("file", "filename", "file_name", "image", "image_id", "photo", "path")
_PERSON = ("person", "identity", "name", "id", "label", "subject")
_SPLIT = ("split", "partition", "set")
_PARTS = PARTS | {"0": "train", "1": "validate", "2": "test"}
_LARGEST = 2**28
_NAMED = 3


def read_people(path: Path, root: Path | None) -> tuple[list[PersonPhotos], Split | None, list[str]]:
    """People and their photos by a list of `file, person[, split]`, one photo a line.

    The columns may be named by a first line, and stand in that order otherwise. They are parted by commas,
    tabs, semicolons or, as in CelebA's `identity_CelebA.txt`, spaces. Parts are `train`, `validate` and
    `test`, or CelebA's 0, 1 and 2.

    Args:
        path: The list.
        root: The folder that its files are named from; None takes the list's own.

    Returns:
        People in code-point order, their parts if the list has any, and sentences about files that are not
        there.

    Raises:
        PhotoError: It cannot be read, a line does not fit, a person is in two parts, or no file is there.
    """
    rows = list_rows(path, a_line="FILE,PERSON")
    root = path.parent if root is None else root
    place = _places(rows[0]) if rows else None
    if place is not None:
        rows = rows[1:]
    file_at, person_at, split_at = place or (0, 1, 2 if rows and len(rows[0]) > 2 else None)
    people: dict[str, list[Path]] = {}
    parts: dict[str, str] = {}
    missing: list[str] = []
    for number, row in enumerate(rows, 1 if place is None else 2):
        if len(row) <= max(file_at, person_at, split_at or 0) or not row[person_at]:
            raise PhotoError(f"{path}, line {number}: a file and a person were expected, not {row!r:.80}.")
        name, file = shown(row[person_at]), root / row[file_at]
        if split_at is not None:
            part = _PARTS.get(row[split_at].lower())
            if part is None:
                raise PhotoError(
                    f"{path}, line {number}: {row[split_at]!r} is no part; train, validate, test, or 0, 1, 2 "
                    "were expected."
                )
            if parts.setdefault(name, part) != part:
                raise PhotoError(
                    f"{path}, line {number}: {name} is in {parts[name]} and in {part}; people are split, not "
                    "photos."
                )
        if file.is_file():
            people.setdefault(name, []).append(file)
        else:
            missing.append(row[file_at])
    if not people:
        raise PhotoError(
            f"None of the {len(missing)} files that {path} names is in {root}; set faces.root to the folder "
            "that they are named from."
        )
    notices = []
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        notices = [f"Named in {path} and not in {root}: {', '.join(map(shown, missing[:_NAMED]))}{more}."]
    found = [PersonPhotos(name, tuple(sorted(set(people[name])))) for name in sorted(people)]
    return found, split_of_parts(parts) if parts else None, notices


def list_rows(path: Path, *, a_line: str) -> list[list[str]]:
    """The cells of each line that is not empty, parted by commas, tabs, semicolons or spaces.

    Args:
        path: The list, in UTF-8.
        a_line: What a line should look like, for errors.

    Raises:
        PhotoError: It cannot be read, is no text, or is empty.
    """
    try:
        if path.stat().st_size > _LARGEST:
            raise PhotoError(f"{path} is larger than 256 MiB; a list of lines {a_line} was expected.")
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise PhotoError(f"Cannot read the list {path}: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise PhotoError(f"{path} is no text in UTF-8; save the list as CSV in UTF-8.") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise PhotoError(f"{path} is empty; lines of the form {a_line} were expected.")
    sign = next((sign for sign in ",\t;" if sign in lines[0]), None)
    if sign is None:
        return [re.split(r"\s+", line.strip()) for line in lines]
    return [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=sign)]


def _places(row: list[str]) -> tuple[int, int, int | None] | None:
    """Where file, person and part stand, by the names in a first line; None where it names none."""
    names = [cell.lower() for cell in row]
    found = [
        next((names.index(name) for name in kind if name in names), None) for kind in (_FILE, _PERSON, _SPLIT)
    ]
    return None if found[0] is None or found[1] is None else (found[0], found[1], found[2])
