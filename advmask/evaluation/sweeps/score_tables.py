"""`scores.csv.gz` and `comparisons.csv.gz` read again, as arrays of each set-up."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from advmask.core.errors import RunError

FloatArray = NDArray[np.float64]
Setup = tuple[str, str, str]


@dataclass(eq=False)
class ScoreTable:
    """Scores of one recognizer, aligner and gallery.

    Attributes:
        photos: (n) of the probes, the same in every condition; with `draws` they name a probe.
        people: (n) on them.
        draws: (n) of the effects.
        similarity: For each condition (n,), NaN where no face was found.
        confidence: The same of the match confidence.
    """

    photos: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    draws: list[int] = field(default_factory=list)
    similarity: dict[str, FloatArray] = field(default_factory=dict)
    confidence: dict[str, FloatArray] = field(default_factory=dict)

    def detected(self) -> NDArray[np.bool_]:
        """(n,) whether the face was found in every condition."""
        return np.asarray(np.isfinite(np.stack(list(self.similarity.values()))).all(axis=0))


def read_scores(path: Path) -> dict[Setup, ScoreTable]:
    """The scores of every recognizer, aligner and gallery, in the order of the file.

    Raises:
        RunError: The file cannot be read, or is damaged.
    """
    read: dict[Setup, dict[str, list[dict[str, str]]]] = {}
    try:
        for row in _rows(path):
            setup = row["recognizer"], row["aligner"], row["gallery"]
            read.setdefault(setup, {}).setdefault(row["condition"], []).append(row)
        return {setup: _table(conditions) for setup, conditions in read.items()}
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error


def read_impostors(path: Path) -> dict[tuple[str, str], FloatArray]:
    """Bare similarities of different people, by recognizer and gallery.

    Raises:
        RunError: The file cannot be read, or is damaged.
    """
    found: dict[tuple[str, str], list[float]] = {}
    try:
        for row in _rows(path):
            if row["kind"] == "impostor":
                found.setdefault((row["recognizer"], row["gallery"]), []).append(float(row["similarity"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _damaged(path) from error
    return {key: np.array(values) for key, values in found.items()}


def _table(conditions: dict[str, list[dict[str, str]]]) -> ScoreTable:
    first = next(iter(conditions.values()))
    table = ScoreTable(
        [row["photo"] for row in first], [row["person"] for row in first], [int(row["draw"]) for row in first]
    )
    for name, rows in conditions.items():
        if [(row["photo"], int(row["draw"])) for row in rows] != list(
            zip(table.photos, table.draws, strict=True)
        ):
            raise ValueError(f"other probes under {name}")
        table.similarity[name] = np.array([float(row["similarity"] or "nan") for row in rows])
        table.confidence[name] = np.array([float(row["confidence"] or "nan") for row in rows])
    return table


def _rows(path: Path) -> Iterator[dict[str, str]]:
    try:
        with gzip.open(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
            yield from csv.DictReader(text)
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        raise _damaged(path) from error


def _damaged(path: Path) -> RunError:
    return RunError(f"{path} cannot be read; evaluate the design again.")
