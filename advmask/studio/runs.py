"""The designs of a studio: run folders, with what was chosen for them and how far they are."""

import csv
import io
import json
import re
import time
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from advmask.core.data_files import read_json
from advmask.core.errors import RunError
from advmask.core.files import write_text
from advmask.core.run_config import TEXTURE
from advmask.evaluation.findings import CARD
from advmask.studio.choices import Choices
from advmask.textures.design_files import Design, read_design
from advmask.wearing.opened_design import load_design

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_NAME = 48
_STATE = re.compile(r"design_(\d{6})\.png")
_CONFIDENCE = "match_confidence/"
_SHOWN_POINTS = 120  # of a curve


class Runs:
    """The run folders of a studio.

    Args:
        folder: That they lie in.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, title: str, choices: Choices) -> "Run":
        """A folder for a new design, named by its title."""
        stem = slug(title) or "design"
        number = 1
        while True:
            path = self.folder / f"{stem}-{number}"
            try:
                path.mkdir(parents=True)
                break
            except FileExistsError:
                number += 1
        record = {"title": title.strip() or "Untitled", "made": time.time(), "choices": choices.model_dump()}
        write_text(path / "studio.json", json.dumps(record, indent=2) + "\n")
        return Run(path)

    def named(self, name: str) -> "Run":
        """A run by its name.

        Raises:
            RunError: There is none.
        """
        run = Run(self.folder / name)
        if len(name) > _LONGEST_NAME + 8 or not _NAME.fullmatch(name) or not run.record:
            raise RunError("There is no such design here.")
        return run

    def all(self) -> list["Run"]:
        """All runs, the latest first."""
        found = [Run(path.parent) for path in self.folder.glob("*/studio.json")]
        return sorted((run for run in found if run.record), key=lambda run: -run.made)


class Run:
    """One design, by what its folder holds.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = _read(path / "studio.json")

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.path.name

    @property
    def chosen(self) -> dict[str, Any]:
        """What was asked for, as it was recorded: it may name a printer that is not here any more."""
        found = self.record.get("choices")
        return found if isinstance(found, dict) else {}

    @property
    def choices(self) -> Choices:
        """What was asked for, to work by.

        Raises:
            ConfigError: It does not fit any more.
        """
        return Choices.build(self.chosen)

    @property
    def finished(self) -> bool:
        """Whether it has been learned to its end."""
        return (self.path / "run.json").exists() and (self.path / TEXTURE).exists()

    @property
    def given(self) -> Path:
        """Where copies of the drawing and the photos lie that it was asked for with."""
        return self.path / "given"

    @property
    def made(self) -> float:
        """When it was begun, in seconds; tells it from a deleted one whose name it has."""
        return float(self.record["made"])

    @property
    def version(self) -> str:
        """Changes with the design; empty while there is nothing to see of it."""
        states = self.states()
        step = int(self.finished) * 1_000_000 + (states[-1] if states else 0)
        return f"{self.made}-{step}" if step else ""

    def drawing(self) -> Path | None:
        """The copy of its drawing."""
        return next(iter(sorted(self.given.glob("drawing.*"))), None)

    def photos(self) -> Path | None:
        """The folder of copies of its photos; None where it has that which ships."""
        folder = self.given / "photos"
        return folder if folder.is_dir() else None

    def photo(self, name: str) -> Path | None:
        """The copy of one of its photos, by the name that this had when it was chosen."""
        names = self.chosen.get("photos", [])
        if name not in names:
            return None
        return next(self.given.glob(f"photos/{names.index(name) + 1}.*"), None)

    def states(self) -> list[int]:
        """Steps whose design is kept, in order."""
        found = [_STATE.fullmatch(path.name) for path in (self.path / "previews").glob("design_*.png")]
        return sorted(int(match[1]) for match in found if match)

    def state_file(self, step: int) -> Path:
        """The picture of the design as it was after a step.

        Raises:
            RunError: None was kept of that step.
        """
        path = self.path / "previews" / f"design_{step:06d}.png"
        if not path.is_file():
            raise RunError(f"No picture was kept of step {step}.")
        return path

    def design(self, step: int | None = None) -> Design:
        """The design as it is now, or was after a step.

        Raises:
            RunError: There is none yet.
        """
        return _opened(self.design_file(step), self.picture(step).stat().st_mtime_ns)

    def picture(self, step: int | None = None) -> Path:
        """The design's picture, which says its pattern.

        Raises:
            RunError: There is none yet.
        """
        path = self.design_file(step)
        return path / TEXTURE if path == self.path else path

    def design_file(self, step: int | None = None) -> Path:
        """What commands are given as the design: the folder, or the picture of a state.

        Raises:
            RunError: There is none yet.
        """
        if step is None and self.finished:
            return self.path
        states = self.states() if step is None else [step]
        if not states:
            raise RunError("There is nothing to see of this design yet.")
        return self.state_file(states[-1])

    def course(self) -> dict[str, Any]:
        """How far it is: steps taken, and of each recognizer how sure it was of a match, step by step."""
        rows = _rows(self.path / "metrics.csv")
        names = [key for key in (rows[0] if rows else {}) if key.startswith(_CONFIDENCE)]
        every = max(1, len(rows) // _SHOWN_POINTS)
        curves = {}
        for name in names:
            values = [float(row[name]) for row in rows if row[name]]
            curves[name.removeprefix(_CONFIDENCE)] = [
                sum(values[at : at + every]) / len(values[at : at + every])
                for at in range(0, len(values), every)
            ]
        return {"step": len(rows), "curves": curves}

    def sentence(self) -> str | None:
        """What came of measuring it, for a label or a post."""
        found = _read(self.path / "results.json").get("sentence")
        return found if isinstance(found, str) else None

    def card(self) -> Path | None:
        """The same as a picture."""
        path = self.path / CARD
        return path if path.is_file() else None

    def meters(self) -> list[dict[str, Any]]:
        """What the check at the end measured: how sure each recognizer is, bare, in plain masks, in this."""
        found = _read(self.path / "check.json").get("results", [])
        aligned = [one for one in found if one.get("aligner") != "bare"] or found
        return [
            {
                "recognizer": one["recognizer"],
                "confidence": {
                    name: condition["match_confidence"]["value"]
                    for name, condition in one["conditions"].items()
                },
                "undetected": {
                    name: condition["undetected"] for name, condition in one["conditions"].items()
                },
                "probes": one["probes"] + one.get("left_out", 0),
            }
            for one in aligned
        ]


@lru_cache(maxsize=8)
def _opened(path: Path, written: int) -> Design:
    """A design as it was written at a time: the page asks for the same one many times."""
    return load_design(path) if path.is_dir() else read_design(path)


def slug(title: str) -> str:
    """A title as a plain name for a folder: small letters, digits and hyphens."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")


def _rows(metrics: Path) -> Sequence[dict[str, str]]:
    """The rows of a log that somebody may be writing to: without a last line that is not whole yet."""
    try:
        text = metrics.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return list(csv.DictReader(io.StringIO(text[: text.rfind("\n") + 1])))


def _read(path: Path) -> dict[str, Any]:
    try:
        found = read_json(path)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
