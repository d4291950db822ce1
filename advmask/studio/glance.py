"""Figures at a glance for what the page shows: of a design at any stage, and of a camera's frame."""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from advmask.applying.face_finding import FoundFace
from advmask.evaluation.results import PLAIN_MASKS
from advmask.masks.mask_building import build_mask
from advmask.studio.live import Seen
from advmask.studio.match_meter import Enrolled, MatchMeter, Sureness, as_meters
from advmask.studio.runs import Run
from advmask.studio.worn_pictures import WornPictures
from advmask.textures.design_files import Design
from advmask.wearing.artwork import shipped_design

_KEPT = 64
_VISITORS = 8


class Glances:
    """Looks once, and remembers.

    Args:
        shown: Finds the faces of photos, and lets them wear designs.
    """

    def __init__(self, shown: WornPictures) -> None:
        self.shown = shown
        self.meter = MatchMeter()
        self._enrolled: OrderedDict[tuple[Any, ...], Enrolled] = OrderedDict()
        self._sure: OrderedDict[tuple[Any, ...], Sureness] = OrderedDict()
        self._visitors: OrderedDict[tuple[Any, ...], Enrolled] = OrderedDict()
        self._one_at_a_time = threading.RLock()

    def of_run(self, run: Run, photos: Sequence[Path], state: int | None) -> dict[str, Any]:
        """How sure recognizers are of the person on the first photo: bare, in plain masks, in the design.

        Args:
            run: The design's.
            photos: The person is enrolled with all but the first, or with the first where there is no other.
            state: Step whose design is worn; None for the latest.

        Raises:
            AdvmaskError: There is nothing to see yet, a photo is gone, or a recognizer cannot be built.
        """
        design = run.design(state)
        with self._one_at_a_time:
            bare, face = self.shown.bare(photos[0])
            enrolled = self._enrol(run, photos)
            key = (tuple(run.choices.recognizers()), *_dated(photos))
            found = {"bare": self._look(("bare", *key), enrolled, bare, face)}
            for name, worn in {**_plain(design), "design": design}.items():
                stage = (run.path, run.version, state) if name == "design" else (design.pattern, design.size)
                if (name, *stage, *key) not in self._sure:
                    picture = self.shown.worn(photos[0], worn)
                    self._look((name, *stage, *key), enrolled, picture, face)
                found[name] = self._sure[(name, *stage, *key)]
        return {"meters": as_meters(found), "alone": len(photos) == 1}

    def of_frame(
        self, run: Run, photos: Sequence[Path] | None, seen: Seen, visitor: str
    ) -> list[dict[str, Any]]:
        """How sure recognizers are of whom a camera shows, without the mask and with it.

        Args:
            run: The design's.
            photos: Of the person; None takes the first frame of the camera instead.
            seen: The frame.
            visitor: Whose camera.
        """
        if seen.face is None:
            return []
        key = (run.path, run.made, visitor)
        with self._one_at_a_time:
            if photos is not None:
                enrolled = self._enrol(run, photos)
            elif key in self._visitors:
                enrolled = self._visitors[key]
            else:
                enrolled = self.meter.enrol(run.choices.recognizers(), [(seen.bare, seen.face)])
                _keep(self._visitors, key, enrolled, most=_VISITORS)
            pictures = {"bare": seen.bare, "design": seen.worn}
            return as_meters(
                {
                    name: self.meter.sure(enrolled, picture, near=seen.face)
                    for name, picture in pictures.items()
                }
            )

    def forget(self, run: Run) -> None:
        """Drop what was seen of a design, and of the photos in its folder."""
        with self._one_at_a_time:
            for kept in (self._enrolled, self._sure, self._visitors):
                for key in [each for each in kept if _is_of(run, each)]:
                    del kept[key]

    def _enrol(self, run: Run, photos: Sequence[Path]) -> Enrolled:
        names = run.choices.recognizers()
        key = (tuple(names), *_dated(photos))
        if key not in self._enrolled:
            faces = [self.shown.bare(photo) for photo in photos[1:] or photos]
            _keep(self._enrolled, key, self.meter.enrol(names, faces), most=_VISITORS)
        return self._enrolled[key]

    def _look(
        self, key: tuple[Any, ...], enrolled: Enrolled, picture: Image.Image, face: FoundFace
    ) -> Sureness:
        if key not in self._sure:
            _keep(self._sure, key, self.meter.sure(enrolled, picture, near=face), most=_KEPT)
        return self._sure[key]


def _plain(design: Design) -> dict[str, Design]:
    """Plain masks of the shape of a design."""
    surface, per_mm = build_mask(design.mask), design.texels_per_mm
    return {
        name: Design(
            shipped_design(name, surface, texels_per_mm=per_mm),
            pattern=design.pattern,
            size=design.size,
            texels_per_mm=per_mm,
            own_mask=design.own_mask,
        )
        for name in PLAIN_MASKS
    }


def _dated(photos: Sequence[Path]) -> tuple[Path | int, ...]:
    """Photos and when each was written: the folder of a deleted design is taken again."""
    return tuple(part for photo in photos for part in (photo, photo.stat().st_mtime_ns))


def _is_of(run: Run, key: tuple[Any, ...]) -> bool:
    return any(isinstance(part, Path) and part.is_relative_to(run.path) for part in key)


def _keep(among: "OrderedDict[Any, Any]", key: Any, value: Any, *, most: int) -> None:
    among[key] = value
    while len(among) > most:
        among.popitem(last=False)
