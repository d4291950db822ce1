"""Runs in folders: what each was asked to do, and what was measured of its design."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advmask.core.errors import RunError
from advmask.core.files import sha256
from advmask.core.run_config import CONFIG, KEPT_FILES, flat, read_config
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
        evaluated_in: Folder of that file and its scores; of the run, unless another was chosen.
        kept: Settings that name a file which the run keeps a copy of: that file by name and content.
    """

    folder: Path
    name: str
    settings: Mapping[str, Any]
    measured: Mapping[str, Any] | None
    by: str | None
    evaluated_in: Path
    kept: Mapping[str, str] = field(default_factory=dict)

    @property
    def results(self) -> list[Mapping[str, Any]]:
        """Results at the first false match rate."""
        found = [] if self.measured is None else list(self.measured["results"])
        return [one for one in found if one["fmr"] == found[0]["fmr"]]

    def meant(self, key: str, value: Any) -> Any:
        """A setting's value; of a file that the run keeps, name and content, which other runs share."""
        of_copy = self.kept.get(key)
        if of_copy is None or not isinstance(value, str):
            return value
        own = (self.folder.absolute().name, *of_copy.split("\n")[0].split("/"))
        return of_copy if Path(value).parts[-3:] == own else value


def run_folders(places: Sequence[str | Path]) -> list[Path]:
    """The run folders that some folders are or hold, each once; those of a sweep by number.

    Raises:
        RunError: One of them is no folder, or holds no run.
    """
    found: dict[Path, Path] = {}
    for place in map(Path, places):
        if not place.is_dir():
            raise RunError(f"There is no folder {place}; name a run, or the folder of a sweep.")
        inside = list(_runs_in(place, _DEEPEST))
        if not inside:
            raise RunError(
                f"{place} holds no run ({CONFIG} is in none of its folders); name the folder that "
                "`advmask train -m` wrote, or its hydra.sweep.dir."
            )
        for folder in inside:
            found.setdefault(folder.resolve(), folder)
    return list(found.values())


def read_runs(places: Sequence[str | Path]) -> list[Run]:
    """The runs that some folders are or hold.

    Raises:
        RunError: As `run_folders`; or a file of a run cannot be read.
    """
    return [read_run(folder) for folder in run_folders(places)]


def read_run(folder: Path, *, evaluated_in: Path | None = None) -> Run:
    """A run with what was measured of it.

    Args:
        folder: Of the run.
        evaluated_in: Where its results lie; None is the run itself.

    Raises:
        RunError: It is none, or a file of it cannot be read.
    """
    place = evaluated_in or folder
    by = next((name for name in (RECORD, CHECK) if (place / name).exists()), None)
    measured = None if by is None else load_results(place / by)
    settings = flat(read_config(folder))
    return Run(folder, name_of(folder), settings, measured, by, place, _kept(folder, settings))


def is_sweep(place: Path) -> bool:
    """Whether a folder is no run itself but holds some."""
    return (
        place.is_dir() and not (place / CONFIG).exists() and next(_runs_in(place, _DEEPEST), None) is not None
    )


def _kept(folder: Path, settings: Mapping[str, Any]) -> dict[str, str]:
    """Of each setting that names a copy in the run folder: its name below that folder, and its checksum."""
    found = {}
    for (group, key), kept in KEPT_FILES.items():
        copy = Path(f"{settings.get(f'{group}.{key}')}")
        if copy.parent == folder.absolute() / kept and copy.is_file():
            found[f"{group}.{key}"] = f"{kept}/{copy.name}\n{sha256(copy)}"
    return found


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
