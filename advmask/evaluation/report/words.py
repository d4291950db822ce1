"""The part of the report for people who design masks: what was tested, found, and not shown."""

from collections.abc import Mapping
from typing import Any

from advmask.evaluation.columns import COLUMN_WORDS
from advmask.evaluation.report.answer import answer_box
from advmask.evaluation.report.html import paragraph, section, table, text
from advmask.evaluation.report.names import (
    ENROLLED,
    TRAINED_WORDS,
    column_of,
    condition_name,
    hundred,
    listed,
    main_results,
    people_words,
    setup_words,
    strangers,
    verdict,
)
from advmask.evaluation.report.simulated import simulated
from advmask.evaluation.summary import PLAIN_MASKS

__all__ = ["plain_part", "verdict"]

_NOT_SHOWN = (
    "Nothing was printed and worn here: the mask was drawn into photos by a simulation. A printed mask may "
    "do better or worse.",
    "Recognizers that are not in the table may match the wearer all the same. Systems made for masked faces, "
    "and systems that look at the eyes alone, are the hardest.",
    "People differ. The figures are averages over the people above; for a single person they may be far off. "
    "The tables of people further down show how far.",
    "Nothing is said about groups of people (age, sex, skin): the photos carry no such labels, so error "
    "rates by group could not be computed.",
    "Nothing is said about following a person through a video by clothes or gait, about thermal or depth "
    "cameras, or about being noticed because of the mask.",
    "Recognizers change. The figures are of the date above and will not stay true by themselves.",
)
_TOO_MANY = 2  # times the false matches asked for, beyond which a word is due


def plain_part(record: Mapping[str, Any], faces: str) -> str:
    """The upper part of the page.

    Args:
        record: Of `results.json`.
        faces: Pictures, as HTML.
    """
    results = main_results(record)
    return "".join(
        [
            section(
                2,
                "The answer in short",
                answer_box(record),
                paragraph(_how_to_read(record)),
            ),
            section(2, "What was tested", _tested(record, results), faces),
            section(2, "What was found", _found(record, results)),
            section(2, "What this does not show", _items(_not_shown(record))),
        ]
    )


def _how_to_read(record: Mapping[str, Any]) -> str:
    alone = len((record.get("people") or {}).get("probed") or ()) == 1
    ranges = (
        "One person gives no ranges: others may fare quite differently. "
        if alone
        else "Numbers in brackets are the range in which the true number lies in 95 of 100 such tests, if "
        "other people like these were taken. "
    )
    return (
        f"{ranges}Even plain masks keep some recognizers from matching, so what counts is how far the design "
        "lies below the plain mask that hides best."
    )


def _tested(record: Mapping[str, Any], results: list[Mapping[str, Any]]) -> str:
    people = record.get("people") or {}
    count = len(people.get("probed") or ())
    probes = max((one["probes"] + one["left_out"] for one in results), default=0)
    held_out = {
        True: "The design was made without ever seeing them.",
        False: "The design was made with some or all of them, so expect it to do worse on anybody else.",
        None: "Whether the design was made with them is not known.",
    }[people.get("held_out")]
    asked = listed(
        [strangers(fmr) for fmr in dict.fromkeys(one["fmr"] for one in results)] or ["no stranger"]
    )
    lines = [
        f"Photos of {people_words(count)}, in {probes} pictures. {held_out} Each picture shows a photo "
        "without a mask, with plain masks, with a mask of random noise, with a printed lower face and with "
        "the design, all in the same place, light and camera.",
        f"A recognizer {_known(results)}. It is shown a picture and either matches it to that person or does "
        f"not. It was set so that about {asked} without a mask would be matched to a person by mistake.",
    ]
    left = max((one["left_out"] for one in results), default=0)
    if left:
        lines.append(
            "Where no face was found under one of the masks, the picture was left out for all of them: up "
            f"to {left} of {probes}, counted further down. A hidden face is not counted as a success."
        )
    if count < 2:
        lines.append(
            "With one person there are no ranges: nobody can say from one person how others would fare."
        )
    effects = _items(simulated(record.get("settings")))
    return "".join([*(paragraph(line) for line in lines), paragraph("What the simulation did:"), effects])


