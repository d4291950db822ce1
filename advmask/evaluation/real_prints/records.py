"""`judge.json` and `judge.csv`, as docs/judge.md describes them."""

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from advmask.evaluation.real_prints.judging import PhysicalVerdict, RecognizerVerdict
from advmask.evaluation.result_tables import csv_text
from advmask.evaluation.summary import measure_of

SCHEMA = 1
JSON, CSV, SHEET = "judge.json", "judge.csv", "judge.png"
_COLUMNS = (
    "recognizer", "person", "condition", "file", "time_s", "faces", "eyes_px", "similarity", "confidence",
    "matched",
)  # fmt: skip


def judge_record(verdict: PhysicalVerdict, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `judge.json` holds.

    Args:
        verdict: What was found.
        facts: What else is to be recorded: date, settings, design, recognizers, versions.
    """
    return {
        "schema": SCHEMA,
        **facts,
        "people": list(verdict.people),
        "others": verdict.others,
        "interval_over": "people" if len(verdict.people) > 1 else "files",
        "notices": list(verdict.notices),
        "results": [_result(one, verdict.aligner) for one in verdict.verdicts],
        "videos": [asdict(video) for one in verdict.verdicts for video in one.videos],
    }


def judge_csv(verdict: PhysicalVerdict) -> str:
    """What `judge.csv` holds: a row per recognizer and picture."""
    rows = (
        (
            one.scored.recognizer.label,
            picture.capture.person,
            picture.capture.condition,
            picture.capture.name,
            _number(picture.time_s, 3),
            picture.faces,
            _number(picture.eyes_px, 1),
            _number(one.scored.similarity[place], 6),
            _number(one.scored.confidence[place], 6),
            _number(one.scored.matched[place], 0),
        )
        for one in verdict.verdicts
        for place, picture in enumerate(verdict.seen.pictures)
    )
    return csv_text([_COLUMNS, *rows])


def _result(one: RecognizerVerdict, aligner: str) -> dict[str, Any]:
    threshold = one.scored.threshold
    return {
        "recognizer": one.scored.recognizer.label,
        "aligner": aligner,
        "fmr": threshold.fmr,
        "threshold": threshold.threshold,
        "threshold_interval": threshold.interval,
        "threshold_source": threshold.source,
        "measure": measure_of(one.scored.recognizer),
        **asdict(one.rates),
        "by_person": {name: asdict(rates) for name, rates in one.by_person.items()},
    }


def _number(value: float | None, digits: int) -> str:
    return "" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
