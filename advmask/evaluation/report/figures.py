"""The part of the report for people who compare designs: tables, curves, cases."""

from collections.abc import Mapping, Sequence
from typing import Any

from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.report.charts import det_chart, distributions, roc_chart
from advmask.evaluation.report.html import paragraph, section, table
from advmask.evaluation.report.names import (
    TRAINED_WORDS,
    aligner_name,
    column_of,
    condition_name,
    design_first,
    gallery_name,
    main_results,
    setup_name,
)
from advmask.evaluation.result_tables import figure, percent

_PER = ("recognizer", "set-up")


def rate_tables(record: Mapping[str, Any]) -> str:
    """TAR and rank-1 of every condition under every recognizer, aligner, gallery and FMR."""
    results = record["results"]
    names, words = _conditions(record)
    rates = []
    for one in results:
        design, *rest = (f"{percent(one['conditions'][name]['tar'])}{_star(one, name)}" for name in names)
        rates.append((*_named(one), f"{one['fmr']:g}", design, percent(_drop(one)), *rest))
    head = (*_PER, "FMR", words[0], "design lower by", *words[1:])
    main = main_results(record)
    confidence = [
        (*_named(one), *(figure(one["conditions"][name]["match_confidence"], digits=2) for name in names))
        for one in main
    ]
    first = [(*_named(one), *(percent(one["conditions"][name]["rank1"]) for name in names)) for one in main]
    others = (record.get("people") or {}).get("at_hand", 0)
    among = f"Rank-1 identification in %, among all {others} people at hand, those not probed as distractors"
    tar = "TAR in %, with 95 % intervals; * the strongest plain mask"
    return "".join(
        [
            table(tar, head, rates, numbers_from=2, dense=True),
            table(among, (*_PER, *words), first, numbers_from=2, dense=True),
            table("Mean match confidence", (*_PER, *words), confidence, numbers_from=2, dense=True),
        ]
    )


def impostor_tables(record: Mapping[str, Any]) -> str:
    """Masked people as impostors; thresholds; faces not found; landmarks led astray."""
    names, words = _conditions(record)
    impostors = [
        (
            *_named(one),
            f"{one['fmr']:g}",
            *(figure(one["conditions"][name]["others_fmr"], factor=100, digits=2) for name in names),
        )
        for one in record["results"]
    ]
    thresholds = [
        (*_named(one), f"{one['fmr']:g}", _threshold(one), one["threshold_source"])
        for one in record["results"]
    ]
    main = main_results(record)
    seen = [
        (*_named(one), one["probes"], *(one["conditions"][name]["undetected"] for name in names))
        for one in main
    ]
    moved = [
        (*_named(one), *(_plain(one["conditions"][name]["displacement"]) for name in names)) for one in main
    ]
    unsupported = [
        (one["recognizer"], gallery_name(one["gallery"]), f"{one['fmr']:g}", one["reason"])
        for one in record.get("unsupported", ())
    ]
    parts = [
        table(
            "Masked impostors: share in % of comparisons with other people that match at the threshold of "
            "bare faces; the FMR asked for is what bare faces give",
            (*_PER, "FMR", *words),
            impostors,
            numbers_from=2,
            dense=True,
        ),
        table("Thresholds", (*_PER, "FMR", "threshold", "from"), thresholds, numbers_from=2),
        table("Faces not found, by condition", (*_PER, "compared", *words), seen, numbers_from=2),
        table(
            "Landmarks found: median distance from those of the bare picture, in eye distances",
            (*_PER, *words),
            moved,
            numbers_from=2,
        ),
    ]
    if unsupported:
        head = ("recognizer", "enrolled", "FMR", "why there are no figures")
        parts.append(table("False match rates not supported", head, unsupported, numbers_from=9))
    return "".join(parts)


