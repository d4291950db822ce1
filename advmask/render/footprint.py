"""What a pixel sees of the cloth, as few texels of the mip pyramid as will do.

The exact footprint of a pixel is the sum of the bilinear samples of its sub-pixels. Where its weights are
nearly even over the four children of a coarser texel, the coarser texel takes their place (Haar's step): the
inside of a footprint is read coarsely and its border finely, whatever its shape and slant.
"""

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.render.pyramid import MipPyramid

_Ints = NDArray[np.int64]
_Floats = NDArray[np.float64]
_MORTON_BITS = 32
_CRUMB = 0.25  # weights below this share of the tolerance are not worth reading


def exact_footprints(
    row: Int64[np.ndarray, " n"],
    texel: Float64[np.ndarray, "n 2"],
    *,
    share: Float64[np.ndarray, " rows"],
    pyramid: MipPyramid,
) -> tuple[_Ints, _Floats]:
    """Bilinear samples of level 0, summed to pixels.

    Args:
        row: The pixel of each sample.
        texel: (x, y) in texels of level 0, centres at +0.5; a sample beyond the edge repeats the edge.
        share: Sampling weight of each sample of a pixel.
        pyramid: Of the texture.

    Returns:
        Keys (m,), ascending, and weights (m,): a key is the pixel's number above the texel's place along a
        Z-order curve (Morton 1966).
    """
    extent = np.array([pyramid.width, pyramid.height])
    inside = np.clip(texel, 0.5, extent - 0.5) - 0.5
    corner = np.minimum(np.floor(inside), np.maximum(extent - 2, 0)).astype(np.int64)
    part = inside - corner
    other = np.minimum(corner + 1, extent - 1)
    each = share[row]
    x0, y0 = _spread(corner[:, 0]), _spread(corner[:, 1]) << 1
    x1, y1 = _spread(other[:, 0]), _spread(other[:, 1]) << 1
    right, below = part[:, 0], part[:, 1]
    base = row << _MORTON_BITS
    keys = np.concatenate([base | y | x for y in (y0, y1) for x in (x0, x1)])
    weights = np.concatenate([v * h * each for v in (1 - below, below) for h in (1 - right, right)])
    order = np.argsort(keys)
    keys, weights = keys[order], weights[order]
    first = _starts(keys)
    return keys[first], np.add.reduceat(weights, first) if len(keys) else weights


def merged_footprints(
    keys: _Ints, weights: _Floats, *, tolerance: float, pyramid: MipPyramid
) -> tuple[_Ints, _Ints, _Floats]:
    """Replace four even texels by the coarser one above them, level by level.

    Args:
        keys: From `exact_footprints`.
        weights: From `exact_footprints`.
        tolerance: Largest root of the summed squared error of the weights of level 0 that one replacement
            may make; 0 keeps the exact footprint.
        pyramid: Of the texture.

    Returns:
        Pixels (m,), places in the pyramid's list (m,) and weights (m,). The weights of a pixel sum to what
        they did; texels that would hardly be seen are dropped, their weight is spread over the others.
    """
    kept: list[tuple[_Ints, _Ints, _Floats]] = []
    for level in range(pyramid.levels):
        last = level == pyramid.levels - 1
        first = _starts(keys >> 2)
        size = np.diff(np.append(first, len(keys)))
        total = np.add.reduceat(weights, first) if len(keys) else weights
        squares = np.add.reduceat(weights**2, first) if len(keys) else weights
        # A texel of this level stands for 4^level of level 0; a missing child has weight zero.
        error2 = (squares - total**2 / 4) / 4.0**level
        # NaN marks a texel that stays split, so that nothing above it is merged either.
        even = (error2 <= tolerance**2) & (size > 1) if not last else np.zeros(len(first), dtype=bool)
        stays = np.repeat(~even, size) & np.isfinite(weights)
        kept.append(_listed(keys[stays], weights[stays], level, pyramid))
        if last:
            break
        keys, weights = keys[first] >> 2, np.where(even, total, np.nan)
    row, place, weight = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return _without_crumbs(row, place, weight, least=_CRUMB * tolerance)


def join_footprints(
    first: tuple[_Ints, _Ints, _Floats], second: tuple[_Ints, _Ints, _Floats]
) -> tuple[_Ints, _Ints, _Floats]:
    """Put the entries of two lists of footprints together."""
    row, place, weight = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    return row, place, weight


def _without_crumbs(
    row: _Ints, place: _Ints, weight: _Floats, *, least: float
) -> tuple[_Ints, _Ints, _Floats]:
    if least <= 0 or len(row) == 0:
        return row, place, weight
    rows = int(row.max()) + 1
    total = np.bincount(row, weight, minlength=rows)
    seen = weight >= least * total[row]
    left = np.bincount(row[seen], weight[seen], minlength=rows)
    # A pixel of which only crumbs are cloth keeps them.
    seen |= left[row] < 0.5 * total[row]
    left = np.bincount(row[seen], weight[seen], minlength=rows)
    row, place, weight = row[seen], place[seen], weight[seen]
    return row, place, weight * (total / left.clip(1e-12))[row]


def _listed(keys: _Ints, weights: _Floats, level: int, pyramid: MipPyramid) -> tuple[_Ints, _Ints, _Floats]:
    bits = _MORTON_BITS - 2 * level
    morton = keys & ((1 << bits) - 1)
    place = pyramid.offset(level) + _gather(morton >> 1) * pyramid.stored(level)[1] + _gather(morton)
    return keys >> bits, place, weights


def _starts(keys: _Ints) -> _Ints:
    """Where runs of equal keys begin."""
    if len(keys) == 0:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate([[0], np.flatnonzero(keys[1:] != keys[:-1]) + 1])


def _spread(values: _Ints) -> _Ints:
    """Put a zero bit between the bits of numbers below 2^16."""
    values = (values | (values << 8)) & 0x00FF00FF
    values = (values | (values << 4)) & 0x0F0F0F0F
    values = (values | (values << 2)) & 0x33333333
    return (values | (values << 1)) & 0x55555555


def _gather(values: _Ints) -> _Ints:
    """Undo `_spread`, ignoring the bits between."""
    values = values & 0x55555555
    values = (values | (values >> 1)) & 0x33333333
    values = (values | (values >> 2)) & 0x0F0F0F0F
    values = (values | (values >> 4)) & 0x00FF00FF
    return (values | (values >> 8)) & 0x0000FFFF
