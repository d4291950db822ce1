"""A judgement for the terminal: a table per recognizer, and what it shows in a sentence."""

import math
from collections.abc import Sequence

from advmask.core.shown_names import shown
from advmask.evaluation.estimates import MARKS_EXPLAINED
from advmask.evaluation.real_prints.condition_folders import CONDITIONS
from advmask.evaluation.real_prints.judging import PhysicalVerdict, RecognizerVerdict
from advmask.evaluation.real_prints.rates import Drop, Rates
from advmask.evaluation.summary import measure_of
from advmask.evaluation.terminal_table import lined_up, similarity_text, threshold_words

_FEWEST_FILES = 10  # with fewer, one picture more or less turns any comparison round
_KNOWN_BARE = 0.8
_COUNTS = ("people", "files", "pictures", "no face")
NOT_SHOWN = (
    "Measured on these people, pictures and cameras, behind one face detector, for the recognizers named. "
    "Others may match. It is not a promise."
)


def judge_table(verdict: PhysicalVerdict) -> str:
    """Lay out a judgement, one block per recognizer."""
    return "\n\n".join(
        [*(_block(one, verdict.people, verdict.aligner) for one in verdict.verdicts), MARKS_EXPLAINED]
    )


def in_a_sentence(one: RecognizerVerdict) -> str:
    """What one recognizer's figures show, and whether they show anything."""
    label, conditions, drop = one.scored.recognizer.label, one.rates.conditions, one.rates.drop
    design, bare = conditions["design"], conditions["bare"]
    if design is None:
        return f"{label}: there are no pictures of the design, so nothing is shown of it."
    if math.isnan(design.matched.value):
        return (
            f"{label}: no face was found in any of the {design.pictures} pictures of the design, so nothing "
            "is shown of the recognizer; another detector may find one."
        )
    ever = f"with the design {design.people_matched} of {design.people} people were matched at least once"
    if design.people == 1:
        times = "matched at least once" if design.people_matched else "never matched"
        ever = f"with the design this person was {times}"
    if drop is None or math.isnan(drop.matched.value):
        return f"{label}: {ever}. Without faces found in plain masks nobody can tell what any mask does."
    if bare is not None and bare.matched.value < _KNOWN_BARE:
        return (
            f"{label}: it matches these people in {bare.matched.value:.0%} of their bare pictures only, so "
            "what it says of masks means little."
        )
    if design.files < _FEWEST_FILES:
        return f"{label}: {ever}; {design.files} files of the design are too few for a verdict."
    low, high = drop.matched.low or 0.0, drop.matched.high or 0.0
    if low > 0:
        found = "these people were matched less" if drop.people > 1 else "this person was matched less"
        found += f" with the design than with a plain mask, by {100 * drop.matched.value:.0f} points"
    elif high < 0:
        found = "the design was matched MORE than a plain mask"
    else:
        less = "less" if drop.matched.value >= 0 else "MORE"
        found = (
            f"matched {100 * abs(drop.matched.value):.0f} points {less} with the design than with a plain "
            "mask, but the interval holds 0: it takes more people to show a difference"
        )
    return f"{label}: {found}; {ever}."


def _block(one: RecognizerVerdict, people: Sequence[str], aligner: str) -> str:
    threshold, measure = one.scored.threshold, measure_of(one.scored.recognizer)
    said = threshold_words(threshold.threshold, None, threshold.fmr, threshold.source, measure)
    finder = "MTCNN" if aligner == "mtcnn" else shown(aligner)
    rows: list[tuple[str, ...]] = [
        ("", *_COUNTS, measure, "match confidence", "matched %", "ever matched"),
    ]
    rows += [
        (
            name,
            *map(str, (each.people, each.files, each.pictures, each.no_face)),
            similarity_text(each.similarity, measure),
            each.match_confidence.text(2),
            each.matched.text(0, factor=100),
            f"{each.people_matched} of {each.people}",
        )
        for name, each in one.rates.conditions.items()
        if each is not None
    ]
    lines = [
        f"{one.scored.recognizer.label}, detected and aligned by {finder} on each picture; {said}",
        *lined_up(rows),
    ]
    if one.rates.drop is not None:
        lines.append(_drop_line(one.rates.drop))
    lines += _video_lines(one.rates)
    if len(people) > 1:
        lines += _by_person(one, people)
    return "\n".join(lines)


def _drop_line(drop: Drop) -> str:
    if math.isnan(drop.matched.value):
        return "  design below plain: cannot be estimated, too few faces were detected"
    who = "1 person, over files" if drop.people == 1 else f"{drop.people} people"
    return (
        f"  design below plain: matched {drop.matched.text(0, factor=100)} points less, match "
        f"confidence {drop.match_confidence.text(2)} less ({who})"
    )


def _video_lines(rates: Rates) -> list[str]:
    lines = []
    for name, condition in rates.conditions.items():
        if condition is None or condition.videos is None:
            continue
        one = condition.videos
        first = "never" if one.first_match_s is None else f"after {one.first_match_s:.1f} s"
        lines.append(
            f"  videos, {name}: {one.videos} with {one.frames} frames looked at; matched in "
            f"{one.matched_frames.text(0, factor=100)} % of frames, in "
            f"{one.matched_at_all.text(0, factor=100)} % of videos at all; longest "
            f"{one.longest_run_s:.1f} s, first {first}"
        )
    return lines


def _by_person(one: RecognizerVerdict, people: Sequence[str]) -> list[str]:
    rows = [("matched %, over files", *CONDITIONS, "design below plain")]
    for name in people:
        rates = one.by_person[name]
        found = [*(rates.conditions[worn] for worn in CONDITIONS), rates.drop]
        rows.append((name, *("-" if each is None else each.matched.text(0, factor=100) for each in found)))
    return lined_up(rows)
