"""The tables of figures: a column of the report is added to `columns` of its table here."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from advmask.evaluation.report.names import (
    TRAINED_WORDS,
    aligner_name,
    column_of,
    condition_name,
    design_first,
    gallery_name,
    hundred,
    main_results,
    setup_name,
    setup_words,
    verdict,
)
from advmask.evaluation.report.pieces import Columns, Table
from advmask.evaluation.result_tables import figure, percent
from advmask.evaluation.summary import PLAIN_MASKS

_Result = Mapping[str, Any]
_SETUP: Columns = [
    ("recognizer", lambda one: one["recognizer"]),
    ("set-up", lambda one: setup_name(one["aligner"], one["gallery"])),
]
_FMR: Columns = [("FMR", lambda one: f"{one['fmr']:g}")]


def found_table(record: Mapping[str, Any]) -> Table:
    """The table of the plain part: one line for each recognizer in each set-up."""
    columns: Columns = [
        ("recognizer", lambda one: one["recognizer"]),
        ("set-up", setup_words),
        ("this design", lambda one: _rate(_tar(one, "design"))),
        ("plain mask that hides best", _strongest_plain),
        ("no mask", lambda one: _rate(_tar(one, "bare"))),
        ("difference (range)", verdict),
        ("design trained on it?", lambda one: TRAINED_WORDS[column_of(record, one["recognizer"])]),
        ("strangers in plain masks who match", _strangers),
    ]
    return Table("Pictures out of 100 that are still matched to the wearer", columns, main_results(record))


def shares_of_strangers(one: Mapping[str, Any]) -> list[float]:
    """False matches of other people in each plain mask, in [0, 1]."""
    found = [one["conditions"].get(name, {}).get("others_fmr") for name in PLAIN_MASKS]
    return [each["value"] for each in found if each and each["value"] is not None]


def transfer_matrix(record: Mapping[str, Any]) -> Table:
    """TAR with the design, the strongest plain mask and none, for every recognizer and aligner."""
    main = main_results(record)
    about = record.get("recognizers") or {}
    cells = {(one["recognizer"], one["gallery"], one["aligner"]): one for one in main}
    columns: Columns = [
        ("recognizer", lambda row: row[0]),
        ("family", lambda row: about.get(row[0], {}).get("family", "-")),
        ("design trained on it?", lambda row: TRAINED_WORDS[column_of(record, row[0])]),
        ("enrolled", lambda row: gallery_name(row[1])),
    ]
    for aligner in dict.fromkeys(one["aligner"] for one in main):
        cell = partial(lambda aligner, row: _three(cells[(*row, aligner)]), aligner)
        columns.append((aligner_name(aligner), cell))
    rows = dict.fromkeys((one["recognizer"], one["gallery"]) for one in main)
    caption = "TAR in % with the design / the strongest plain mask / no mask, by aligner"
    return Table(caption, columns, rows, numbers_from=4)


def rate_tables(record: Mapping[str, Any]) -> list[Table]:
    """TAR, rank-1 and match confidence of every condition under every recognizer, aligner and gallery."""
    main = main_results(record)
    design, *others = _by_condition(record, lambda name, one: percent(_tar(one, name)) + _star(one, name))
    drop = ("design lower by", lambda one: percent(one["conditions"].get("design", {}).get("drop")))
    first = _by_condition(record, lambda name, one: percent(one["conditions"][name]["rank1"]))
    confidence = _by_condition(
        record, lambda name, one: figure(one["conditions"][name]["match_confidence"], digits=2)
    )
    people = (record.get("people") or {}).get("at_hand", 0)
    return [
        Table(
            "TAR in %, with 95 % intervals; * the strongest plain mask",
            [*_SETUP, *_FMR, design, drop, *others],
            record["results"],
            dense=True,
        ),
        Table(
            f"Rank-1 identification in %, among all {people} people at hand, those not probed as distractors",
            _SETUP + first,
            main,
            dense=True,
        ),
        Table("Mean match confidence", _SETUP + confidence, main, dense=True),
    ]


def impostor_tables(record: Mapping[str, Any]) -> list[Table]:
    """Masked people as impostors; thresholds; faces not detected; displacement of landmarks."""
    impostors = _by_condition(
        record, lambda name, one: figure(one["conditions"][name]["others_fmr"], factor=100, digits=2)
    )
    thresholds: Columns = [("threshold", _threshold), ("from", lambda one: one["threshold_source"])]
    missed: Columns = [("compared", lambda one: one["probes"])]
    missed += _by_condition(record, lambda name, one: one["conditions"][name]["undetected"])
    moved = _by_condition(record, lambda name, one: _plain(one["conditions"][name]["displacement"]))
    unsupported: Columns = [
        ("recognizer", lambda one: one["recognizer"]),
        ("enrolled", lambda one: gallery_name(one["gallery"])),
        *_FMR,
        ("why there are no figures", lambda one: one["reason"]),
    ]
    tables = [
        Table(
            "Masked impostors: share in % of comparisons with other people that match at the threshold of "
            "bare faces; the FMR asked for is what bare faces give",
            _SETUP + _FMR + impostors,
            record["results"],
            dense=True,
        ),
        Table(
            "Thresholds, with intervals by bootstrap over people",
            _SETUP + _FMR + thresholds,
            record["results"],
        ),
        Table("Faces not detected, by condition", _SETUP + missed, main_results(record)),
        Table(
            "Landmarks: median distance from those of the bare picture, in interocular distances",
            _SETUP + moved,
            main_results(record),
        ),
    ]
    if reasons := record.get("unsupported"):
        caption = "False match rates not supported"
        tables.append(Table(caption, unsupported, reasons, numbers_from=len(unsupported)))
    return tables


def breakdown_table(record: Mapping[str, Any]) -> Table | None:
    """TAR by yaw, size and light; None where there are too few probes."""
    strongest = {_key(one): one["strongest_plain"] for one in main_results(record)}
    columns: Columns = [
        *_SETUP,
        ("by", lambda one: one["trait"]),
        ("range", lambda one: f"{one['low']:.0f} to {one['high']:.0f} {one['unit']}"),
        ("probes of people", lambda one: f"{one['probes']} of {one['people']}"),
        ("design", lambda one: percent(one["tar"].get("design"))),
        ("strongest plain", lambda one: percent(one["tar"].get(strongest.get(_key(one))))),
        ("no mask", lambda one: percent(one["tar"].get("bare"))),
    ]
    caption = "TAR in %, thirds of the probes by a property of the bare photo"
    probes = record.get("breakdown")
    return Table(caption, columns, probes, numbers_from=3) if probes else None


def linkability_table(record: Mapping[str, Any]) -> Table | None:
    """Faces under one mask matched with each other; None where that was not measured."""
    columns: Columns = [
        ("recognizer", lambda one: one["recognizer"]),
        ("set-up", lambda one: aligner_name(one["aligner"])),
        ("all wear", lambda one: condition_name(one["condition"])),
        ("same person, another photo", lambda one: percent(one["same"])),
        ("different people", lambda one: figure(one["others"], factor=100, digits=2)),
        ("pictures", lambda one: one["probes"]),
    ]
    caption = "Matched, in %, by a recognizer that knows everybody under the same mask"
    found = [one for one in record.get("linkability") or () if one["probes"] or one["others"]]
    return Table(caption, columns, found, numbers_from=3) if found else None


def pairs_tables(record: Mapping[str, Any]) -> list[Table]:
    """Pairs of photos that a list names, a table for each set-up."""
    columns: Columns = [
        ("worn on the second photo", lambda row: condition_name(row[0])),
        ("TAR %", lambda row: percent(row[1]["tar"])),
        ("EER %", lambda row: percent(row[1]["eer"])),
        ("strangers who match %", lambda row: figure(row[1]["others_fmr"], factor=100, digits=2)),
        ("TAR lower than plain by", lambda row: percent(row[1]["drop"])),
    ]
    return [
        Table(
            f"{one['recognizer']}, {aligner_name(one['aligner'])}: {one['same']:,} pairs of one person, "
            f"{one['different']:,} of strangers, {one['left_out']:,} left out; threshold at FMR "
            f"{one['fmr']:g} from {one['threshold_source']}",
            columns,
            [(name, one["conditions"][name]) for name in design_first(one["conditions"])],
            numbers_from=1,
        )
        for one in record.get("pairs") or ()
    ]


def worn_table(record: Mapping[str, Any]) -> Table | None:
    """Real plain masks next to drawn ones; None where no photos of them were given."""
    found = record.get("worn") or []
    columns: Columns = [
        *_SETUP,
        ("worn", lambda one: percent(one["tar"])),
        *(
            (
                f"drawn, {condition_name(name)}",
                partial(lambda name, one: percent(one["drawn"].get(name)), name),
            )
            for name in (found[0]["drawn"] if found else ())
        ),
        ("drawn lower by", lambda one: percent(one["drawn_lower_by"])),
        ("photos of people", lambda one: f"{one['photos']} of {one['people']}"),
        ("no face found", lambda one: one["not_found"]),
    ]
    return Table("TAR in % under real plain masks and under drawn ones", columns, found) if found else None


def shown_table(record: Mapping[str, Any]) -> Table | None:
    """Faces found, and called masked, under every mask; None where nothing looked for either."""
    found = record.get("shown") or []
    aligners = list(found[0]["found"]) if found else []
    asked = bool(found) and found[0]["called_masked"] is not None
    columns: Columns = [("worn", lambda one: condition_name(one["condition"]))]
    columns += [
        (f"face found by {aligner_name(name)}", partial(lambda name, one: percent(one["found"][name]), name))
        for name in aligners
    ]
    if asked:
        columns.append(("called masked", lambda one: percent(one["called_masked"])))
    rows = sorted(found, key=lambda one: one["condition"] != "design")
    caption = "What a mask shows besides who wears it, in % of all probes"
    return Table(caption, columns, rows, numbers_from=1) if aligners or asked else None


def _by_condition(record: Mapping[str, Any], cell: Callable[[str, _Result], object]) -> Columns:
    """A column for each condition, the design first."""
    names: Sequence[str] = list(record["results"][0]["conditions"]) if record["results"] else ["design"]
    return [(condition_name(name), partial(cell, name)) for name in design_first(names)]


def _key(one: _Result) -> tuple[str, str, str]:
    return one["recognizer"], one["aligner"], one["gallery"]


def _tar(one: _Result, name: str) -> Any:
    return one["conditions"].get(name, {}).get("tar")


def _rate(estimate: Mapping[str, Any] | None) -> str:
    """A rate of 100; its range is not broken."""
    value, _, span = hundred(estimate).partition(" ")
    return " ".join(filter(None, [value, span.replace(" ", "\u00a0")]))


def _strongest_plain(one: _Result) -> str:
    plain = one["strongest_plain"]
    return f"{_rate(_tar(one, plain))} {condition_name(plain)}" if plain else "-"


def _strangers(one: _Result) -> str:
    shares = sorted({f"{100 * share:.2g}" for share in shares_of_strangers(one)}, key=float)
    if not shares:
        return "-"
    span = shares[0] if len(shares) == 1 else f"{shares[0]} to {shares[-1]}"
    return f"{span} of 100 (asked: {100 * one['fmr']:g})"


def _three(one: _Result) -> str:
    rates = [_tar(one, name) for name in ("design", one["strongest_plain"], "bare")]
    return " / ".join(
        f"{100 * rate['value']:.0f}" if rate and rate["value"] is not None else "-" for rate in rates
    )


def _star(one: _Result, name: str) -> str:
    return " *" if name == one["strongest_plain"] else ""


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _threshold(one: _Result) -> str:
    if one["threshold"] is None:
        return "-"
    sign = -1 if one["measure"] == "distance" else 1
    low, high = sorted(sign * end for end in one["threshold_interval"] or (0, 0))
    span = f" [{low:.3f}, {high:.3f}]" if one["threshold_interval"] else ""
    return f"{one['measure']} {sign * one['threshold']:.3f}{span}"
