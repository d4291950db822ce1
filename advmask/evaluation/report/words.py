"""The part of the report for people who design masks: what was tested, found, and not shown."""

from collections.abc import Mapping
from typing import Any

from advmask.evaluation.columns import COLUMN_WORDS
from advmask.evaluation.report.html import paragraph, section, table, text
from advmask.evaluation.traits import FEWEST_PROBES

ALIGNERS = {
    "mtcnn": "looks for the face itself, on the masked picture (MTCNN)",
    "dlib5": "looks for the face itself, on the masked picture (dlib)",
    "mesh468": "looks for the face itself, on the masked picture (MTCNN and 468 points)",
    "bare": "is told where the face is, from the bare picture",
}
_GALLERIES = {
    "bare": "",
    "masked": ", knows people with a plain mask on",
    "pooled": ", knows people both bare and with a plain mask on",
}
CONDITIONS = {
    "bare": "no mask",
    "white": "plain white mask",
    "surgical_blue": "plain blue mask",
    "black": "plain black mask",
    "noise": "mask with random noise",
    "lower_face": "mask with a printed lower face",
    "design": "this design",
}
NOT_SHOWN = (
    "Nothing was printed and worn here: the mask was drawn into photos by a simulation of cloth, ink, light "
    "and camera. A printed mask may do better or worse.",
    "Recognizers that are not in the table may match the wearer all the same. Systems made for masked faces, "
    "and systems that look at the eyes alone, are the hardest.",
    "People differ. The figures are averages over the people above; for a single person they may be far off. "
    "The chart of people further down shows how far.",
    "Nothing is said about groups of people (age, sex, skin): the photos carry no such labels, so error "
    "rates by group could not be computed.",
    "Nothing is said about following a person through a video by clothes or gait, about thermal or depth "
    "cameras, or about being noticed because of the mask.",
    "Recognizers change. The figures are of the date above and will not stay true by themselves.",
)


