"""Pieces of HTML: escaped text, tables, pictures."""

import base64
import html
import io
from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from advmask.evaluation.contact_sheet import to_image

_NUMBER = '<td class="n">'
_TEXT = "<td>"


def text(words: object) -> str:
    """Words that stand in HTML as they are."""
    return html.escape(str(words))


def paragraph(words: str) -> str:
    """A paragraph of text."""
    return f"<p>{text(words)}</p>"


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[object]], *, numbers_from: int = 1
) -> str:
    """A table with headings for rows and columns, in a box that scrolls by itself on narrow screens.

    Args:
        caption: What it shows.
        head: Of the columns.
        rows: Text; the first cell heads the row.
        numbers_from: The first column that is aligned as numbers are.
    """
    lines = [f'<div class="wide" tabindex="0"><table><caption>{text(caption)}</caption><thead><tr>']
    lines += [f'<th scope="col">{_breakable(name)}</th>' for name in head]
    lines.append("</tr></thead><tbody>")
    for row in rows:
        cells = [f'<th scope="row">{_breakable(row[0])}</th>']
        cells += [
            f"{'<td>' if i < numbers_from else _NUMBER}{_figure(cell)}</td>"
            for i, cell in enumerate(row[1:], 1)
        ]
        lines.append(f"<tr>{''.join(cells)}</tr>")
    return "".join([*lines, "</tbody></table></div>"])


def _breakable(name: object) -> str:
    """A name that may go on in the next line after an underscore."""
    return text(name).replace("_", "_<wbr>")


def _figure(cell: object) -> str:
    """A value; its interval may stand on the next line, and is not broken."""
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