def _known(results: list[Mapping[str, Any]]) -> str:
    """What people are known from, over all set-ups."""
    galleries = list(dict.fromkeys(one["gallery"] for one in results))
    if not galleries:
        return "knows people from their photos"
    counts = {name: sum(one["gallery"] == name for one in results) for name in galleries}
    parts = [
        f"{ENROLLED.get(name, name)} (in {count} of {len(results)} set-ups)" for name, count in counts.items()
    ]
    said = ENROLLED.get(galleries[0], galleries[0]) if len(parts) == 1 else ", or ".join(parts)
    return f"{said}; where there are several photos of a person, never from the one it is shown"


def _found(record: Mapping[str, Any], results: list[Mapping[str, Any]]) -> str:
    rows = []
    for one in results:
        conditions, plain = one["conditions"], one["strongest_plain"]
        rows.append(
            (
                one["recognizer"],
                setup_words(one),
                _rate(conditions.get("design", {}).get("tar")),
                f"{_rate(conditions[plain]['tar'])} {condition_name(plain)}" if plain else "-",
                _rate(conditions["bare"]["tar"]),
                verdict(one),
                TRAINED_WORDS.get(column_of(record, one["recognizer"]), "not known"),
                _let_in(one),
            )
        )
    head = (
        "recognizer",
        "set-up",
        "this design",
        "plain mask that hides best",
        "no mask",
        "difference (range)",
        "design trained against it?",
        "strangers in plain masks who match",
    )
    said = {column_of(record, one["recognizer"]) for one in results}
    meaning = [f"{TRAINED_WORDS[name]}: {words}." for name, words in COLUMN_WORDS.items() if name in said]
    return "".join(
        [
            table("Pictures of 100 that are still matched to the wearer", head, rows, numbers_from=2),
            paragraph("Each line is one recognizer in one set-up. Fewer is better for the wearer."),
            _about_strangers(results),
            paragraph("Was the design trained against it?") if meaning else "",
            _items(meaning),
        ]
    )


def _rate(estimate: Mapping[str, Any] | None) -> str:
    """A rate in a cell of a table; its range is not broken."""
    value, _, span = hundred(estimate).partition(" ")
    return " ".join(filter(None, [value, span.replace(" ", "\u00a0")]))


def _shares(one: Mapping[str, Any]) -> list[float]:
    """False matches of people in each plain mask."""
    found = [one["conditions"].get(name, {}).get("others_fmr") for name in PLAIN_MASKS]
    return [each["value"] for each in found if each and each["value"] is not None]


def _let_in(one: Mapping[str, Any]) -> str:
    shares = sorted({f"{100 * share:.2g}" for share in _shares(one)}, key=float)
    if not shares:
        return "-"
    span = shares[0] if len(shares) == 1 else f"{shares[0]} to {shares[-1]}"
    return f"{span} of 100 (asked: {100 * one['fmr']:g})"


def _about_strangers(results: list[Mapping[str, Any]]) -> str:
    high = [one for one in results if max(_shares(one), default=0) > _TOO_MANY * one["fmr"]]
    if not high:
        return ""
    most = max(max(_shares(one)) for one in high)
    return paragraph(
        f"In {len(high)} of {len(results)} lines a match in a plain mask is no proof of identity: at this "
        f"setting up to {100 * most:.0f} in 100 strangers in a plain mask also match, where "
        f"{100 * high[0]['fmr']:g} was asked for (the setting is made on faces without a mask). The last "
        "column gives it for each line, from the plain mask with the fewest to the one with the most. A "
        "high number for the plain mask, and so a large difference, is partly this."
    )


def _not_shown(record: Mapping[str, Any]) -> list[str]:
    columns = {one["column"] for one in (record.get("recognizers") or {}).values()}
    known = columns & {"trained on", "same family", "other family", "family not known"}
    lines = list(_NOT_SHOWN)
    if known == {"trained on"}:
        lines.insert(
            0,
            "Every network above is one the design was trained against. Networks it never met are fooled "
            "less often, and none of them was tested.",
        )
    if "eyes only" not in columns:
        lines.append(
            "No recognizer that looks at the eyes alone was tested; a mask cannot change what it sees."
        )
    return lines


def _items(lines: list[str]) -> str:
    return f"<ul>{''.join(f'<li>{text(line)}</li>' for line in lines)}</ul>" if lines else ""