def main_results(record: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The results at the first false match rate of each recognizer, aligner and gallery."""
    seen: dict[tuple[str, str, str], Mapping[str, Any]] = {}
    for one in record["results"]:
        seen.setdefault((one["recognizer"], one["aligner"], one["gallery"]), one)
    return list(seen.values())


def plain_part(record: Mapping[str, Any], faces: str) -> str:
    """The upper part of the page.

    Args:
        record: Of `results.json`.
        faces: Pictures, as HTML.
    """
    results = main_results(record)
    items = "".join(f"<li>{text(_answer(one))}</li>" for one in results)
    return "".join(
        [
            section(
                2,
                "The answer in short",
                f'<div class="box"><ul>{items}</ul></div>',
                paragraph(
                    "Each line is one recognizer. A match means that it would say: this is the same person. "
                    "Even plain masks keep some recognizers from matching, so what counts is how far the "
                    "design lies below the plain mask that works best."
                ),
            ),
            section(2, "What was tested", _tested(record, results), faces),
            section(2, "What was found", _found(record, results)),
            section(
                2,
                "What this does not show",
                f"<ul>{''.join(f'<li>{text(line)}</li>' for line in _not_shown(record))}</ul>",
            ),
        ]
    )


def hundred(estimate: Mapping[str, Any] | None) -> str:
    """A rate as a number of 100 photos, with the range."""
    if not estimate or estimate["value"] is None:
        return "-"
    value = f"{100 * estimate['value']:.0f}"
    if estimate["low"] is None:
        return value
    return f"{value} ({100 * estimate['low']:.0f} to {100 * estimate['high']:.0f})"


def verdict(one: Mapping[str, Any]) -> str:
    """What can be said of the design against the strongest plain mask."""
    drop = one["conditions"].get("design", {}).get("drop")
    if not drop or drop["value"] is None:
        return "nothing can be compared"
    if one["probes"] < FEWEST_PROBES:
        return "too few pictures to tell"
    if drop["low"] is None:
        return "one person alone: no range can be given"
    if drop["low"] > 0:
        return f"lower by {100 * drop['low']:.0f} to {100 * drop['high']:.0f} in 100"
    if drop["high"] < 0:
        return f"HIGHER by {-100 * drop['high']:.0f} to {-100 * drop['low']:.0f} in 100"
    return "no difference can be told"


def _answer(one: Mapping[str, Any]) -> str:
    conditions, plain = one["conditions"], one["strongest_plain"]
    who = f"{one['recognizer']}, which {_aligner(one)}"
    who += _GALLERIES.get(one["gallery"], "")
    if plain is None or "design" not in conditions:
        return f"{who}: no face was found in all conditions, so nothing can be compared."
    rates = [conditions[name]["tar"]["value"] for name in ("design", plain, "bare")]
    numbers = [f"{100 * rate:.0f}" for rate in rates]
    return (
        f"{who}: of 100 pictures it still matches {numbers[0]} with the design, {numbers[1]} with a "
        f"{CONDITIONS[plain]}, {numbers[2]} without a mask. Compared with the plain mask: {verdict(one)}."
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
    who = "one person" if count == 1 else f"{count} people"
    lines = [
        f"Photos of {who}, in {probes} pictures. {held_out} Each picture shows a photo without a mask, with "
        "plain masks, with a mask of random noise, with a printed lower face and with the design, all in the "
        "same place, light and camera.",
        "A recognizer knows each person from other photos without a mask. It is shown a picture and either "
        f"matches it to that person or does not. It was set so that {_strangers(results)} would be matched "
        "to somebody else by mistake.",
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
    return "".join(paragraph(line) for line in lines)


def _strangers(results: list[Mapping[str, Any]]) -> str:
    rate = results[0]["fmr"] if results else 0.01
    return f"about one stranger in {round(1 / rate):,}"


def _found(record: Mapping[str, Any], results: list[Mapping[str, Any]]) -> str:
    rows = []
    about = record.get("recognizers") or {}
    for one in results:
        conditions, plain = one["conditions"], one["strongest_plain"]
        rows.append(
            (
                one["recognizer"],
                ALIGNERS.get(one["aligner"], one["aligner"]) + _GALLERIES.get(one["gallery"], ""),
                about.get(one["recognizer"], {}).get("column", "-"),
                hundred(conditions["bare"]["tar"]),
                f"{hundred(conditions[plain]['tar'])} {CONDITIONS[plain].split()[1]}" if plain else "-",
                hundred(conditions.get("design", {}).get("tar")),
                verdict(one),
            )
        )
    head = ("recognizer", "it", "to the design", "no mask", "best plain mask", "this design", "the design is")
    said = {row[2] for row in rows} & set(COLUMN_WORDS)
    meaning = "".join(f"<li>{text(name)}: {text(COLUMN_WORDS[name])}.</li>" for name in sorted(said))
    return (
        table("Pictures of 100 that are still matched to the wearer", head, rows, numbers_from=3)
        + paragraph(
            "Fewer is better for the wearer. In brackets the range in which the true number lies in 95 of "
            "100 such tests, if other people like these were taken."
        )
        + (f"<ul>{meaning}</ul>" if meaning else "")
    )


def _aligner(one: Mapping[str, Any]) -> str:
    return ALIGNERS.get(one["aligner"], f"is aligned by {one['aligner']}")


def _not_shown(record: Mapping[str, Any]) -> list[str]:
    columns = {one["column"] for one in (record.get("recognizers") or {}).values()}
    known = columns & {"trained on", "same family", "other family", "family not known"}
    lines = list(NOT_SHOWN)
    if known == {"trained on"}:
        lines.insert(
            0,
            "Every network above is one the design was trained against. Networks it never met are fooled "
            "much less often, and none of them was tested.",
        )
    if "eyes only" not in columns:
        lines.append(
            "No recognizer that looks at the eyes alone was tested; a mask cannot change what it sees."
        )
    return lines
