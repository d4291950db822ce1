"""Results as CSV, Markdown and LaTeX."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from advmask.evaluation.estimates import MARKS_EXPLAINED, Estimate

_RATES = ("tar", "match_confidence", "drop", "rank1", "others_fmr")
_FIELDS = ("recognizer", "family", "column", "aligner", "gallery", "fmr", "threshold", "probes", "left_out")
_HEAD = ("recognizer", "column", "aligner", "gallery", "FMR", "bare", "strongest plain", "design", "lower by")
_LATEX = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"} | {
    sign: f"\\{sign}" for sign in "&%$#_{}"
}
_LATEX |= {"±": r"$\pm$", "<": r"\textless{}", ">": r"\textgreater{}"}


def csv_table(record: Mapping[str, Any]) -> str:
    """One row for each recognizer, aligner, gallery, FMR and condition, with every figure.

    Args:
        record: Of `results.json`.
    """
    rates = [f"{name}{end}" for name in _RATES for end in ("", "_low", "_high", "_method")]
    counts = ("undetected", "displacement")
    rows: list[list[Any]] = [[*_FIELDS, "condition", "strongest_plain", "similarity", *counts, *rates]]
    for one in record["results"]:
        about = one | record.get("recognizers", {}).get(one["recognizer"], {})
        for name, condition in one["conditions"].items():
            row = [about.get(key) for key in _FIELDS]
            row += [name, int(name == one["strongest_plain"]), condition["similarity"]]
            row += [condition[key] for key in counts]
            for rate in _RATES:
                estimate = condition[rate] or {}
                row += [estimate.get(key) for key in ("value", "low", "high", "method")]
            rows.append(["" if value is None else value for value in row])
    return csv_text(rows)


def csv_text(rows: Iterable[Iterable[Any]]) -> str:
    """Rows as CSV, the heads of the columns first."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def tar_rows(record: Mapping[str, Any], *, design: str = "design") -> list[tuple[str, ...]]:
    """The main table: one row for each recognizer, aligner, gallery and FMR; TAR in %."""
    rows: list[tuple[str, ...]] = []
    for one in record["results"]:
        conditions, plain = one["conditions"], one["strongest_plain"]
        about = record.get("recognizers", {}).get(one["recognizer"], {})
        rows.append(
            (
                one["recognizer"],
                about.get("column", ""),
                one["aligner"],
                one["gallery"],
                f"{one['fmr']:g}",
                percent(conditions["bare"]["tar"]),
                "-" if plain is None else f"{percent(conditions[plain]['tar'])} ({plain})",
                percent(conditions.get(design, {}).get("tar")),
                percent(conditions.get(design, {}).get("drop")),
            )
        )
    return rows


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [list(head), ["---"] * len(head), *map(list, rows)]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def latex_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in LaTeX, for the package booktabs."""
    lines = [
        rf"\begin{{tabular}}{{{'l' * len(head)}}}",
        r"\toprule",
        latex_row(head),
        r"\midrule",
        *map(latex_row, rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(lines) + "\n"


def markdown_of(record: Mapping[str, Any]) -> str:
    """`results.md`: what was measured in a line, and the main table."""
    return f"{caption(record)}\n\n{markdown_table(_HEAD, tar_rows(record))}"


def latex_of(record: Mapping[str, Any]) -> str:
    """`results.tex`: the same in LaTeX."""
    said = latex_text(caption(record))
    return f"% {said}\n{latex_table(_HEAD, tar_rows(record))}"


def caption(record: Mapping[str, Any]) -> str:
    """What the figures of the main table are."""
    people = len((record.get("people") or {}).get("probed") or ())
    who = "1 person" if people == 1 else f"{people} people"
    return (
        f"Share of photos still matched to their wearer (TAR, %) at the false match rate FMR, {who}; in "
        f"brackets 95 % intervals over people. {MARKS_EXPLAINED} Lower by: points below the strongest plain "
        "mask, paired."
    )


def percent(estimate: Mapping[str, Any] | None) -> str:
    """A rate in % with its interval and the mark of its method; a dash where there is none."""
    return figure(estimate, factor=100, digits=1)


def figure(estimate: Mapping[str, Any] | None, *, factor: float = 1.0, digits: int = 3) -> str:
    """A value with its interval and the mark of its method; a dash where there is none."""
    if not estimate or estimate["value"] is None:
        return "-"
    found = Estimate(estimate["value"], estimate["low"], estimate["high"], estimate.get("method"))
    return found.text(digits, factor=factor)


def latex_row(cells: Sequence[str]) -> str:
    """A row of a table in LaTeX."""
    row = " & ".join(map(latex_text, cells)) + r" \\"
    # The end of the row before would take these as its own.
    return "{}" + row if row.startswith(("[", "*")) else row


def latex_text(text: str) -> str:
    """A text in LaTeX: special signs escaped, minus signs as such."""
    escaped = "".join(_LATEX.get(sign, sign) for sign in text)
    return re.sub(r"(?<![\w.])-(?=\d)", "$-$", escaped)
