"""From a folder of photos to aligned crops, with everything that was left out and why."""

import importlib.util
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tqdm import tqdm

from advmask.core.devices import device_beside
from advmask.core.errors import MissingPackageError, PhotoError
from advmask.photos.backends import landmark_backend
from advmask.photos.chips import QUALITY, seem_chips
from advmask.photos.crop_cache import crop_cache
from advmask.photos.crops import FaceCrop
from advmask.photos.people_folders import (
    PersonPhotos,
    Split,
    find_people,
    missing_photos,
    passed_over_notices,
    split_of_parts,
    split_people,
)
from advmask.photos.people_list import read_people
from advmask.photos.photo_files import listed
from advmask.photos.photo_to_crop import CropCutter
from advmask.photos.settings import FacesSettings
from advmask.photos.turns import how_turned

_REASONS_SHOWN = _NAMED = 3
_TOLD_EACH = 20  # photos with several faces, beyond which they are counted
_SEEM_CHIPS = "Pictures of 112 px seem to be aligned chips; faces.landmarks=arcface112 takes them as such."
_SHOWN = 6  # names of people in a repr


@dataclass(frozen=True)
class Omission:
    """A photo that was left out, and why, in one sentence."""

    source: Path
    reason: str

    def __str__(self) -> str:
        """The sentence for the user, which names the photo once."""
        return (
            f"Left out {self.reason if str(self.source) in self.reason else f'{self.source}: {self.reason}'}"
        )


@dataclass(frozen=True, eq=False)
class FaceSet:
    """The crops of all people, and what the user should know about them.

    Attributes:
        crops: By person, then by name of the photo, in code-point order.
        people: Names of the people with at least one crop, in code-point order.
        split: Who of them trains, validates and tests.
        omissions: Photos that were left out.
        notices: Sentences worth printing: what was passed over, several faces, single photos, people left
            out, nobody held out.
    """

    crops: tuple[FaceCrop, ...]
    people: tuple[str, ...]
    split: Split
    omissions: tuple[Omission, ...]
    notices: tuple[str, ...]

    def __repr__(self) -> str:
        """One line."""
        shown = ", ".join(self.people[:_SHOWN]) + ", ..." * (len(self.people) > _SHOWN)
        left_out = f"; {len(self.omissions)} photos left out" if self.omissions else ""
        return f"FaceSet({len(self.crops)} crops of {len(self.people)} people: {shown}{left_out})"

    def of(self, names: Iterable[str]) -> tuple[FaceCrop, ...]:
        """Give the crops of the people named, in the order of `crops`.

        Raises:
            PhotoError: There is no crop of one of them.
        """
        wanted = set(names)
        if unknown := sorted(wanted - set(self.people)):
            known = ", ".join(self.people)
            raise PhotoError(f"There is no photo of {', '.join(unknown)}; there are photos of {known}.")
        return tuple(crop for crop in self.crops if crop.person in wanted)


def load_faces(
    settings: FacesSettings, *, progress: bool = False, device: torch.device | None = None
) -> FaceSet:
    """Find the people, cut one face from every usable photo, and split the people.

    A photo without a face, with eyes closer than 10 px, with a face half outside, unreadable, or given twice
    for one person is left out and listed. Of several faces the largest is taken. The detector is loaded only
    for photos that the cache does not know.

    Args:
        settings: Which faces, and how.
        progress: Show a progress bar on the standard error stream.
        device: What `settings.device=auto` takes; None takes a GPU where there is one.

    Raises:
        PhotoError: There are no photos, or none is usable.
        ConfigError: The split asks for more people than have usable photos.
        WeightsError: The mesh model cannot be read or is another.
    """
    root, found, listed, notices = people_at_hand(settings)
    crops, omissions, said = _cut_all(found, settings, progress=progress, device=device)
    notices += said
    people = tuple(sorted({crop.person for crop in crops}))
    if not people:
        raise PhotoError(_nothing_usable(root, omissions))
    split = split_people(people, settings.split) if listed is None else listed.among(people)
    notices += _about_people(found, crops, split)
    if settings.landmarks == "arcface112":
        notices.append(QUALITY)
    elif len(omissions) > len(crops) and seem_chips([one.source for one in omissions]):
        notices.append(_SEEM_CHIPS)
    return FaceSet(tuple(crops), people, split, tuple(omissions), tuple(notices))


def load_masked(
    settings: FacesSettings,
    names: Sequence[str],
    *,
    progress: bool = False,
    device: torch.device | None = None,
) -> FaceSet:
    """The photos of `settings.masked`: people who wear real plain masks.

    Args:
        settings: Which folder, and how faces are found and cut.
        names: People at hand; others there are passed over.
        progress: Show a progress bar on the standard error stream.
        device: As in `load_faces`.

    Returns:
        The crops, the people on them and what should be said; nobody is split.

    Raises:
        PhotoError: There are no photos, or none of these people.
    """
    assert settings.masked is not None
    found = find_people(settings.masked)
    known = [person for person in found if person.name in set(names)]
    if not known:
        raise PhotoError(
            f"Nobody in faces.masked={settings.masked} is called as somebody who is probed: there are "
            f"{listed(one.name for one in found)}, and here {listed(names)}. Call their folders alike."
        )
    crops, omissions, notices = _cut_all(known, settings, progress=progress, device=device)
    if not crops:
        raise PhotoError(
            f"No photo in faces.masked={settings.masked} is usable; the first: {omissions[0]}"
            if omissions
            else f"There are no photos of the people probed in faces.masked={settings.masked}."
        )
    if len(known) < len(found):
        others = listed(sorted({person.name for person in found} - set(names)))
        notices.append(f"Passed over in {settings.masked}, being of nobody who is probed: {others}.")
    people = tuple(sorted({crop.person for crop in crops}))
    return FaceSet(tuple(crops), people, Split((), (), (), False), tuple(omissions), tuple(notices))


