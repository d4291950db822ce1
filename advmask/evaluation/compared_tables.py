"""Designs side by side as tables: Markdown, LaTeX and CSV, as `evaluate` writes its own."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from advmask.evaluation.estimates import MARKS_EXPLAINED
from advmask.evaluation.result_tables import (
    csv_text,
    figure,
    latex_table,
    latex_text,
    markdown_table,
    percent,
)

_ABOUT = ("recognizer", "aligner", "gallery", "fmr", "threshold", "probes", "left_out", "people")
_RATES = ("tar", "tar_more", "confidence", "confidence_more")
_ENDS = ("value", "low", "high", "method")
_PS = ("tar_p", "tar_p_holm")


def compared_csv(record: Mapping[str, Any]) -> str:
    """One row for each recognizer, aligner, gallery and design, with every figure."""
    rates = [f"{name}{end}" for name in _RATES for end in ("", "_low", "_high", "_method")]
    rows: list[list[Any]] = [[*_ABOUT, "design", "undetected", *rates, *_PS]]
    for one in record["results"]:
        for name, found in one["designs"].items():
            row = [*(one[key] for key in _ABOUT), name, found["undetected"]]
            row += [(found[rate] or {}).get(end) for rate in _RATES for end in _ENDS]
            row += [found[key] for key in _PS]
            rows.append(["" if cell is None else cell for cell in row])
    return csv_text(rows)


def compared_head(first: str) -> tuple[str, ...]:
    """Heads of the columns of a design's row; differences are to the first design."""
    more = f"more than {first}"
    return ("design", "TAR %", more, "p", "p (Holm)", "match confidence", more, "no face")


def compared_rows(one: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """One row for each design under one recognizer, aligner and gallery."""
    return [
        (
            name,
            percent(found["tar"]),
            percent(found["tar_more"]),
            *(p_text(found[key]) for key in _PS),
            figure(found["confidence"]),
            figure(found["confidence_more"]),
            str(found["undetected"]),
        )
        for name, found in one["designs"].items()
    ]


def compared_markdown(record: Mapping[str, Any]) -> str:
    """A table for each recognizer, aligner and gallery."""
    parts = [
        f"{heading(one)}\n\n{markdown_table(compared_head(_first(record)), compared_rows(one))}"
        for one in record["results"]
    ]
    return "\n".join([*parts, f"{EXPLAINED}\n"])


def compared_latex(record: Mapping[str, Any]) -> str:
    """The same in LaTeX, for the package booktabs."""
    parts = [
        f"% {latex_text(heading(one))}\n{latex_table(compared_head(_first(record)), compared_rows(one))}"
        for one in record["results"]
    ]
    return "\n".join([*parts, f"% {latex_text(EXPLAINED)}\n"])


def p_text(value: float | None) -> str:
    """A p-value as papers print it; a dash where there is none."""
    if value is None or math.isnan(value):
        return "-"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


EXPLAINED = (
    f"{MARKS_EXPLAINED} Paired over the same photos, placements, light and camera. p: of TAR, a two-sided "
    "sign-flip test over people, and corrected by Holm for all designs and recognizers here."
)


def heading(one: Mapping[str, Any]) -> str:
    """What one table is of."""
    return (
        f"{one['recognizer']}, aligner {one['aligner']}, gallery {one['gallery']}: {one['probes']} probes of "
        f"{one['people']} people, {one['left_out']} left out (no face found in some condition); FMR "
        f"{one['fmr']:g}"
    )


def _first(record: Mapping[str, Any]) -> str:
    return str(next(iter(record["designs"])))


def as_padded(rows: Sequence[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Rows whose cells are as wide as the widest of their column."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return [tuple(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
