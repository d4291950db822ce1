"""Measured designs that ship with the package: a picture that names its mask, and a card, for each name."""

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from advmask.core.config_folders import designs_dir
from advmask.core.data_files import read_json
from advmask.core.errors import DesignError

PREFIX = "gallery:"
"""What stands before a name where a design is named: `gallery:NAME`."""


@dataclass(frozen=True)
class GalleryDesign:
    """A design that ships.

    Attributes:
        name: As users write it behind `gallery:`.
        picture: The PNG that `read_design` reads.
        title: In a few words.
        character: What it looks like, one sentence.
        inks: Its colours, #rrggbb, where there are few; else none.
        licence: Of picture and card.
        learned: How: recognizers trained on and others, people, start, whether it was held near that, steps,
            command, versions.
        judged_under: The preset of effects.
        measured: As in `card.json` (docs/export.md).
    """

    name: str
    picture: Path
    title: str
    character: str
    inks: tuple[str, ...]
    licence: str
    learned: Mapping[str, Any]
    judged_under: str
    measured: Mapping[str, Any]

    @property
    def design(self) -> str:
        """As it is named where a design is named."""
        return PREFIX + self.name


def gallery_names() -> list[str]:
    """Names of the designs that ship, in code-point order."""
    return sorted(file.stem for file in _folder().glob("*.png"))


def gallery_design(name: str) -> GalleryDesign:
    """A design that ships, by its name, with `gallery:` before it or without.

    Raises:
        DesignError: None has this name, or its card is damaged.
    """
    name = name.removeprefix(PREFIX)
    known = gallery_names()
    if name not in known:
        near = get_close_matches(name, known, n=1)
        hint = f"Did you mean {PREFIX}{near[0]}?" if near else f"There are: {', '.join(known)}."
        raise DesignError(f"No design called {name!r} is in the gallery that ships. {hint}")
    card = _folder() / f"{name}.json"
    try:
        held = read_json(card)
        return GalleryDesign(
            name,
            card.with_suffix(".png"),
            title=held["title"],
            character=held["character"],
            inks=tuple(held["inks"]),
            licence=held["licence"],
            learned=held["learned"],
            judged_under=held["judged_under"],
            measured=held["measured"],
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DesignError(f"{card} is damaged ({error}); install advmask again.") from error


def gallery_picture(source: str | Path) -> Path | None:
    """The picture that `gallery:NAME` stands for; None for a text that does not begin so.

    Raises:
        DesignError: No design that ships has this name.
    """
    text = str(source)
    return gallery_design(text).picture if text.startswith(PREFIX) else None


def gallery_design_at(place: Path | None) -> GalleryDesign | None:
    """The design that ships whose picture this is, if it is one."""
    if place is None or place.parent != _folder() or place.stem not in gallery_names():
        return None
    return gallery_design(place.stem)


def _folder() -> Path:
    return designs_dir() / "gallery"
