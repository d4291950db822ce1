"""Lists of pairs of photos, of one person or of two, as verification protocols have them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from advmask.core.errors import PhotoError
from advmask.core.shown_names import shown
from advmask.photos.people_folders import PersonPhotos
from advmask.photos.people_list import list_rows
from advmask.photos.photo_files import listed

_FIRST = ("a", "first", "file1", "path1", "image1", "img1")
_SECOND = ("b", "second", "file2", "path2", "image2", "img2")
_SAME = ("same", "is_same", "issame", "label", "match")
_TRUTHS = {
    **dict.fromkeys(("1", "true", "yes", "same"), True),
    **dict.fromkeys(("0", "-1", "false", "no", "different"), False),
}
_A_LINE = "A,B,same"
_PACKED = (".bin", ".rec", ".lst")
_LFW = re.compile(r"([^/]+)/\1_0*(\d+)")  # in collections that are not called so, the number alone


@dataclass(frozen=True)
class PhotoPair:
    """Two photos, and whether they show one person.

    Attributes:
        first: The reference.
        second: The probe.
        same: Whether both show one person.
    """

    first: Path
    second: Path
    same: bool


@dataclass(frozen=True)
class _Line:
    number: int
    names: tuple[str, str]
    same: bool | None  # as the photos at hand say, where the list does not


def read_pairs(path: Path, people: Sequence[PersonPhotos]) -> list[PhotoPair]:
    """Read a list of pairs, and find its photos among those at hand.

    Known are LFW's `pairs.txt` (`NAME 1 4` and `NAME 1 OTHER 2`, with numbers of folds and pairs in the first
    line), also with commas; CVLface's `pairs.csv` with columns A and B; and lines `A,B,same`. A photo is
    named by as many folders as it takes, with or without its ending. Where a list does not say which pairs
    are of one person, the people at hand do.

    Args:
        path: The list.
        people: At hand.

    Raises:
        PhotoError: It cannot be read, a line does not fit, names a photo that is not at hand or several that
            are, or contradicts the people at hand.
    """
    if path.suffix.lower() in _PACKED:
        raise PhotoError(
            f"{path} is no list of photos, but packs some; a list of lines {_A_LINE} is needed. (A .bin of "
            "pairs gives thresholds: protocol.calibration=FILE.bin.)"
        )
    index = _Index(people)
    pairs, missing = [], []
    for line in _lines(path):
        found = [index.find(name) for name in line.names]
        for name, each in zip(line.names, found, strict=True):
            if len(each) > 1:
                raise PhotoError(
                    f"{path}, line {line.number}: {shown(name)} may be {shown(str(each[0][0]))} or "
                    f"{shown(str(each[1][0]))}; write PERSON/FILE."
                )
            if not each:
                missing.append(f"{name} (line {line.number})")
        if not all(found):
            continue
        ((first, one),), ((second, other),) = found
        if first == second:
            raise PhotoError(f"{path}, line {line.number}: {shown(line.names[0])} is paired with itself.")
        if line.same not in (None, one == other):
            said, known = ("one person", f"{one} and {other}") if line.same else ("two people", one)
            raise PhotoError(
                f"{path}, line {line.number}: {shown(line.names[0])} and {shown(line.names[1])} are said to "
                f"show {said}, and by faces.root they show {known}; name who is on which photo with "
                "faces.people=FILE, or mend the list."
            )
        pairs.append(PhotoPair(first, second, one == other))
    if missing:
        raise PhotoError(
            f"{path} names photos that are not at hand: {listed(dict.fromkeys(missing))}; set faces.root to "
            "the folder of the collection that the list is of."
        )
    if not pairs:
        raise PhotoError(f"{path} holds no pairs; lines {_A_LINE} were expected.")
    return pairs


class _Index:
    """Photos at hand by their names, with and without ending."""

    def __init__(self, people: Sequence[PersonPhotos]) -> None:
        self._by_name: dict[str, dict[Path, str]] = {}
        for person in people:
            for photo in person.photos:
                for name in {photo.name, photo.stem}:
                    self._by_name.setdefault(name, {})[photo] = person.name

    def find(self, name: str) -> list[tuple[Path, str]]:
        """Photos that a name with any number of folders before it may mean, each with its person."""
        parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
        if not parts:
            return []
        *folders, file = parts
        found = [
            (photo, person)
            for photo, person in self._by_name.get(file, {}).items()
            if list(photo.parts[-1 - len(folders) : -1]) == folders
        ]
        numbered = _LFW.fullmatch(name)
        if not found and numbered:
            return self.find(f"{numbered[1]}/{numbered[2]}")
        return found


def _lines(path: Path) -> list[_Line]:
    rows = [[cell for cell in row if cell] for row in list_rows(path, a_line=_A_LINE)]
    head = [cell.lower() for cell in rows[0]]
    places = [next((head.index(name) for name in kind if name in head), None) for kind in (_FIRST, _SECOND)]
    same_at = next((head.index(name) for name in _SAME if name in head), None)
    skipped = 0
    counts = all(cell.isdecimal() for cell in head) and any(_is_lfw(row) for row in rows[1:3])
    if counts or "imagenum1" in head:
        skipped, places = 1, [None, None]
    elif None not in places:
        skipped = 1
    lines = []
    for number, row in enumerate(rows[skipped:], 1 + skipped):
        if skipped and None not in places:
            lines.append(_by_head(path, number, row, len(head), places, same_at))
        else:
            lines.append(_by_form(path, number, row))
    return lines


def _is_lfw(row: list[str]) -> bool:
    """Whether a line is `NAME 1 2` or `NAME 1 OTHER 2`."""
    return len(row) in (3, 4) and row[1].isdecimal() and row[-1].isdecimal()


def _by_form(path: Path, number: int, row: list[str]) -> _Line:
    """A line of LFW, or of two files."""
    if len(row) == 3 and _is_lfw(row):
        return _Line(number, (_lfw(row[0], row[1]), _lfw(row[0], row[2])), True)
    if len(row) == 4 and _is_lfw(row):
        return _Line(number, (_lfw(row[0], row[1]), _lfw(row[2], row[3])), False)
    if len(row) in (2, 3):
        return _Line(number, (row[0], row[1]), _truth(path, number, row[2]) if len(row) == 3 else None)
    raise PhotoError(
        f"{path}, line {number}: {_A_LINE}, or NAME 1 2 and NAME 1 OTHER 2 as in LFW, was expected, not "
        f"{row!r:.80}."
    )


def _by_head(
    path: Path, number: int, row: list[str], width: int, places: list[int | None], same_at: int | None
) -> _Line:
    """A line whose columns the first line names; the first column may be a number that it does not name."""
    extra = len(row) - width
    first, second = places
    if extra not in (0, 1) or first is None or second is None:
        raise PhotoError(f"{path}, line {number}: {width} columns were expected, not {row!r:.80}.")
    same = None if same_at is None else _truth(path, number, row[same_at + extra])
    return _Line(number, (row[first + extra], row[second + extra]), same)


def _truth(path: Path, number: int, cell: str) -> bool:
    if cell.lower() not in _TRUTHS:
        raise PhotoError(
            f"{path}, line {number}: {shown(cell)!r} does not say whether both photos show one person; 1 or "
            "0, or true or false, were expected."
        )
    return _TRUTHS[cell.lower()]


def _lfw(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}"
