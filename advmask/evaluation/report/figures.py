"""The part of the report for people who compare designs: tables, curves, cases."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from advmask.evaluation.metrics import accepted
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.report.charts import bars_by_person, det_chart, distributions, roc_chart
from advmask.evaluation.report.html import paragraph, section, table
from advmask.evaluation.report.words import main_results
from advmask.evaluation.result_tables import figure, percent

_PER = ("recognizer", "aligner", "gallery")


def rate_tables(record: Mapping[str, Any]) -> str:
    """TAR and rank-1 of every condition under every recognizer, aligner, gallery and FMR."""
    results = record["results"]
    names = list(results[0]["conditions"]) if results else []
    rates = []
    for one in results:
        said = [f"{percent(one['conditions'][name]['tar'])}{_star(one, name)}" for name in names]
        rates.append((*_named(one), f"{one['fmr']:g}", one["probes"], *said, percent(_drop(one))))
    head = (*_PER, "FMR", "probes", *names, "design lower by")
    parts = [table("TAR in %, with 95 % intervals; * the strongest plain mask", head, rates, numbers_from=3)]
    main = main_results(record)
    confidence = [
        (*_named(one), *(figure(one["conditions"][name]["match_confidence"]) for name in names))
        for one in main
    ]
    parts.append(table("Mean match confidence", (*_PER, *names), confidence, numbers_from=3))
    first = [(*_named(one), *(percent(one["conditions"][name]["rank1"]) for name in names)) for one in main]
    others = (record.get("people") or {}).get("at_hand", 0)
    parts.append(
        table(
            f"Rank-1 identification in %, among all {others} people at hand, those not probed as distractors",
            (*_PER, *names),
            first,
            numbers_from=3,
        )
    )
    return "".join(parts)


def impostor_tables(record: Mapping[str, Any]) -> str:
    """Masked people as impostors; thresholds; faces not found; landmarks led astray."""
    names = list(record["results"][0]["conditions"]) if record["results"] else []
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
        (one["recognizer"], one["gallery"], f"{one['fmr']:g}", one["reason"])
        for one in record.get("unsupported", ())
    ]
    parts = [
        table(
            "Masked impostors: share in % of comparisons with other people that match at the threshold of "
            "bare faces; the FMR asked for is what bare faces give",
            (*_PER, "FMR", *names),
            impostors,
            numbers_from=3,
        ),
        table("Thresholds", (*_PER, "FMR", "threshold", "from"), thresholds, numbers_from=3),
        table("Faces not found, by condition", (*_PER, "compared", *names), seen, numbers_from=3),
        table(
            "Landmarks found: median distance from those of the bare picture, in eye distances",
            (*_PER, *names),
            moved,
            numbers_from=3,
        ),
    ]
    if unsupported:
        head = ("recognizer", "gallery", "FMR", "why there are no figures")
        parts.append(table("False match rates not supported", head, unsupported, numbers_from=9))
    return "".join(parts)


def curve_part(judged: Sequence[JudgedScores]) -> str:
    """ROC, DET and distributions of each recognizer, aligner and gallery."""
    parts = []
    for one in judged:
        scores = one.scores
        kept = scores.detected()
        genuine = {name: values[kept] for name, values in scores.similarity.items()}
        impostor = one.gallery.comparisons.impostor
        what = f"{scores.recognizer}, aligner {scores.aligner}, gallery {scores.gallery}"
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
    """TAR with the design for every recognizer and aligner, the strongest plain mask beside it."""
    main = main_results(record)
    aligners = list(dict.fromkeys(one["aligner"] for one in main))
    about = record.get("recognizers") or {}
    cells = {(one["recognizer"], one["gallery"], one["aligner"]): one for one in main}
    rows = []
    for recognizer, gallery in dict.fromkeys((one["recognizer"], one["gallery"]) for one in main):
        known = about.get(recognizer, {})
        row = [recognizer, known.get("family", "-"), known.get("column", "-"), gallery]
        for aligner in aligners:
            one = cells[recognizer, gallery, aligner]
            plain = one["strongest_plain"]
            rates = [one["conditions"].get(name, {}).get("tar") for name in ("bare", plain, "design")]
            row.append(
                " / ".join("-" if not rate else f"{100 * rate['value']:.0f}" for rate in _known(rates))
            )
        rows.append(row)
    head = ("recognizer", "family", "to the design", "gallery", *aligners)
    title = "TAR in % without a mask / strongest plain mask / design, by aligner"
    return table(title, head, rows, numbers_from=4)


def breakdown_table(record: Mapping[str, Any]) -> str:
    """TAR by yaw, size and light."""
    rows = []
    strongest = {_named(one): one["strongest_plain"] for one in main_results(record)}
    for one in record.get("breakdown", ()):
        plain = strongest.get(_named(one))
        rows.append(
            (
                *_named(one),
                one["trait"],
                f"{one['low']:.0f} to {one['high']:.0f} {one['unit']}",
                f"{one['probes']} of {one['people']}",
                *(percent(one["tar"].get(name)) for name in ("bare", plain, "design")),
            )
        )
    if not rows:
        return paragraph("There are too few probes to break them down.")
    head = (*_PER, "by", "range", "probes of people", "bare", "strongest plain", "design")
    return table("TAR in %, thirds of the probes by a property of the bare photo", head, rows, numbers_from=4)


def people_part(judged: Sequence[JudgedScores], record: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """For each person the share matched under the strongest plain mask and under the design."""
    parts = []
    strongest = {_named(one): one["strongest_plain"] for one in main_results(record)}
    for one in judged:
        scores = one.scores
        plain = strongest[scores.recognizer, scores.aligner, scores.gallery]
        if plain is None or "design" not in scores.similarity:
            continue
        kept, people = scores.detected(), np.array(scores.people)
        rates = {}
        for person in dict.fromkeys(scores.people):
            own = kept & (people == person)
            if own.any():
                matched = [
                    float(accepted(scores.similarity[name][own], one.threshold.threshold).mean())
                    for name in (plain, "design")
                ]
                rates[f"{names[person]} ({int(own.sum())})"] = (matched[0], matched[1])
        rates = dict(sorted(rates.items(), key=lambda item: (item[1][1], item[1][0])))
        what = f"{scores.recognizer}, aligner {scores.aligner}, gallery {scores.gallery}"
        title = f"Share of each person's pictures matched, plain mask and design, {what}"
        chart = bars_by_person(rates, title=title, names=(f"{plain} mask", "design"))
        parts.append(section(4, what, chart))
    return "".join(parts)


def _known(rates: Sequence[Mapping[str, Any] | None]) -> list[Mapping[str, Any] | None]:
    return [rate if rate and rate["value"] is not None else None for rate in rates]


def _named(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return one["recognizer"], one["aligner"], one["gallery"]


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
