"""Recipes tested against one of them, paired over the people that all their designs were judged on."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from advmask.core.run_config import flat
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import FloatArray, accepted, difference_over_people
from advmask.evaluation.sign_flips import holm, sign_flip_p
from advmask.evaluation.sweeps.measured_runs import RECORD, SCORES, Run
from advmask.evaluation.sweeps.recipes import Recipe, as_text
from advmask.evaluation.sweeps.score_tables import ScoreTable, Setup, read_scores

DESIGN = "design"
# What a run brings by itself, or what changes no score.
_MAY_DIFFER = (
    *("design", "further", "pictures", "mask.", "texels_per_mm", "faces.cache", "services."),
    *("protocol.progress", "protocol.processes", "protocol.device", "protocol.shard"),
)


@dataclass(frozen=True)
class RecipeTest:
    """One recipe against another, behind one recognizer, aligner and gallery.

    Attributes:
        recipe: Its name.
        against: Name of the other.
        recognizer: Label; with `aligner` and `gallery` it names the scores.
        aligner: See above.
        gallery: See above.
        figure: `tar`, or `match_confidence`.
        probes: On which both found the face under every design of theirs, with every mask.
        people: Of how many people.
        difference: Of this recipe less the other, each the mean over its seeds.
        p: Of the sign-flip test over people; two-sided.
        p_holm: Corrected for all tests made together.
    """

    recipe: str
    against: str
    recognizer: str
    aligner: str
    gallery: str
    figure: str
    probes: int
    people: int
    difference: Estimate
    p: float
    p_holm: float


def recipe_tests(
    recipes: Sequence[Recipe], *, against: Recipe, figure: str, seed: int = 0
) -> tuple[list[RecipeTest], list[str]]:
    """Test every recipe against one of them.

    The designs of a recipe's seeds are averaged probe by probe: the test says whether these designs differ
    over people, and the spread over seeds stands by itself.

    Args:
        recipes: All.
        against: One of them.
        figure: `tar` or `match_confidence`.
        seed: Of bootstrap and flips.

    Returns:
        The tests, and in words which recipes were not tested and why.

    Raises:
        RunError: Scores cannot be read.
    """
    said: list[str] = []
    first = _judged(against, said)
    if first is None:
        return [], said
    tests: list[RecipeTest] = []
    for recipe in recipes:
        if recipe is against or (second := _judged(recipe, said)) is None:
            continue
        unlike = _unlike(recipe.runs[0], against.runs[0])
        if unlike:
            said.append(f"{recipe.name} is not tested against {against.name}: {unlike}.")
            continue
        every = [*first, *second]
        for setup in [setup for setup in first[0] if all(setup in one for one in every)]:
            of_both = _paired([one[setup] for one in second], [one[setup] for one in first])
            names = (recipe.name, against.name)
            tests.append(_test(names, setup, figure, of_both, _threshold(against.runs[0], setup), seed))
    corrected = holm([one.p for one in tests])
    return [replace(one, p_holm=p) for one, p in zip(tests, corrected, strict=True)], said


def _judged(recipe: Recipe, said: list[str]) -> list[Mapping[Setup, ScoreTable]] | None:
    """Scores of each run; None, and why, where there are none or they are not alike."""
    for run in recipe.runs:
        if run.by != RECORD or not (run.evaluated_in / SCORES).exists():
            said.append(
                f"{recipe.name} is not tested: {run.name} has no {SCORES}; advmask evaluate makes it."
            )
            return None
        unlike = _unlike(run, recipe.runs[0])
        if unlike:
            said.append(f"{recipe.name} is not tested, its runs were not judged alike: {unlike}.")
            return None
    return [read_scores(run.evaluated_in / SCORES) for run in recipe.runs]


def _unlike(one: Run, other: Run) -> str:
    """In what two evaluations differ so that their probes are no pairs; empty where in nothing."""
    assert one.measured is not None
    assert other.measured is not None
    for part, value in {"people": None, "weights_sha256": None, "settings": None}.items():
        first, second = (flat(run.measured.get(part) or {}) for run in (one, other) if run.measured)
        for key in sorted(first.keys() | second.keys()):
            if part == "people" and key == "held_out":
                continue
            if part == "settings" and key.startswith(_MAY_DIFFER):
                continue
            ours, theirs = first.get(key, value), second.get(key, value)
            if one.meant(key, ours) == other.meant(key, theirs):
                continue
            if part == "people" and key == "probed":  # nobody's name goes into a table
                count, other_count = len(ours or ()), len(theirs or ())
                return f"{part} differ in {key} ({count} and {other_count}, not the same)"
            return f"{part} differ in {key} ({_short(ours)} and {_short(theirs)})"
    return ""


def _short(value: Any) -> str:
    text = as_text(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(frozen=True)
class _Pairs:
    """Probes that all runs of both recipes found: their people, and each run's values."""

    people: list[str]
    similarity: tuple[list[FloatArray], list[FloatArray]]
    confidence: tuple[list[FloatArray], list[FloatArray]]


def _paired(recipe: Sequence[ScoreTable], against: Sequence[ScoreTable]) -> _Pairs:
    places = []
    for table in (*recipe, *against):
        found = table.detected()
        keys = zip(table.photos, table.draws, strict=True)
        places.append({key: row for row, key in enumerate(keys) if found[row]})
    common = [key for key in places[0] if all(key in other for other in places)]
    rows = [[own[key] for key in common] for own in places]
    whose = [recipe[0].people[row] for row in rows[0]]
    tables = [*zip((*recipe, *against), rows, strict=True)]
    similarity = [table.similarity[DESIGN][row] for table, row in tables]
    confidence = [table.confidence[DESIGN][row] for table, row in tables]
    count = len(recipe)
    return _Pairs(whose, (similarity[:count], similarity[count:]), (confidence[:count], confidence[count:]))


def _test(
    names: tuple[str, str], setup: Setup, figure: str, pairs: _Pairs, threshold: float, seed: int
) -> RecipeTest:
    if figure == "tar":
        first, second = (
            np.mean([accepted(one, threshold) for one in own], axis=0) for own in pairs.similarity
        )
    else:
        first, second = (np.mean(own, axis=0) for own in pairs.confidence)
    return RecipeTest(
        *names,
        *setup,
        figure,
        len(pairs.people),
        len(set(pairs.people)),
        difference_over_people(first, second, pairs.people, seed=seed),
        sign_flip_p(first - second, pairs.people, seed=seed),
        float("nan"),
    )


def _threshold(run: Run, setup: Setup) -> float:
    return next(
        float(one["threshold"])
        for one in run.results
        if (one["recognizer"], one["aligner"], one["gallery"]) == setup
    )
