"""`judge.json` and `judge.csv`, as docs/judge.md describes them."""

import csv
import io
import math
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from advmask.evaluation.real_prints.judging import ALIGNER, PhysicalVerdict, RecognizerVerdict
from advmask.evaluation.real_prints.rates import Rates
from advmask.evaluation.results import json_text

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
        "results": [_result(one) for one in verdict.verdicts],
        "videos": [asdict(video) for one in verdict.verdicts for video in one.videos],
    }


def judge_csv(verdict: PhysicalVerdict) -> str:
    """What `judge.csv` holds: a row per recognizer and picture."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for one in verdict.verdicts:
        scored = one.scored
        for place, picture in enumerate(verdict.seen.pictures):
            writer.writerow(
                (
                    scored.recognizer.label,
                    picture.capture.person,
                    picture.capture.condition,
                    picture.capture.name,
                    "" if picture.time_s is None else f"{picture.time_s:.3f}",
                    picture.faces,
                    "" if picture.eyes_px is None else f"{picture.eyes_px:.1f}",
                    _number(scored.similarity[place], 6),
                    _number(scored.confidence[place], 6),
                    _number(scored.matched[place], 0),
                )
            )
    return stream.getvalue()


def keep_earlier(folder: Path, record: Mapping[str, Any]) -> None:
    """Where a judgement of other content lies in the folder, keep its files under a number.

    Args:
        folder: Of the judgement.
        record: The new one.
    """
    path = folder / JSON
    if not path.exists() or path.read_bytes() == json_text(record).encode():
        return
    number = 1
    while (folder / f"judge-{number}.json").exists():
        number += 1
    for name in (JSON, CSV, SHEET):
        if (folder / name).exists():
            (folder / name).rename(folder / name.replace(".", f"-{number}."))


def _result(one: RecognizerVerdict) -> dict[str, Any]:
    threshold = one.scored.threshold
    return {
        "recognizer": one.scored.recognizer.label,
        "aligner": ALIGNER,
        "fmr": threshold.fmr,
        "threshold": threshold.threshold,
        "threshold_interval": threshold.interval,
        "threshold_source": threshold.source,
        "measure": "distance" if one.scored.recognizer.distance == "euclidean" else "similarity",
        **_rates(one.rates),
        "by_person": {name: _rates(rates) for name, rates in one.by_person.items()},
    }


def _rates(rates: Rates) -> dict[str, Any]:
    return {
        "conditions": {
            name: None if condition is None else asdict(condition)
            for name, condition in rates.conditions.items()
        },
        "drop": None if rates.drop is None else asdict(rates.drop),
    }


def _number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""