def curve_part(judged: Sequence[JudgedScores]) -> str:
    """ROC, DET and distributions of each recognizer, aligner and gallery."""
    parts = []
    for one in judged:
        scores = one.scores
        kept = scores.detected()
        genuine = {condition_name(name): values[kept] for name, values in scores.similarity.items()}
        impostor = one.gallery.comparisons.impostor
        what = f"{scores.recognizer}: {setup_name(scores.aligner, scores.gallery)}"
        if not kept.any() or not len(impostor):
            parts.append(section(4, what, paragraph("Too few comparisons for curves.")))
            continue
        fmrs = [each.fmr for each in one.gallery.thresholds]
        minus = one.recognizer.distance == "euclidean"
        parts.append(
            section(
                4,
                what,
                '<div class="charts">',
                roc_chart(genuine, impostor, title=f"ROC curves of {what}", marked=fmrs),
                det_chart(genuine, impostor, title=f"DET curves of {what}"),
                "</div>",
                distributions(
                    genuine,
                    impostor,
                    threshold=one.threshold.threshold,
                    title=f"Similarities of probes to their own people under each mask, {what}",
                    axis="minus distance to the own person" if minus else "similarity to the own person",
                ),
            )
        )
    return "".join(parts)


def transfer_matrix(record: Mapping[str, Any]) -> str:
    """TAR with the design, the strongest plain mask and none, for every recognizer and aligner."""
    main = main_results(record)
    aligners = list(dict.fromkeys(one["aligner"] for one in main))
    about = record.get("recognizers") or {}
    cells = {(one["recognizer"], one["gallery"], one["aligner"]): one for one in main}
    rows = []
    for recognizer, gallery in dict.fromkeys((one["recognizer"], one["gallery"]) for one in main):
        row = [
            recognizer,
            about.get(recognizer, {}).get("family", "-"),
            TRAINED_WORDS.get(column_of(record, recognizer), "-"),
            gallery_name(gallery),
        ]
        for aligner in aligners:
            one = cells[recognizer, gallery, aligner]
            plain = one["strongest_plain"]
            rates = [one["conditions"].get(name, {}).get("tar") for name in ("design", plain, "bare")]
            row.append(
                " / ".join("-" if not rate else f"{100 * rate['value']:.0f}" for rate in _known(rates))
            )
        rows.append(row)
    head = ("recognizer", "family", "design trained against it?", "enrolled", *map(aligner_name, aligners))
    title = "TAR in % with the design / the strongest plain mask / no mask, by aligner"
    return table(title, head, rows, numbers_from=4)


def breakdown_table(record: Mapping[str, Any]) -> str:
    """TAR by yaw, size and light."""
    rows = []
    strongest = {_key(one): one["strongest_plain"] for one in main_results(record)}
    for one in record.get("breakdown", ()):
        plain = strongest.get(_key(one))
        rows.append(
            (
                *_named(one),
                one["trait"],
                f"{one['low']:.0f} to {one['high']:.0f} {one['unit']}",
                f"{one['probes']} of {one['people']}",
                *(percent(one["tar"].get(name)) for name in ("design", plain, "bare")),
            )
        )
    if not rows:
        return paragraph("There are too few probes to break them down.")
    head = (*_PER, "by", "range", "probes of people", "design", "strongest plain", "no mask")
    return table("TAR in %, thirds of the probes by a property of the bare photo", head, rows, numbers_from=3)


def _known(rates: Sequence[Mapping[str, Any] | None]) -> list[Mapping[str, Any] | None]:
    return [rate if rate and rate["value"] is not None else None for rate in rates]


def _conditions(record: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Names of the conditions, the design first, and what they are called."""
    names = design_first(record["results"][0]["conditions"]) if record["results"] else ["design"]
    return names, [condition_name(name) for name in names]


def _key(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["recognizer"], one["aligner"], one["gallery"]


def _named(one: Mapping[str, Any]) -> tuple[str, str]:
    return one["recognizer"], setup_name(one["aligner"], one["gallery"])


def _drop(one: Mapping[str, Any]) -> Any:
    return one["conditions"].get("design", {}).get("drop")


def _star(one: Mapping[str, Any], name: str) -> str:
    return " *" if name == one["strongest_plain"] else ""


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _threshold(one: Mapping[str, Any]) -> str:
    if one["threshold"] is None:
        return "-"
    sign = -1 if one["measure"] == "distance" else 1
    low, high = sorted(sign * end for end in one["threshold_interval"] or (0, 0))
    span = f" [{low:.3f}, {high:.3f}]" if one["threshold_interval"] else ""
    return f"{one['measure']} {sign * one['threshold']:.3f}{span}"
