"""Folders of people in bare, plain and design: what is read, what is passed over, what is refused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Literal

from advmask.applying.video_files import VIDEO_SUFFIXES
from advmask.core.errors import PhotoError
from advmask.core.files import sha256
from advmask.core.shown_names import shown
from advmask.photos.people_folders import find_people, passed_over_notices
from advmask.photos.photo_files import is_beside_photo, is_left_behind, is_photo, listed

Condition = Literal["enrolment", "bare", "plain", "design"]
CONDITIONS: tuple[Condition, ...] = ("bare", "plain", "design")

_EXPECTED = (
    "expected are PERSON/bare, PERSON/plain and PERSON/design with photos or videos in them, or these three "
    "folders of one person; `advmask judge protocol` writes a page about it"
)


@dataclass(frozen=True)
class Capture:
    """One photo or video.

    Attributes:
        person: Whose face it shows.
        condition: What the person wears; `enrolment` for bare files that are not judged.
        path: The file.
        name: Its path below the folder given, for tables.
        is_video: Whether it is a video.
    """

    person: str
    condition: Condition
    path: Path
    name: str
    is_video: bool


@dataclass(frozen=True)
class CaptureSet:
    """All files that are to be looked at.

    Attributes:
        captures: By person in code-point order, then condition, then name.
        enrolled_by: Condition of the files that people are enrolled with.
        notices: Sentences for the user.
    """

    captures: tuple[Capture, ...]
    enrolled_by: Literal["enrolment", "bare"]
    notices: tuple[str, ...]

    @property
    def people(self) -> tuple[str, ...]:
        """Names in code-point order."""
        return tuple(sorted({capture.person for capture in self.captures}))


def read_folders(photos: Path, enrolment: Path | None = None) -> CaptureSet:
    """Find the files of all people, by the names of folders and files alone; contents only tell copies.

    Args:
        photos: Holds a folder per person with `bare`, `plain` and `design` in it, or these three.
        enrolment: Folder of other bare photos, with a sub-folder per person; None enrols with `bare`.

    Raises:
        PhotoError: A folder is missing or laid out otherwise, nobody has both bare photos and pictures of a
            mask, or one file lies in two places.
    """
    notices: list[str] = []
    found = [
        capture for name, folder in _people(photos) for capture in _of_person(name, folder, photos, notices)
    ]
    enrolled_by: Literal["enrolment", "bare"] = "bare"
    if enrolment is not None:
        enrolled_by = "enrolment"
        found += _enrolled(enrolment, {capture.person for capture in found}, notices)
    kept = _without_copies(_of_whole_people(found, enrolled_by, notices), notices)
    if not any(capture.condition in ("plain", "design") for capture in kept):
        raise PhotoError(f"Nobody in {photos} can be judged ({' '.join(notices)}); {_EXPECTED}.")
    return CaptureSet(tuple(kept), enrolled_by, tuple(notices))


def _people(photos: Path) -> list[tuple[str, Path]]:
    if not photos.is_dir():
        raise PhotoError(f"There is no folder {photos}; check photos=. {_EXPECTED.capitalize()}.")
    folders = _folders(photos)
    if any(_condition(folder) for folder in folders):
        return [(shown(photos.resolve().name) or "person", photos)]
    people = [(shown(folder.name), folder) for folder in folders if any(map(_condition, _folders(folder)))]
    if not people:
        there = sorted(entry.name for entry in _entries(photos))
        inside = sorted({inner.name for folder in folders for inner in _folders(folder)})
        found = f"{photos} holds {listed(there) or 'nothing'}" + (
            f", with {listed(inside)}" if inside else ""
        )
        raise PhotoError(f"{found}; {_EXPECTED}.")
    return people


def _of_person(name: str, folder: Path, photos: Path, notices: list[str]) -> list[Capture]:
    captures: list[Capture] = []
    seen: dict[Condition, Path] = {}
    loose = [entry for entry in _entries(folder) if _kind(entry) is not None]
    if loose:
        notices.append(
            f"Passed over {len(loose)} pictures in {folder} itself; they belong into one of its folders."
        )
    for inner in _folders(folder):
        condition = _condition(inner)
        if condition is None:
            near = get_close_matches(inner.name.lower(), CONDITIONS, n=1, cutoff=0.5)
            hint = f"; should it be called {near[0]}?" if near else "."
            notices.append(f"Passed over {inner}: only bare, plain and design are read{hint}")
            continue
        if condition in seen:
            raise PhotoError(f"{seen[condition]} and {inner} are both taken for {condition}; keep one.")
        seen[condition] = inner
        captures += _files(name, condition, inner, photos, notices)
    return captures


def _files(person: str, condition: Condition, folder: Path, root: Path, notices: list[str]) -> list[Capture]:
    captures, strange = [], []
    for entry in _entries(folder):
        if is_beside_photo(entry):
            continue
        kind = _kind(entry)
        if kind is None:
            broken = entry.is_symlink() and not entry.exists()
            strange.append(f"{entry.name}{' (a broken link)' if broken else '/' if entry.is_dir() else ''}")
            continue
        name = shown(entry.relative_to(root).as_posix())
        captures.append(Capture(person, condition, entry, name, kind == "video"))
    if strange:
        notices.append(
            f"Passed over {len(strange)} in {folder} that are not photos or videos: {listed(strange)}."
        )
    return captures


def _enrolled(enrolment: Path, judged: set[str], notices: list[str]) -> list[Capture]:
    captures = []
    people = find_people(enrolment)
    notices += passed_over_notices(enrolment, people)
    if len(people) == 1 and len(judged) == 1:  # one person's photos need no folder of that name
        people = [replace(people[0], name=next(iter(judged)))]
    for person in people:
        if person.name not in judged:
            notices.append(f"{person.name} is enrolled in {enrolment} but in no picture to be judged.")
            continue
        captures += [
            Capture(
                person.name, "enrolment", path,
                shown(path.name if path == enrolment else path.relative_to(enrolment).as_posix()), False,
            )
            for path in person.photos
        ]  # fmt: skip
    return captures


def _of_whole_people(found: Sequence[Capture], enrolled_by: Condition, notices: list[str]) -> list[Capture]:
    """Leave out people who are not enrolled, and say who lacks what."""
    kept: list[Capture] = []
    for person in sorted({capture.person for capture in found}):
        own = [capture for capture in found if capture.person == person]
        has = {capture.condition for capture in own}
        if enrolled_by not in has:
            where = "bare photos" if enrolled_by == "bare" else "photos in enrolment="
            notices.append(f"{person} has no {where} and cannot be enrolled; left out.")
            continue
        if not has & {"plain", "design"}:
            notices.append(f"{person} has no pictures of a mask; enrolled only.")
        elif "plain" not in has:
            notices.append(f"{person} has no plain/: the drop below a plain mask cannot be given.")
        elif "design" not in has:
            notices.append(f"{person} has no design/: only the plain mask is judged.")
        kept += sorted(own, key=lambda one: (("enrolment", *CONDITIONS).index(one.condition), one.name))
    return kept


def _without_copies(captures: Iterable[Capture], notices: list[str]) -> list[Capture]:
    """Count a file once in its folder, and refuse it in two folders, which would falsify a figure.

    A bare file that is also in the enrolment is not a probe.
    """
    first: dict[str, Capture] = {}
    kept = []
    for capture in captures:
        try:
            other = first.setdefault(sha256(capture.path), capture)
        except OSError:  # what reads it later says what is wrong
            kept.append(capture)
            continue
        if other is capture:
            kept.append(capture)
        elif other.person == capture.person and (
            other.condition == capture.condition
            or (other.condition, capture.condition) == ("enrolment", "bare")
        ):
            notices.append(f"{capture.path} is the same file as {other.path}; it counts once.")
        else:
            raise PhotoError(
                f"{other.path} and {capture.path} are the same file, so one of them lies in the wrong place; "
                "remove it."
            )
    return kept


def _condition(folder: Path) -> Condition | None:
    name = folder.name.strip().lower()
    return next((condition for condition in CONDITIONS if condition == name), None)


def _kind(path: Path) -> Literal["photo", "video"] | None:
    if is_photo(path):
        return "photo"
    return "video" if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file() else None


def _entries(folder: Path) -> list[Path]:
    try:
        there = [entry for entry in folder.iterdir() if not is_left_behind(entry)]
    except OSError as error:
        raise PhotoError(f"Cannot read the folder {folder}: {error.strerror or error}.") from error
    return sorted(there, key=lambda entry: entry.name)


def _folders(folder: Path) -> list[Path]:
    return [entry for entry in _entries(folder) if entry.is_dir()]
