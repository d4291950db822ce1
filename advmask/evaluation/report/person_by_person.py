"""Person by person: who is matched in which set-up, in one order everywhere."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from advmask.evaluation.metrics import accepted
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.report.charts import bars_by_person
from advmask.evaluation.report.names import condition_name, main_results, setup_name
from advmask.evaluation.report.pieces import Columns, Table


@dataclass(frozen=True)
class _Counts:
    """Pictures of each person matched in one set-up: with the plain mask, with the design, and compared."""

    recognizer: str
    setup: str
    plain: str
    people: dict[str, tuple[int, int, int]]


def person_by_person(
    judged: Sequence[JudgedScores], record: Mapping[str, Any], names: Mapping[str, str]
) -> dict[str, Any] | None:
    """For each person how many pictures are matched with the design and with the strongest plain mask.

    Args:
        judged: Scores of every set-up.
        record: Of `results.json`.
        names: What people are called.

    Returns:
        A table over all set-ups, tables of each recognizer, and charts of each set-up; None where nothing was
        compared.
    """
    counted = _count(judged, record)
    order = _in_order(counted)
    if not order:
        return None
    own = {one.recognizer: [each for each in counted if each.recognizer == one.recognizer] for one in counted}
    first: Columns = [("person", names.__getitem__)]
    tables = [
        Table(
            f"{name}: pictures matched with the design / with the plain mask, of those compared",
            first + [(f"{one.setup} ({one.plain})", partial(_cell, [one])) for one in each],
            order,
            numbers_from=1,
        )
        for name, each in own.items()
    ]
    charts = []
    for one in counted:
        rates = {
            f"{names[person]} ({all_of})": (plain / all_of, design / all_of)
            for person in order
            if (counts := one.people.get(person))
            for plain, design, all_of in [counts]
        }
        what = f"{one.recognizer}: {one.setup}"
        title = f"Share of each person's pictures matched, plain mask and design, {what}"
        charts.append((what, bars_by_person(rates, title=title, names=(one.plain, "design"))))
    caption = "Matches with the design / with the plain mask, of all comparisons over all set-ups"
    totals = first + [(name, partial(_cell, each)) for name, each in own.items()]
    summary = Table(caption, totals, order, numbers_from=1)
    return {"summary": summary, "tables": tables, "charts": charts}


def _in_order(counted: Sequence[_Counts]) -> list[str]:
    """People, the one matched most with the design first, over all set-ups."""
    shares: dict[str, list[tuple[float, float]]] = {}
    for one in counted:
        for person, (plain, design, all_of) in one.people.items():
            shares.setdefault(person, []).append((design / all_of, plain / all_of))
    return sorted(shares, key=lambda person: tuple(np.mean(shares[person], axis=0)), reverse=True)


def _count(judged: Sequence[JudgedScores], record: Mapping[str, Any]) -> list[_Counts]:
    strongest = {
        (one["recognizer"], one["aligner"], one["gallery"]): one["strongest_plain"]
        for one in main_results(record)
    }
    found = []
    for one in judged:
        scores = one.scores
        plain = strongest[scores.recognizer, scores.aligner, scores.gallery]
        if plain is None or "design" not in scores.similarity:
            continue
        kept, people = scores.detected(), np.array(scores.people)
        matched = {
            name: accepted(scores.similarity[name], one.threshold.threshold) for name in (plain, "design")
        }
        counts = {
            person: (int(matched[plain][own].sum()), int(matched["design"][own].sum()), int(own.sum()))
            for person in dict.fromkeys(scores.people)
            if (own := kept & (people == person)).any()
        }
        found.append(
            _Counts(
                scores.recognizer,
                setup_name(scores.aligner, scores.gallery),
                condition_name(plain),
                counts,
            )
        )
    return found


def _cell(setups: Sequence[_Counts], person: str) -> str:
    """What is said of a person over some set-ups."""
    known = [one.people[person] for one in setups if person in one.people]
    if not known:
        return "none compared"
    plain, design, compared = (sum(column) for column in zip(*known, strict=True))
    return f"{design} / {plain} of {compared}"
