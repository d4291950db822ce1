"""Pieces of the page as data; `templates/pieces.html.j2` writes them."""

import base64
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from advmask.evaluation.contact_sheet import to_image


@dataclass(frozen=True)
class Table:
    """A table with headings for rows and columns; on narrow screens each row becomes a card with labels.

    Attributes:
        caption: What it shows.
        head: Of the columns.
        rows: Cells; the first one heads the row.
        numbers_from: The first column that is aligned as numbers are.
        dense: Smaller, for many columns.
    """

    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[object]]
    numbers_from: int = 1
    dense: bool = False


def table_of(
    caption: str,
    columns: Mapping[str, Callable[[Any], object]],
    things: Iterable[Any],
    *,
    numbers_from: int = 2,
    dense: bool = False,
) -> Table:
    """A table with one row for each thing.

    Args:
        caption: As `numbers_from` and `dense` in `Table`.
        columns: Headings, each with what makes its cell of a thing.
        things: In the order of rows.
        numbers_from: See `caption`.
        dense: See `caption`.
    """
    rows = [[cell(one) for cell in columns.values()] for one in things]
    return Table(caption, tuple(columns), rows, numbers_from=numbers_from, dense=dense)


Picture = dict[str, object]


def picture(shown: Float[Tensor, "3 rows columns"], *, alt: str, caption: str) -> Picture:
    """A picture that is part of the page.

    Args:
        shown: In [0, 1].
        alt: What is seen, for those who do not see it.
        caption: Under it.
    """
    image = to_image(shown)
    stream = io.BytesIO()
    image.save(stream, format="PNG", optimize=True)
    png = base64.b64encode(stream.getvalue()).decode()
    return {"png": png, "width": image.width, "height": image.height, "alt": alt, "caption": caption}
