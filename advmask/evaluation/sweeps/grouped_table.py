"""A table whose columns stand in groups, and what it is in LaTeX."""

from collections.abc import Sequence
from dataclasses import dataclass

from advmask.evaluation.result_tables import latex_row, latex_text

_LINE_PT = 345  # of LaTeX's article, the narrowest of the usual classes
# Sizes of letters with their mean width, and room beside a column, in points.
_SIZES = (("", 5.0, 6), (r"\small", 4.6, 4), (r"\footnotesize", 4.1, 3), (r"\scriptsize", 3.6, 2))


@dataclass(frozen=True)
class Table:
    """A table with columns in groups.

    Attributes:
        label: In file names and references: runs, recipes, transfer or tests.
        caption: What its figures are.
        groups: For each column what stands above it; neighbours with the same text share it.
        head: Of each column.
        rows: Texts.
    """

    label: str
    caption: str
    groups: tuple[str, ...]
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def latex_of(table: Table) -> str:
    """A table of its own in LaTeX, for the package booktabs, with letters so small that it fits a page."""
    spans = _spans(table.groups)
    above = " & ".join(
        latex_text(text)
        if last == first
        else rf"\multicolumn{{{last - first + 1}}}{{c}}{{{latex_text(text)}}}"
        for text, first, last in spans
    )
    rules = "".join(
        rf"\cmidrule(lr){{{first}-{last}}}" for text, first, last in spans if text and last > first
    )
    lines = [
        r"\begin{table}",
        r"\centering",
        *_smaller(table),
        rf"\caption{{{latex_text(table.caption)}}}",
        rf"\label{{tab:advmask-{table.label}}}",
        rf"\begin{{tabular}}{{{'l' * len(table.head)}}}",
        r"\toprule",
        *([rf"{above} \\", *([rules] if rules else [])] if any(table.groups) else []),
        latex_row(table.head),
        r"\midrule",
        *map(latex_row, table.rows),
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _smaller(table: Table) -> list[str]:
    """Letters as small as they must be for the table to fit a page."""
    widest = [max(map(len, column)) for column in zip(table.head, *table.rows, strict=True)]
    fits = (one for one in _SIZES if sum(widest) * one[1] + 2 * one[2] * len(widest) <= _LINE_PT)
    size, _, beside = next(fits, _SIZES[-1])
    return [rf"{size}\setlength{{\tabcolsep}}{{{beside}pt}}"] if size else []


def _spans(groups: Sequence[str]) -> list[tuple[str, int, int]]:
    """Texts above columns with the first and last column of each, from 1; empty ones span nothing."""
    spans: list[tuple[str, int, int]] = []
    for place, text in enumerate(groups, 1):
        if text and spans and spans[-1][0] == text:
            spans[-1] = (text, spans[-1][1], place)
        else:
            spans.append((text, place, place))
    return spans
