"""What a sweep found as tables: Markdown, LaTeX and CSV."""

from collections.abc import Mapping, Sequence
from typing import Any

from advmask.evaluation.compared_tables import p_text
from advmask.evaluation.estimates import MARKS_EXPLAINED
from advmask.evaluation.result_tables import csv_text, figure, latex_text, markdown_table
from advmask.evaluation.sweeps.collected import FIGURES
from advmask.evaluation.sweeps.grouped_table import Table, latex_of
from advmask.evaluation.sweeps.recipes import as_text

WORDS = {
    "tar": "TAR %",
    "match_confidence": "match confidence",
    "drop": "lower by %",
    "rank1": "rank-1 %",
    "others_fmr": "others matched %",
    "similarity": "similarity",
    "displacement": "displacement",
}
_PERCENT = ("tar", "drop", "rank1", "others_fmr")
_WIDEST = 6  # figures in a row of a table on a page
_Setup = tuple[str, str, str]


def tables(
    record: Mapping[str, Any], figures: Sequence[str] = ("tar", "drop"), *, intervals: bool = True
) -> list[Table]:
    """The tables of a sweep: recipes over seeds, single runs, transfer, tests; those that are empty left out.

    Args:
        record: From `collect`.
        figures: Shown of each set-up.
        intervals: Show those of single runs, which take much room.
    """
    runs = _runs(record, figures, intervals=intervals)
    found = [_recipes(record, figures), runs, _transfer(record, figures[0]), _tests(record)]
    return [table for table in found if table.rows]


def markdown(record: Mapping[str, Any], shown: Sequence[Table]) -> str:
    """All tables in Markdown, notes at the end."""
    parts = [f"{table.caption}\n\n{markdown_table(_joined(table), table.rows)}" for table in shown]
    return "\n".join([*parts, *(f"{note}\n" for note in (*record["notes"], *record["not_tested"]))])


def latex(record: Mapping[str, Any], shown: Sequence[Table]) -> str:
    """All tables in LaTeX, for the package booktabs: each a table of its own."""
    notes = "".join(f"% {latex_text(note)}\n" for note in (*record["notes"], *record["not_tested"]))
    head = "% Needs \\usepackage{booktabs}. Each table can be cut out; labels are tab:advmask-...\n"
    return head + notes + "\n".join(map(latex_of, shown))


def csv_of(record: Mapping[str, Any]) -> str:
    """One row for each run, every figure of each set-up in columns of its own."""
    setups = _setups(record["runs"])
    keys = record["columns"]
    ends = ("", "_low", "_high", "_method")
    fields = [
        f"{name}_{figure}{end}"
        for name in map("/".join, setups)
        for figure in FIGURES
        for end in (ends if figure not in ("similarity", "displacement") else ends[:1])
    ]
    rows: list[list[Any]] = [["run", "folder", "recipe", *keys, "seed", "measured_by", "fmr", *fields]]
    for run in record["runs"]:
        by_setup = {_setup(one): one for one in run["results"]}
        rate = run["results"][0]["fmr"] if run["results"] else None
        row = [run["run"], run["folder"], run["recipe"], *(as_text(run["settings"][key]) for key in keys)]
        row += [run["seed"], run["measured_by"], rate]
        for setup in setups:
            for name in FIGURES:
                value = by_setup.get(setup, {}).get(name)
                if name in ("similarity", "displacement"):
                    row.append(value)
                else:
                    row += [(value or {}).get(key) for key in ("value", "low", "high", "method")]
        rows.append(["" if cell is None else cell for cell in row])
    return csv_text(rows)


def _recipes(record: Mapping[str, Any], figures: Sequence[str]) -> Table:
    """A row for each recipe; one for each that judges it where so many columns would fit no page."""
    setups = _setups(record["recipes"])
    keys = record["columns"]
    if len({tuple(as_text(one["settings"][key]) for key in keys) for one in record["recipes"]}) < len(
        record["recipes"]
    ):
        keys = []  # they do not tell all apart: each by its name, which has a number
    wide = len(setups) * len(figures) <= _WIDEST
    rows: list[tuple[str, ...]] = []
    for one in record["recipes"]:
        by_setup = {_setup(each): each for each in one["results"]}
        seeds = max((each[figures[0]]["runs"] for each in one["results"]), default=0)
        told = (*([as_text(one["settings"][key]) for key in keys] or [one["recipe"]]), f"{seeds}")
        cells = [[spread_text(by_setup.get(s, {}).get(name), name) for name in figures] for s in setups]
        if wide:
            rows.append((*told, *(cell for own in cells for cell in own)))
        else:
            judged = [(s[0], _aligned(s), *own) for s, own in zip(setups, cells, strict=True)]
            rows += [(*(told if i == 0 else ("",) * len(told)), *own) for i, own in enumerate(judged)]
    head = (*(keys or ("recipe",)), "seeds")
    words = tuple(WORDS[name] for name in figures)
    return Table(
        "recipes",
        f"{_caption(record, figures)} Mean and standard deviation over seeds.",
        ("",) * len(head) + (_groups(setups, figures) if wide else ("",) * (2 + len(figures))),
        (*head, *(words * len(setups) if wide else ("judged by", "aligned by", *words))),
        tuple(rows),
    )


