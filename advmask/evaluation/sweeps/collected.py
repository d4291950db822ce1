"""What a sweep found, as one record: runs, recipes over their seeds, who judged whom, and tests."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from advmask.core.errors import ConfigError, RunError
from advmask.evaluation.sweeps.measured_runs import Run
from advmask.evaluation.sweeps.recipe_tests import DESIGN, RecipeTest, recipe_tests
from advmask.evaluation.sweeps.recipes import SEED, Recipe, as_text, differing, recipes

SCHEMA = 1
FIGURES = ("tar", "match_confidence", "drop", "rank1", "others_fmr", "similarity", "displacement")
_SETUP = ("recognizer", "aligner", "gallery")


@dataclass(frozen=True)
class Spread:
    """A figure over the seeds of a recipe.

    Attributes:
        mean: Over the runs that have it; None where none has.
        sd: Their standard deviation; None with fewer than two.
        runs: How many.
        least: Smallest.
        most: Largest.
    """

    mean: float | None
    sd: float | None
    runs: int
    least: float | None
    most: float | None


def collect(
    runs: Sequence[Run],
    *,
    columns: Sequence[str] | None = None,
    against: str | None = None,
    tested: str = "tar",
    seed: int = 1,
) -> dict[str, Any]:
    """The record of a sweep, as docs/sweeps.md describes it.

    Args:
        runs: All; those that were not measured have no figures.
        columns: Settings to tell recipes apart by; None finds those that differ.
        against: Name of the recipe, or of a run of it, that the others are tested against; None takes the
            first.
        tested: `tar` or `match_confidence`.
        seed: Of the tests.

    Raises:
        RunError: Nothing was measured, or scores cannot be read.
        ConfigError: There is no such setting or recipe.
    """
    if not any(run.results for run in runs):
        raise RunError(
            f"Nothing was measured of {', '.join(run.name for run in runs[:3])}"
            f"{' and others' if len(runs) > 3 else ''}; run advmask evaluate with the same folders first."
        )
    found = recipes(runs, columns)
    again = [(run, recipe) for recipe in found for run in recipe.again]
    runs = [run for run in runs if not any(run is each for each, _ in again)]
    tests: list[RecipeTest] = []
    said: list[str] = []
    if len(found) > 1:
        tests, said = recipe_tests(found, against=_recipe(found, against), figure=tested, seed=seed)
    return {
        "schema": SCHEMA,
        "differing": differing(runs),
        "columns": list(found[0].settings),
        "runs": [_of_run(run, recipe) for recipe in found for run in recipe.runs],
        "recipes": [_of_recipe(recipe) for recipe in found],
        "transfer": transfer(runs),
        "tests": [asdict(one) for one in tests],
        "not_tested": said,
        "notes": [*_notes(runs), *(_of_again(*each) for each in again)],
    }


def figure_of(result: Mapping[str, Any], figure: str) -> float | None:
    """A figure of the design in a result, without its interval; None where there is none."""
    found = result["conditions"].get(DESIGN, {}).get(figure)
    value: float | None = found["value"] if isinstance(found, Mapping) else found
    return value


def setup_of(result: Mapping[str, Any]) -> tuple[str, str, str]:
    """Recognizer, aligner and gallery of a result."""
    return result["recognizer"], result["aligner"], result["gallery"]


def transfer(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Trained on x, judged by x, aligned by: figures over all runs that were trained on the same.

    Args:
        runs: Those without results are passed over.

    Returns:
        One entry for each set of recognizers trained on, and each recognizer, aligner and gallery.
    """
    cells: dict[tuple[str, tuple[str, str, str]], list[Mapping[str, Any]]] = {}
    judged_as: dict[tuple[str, str], str | None] = {}
    for run in runs:
        trained = as_text(run.settings.get("recognizers"))
        for result in run.results:
            cells.setdefault((trained, setup_of(result)), []).append(result)
            about = (run.measured or {}).get("recognizers", {}).get(result["recognizer"], {})
            judged_as[trained, result["recognizer"]] = about.get("column")
    return [
        {"trained_on": trained, "column": judged_as[trained, setup[0]]}
        | dict(zip(_SETUP, setup, strict=True))
        | _spreads(results)
        for (trained, setup), results in cells.items()
    ]


def spread(values: Sequence[float | None]) -> Spread:
    """Mean and standard deviation of the values that are there."""
    there = [value for value in values if value is not None]
    if not there:
        return Spread(None, None, 0, None, None)
    sd = float(np.std(there, ddof=1)) if len(there) > 1 else None
    return Spread(float(np.mean(there)), sd, len(there), min(there), max(there))


def _recipe(found: Sequence[Recipe], against: str | None) -> Recipe:
    if against is None:
        return found[0]
    for recipe in found:
        if against in {
            recipe.name,
            *(run.name for run in recipe.runs),
            *(str(run.folder) for run in recipe.runs),
        }:
            return recipe
    names = "; ".join(recipe.name for recipe in found)
    raise ConfigError(f"There is no recipe {against!r} to test against; recipes are: {names}.")


def _of_run(run: Run, recipe: Recipe) -> dict[str, Any]:
    return {
        "run": run.name,
        "folder": str(run.folder),
        "recipe": recipe.name,
        "seed": run.settings.get(SEED),
        "settings": dict(recipe.settings),
        "measured_by": run.by,
        "results": [
            {key: result[key] for key in (*_SETUP, "fmr", "probes", "left_out", "strongest_plain")}
            | {figure: result["conditions"].get(DESIGN, {}).get(figure) for figure in FIGURES}
            for result in run.results
        ],
    }


def _of_recipe(recipe: Recipe) -> dict[str, Any]:
    by_setup: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for run in recipe.runs:
        for result in run.results:
            by_setup.setdefault(setup_of(result), []).append(result)
    return {
        "recipe": recipe.name,
        "settings": dict(recipe.settings),
        "runs": [run.name for run in recipe.runs],
        "seeds": [run.settings.get(SEED) for run in recipe.runs],
        "results": [
            dict(zip(_SETUP, setup, strict=True)) | _spreads(results) for setup, results in by_setup.items()
        ],
    }


def _spreads(results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {figure: asdict(spread([figure_of(one, figure) for one in results])) for figure in FIGURES}


def _of_again(run: Run, recipe: Recipe) -> str:
    seed = run.settings[SEED]
    counted = next(one for one in recipe.runs if one.settings[SEED] == seed)
    return f"{run.name} has the settings and the seed ({seed}) of {counted.name}, so it is not counted again."


def _notes(runs: Sequence[Run]) -> list[str]:
    """What a reader of the tables must know of the runs behind them."""
    notes = []
    without = [run.name for run in runs if not run.results]
    if without:
        notes.append(f"Not measured: {', '.join(without)}.")
    checked = [run.name for run in runs if run.by == "check.json"]
    if checked:
        who = "All figures are" if len(checked) == len(runs) - len(without) else f"{', '.join(checked)}:"
        notes.append(f"{who} of the short check at the end of training, not of advmask evaluate.")
    rates = {run.results[0]["fmr"] for run in runs if run.results}
    if len(rates) > 1:
        notes.append(
            f"Runs were judged at different false match rates: {', '.join(f'{r:g}' for r in rates)}."
        )
    people = {tuple((run.measured or {}).get("people", {}).get("probed", ())) for run in runs if run.results}
    if len(people) > 1:
        notes.append("Runs were judged on different people: their figures are no like for like.")
    return notes
