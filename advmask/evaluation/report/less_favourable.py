"""The figures that speak against a design: other set-ups, search by name, other settings, detection."""

from collections.abc import Callable, Mapping
from itertools import groupby
from typing import Any

from advmask.evaluation.report.names import (
    BARE_LANDMARKS,
    CONDITIONS,
    FINDERS,
    hundred,
    listed,
    main_results,
    strangers,
    verdict,
)

_BETTER = "lower by"
_FOUND = 0.9  # of the faces; with fewer detected, one cannot say that the mask does not hide them


def harder_cases(record: Mapping[str, Any], chosen: list[Mapping[str, Any]]) -> tuple[str, str]:
    """The other set-ups, each with the network that is fooled least."""
    keys = {_setting(one) for one in chosen}
    usual = {one["recognizer"]: one for one in chosen}
    rest = [
        one for one in main_results(record) if _setting(one) not in keys and _rate(one, "tar") is not None
    ]
    clauses = []
    for changed, members in _grouped(rest, lambda one: _change(one, usual[one["recognizer"]])):
        worst = max(members, key=lambda one: _rate(one, "tar") or 0.0)
        tar = worst["conditions"]["design"]["tar"]
        most = "up to " if len(members) > 1 else ""
        clauses.append((tar["value"], f"{changed}: {most}{hundred(tar)}, {worst['recognizer']}"))
    if not clauses:
        return "", ""
    known = [value for one in chosen if (value := _rate(one, "tar")) is not None]
    more = max(value for value, _ in clauses) > max(known, default=-1.0)
    said = "; ".join(words for _, words in sorted(clauses, key=lambda clause: clause[0]))
    label = "Harder cases." if more else "Other set-ups, none harder."
    return label, f"Of 100 pictures with the design these are matched if the system {said}."


def _change(one: Mapping[str, Any], usual: Mapping[str, Any]) -> str:
    """What a set-up has that the usual one of the recognizer has not."""
    words = []
    if (usual["gallery"], one["gallery"]) == ("masked", "pooled"):
        words.append("also knows people without a mask")
    elif one["gallery"] != usual["gallery"]:
        words.append(
            {
                "bare": "knows people without a mask",
                "pooled": "also knows people in a plain mask",
                "masked": "knows people in a plain mask only",
            }.get(one["gallery"], one["gallery"])
        )
    if one["aligner"] != usual["aligner"]:
        given = one["aligner"] == BARE_LANDMARKS
        words.append(
            "gets the location of the face from a picture without a mask"
            if given
            else f"detects the face another way ({FINDERS.get(one['aligner'], one['aligner'])})"
        )
    return " and ".join(words) or "is as above"


def search_by_name(record: Mapping[str, Any], chosen: list[Mapping[str, Any]]) -> tuple[str, str]:
    """Search by name, for which no threshold is needed."""
    known = [one for one in chosen if _rate(one, "rank1") is not None]
    if not known:
        return "Search by name.", "It was not measured: there is nobody else to be mistaken for."
    worst = max(known, key=lambda one: _rate(one, "rank1") or 0.0)
    at_hand = (record.get("people") or {}).get("at_hand")
    among = f"of {at_hand} people" if at_hand else "of the people at hand"
    first = worst["conditions"]["design"]["rank1"]
    said = (
        f"If the system just names the most similar {among}, it is right in "
        f"{'' if len(known) == 1 else 'up to '}{_pictures(first)} with the design, {worst['recognizer']}"
    )
    said += _beside_plain(worst)
    every = [one for one in main_results(record) if _rate(one, "rank1") is not None]
    hardest = max(every, key=lambda one: _rate(one, "rank1") or 0.0)
    if (_rate(hardest, "rank1") or 0.0) > (_rate(worst, "rank1") or 0.0):
        usual = next((one for one in chosen if one["recognizer"] == hardest["recognizer"]), worst)
        found = hundred(hardest["conditions"]["design"]["rank1"])
        said += f"; if it {_change(hardest, usual)}, up to {found}, {hardest['recognizer']}"
        said += _beside_plain(hardest)
    worse = (_rate(worst, "rank1") or 0.0) > (_rate(worst, "tar") or 0.0)
    return f"Search by name{' is worse for the wearer' if worse else ''}.", f"{said}."


def _beside_plain(one: Mapping[str, Any]) -> str:
    """How often the wearer of the strongest plain mask is named, in brackets; nothing where there is none."""
    plain = one["conditions"].get(one["strongest_plain"] or "", {}).get("rank1")
    if not plain or plain["value"] is None:
        return ""
    return f" ({100 * plain['value']:.0f} with a {CONDITIONS[one['strongest_plain']]})"


def _pictures(estimate: Mapping[str, Any]) -> str:
    value, _, span = hundred(estimate).partition(" ")
    return f"{value} of 100 pictures{f' {span}' if span else ''}"


def other_settings(record: Mapping[str, Any], chosen: list[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Where nothing is left of a difference at another false match rate."""
    better = {_setting(one): one["fmr"] for one in chosen if verdict(one).startswith(_BETTER)}
    faded: dict[tuple[str, float], list[str]] = {}
    for one in record["results"]:
        asked = better.get(_setting(one), one["fmr"])
        if one["fmr"] == asked or verdict(one).startswith(_BETTER) or not one["probes"]:
            continue
        plain = one["strongest_plain"]
        rates = [100 * one["conditions"][name]["tar"]["value"] for name in ("design", plain)]
        label = "Set more strictly." if one["fmr"] < asked else "Set less strictly."
        words = f"design {rates[0]:.0f}, {CONDITIONS.get(plain, plain)} {rates[1]:.0f} of 100"
        faded.setdefault((label, one["fmr"]), []).append(f"{one['recognizer']} ({words})")
    told = "would match by mistake, no improvement over the plain mask can be shown for"
    return [
        (label, f"Where {strangers(fmr)} {told} {listed(names)}.") for (label, fmr), names in faded.items()
    ]


def detection(record: Mapping[str, Any]) -> list[str]:
    """Whether faces are still detected, for each way to find them."""
    main = main_results(record)
    detected = [one for one in main if one["aligner"] != BARE_LANDMARKS and "design" in one["conditions"]]
    if not detected:
        return ["Whether the face is still detected under the mask was not measured: its location was given."]
    lines = []
    for aligner, members in _grouped(detected, lambda one: one["aligner"]):
        one = members[0]
        total = one["probes"] + one["left_out"]
        if not total:
            continue
        found = total - one["conditions"]["design"]["undetected"]
        finder, plain = FINDERS.get(aligner, aligner), one["strongest_plain"]
        beside = (
            f" ({CONDITIONS.get(plain, plain)} {total - one['conditions'][plain]['undetected']})"
            if plain
            else ""
        )
        if found >= _FOUND * total:
            lines.append(
                f"The mask does not hide the face: {finder} still detected {found} of {total} with the design"
                f"{beside}."
            )
        else:
            lines.append(
                f"{finder} detected {found} of {total} faces with the design{beside}. A face that is not "
                "detected is not counted as a success: that picture is left out for all masks."
            )
    return lines


def _grouped(
    items: list[Mapping[str, Any]], key: Callable[[Mapping[str, Any]], str]
) -> list[tuple[str, list[Mapping[str, Any]]]]:
    return [(name, list(members)) for name, members in groupby(sorted(items, key=key), key)]


def _setting(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["recognizer"], one["aligner"], one["gallery"]


def _rate(one: Mapping[str, Any], name: str) -> float | None:
    estimate = one["conditions"].get("design", {}).get(name)
    return None if not estimate or estimate["value"] is None else float(estimate["value"])
