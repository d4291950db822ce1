"""Runs in folders: what each was asked to do, and what was measured of its design."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from advmask.core.errors import RunError
from advmask.core.run_config import CONFIG, flat, read_config
from advmask.core.shown_names import shown
from advmask.evaluation.results import load_results
from advmask.textures.design_files import name_of

RECORD, CHECK, SCORES = "results.json", "check.json", "scores.csv.gz"
_DEEPEST = 3  # folders between a sweep and its runs: hydra.sweep.subdir may hold some


@dataclass(frozen=True, eq=False)
class Run:
    """One run.

    Attributes:
        folder: Its folder.
        name: As shown: of the sweep and its number.
        settings: What it was asked to do, by dotted names.
        measured: `results.json` of `advmask evaluate`, or else the short check of training; None without.
        by: Name of that file.
    """

    folder: Path
    name: str
    settings: Mapping[str, Any]
    measured: Mapping[str, Any] | None
    by: str | None

    @property
    def results(self) -> list[Mapping[str, Any]]:
        """Results at the first false match rate."""
        found = [] if self.measured is None else list(self.measured["results"])
        return [one for one in found if one["fmr"] == found[0]["fmr"]]


def run_folders(places: Sequence[str | Path]) -> list[Path]:
    """The run folders that some folders are or hold, each once; those of a sweep by number.

    Raises:
        RunError: One of them is no folder, or holds no run.
    """
    found: dict[Path, None] = {}
    for place in map(Path, places):
        if not place.is_dir():
            raise RunError(f"There is no folder {place}; name a run, or the folder of a sweep.")
        inside = list(_runs_in(place, _DEEPEST))
        if not inside:
            raise RunError(
                f"{place} holds no run ({CONFIG} is in none of its folders); name the folder that "
                "`advmask train -m` wrote, or its hydra.sweep.dir."
            )
        found |= dict.fromkeys(inside)
    return list(found)


def read_runs(places: Sequence[str | Path]) -> list[Run]:
    """The runs that some folders are or hold.

    Raises:
        RunError: As `run_folders`; or a file of a run cannot be read.
    """
    return [read_run(folder) for folder in run_folders(places)]


def read_run(folder: Path) -> Run:
    """A run with what was measured of it.

    Raises:
        RunError: It is none, or a file of it cannot be read.
    """
    by = next((name for name in (RECORD, CHECK) if (folder / name).exists()), None)
    measured = None if by is None else load_results(folder / by)
    return Run(folder, name_of(folder), flat(read_config(folder)), measured, by)


def is_sweep(place: Path) -> bool:
    """Whether a folder is no run itself but holds some."""
    return (
        place.is_dir() and not (place / CONFIG).exists() and next(_runs_in(place, _DEEPEST), None) is not None
    )


def _runs_in(place: Path, deeper: int) -> Iterator[Path]:
    if (place / CONFIG).exists():
        yield place
    elif deeper:
        for inside in sorted((one for one in place.iterdir() if one.is_dir()), key=_by_number):
            yield from _runs_in(inside, deeper - 1)


def _by_number(place: Path) -> list[tuple[int, str]]:
    """Digits as the numbers they are: run 2 before run 10."""
    parts = re.split(r"(\d+)", shown(place.name))
    return [(int(part) if part.isdecimal() else -1, part) for part in parts]
