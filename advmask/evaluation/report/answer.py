"""The answer in short: what was measured against what, and the least favourable figures as well."""

from collections.abc import Mapping
from typing import Any

from advmask.evaluation.report.less_favourable import (
    detection,
    harder_cases,
    other_settings,
    search_by_name,
)
from advmask.evaluation.report.names import (
    ALIGNERS,
    CONDITIONS,
    ENROLLED,
    NOT_TRAINED_ON,
    TRAINED_ON,
    column_of,
    listed,
    people_words,
    plainest_results,
    strangers,
    verdict,
)

_GROUPS = (
    (NOT_TRAINED_ON, "Networks the design was not trained on:"),
    (TRAINED_ON, "Networks the design was trained on:"),
    (("not known",), "Networks for which it is not known whether the design was trained on them:"),
)


def answer(record: Mapping[str, Any]) -> dict[str, Any]:
    """What stands in the box: a caveat, the set-up, groups of recognizers, and less favourable figures.

    Args:
        record: Of `results.json`.
    """
    chosen = plainest_results(record)
    groups = [
        (heading, [_line(record, one) for one in chosen if column_of(record, one["recognizer"]) in columns])
        for columns, heading in _GROUPS
    ]
    notes = [
        harder_cases(record, chosen),
        search_by_name(record, chosen),
        *other_settings(record, chosen),
        ("Detection.", " ".join(detection(record))),
    ]
    return {
        "caveat": caveat(record),
        "setup": _setup(chosen) if chosen else None,
        "groups": [(heading, lines) for heading, lines in groups if lines],
        "notes": [(label, line) for label, line in notes if line],
    }


def caveat(record: Mapping[str, Any]) -> str:
    """What the figures are of: no printed mask, and which networks."""
    columns = [column_of(record, one["recognizer"]) for one in plainest_results(record)]
    met = sum(one in TRAINED_ON for one in columns)
    never = sum(one in NOT_TRAINED_ON for one in columns)
    start = "This was measured in a computer simulation, not with a printed mask"
    if not columns:
        said = "In a computer simulation, not with a printed mask; nothing could be compared."
    elif met == len(columns):
        said = (
            f"{start}, against the {'network' if met == 1 else _networks(met)} this design was trained on. "
            "Networks it was not trained on are fooled less often; none was tested."
        )
    elif never == len(columns):
        said = f"{start}, against {_networks(never)} this design was not trained on. Others may match more."
    elif not met and not never:
        said = (
            f"{start}, against {_networks(len(columns))}; it is not known whether the design was trained on "
            f"{'it' if len(columns) == 1 else 'them'}. Networks it was not trained on are fooled less often."
        )
    else:
        counts = {
            "this design was trained on": met,
            "it was not trained on": never,
            "for which this is not known": len(columns) - met - never,
        }
        kinds = listed([f"{count} {words}" for words, count in counts.items() if count])
        said = f"{start}, against {_networks(len(columns))}: {kinds}. " + (
            "For a system you do not know, those it was not trained on are what counts."
            if never
            else "Networks it was not trained on are fooled less often; whether any was tested is not known."
        )
    if (record.get("people") or {}).get("held_out") is False:
        said += " The design was made with some or all of the people tested, so expect worse on others."
    return said


def _networks(count: int) -> str:
    return "one network" if count == 1 else f"{count} networks"


def _setup(chosen: list[Mapping[str, Any]]) -> str:
    """In which set-up the lines are, where it is one for all."""
    ways = list(dict.fromkeys((one["aligner"], one["gallery"]) for one in chosen))
    said = [
        f"{ALIGNERS.get(aligner, aligner)}, and {ENROLLED.get(gallery, gallery)}" for aligner, gallery in ways
    ]
    asked = listed([strangers(fmr) for fmr in dict.fromkeys(one["fmr"] for one in chosen)])
    return (
        f"Each line is one recognizer. It {'; or it '.join(said)}. A match means that it would say: this is "
        f"the same person; it is set so that about {asked} would match a person by mistake."
    )


def _line(record: Mapping[str, Any], one: Mapping[str, Any]) -> tuple[str, str]:
    """A recognizer, and what it makes of the design."""
    conditions, plain = one["conditions"], one["strongest_plain"]
    who = one["recognizer"]
    if column_of(record, who) == "same family":
        who += " (the design was trained on a network of its family)"
    if column_of(record, who) == "eyes only":
        who += " (sees only the eyes)"
    if not one["probes"] or "design" not in conditions:
        return who, "no face was detected in all conditions, so nothing can be compared."
    rates = [
        f"{100 * conditions[name]['tar']['value']:.0f} {words}"
        for name, words in (
            ("design", "with the design"),
            (plain, f"with a {CONDITIONS.get(plain or '', plain)}"),
            ("bare", "without a mask"),
        )
        if name in conditions
    ]
    said = f"of 100 pictures it still matches {', '.join(rates)}.{_span(record, one)}"
    if plain is None:
        said += " No plain mask was tested, so nothing can be said about the print itself."
    else:
        said += f" Compared with the plain mask: {verdict(one)}."
    return who, said


def _span(record: Mapping[str, Any], one: Mapping[str, Any]) -> str:
    tar = one["conditions"]["design"]["tar"]
    if tar["low"] is None or tar["high"] is None:
        return ""
    low, high = 100 * tar["low"], 100 * tar["high"]
    if tar["value"] == 0:
        people = len((record.get("people") or {}).get("probed") or ())
        few = f": only {people_words(people)}" if people else ""
        bound = f"the true rate could be up to {high:.0f} in 100{few}"
        return f" With the design that is 0 of {one['probes']} pictures ({bound})."
    return f" With the design the true number may be {low:.0f} to {high:.0f}."
