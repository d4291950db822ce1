"""Pieces of the page as data; `templates/pieces.html.j2` writes them."""

import base64
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor

from advmask.evaluation.contact_sheet import to_image

Columns = list[tuple[str, Callable[[Any], object]]]  # headings, each with what makes its cell of a thing


@dataclass(frozen=True)
class Table:
    """A table with headings for rows and columns; on narrow screens each row becomes a card with labels.

    Attributes:
        caption: What it shows.
        columns: The first one heads the rows.
        things: One for each row.
        numbers_from: The first column that is aligned as numbers are.
        dense: Smaller, for many columns.
    """

    caption: str
    columns: Columns
    things: Iterable[Any]
    numbers_from: int = 2
    dense: bool = False

    @property
    def rows(self) -> list[list[object]]:
        """The cells."""
        return [[cell(one) for _, cell in self.columns] for one in self.things]


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
