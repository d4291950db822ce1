"""What the part for people who design masks says: what was tested and found, and what was not shown."""

from collections.abc import Mapping
from typing import Any

from advmask.evaluation.columns import COLUMN_WORDS
from advmask.evaluation.report.names import (
    ENROLLED,
    TRAINED_WORDS,
    column_of,
    listed,
    main_results,
    people_words,
    strangers,
)
from advmask.evaluation.report.simulated import simulated
from advmask.evaluation.report.tables import found_table, shares_of_strangers
from advmask.evaluation.visitor_words import visitor_sentence

_TOO_MANY = 2  # times the false matches asked for, beyond which a word is due


def plain_part(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the template of the upper part asks for.

    Args:
        record: Of `results.json`.
    """
    results = main_results(record)
    people = record.get("people") or {}
    count = len(people.get("probed") or ())
    asked = [strangers(fmr) for fmr in dict.fromkeys(one["fmr"] for one in results)]
    said = {column_of(record, one["recognizer"]) for one in results}
    columns = {one["column"] for one in (record.get("recognizers") or {}).values()}
    return {
        "sentence": visitor_sentence(record),
        "people": count,
        "who": people_words(count),
        "held_out": people.get("held_out"),
        "probes": max((one["probes"] + one["left_out"] for one in results), default=0),
        "left_out": max((one["left_out"] for one in results), default=0),
        "known": _known(results),
        "asked": listed(asked or ["no stranger"]),
        "effects": simulated(record.get("settings")),
        "found": found_table(record),
        "strangers": _strangers(results),  # None where no more match than was asked for
        "columns": [
            f"{TRAINED_WORDS[name]}: {words}." for name, words in COLUMN_WORDS.items() if name in said
        ],
        "only_trained_on": columns - {"eyes only", "not known"} == {"trained on"},
        "eyes_only": "eyes only" in columns,
    }


def _known(results: list[Mapping[str, Any]]) -> str:
    """What people are known from, over all set-ups."""
    galleries = [one["gallery"] for one in results]
    parts = [
        f"{ENROLLED.get(name, name)} (in {galleries.count(name)} of {len(results)} set-ups)"
        for name in dict.fromkeys(galleries)
    ]
    if len(parts) > 1:
        return ", or ".join(parts)
    return ENROLLED.get(galleries[0], galleries[0]) if galleries else "knows people from their photos"


def _strangers(results: list[Mapping[str, Any]]) -> dict[str, Any] | None:
    """Lines with too many of them, their largest share of 100, and the share asked for."""
    high = [one for one in results if max(shares_of_strangers(one), default=0) > _TOO_MANY * one["fmr"]]
    if not high:
        return None
    most = max(max(shares_of_strangers(one)) for one in high)
    asked = f"{100 * high[0]['fmr']:g}"
    return {"lines": len(high), "of": len(results), "most": f"{100 * most:.0f}", "asked": asked}
