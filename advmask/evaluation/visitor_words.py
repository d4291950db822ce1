"""What an evaluation found, for whoever stands before the mask: three figures and one sentence."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from advmask.evaluation.report.names import (
    CONDITIONS,
    TRAINED_ON,
    column_of,
    listed,
    main_results,
    people_words,
    plainest_results,
)
from advmask.evaluation.traits import FEWEST_PROBES

FEW_PEOPLE = 10
"""With fewer, the sentence says that they say little about others."""
_NEARLY = 0.1  # of all pictures: a design that saves fewer does nearly the same as a plain mask
_DESIGN, _BARE = "design", "bare"


@dataclass(frozen=True)
class VisitorFigures:
    """The recognizer that was fooled least, in its plainest set-up: it looks for the face by itself.

    Attributes:
        result: The entry of `results` in the record.
        bars: What is worn, in words, and the share of pictures still matched, as an estimate: no mask, the
            plain mask that hides best where one was measured, the design.
        recognizers: How many were measured.
        trained_on: With how many of them the design was made.
        people: How many were probed.
        hardest: Largest share matched with the design in any set-up.
    """

    result: Mapping[str, Any]
    bars: tuple[tuple[str, Mapping[str, Any]], ...]
    recognizers: int
    trained_on: int
    people: int
    hardest: float


def visitor_figures(record: Mapping[str, Any]) -> VisitorFigures | None:
    """The figures of a card; None where nothing could be compared.

    A matcher that sees only the eyes is left out where there is another: print cannot fool it.

    Args:
        record: Of `results.json`.
    """
    known = [one for one in plainest_results(record) if _rate(one, _DESIGN) is not None]
    whole = [one for one in known if column_of(record, one["recognizer"]) != "eyes only"] or known
    if not whole:
        return None
    least = max(whole, key=lambda one: _rate(one, _DESIGN) or 0.0)
    names = {one["recognizer"] for one in whole}
    worn = [name for name in (_BARE, least["strongest_plain"], _DESIGN) if name is not None]
    others = [one for one in main_results(record) if one["recognizer"] in names]
    return VisitorFigures(
        least,
        tuple((CONDITIONS.get(name, name), least["conditions"][name]["tar"]) for name in worn),
        len(names),
        sum(column_of(record, name) in TRAINED_ON for name in names),
        len((record.get("people") or {}).get("probed") or ()),
        max(_rate(one, _DESIGN) or 0.0 for one in others),
    )


def visitor_sentence(record: Mapping[str, Any]) -> str:
    """One sentence for a label or a post: whom and what was tested, what came of it, and what it is worth.

    It names the recognizer that was fooled least, and says where a plain mask does nearly the same.

    Args:
        record: Of `results.json`.
    """
    found = visitor_figures(record)
    if found is None:
        return "Nothing could be compared in this test, so nobody knows whether this design hides anybody."
    who = "which" if found.recognizers == 1 else "and the one it fooled least"
    of = pictures_of(found)
    counted = {label: str(round(estimate["value"] * of)) for label, estimate in found.bars}
    bare, *plain, design = counted
    worn = [f"{counted[name]} with a {name}" for name in plain]
    rates = listed(
        [f"{counted[design]} of {of} pictures with this design", *worn, f"{counted[bare]} with {bare}"]
    )
    return (
        "In a computer simulation, not with a printed mask, this design was tested on "
        f"{people_words(found.people)} and {_recognizers(found)}, {who} still matched {rates}; "
        f"{_verdict(found)}."
    )


def pictures_of(found: VisitorFigures) -> int:
    """Of how many pictures rates are said: of all where they are few, else of a hundred."""
    probes = int(found.result["probes"])
    return probes if probes < FEWEST_PROBES else 100


def nearly_the_same(found: VisitorFigures) -> bool:
    """Whether a plain mask does nearly the same: less than a tenth is won, or no difference is shown."""
    drop = found.result["conditions"][_DESIGN]["drop"]
    if not drop or drop["value"] is None:
        return False
    return abs(drop["value"]) < _NEARLY or (drop["low"] is not None and drop["low"] <= 0 <= drop["high"])


def _recognizers(found: VisitorFigures) -> str:
    if found.recognizers == 1:
        made = " (it was made with it)" if found.trained_on else ""
        return f"one face recognizer{made}"
    made = {0: "", found.recognizers: " (it was made with all of them)"}.get(
        found.trained_on, f" (it was made with {found.trained_on} of them)"
    )
    return f"{found.recognizers} face recognizers{made}"


def _verdict(found: VisitorFigures) -> str:
    drop = found.result["conditions"][_DESIGN]["drop"]
    said = []
    if len(found.bars) < 3 or not drop or drop["value"] is None:
        said.append("no plain mask was tested beside it")
    elif found.result["probes"] < FEWEST_PROBES:
        said.append("these are too few pictures to tell it from a plain mask")
    elif nearly_the_same(found):
        said.append("a plain mask does nearly the same")
    elif drop["value"] < 0:
        said.append("a plain mask hides better")
    if found.people == 1:
        said.append("one person says nothing about others")
    elif found.people < FEW_PEOPLE:
        said.append(f"{found.people} people say little about others")
    return listed([*said, "this is a measurement and no promise"])


def _rate(one: Mapping[str, Any], name: str) -> float | None:
    tar = (one["conditions"].get(name) or {}).get("tar") or {}
    return tar.get("value") if one["probes"] else None
