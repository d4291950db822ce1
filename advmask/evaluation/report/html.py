"""Pieces of HTML: escaped text, tables, pictures."""

import base64
import html
import io
import re
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from advmask.evaluation.contact_sheet import to_image

_NUMBER = ' class="n"'
_DENSE = ' class="dense"'
_CHECKSUM = re.compile(r"[0-9a-f]{40,}")


def text(words: object) -> str:
    """Words that stand in HTML as they are."""
    return html.escape(str(words))


def paragraph(words: str) -> str:
    """A paragraph of text."""
    return f"<p>{text(words)}</p>"


def table(
    caption: str,
    head: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    numbers_from: int = 1,
    dense: bool = False,
) -> str:
    """A table with headings for rows and columns; on narrow screens each row becomes a card with labels.

    The roles keep it a table for those who listen to it when the style sheet makes cards of it.

    Args:
        caption: What it shows.
        head: Of the columns.
        rows: Text; the first cell heads the row.
        numbers_from: The first column that is aligned as numbers are.
        dense: Smaller, for many columns.
    """
    lines = [
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}">'
        f'<table role="table"{_DENSE if dense else ""}><caption>{text(caption)}</caption>'
        '<thead role="rowgroup"><tr role="row">'
    ]
    lines += [f'<th scope="col" role="columnheader">{_breakable(name)}</th>' for name in head]
    lines.append('</tr></thead><tbody role="rowgroup">')
    for row in rows:
        cells = [f'<th scope="row" role="rowheader">{_breakable(row[0])}</th>']
        cells += [
            f'<td role="cell"{_NUMBER if i >= numbers_from else ""} data-label="{text(name)}">'
            f"{_figure(cell)}</td>"
            for i, (name, cell) in enumerate(zip(head[1:], row[1:], strict=True), 1)
        ]
        lines.append(f'<tr role="row">{"".join(cells)}</tr>')
    return "".join([*lines, "</tbody></table></div>"])


def folded(summary: str, *parts: str) -> str:
    """What is shown on demand; printed, and without the style sheet, it is always shown.

    It stands beside the `details` and not in it: not every browser lets a style sheet open that in print.
    """
    return (
        f'<details class="fold"><summary>{text(summary)}</summary></details>'
        f'<div class="folded">{"".join(parts)}</div>'
    )


def _breakable(name: object) -> str:
    """A name that may go on in the next line after an underscore."""
    return text(name).replace("_", "_<wbr>")


def _figure(cell: object) -> str:
    """A value; its interval may stand on the next line, and is not broken."""
    if _CHECKSUM.fullmatch(str(cell)):
        return f'<span class="sum">{text(cell)}</span>'
    value, bracket, rest = str(cell).partition(" [")
    interval, end, after = rest.partition("]")
    if not bracket or not end:
        return text(cell)
    return f'{text(value + after)} <span class="i">[{text(interval)}]</span>'


def picture(shown: Float[Tensor, "3 rows columns"], *, alt: str, caption: str) -> str:
    """A picture that is part of the page.

    Args:
        shown: In [0, 1].
        alt: What is seen, for those who do not see it.
        caption: Under it.
    """
    image = to_image(shown)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode()
    return (
        f'<figure class="face"><img src="data:image/png;base64,{data}" width="{image.width}" '
        f'height="{image.height}" alt="{text(alt)}"><figcaption>{text(caption)}</figcaption></figure>'
    )


def section(level: int, heading: str, *parts: str) -> str:
    """A heading of a level with what belongs to it."""
    return f"<section><h{level}>{text(heading)}</h{level}>{''.join(parts)}</section>"
