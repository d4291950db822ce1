"""What the picture card says: which cases of a card are shown, and each of them in plain words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Rate = Mapping[str, Any] | None

_PLAIN = {"white": "plain white mask", "surgical_blue": "plain blue mask", "black": "plain black mask"}
_GALLERIES = {"bare": "", "masked": ", enrolled masked", "pooled": ", enrolled bare and masked"}
_TRAINED_ON = {True: ", none of whom it was trained on", False: ", some or all of whom it was trained on"}
_TRAINED_ON_ONE = {True: ", on whom it was not trained", False: ", on whom it was trained"}
UNMEASURED = (
    "This design has not been evaluated. Nobody knows whether a recognizer still matches whoever wears it.",
    "advmask evaluate measures it; then export it again.",
)


@dataclass(frozen=True)
class Case:
    """One recognizer on the card.

    Attributes:
        recognizer: What it is called.
        about: How faces were found and people enrolled, and how many pictures were compared.
        sentence: What came of it.
        bars: Label and rate, the plain mask's first where there is one; a rate has `value`, `low` and `high`
            in [0, 1].
    """

    recognizer: str
    about: str
    sentence: str
    bars: tuple[tuple[str, Rate], ...]


def shown_cases(card: Mapping[str, Any]) -> list[Case]:
    """For each recognizer the case that speaks most against the design, most matched first.

    A card has an entry for each way of aligning, enrolling and each false match rate. At the first false
    match rate of a recognizer, the entry is taken in which most photos with the design were matched.

    Args:
        card: Of `card.json`.
    """
    chosen: dict[str, Mapping[str, Any]] = {}
    for entry in card["recognizers"]:
        before = chosen.get(entry["recognizer"])
        if before is None or (entry["fmr"] == before["fmr"] and _matched(entry) > _matched(before)):
            chosen[entry["recognizer"]] = entry
    return [_case(entry) for entry in sorted(chosen.values(), key=_matched, reverse=True)]


def heading(card: Mapping[str, Any]) -> str:
    """At which false match rate."""
    fmr, *others = set(_first_fmrs(card).values())
    if not others:
        return f"where 1 stranger in {round(1 / fmr):,} would pass too (FMR {100 * fmr:g} %)"
    return "each at its own false match rate: card.json"


def measured_on(card: Mapping[str, Any]) -> str:
    """Whom and when."""
    people = card["people"]
    count = people["probed"]
    who = "1 person" if count == 1 else f"{count} people"
    trained = _TRAINED_ON_ONE if count == 1 else _TRAINED_ON
    when = f" ({card['measured_on']})" if card["measured_on"] else ""
    return f"Measured on {who}{trained.get(people['held_out'], '')}{when}."


def small_print(card: Mapping[str, Any] | None) -> list[str]:
    """Paragraphs: what was measured, how it is drawn, what was not tested, and that nothing is promised."""
    if card is None:
        return ["Not tested: anything, neither on a recognizer nor as a real print. Nothing is promised."]
    drawn = "Each recognizer is shown in the case in which it matched most."
    if card["people"]["probed"] > 1:
        drawn = f"In brackets, and as lines on the bars: 95 % intervals over people. {drawn}"
    return [measured_on(card), drawn, f"Not tested: {'; '.join(card['not_tested'])}.", card["says"]]


def percent(rate: Rate) -> str:
    """A rate with its interval, short."""
    if rate is None or rate["value"] is None:
        return "not known"
    value = f"{100 * rate['value']:.0f} %"
    if rate["low"] is None or rate["high"] is None:
        return value
    return f"{value} [{100 * rate['low']:.0f}, {100 * rate['high']:.0f}]"


def _case(entry: Mapping[str, Any]) -> Case:
    mask = _PLAIN.get(entry["plain_mask"], entry["plain_mask"])
    design = ("this design", entry["design_tar"])
    bars = (design,) if mask is None else ((mask, entry["plain_tar"]), design)
    bare = entry["aligner"] == "bare"
    how = "aligned on the bare photo" if bare else f"re-detected and aligned by {entry['aligner']}"
    left_out = f", {entry['left_out']} left out" if entry["left_out"] else ""
    about = f"{how}{_GALLERIES.get(entry['gallery'], '')}; {entry['probes']} pictures{left_out}"
    return Case(entry["recognizer"], about, _sentence(entry, mask), bars)


def _sentence(entry: Mapping[str, Any], mask: str | None) -> str:
    design, drop = entry["design_tar"], entry["drop"]
    if not entry["probes"] or design is None or design["value"] is None:
        return "Nothing could be compared: some mask hid every face."
    if mask is None or drop is None:
        return "No plain mask was measured for comparison."
    return _difference(drop, mask)


def _difference(drop: Mapping[str, Any], mask: str) -> str:
    value, low, high = (drop[key] for key in ("value", "low", "high"))
    alone = " (one person)" if low is None or high is None else ""
    if not alone and low <= 0 <= high:
        return f"No certain difference from the {mask}."
    if not value:
        return f"As often as under the {mask}{alone}."
    side = "less" if value > 0 else "more"
    return f"{abs(100 * value):.0f} points {side} often than under the {mask}{alone}."


def _matched(entry: Mapping[str, Any]) -> tuple[float, float]:
    """Larger where more photos were matched with the design; of equals, where the plain mask did better."""
    rates = [entry["design_tar"], entry["plain_tar"]]
    design, plain = (-1.0 if one is None or one["value"] is None else one["value"] for one in rates)
    return design, -plain


def _first_fmrs(card: Mapping[str, Any]) -> dict[str, float]:
    first: dict[str, float] = {}
    for entry in card["recognizers"]:
        first.setdefault(entry["recognizer"], entry["fmr"])
    return first
