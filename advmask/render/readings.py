"""Where in a sub-pixel the cloth is read, so that readings lie about a texel apart or closer."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

_MOST_SPLITS = 4
# Texels from one sub-pixel to the next up to which that many readings keep 1 mm checks above 35 dB.
_ONE_IS_ENOUGH, _TWO_ARE_ENOUGH = 0.64, 1.4
_GRID_STEP = 1.4


@dataclass(frozen=True, eq=False)
class Readings:
    """Readings of several kinds of sub-pixels.

    Attributes:
        count: (kinds,) how many a sub-pixel of a kind takes.
        first: (kinds,) where those of a kind begin.
        offset: (m, 2) from the sub-pixel's middle, texels.
    """

    count: Int[np.ndarray, " kinds"]
    first: Int[np.ndarray, " kinds"]
    offset: Float[np.ndarray, "m 2"]


def readings(slope: Float[np.ndarray, "kinds 2 2"]) -> Readings:
    """Choose how sub-pixels are read: once, twice on the longer diagonal, or on a grid.

    What decides is the longest step on the cloth that a step of one sub-pixel in any direction makes: the
    largest singular value of the slope.

    Args:
        slope: Texels (second axis) from a sub-pixel to the next on the right and to the next below (first).
    """
    right, down = slope[:, 0], slope[:, 1]
    squares = (slope**2).sum(axis=(1, 2))
    area = right[:, 0] * down[:, 1] - right[:, 1] * down[:, 0]
    longest = np.sqrt(0.5 * (squares + np.sqrt((squares**2 - 4 * area**2).clip(0))))
    twice = (longest > _ONE_IS_ENOUGH) & (longest <= _TWO_ARE_ENOUGH)
    grid = (longest > _TWO_ARE_ENOUGH)[:, None]
    # On a diagonal the second coordinate follows the first, or goes against it.
    splits = np.where(
        grid, np.ceil(np.sqrt((slope**2).sum(axis=2)) / _GRID_STEP).clip(1, _MOST_SPLITS), 1
    ).astype(np.int64)
    splits[twice, 0] = 2
    against = np.where(twice, np.where((right * down).sum(axis=1) >= 0, 1.0, -1.0), 0.0)
    count = splits.prod(axis=1)
    first = np.cumsum(count) - count
    kind = np.repeat(np.arange(len(slope)), count)
    row, column = np.divmod(np.arange(len(kind)) - first[kind], splits[kind, 0])
    x = (column + 0.5) / splits[kind, 0] - 0.5
    y = (row + 0.5) / splits[kind, 1] - 0.5 + against[kind] * x
    return Readings(count, first, x[:, None] * right[kind] + y[:, None] * down[kind])