def _cut_all(
    found: Sequence[PersonPhotos], settings: FacesSettings, *, progress: bool, device: torch.device | None
) -> tuple[list[FaceCrop], list[Omission], list[str]]:
    """The crops of some people, the photos that were left out, and what should be said."""
    jobs = [(person.name, path) for person in found for path in person.photos]
    cutter = CropCutter(
        crop_cache(settings),
        size=settings.size,
        landmarks=landmark_backend(
            settings.landmarks,
            mesh_model=settings.mesh_model,
            min_face_px=settings.min_face_px,
            min_probability=settings.min_probability,
            device=device_beside(settings.device, device),
        ),
    )
    looked_at = cutter.prepare([path for _, path in jobs])
    for _ in tqdm(looked_at, "photos", len(jobs), unit="photo", disable=not progress):
        pass
    crops: list[FaceCrop] = []
    omissions: list[Omission] = []
    notices: list[str] = []
    several: list[str] = []
    first_of: dict[str, FaceCrop] = {}
    for person, path in jobs:
        try:
            crop, faces = cutter.cut(path, person=person)
        except PhotoError as error:
            omissions.append(Omission(path, str(error)))
            continue
        if how := how_turned(crop.transform):
            notices.append(f"{path}: the photo {how}; turn it. Its face is used all the same.")
        if faces > 1:
            several.append(f"{path} shows {faces} faces; the largest was taken.")
        other = first_of.setdefault(crop.sha256, crop)
        if other.person != person:
            notices.append(f"{path} and {other.source} are the same photo under two names.")
        crops.append(crop)
    if len(several) > _TOLD_EACH:
        more = len(several) - _NAMED
        several = [
            *several[:_NAMED],
            f"So do {more:,} more photos: several faces, the largest of which was taken.",
        ]
    return crops, omissions, notices + several


def people_at_hand(settings: FacesSettings) -> tuple[Path, list[PersonPhotos], Split | None, list[str]]:
    """Whose photos there are, by names of files or by a list, before any is opened.

    Args:
        settings: Which.

    Returns:
        Where they are, who is there, who trains and tests where a list says so, and sentences for the user.

    Raises:
        PhotoError: There are none, or the list does not fit.
    """
    # Resolved here and not in the settings, which are recorded and must not hold a path of this machine.
    if settings.people is not None:
        root = settings.root or settings.people.parent
        return root, *read_people(settings.people, root)
    root = portrait_path() if settings.root is None else settings.root
    found = find_people(root)
    notices = passed_over_notices(root, found)
    parts = {person.name: person.part for person in found if person.part}
    if not parts:
        return root, found, None, notices
    counts = ", ".join(f"{count} {part}" for part, count in Counter(parts.values()).items())
    notices.append(f"People are split as the folders in {root} are ({counts}), not by faces.split.")
    return root, found, split_of_parts(parts), notices


def check_photos_are_there(settings: FacesSettings) -> None:
    """Look for the folder or photo that is named, before time is spent on anything else.

    Raises:
        PhotoError: It is not there.
    """
    if settings.root is not None and not settings.root.exists():
        raise PhotoError(missing_photos(settings.root))


def portrait_path() -> Path:
    """Find the portrait of the astronaut Eileen Collins, in the public domain, that ships with scikit-image.

    Raises:
        MissingPackageError: scikit-image, or the picture in it, is not there.
    """
    # Located without importing scikit-image, which would cost half a second and more.
    package = importlib.util.find_spec("skimage")
    for folder in (package.submodule_search_locations or []) if package else []:
        path = Path(folder) / "data" / "astronaut.png"
        if path.is_file():
            return path
    raise MissingPackageError(
        "The portrait of scikit-image is missing; run `pip install scikit-image`, or name photos of your own."
    )


def _about_people(found: list[PersonPhotos], crops: list[FaceCrop], split: Split) -> list[str]:
    times = Counter(crop.person for crop in crops)
    none, one = ([person.name for person in found if times[person.name] == count] for count in (0, 1))
    if len(none) > _NAMED:
        notices = [f"There is no usable photo of {listed(none)}; these people are left out."]
    else:
        notices = [f"There is no usable photo of {name}; this person is left out." for name in none]
    same = "enrolled with the same photo that the mask is put on"
    if len(one) > _NAMED:
        notices.append(f"There is one photo each of {listed(one)}, who are {same}.")
    else:
        notices += [f"There is one photo of {name}, who is {same}." for name in one]
    if not split.held_out:
        notices.append("Nobody is held out, so the figures say nothing about other people.")
    return notices


def _nothing_usable(root: Path, omissions: list[Omission]) -> str:
    listed = "; ".join(f"{one.source.name}: {one.reason.rstrip('.')}" for one in omissions[:_REASONS_SHOWN])
    more = len(omissions) - _REASONS_SHOWN
    hint = f" {_SEEM_CHIPS}" if seem_chips([one.source for one in omissions]) else ""
    return f"No photo in {root} is usable ({listed}{f'; and {more} more' if more > 0 else ''}).{hint}"