def _runs(record: Mapping[str, Any], figures: Sequence[str], *, intervals: bool) -> Table:
    setups = _setups(record["runs"])
    keys = record["columns"]
    rows = []
    for run in record["runs"]:
        by_setup = {_setup(each): each for each in run["results"]}
        cells = [
            _cell(by_setup.get(s, {}).get(name), name, interval=intervals) for s in setups for name in figures
        ]
        told = (as_text(run["settings"][key]) for key in keys)
        rows.append((run["run"], *told, f"{run['seed']}", *cells))
    return Table(
        "runs",
        f"{_caption(record, figures)} One row for each run"
        + (f", with 95 % intervals over people. {MARKS_EXPLAINED}" if intervals else "."),
        ("",) * (len(keys) + 2) + _groups(setups, figures),
        ("run", *keys, "seed", *(WORDS[name] for _ in setups for name in figures)),
        tuple(rows),
    )


def _transfer(record: Mapping[str, Any], name: str) -> Table:
    """Rows by what was trained on, columns by who judges and how the face is aligned."""
    cells = record["transfer"]
    setups = _setups([{"results": cells}])
    rows = []
    for trained in dict.fromkeys(one["trained_on"] for one in cells):
        own = {_setup(one): one for one in cells if one["trained_on"] == trained}
        marks = (" *" if own.get(s, {}).get("column") == "trained on" else "" for s in setups)
        texts = (spread_text(own.get(s, {}).get(name), name) for s in setups)
        rows.append((trained, *(text + mark for text, mark in zip(texts, marks, strict=True))))
    return Table(
        "transfer",
        f"Transfer: {WORDS[name]} of designs trained on the recognizers at the left, judged by those above "
        "and aligned as said; mean and standard deviation over runs. *: trained on it.",
        ("trained on", *(s[0] for s in setups)),
        ("", *map(_aligned, setups)),
        tuple(rows),
    )


def _tests(record: Mapping[str, Any]) -> Table:
    rows = tuple(
        (
            one["recipe"],
            _judged_by(_setup(one)),
            f"{one['people']}",
            figure(one["difference"], **_digits(one["figure"])),
            p_text(one["p"]),
            p_text(one["p_holm"]),
        )
        for one in record["tests"]
    )
    first = record["tests"][0] if rows else {"against": "", "figure": "tar"}
    caption = (
        f"{WORDS[first['figure']]} more than under {first['against']}, paired over the same probes, each "
        "recipe the mean of its seeds; 95 % intervals over people; p of a two-sided sign-flip test over "
        f"people, and corrected by Holm for the {len(rows)} tests of this table. {MARKS_EXPLAINED}"
    )
    return Table(
        "tests", caption, ("",) * 6, ("recipe", "judged by", "people", "difference", "p", "p (Holm)"), rows
    )


def spread_text(found: Mapping[str, Any] | None, name: str) -> str:
    """Mean ± standard deviation over seeds; a dash where there is none."""
    if not found or found["mean"] is None:
        return "-"
    factor, digits = _digits(name)["factor"], _digits(name)["digits"]
    mean = f"{factor * found['mean']:.{digits}f}"
    mean = mean.removeprefix("-") if not float(mean) else mean
    return mean if found["sd"] is None else f"{mean} ± {factor * found['sd']:.{digits}f}"


def _cell(value: Any, name: str, *, interval: bool) -> str:
    if not isinstance(value, Mapping):
        return "-" if value is None else f"{value:.3f}"
    return figure(value if interval else {**value, "low": None, "high": None}, **_digits(name))


def _digits(name: str) -> dict[str, Any]:
    return {"factor": 100.0, "digits": 1} if name in _PERCENT else {"factor": 1.0, "digits": 3}


def _setups(parts: Sequence[Mapping[str, Any]]) -> list[_Setup]:
    return list(dict.fromkeys(_setup(one) for part in parts for one in part["results"]))


def _setup(one: Mapping[str, Any]) -> _Setup:
    return one["recognizer"], one["aligner"], one["gallery"]


def _aligned(setup: _Setup) -> str:
    return setup[1] if setup[2] == "bare" else f"{setup[1]} ({setup[2]} gallery)"


def _judged_by(setup: _Setup) -> str:
    return f"{setup[0]}, {_aligned(setup)}"


def _groups(setups: Sequence[_Setup], figures: Sequence[str]) -> tuple[str, ...]:
    return tuple(_judged_by(setup) for setup in setups for _ in figures)


def _caption(record: Mapping[str, Any], figures: Sequence[str]) -> str:
    rate = next((run["results"][0]["fmr"] for run in record["runs"] if run["results"]), None)
    said = {
        "tar": f"TAR: share of photos still matched to their wearer at FMR {rate:g}.",
        "drop": "Lower by: points of TAR below the strongest plain mask, paired.",
    }
    return " ".join(
        ["Designs, by recognizer and aligner.", *(said[name] for name in figures if name in said)]
    )


def _joined(table: Table) -> list[str]:
    return [f"{above}: {head}".strip(": ") for above, head in zip(table.groups, table.head, strict=True)]
