"""What figures of a run are drawn from: its results with the scores behind them, from its files alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from advmask.evaluation.metrics import FloatArray
from advmask.evaluation.probe_scores import BARE
from advmask.evaluation.report.names import condition_name
from advmask.evaluation.sweeps.measured_runs import SCORES, Run
from advmask.evaluation.sweeps.recipe_tests import DESIGN
from advmask.evaluation.sweeps.score_tables import ScoreTable, read_impostors, read_scores

COMPARISONS = "comparisons.csv.gz"


@dataclass(frozen=True, eq=False)
class Measured:
    """One recognizer behind one aligner, with one gallery.

    Attributes:
        result: At the first false match rate.
        scores: Of its probes.
        impostor: Bare similarities of different people.
        thresholds: By false match rate.
        seed: Of the bootstrap.
    """

    result: Mapping[str, Any]
    scores: ScoreTable
    impostor: FloatArray
    thresholds: Mapping[float, float]
    seed: int

    @property
    def title(self) -> str:
        """Recognizer and aligner; the gallery where it is not bare."""
        one = self.result
        aligned = "aligned on the bare photo" if one["aligner"] == BARE else f"aligned by {one['aligner']}"
        gallery = "" if one["gallery"] == BARE else f", {one['gallery']} gallery"
        return f"{one['recognizer']}, {aligned}{gallery}"

    @property
    def plain(self) -> str | None:
        """The strongest plain mask."""
        name: str | None = self.result["strongest_plain"]
        return name

    @property
    def axis(self) -> str:
        """What similarities are."""
        return "minus distance" if self.result.get("measure") == "distance" else "similarity"

    def conditions(self) -> dict[str, FloatArray]:
        """Similarities of the probes found everywhere: bare, under the strongest plain mask, the design."""
        kept = self.scores.detected()
        names = [BARE, *([self.plain] if self.plain else []), DESIGN]
        return {name: self.scores.similarity[name][kept] for name in names if name in self.scores.similarity}

    def people(self) -> list[str]:
        """Of those probes."""
        kept = self.scores.detected()
        return [name for name, keep in zip(self.scores.people, kept, strict=True) if keep]


def labelled(condition: str, one: Measured, setups: Sequence[Measured]) -> str:
    """What a condition is called in the legend of several set-ups, whose strongest plain masks may differ."""
    if condition == one.plain and len({each.plain for each in setups}) > 1:
        return "strongest plain mask"
    return condition_name(condition)


def measured(run: Run) -> list[Measured]:
    """Every set-up of a run that scores were kept of; empty where it was not evaluated.

    Raises:
        RunError: Scores cannot be read.
    """
    if run.measured is None or not all((run.folder / name).exists() for name in (SCORES, COMPARISONS)):
        return []
    scores, impostors = read_scores(run.folder / SCORES), read_impostors(run.folder / COMPARISONS)
    protocol = (run.measured.get("settings") or {}).get("protocol") or {}
    found = []
    for result in run.results:
        setup = result["recognizer"], result["aligner"], result["gallery"]
        if setup not in scores or result["threshold"] is None or not scores[setup].detected().any():
            continue
        found.append(
            Measured(
                result,
                scores[setup],
                impostors.get((setup[0], setup[2]), np.empty(0)),
                {
                    one["fmr"]: one["threshold"]
                    for one in run.measured["results"]
                    if (one["recognizer"], one["aligner"], one["gallery"]) == setup
                },
                int(protocol.get("seed", 1)),
            )
        )
    return found
