"""Windows of texels, one for each pixel, laid end to end so that weights can be summed in place."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int
from numpy.typing import NDArray

from advmask.render.pyramid import MipPyramid

_Ints = NDArray[np.integer]

SIDE = 4  # of a block, texels; bits 0 and 1 of a column or row tell the place in it
# The texels of 2 x 2 follow each other, and so do four such squares: Morton's order.
_PLACE = np.arange(SIDE**2, dtype=np.int32)
COLUMN_OF, ROW_OF = (_PLACE & 1) | (_PLACE >> 1 & 2), (_PLACE >> 1 & 1) | (_PLACE >> 2 & 2)
"""Column and row of the sixteen places of a block."""


@dataclass(frozen=True, eq=False)
class Windows:
    """A rectangle of blocks of 4 x 4 texels for each pixel, all of their texels numbered through.

    Blocks follow each other row by row, windows pixel by pixel.

    Attributes:
        left: (rows,) first column of blocks.
        top: (rows,) first row of blocks.
        across: (rows,) columns of blocks, 0 for a pixel without any.
        high: (rows,) rows of blocks.
        begin: (rows,) blocks of the pixels before.
    """

    left: Int[np.ndarray, " rows"]
    top: Int[np.ndarray, " rows"]
    across: Int[np.ndarray, " rows"]
    high: Int[np.ndarray, " rows"]
    begin: Int[np.ndarray, " rows"]

    @classmethod
    def around(cls, each: _Ints, x: _Ints, y: _Ints, *, width: int, height: int) -> "Windows":
        """The windows that hold texels and their right and lower neighbours.

        Args:
            each: (rows,) texels of each pixel.
            x: Their columns, pixel after pixel.
            y: Their rows.
            width: Of the texture.
            height: Of the texture.
        """
        sides = np.zeros((4, len(each)), dtype=np.int32)
        seen = np.flatnonzero(each)
        begin = (np.cumsum(each) - each)[seen]
        for axis, (place, most) in enumerate(((x, width), (y, height))):
            if len(seen):
                low = np.minimum.reduceat(place, begin) >> 2
                high = np.minimum(np.maximum.reduceat(place, begin) + 1, most - 1) >> 2
                sides[axis, seen], sides[axis + 2, seen] = low, high - low + 1
        return cls._laid(*sides)

    @classmethod
    def _laid(cls, left: _Ints, top: _Ints, across: _Ints, high: _Ints) -> "Windows":
        size = across.astype(np.int64) * high
        return cls(left, top, across, high, np.cumsum(size) - size)

    @property
    def cells(self) -> int:
        """Number of texels in all windows."""
        return SIDE**2 * int(self.begin[-1] + self.across[-1] * self.high[-1]) if len(self.begin) else 0

    def coarser(self) -> "Windows":
        """The windows that hold the same places two levels up, where each block of these is a texel."""
        left, top = self.left // SIDE, self.top // SIDE
        seen = self.across > 0
        across = np.where(seen, (self.left + self.across - 1) // SIDE - left + 1, 0)
        high = np.where(seen, (self.top + self.high - 1) // SIDE - top + 1, 0)
        return self._laid(left, top, across, high)

    def cell(self, row: _Ints, x: _Ints, y: _Ints) -> _Ints:
        """Numbers of texels, given their pixels, columns and rows."""
        return _place(self._first[row], self.across[row], x, y)

    def four(self, each: _Ints, x: _Ints, y: _Ints, *, pyramid: MipPyramid) -> Iterator[_Ints]:
        """Numbers of texels, of their right neighbours, of those below, and of those below to the right.

        Args:
            each: (rows,) texels of each pixel.
            x: Their columns, pixel after pixel.
            y: Their rows.
            pyramid: Of the texture; where it has one column or row, a texel is its own neighbour.
        """
        across = np.repeat(self.across, each)
        cell = _place(np.repeat(self._first, each), across, x, y).astype(np.int64)
        right = below = None
        if pyramid.width > 1:  # the other one of a square, the next square, or the next block
            right = 1 + ((x & 1) << 1) + (((x & 3) == 3).view(np.int8) << 3)
        if pyramid.height > 1:
            below = 2 + ((y & 1) << 2) + ((y & 3) == 3) * (across - 1 << 4)
        yield cell
        yield cell if right is None else cell + right
        if below is not None:
            cell += below
        yield cell
        yield cell if right is None else cell + right

    @property
    def _first(self) -> _Ints:
        """(rows,) number that the block in column and row 0 would have."""
        first: _Ints = (self.begin - self.top * self.across - self.left).astype(np.int32)
        return first

    def blocks(self) -> tuple[_Ints, _Ints, _Ints]:
        """Pixel, column and row of every block."""
        row = np.repeat(np.arange(len(self.begin), dtype=np.int32), self.across * self.high)
        # Counted from each window's own beginning, so that small numbers are divided.
        size = self.across * self.high
        within = np.arange(len(row), dtype=np.int32) - np.repeat(self.begin.astype(np.int32), size)
        y, x = np.divmod(within, np.repeat(self.across, size))
        return row, x + np.repeat(self.left, size), y + np.repeat(self.top, size)


def _place(first: _Ints, across: _Ints, x: _Ints, y: _Ints) -> _Ints:
    block = first + across * (y >> 2) + (x >> 2)
    return (block << 4) + ((x & 1) | (y & 1) << 1 | (x & 2) << 1 | (y & 2) << 2)
