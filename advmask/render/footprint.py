"""What a pixel sees of the cloth, as few texels of the mip pyramid as will do.

The exact footprint of a pixel is the sum of the bilinear readings of its sub-pixels. Where its weights are
nearly even over the four children of a coarser texel, the coarser texel takes their place (Haar's step): the
inside of a footprint is read coarsely and its border finely, whatever its shape and slant.
"""

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray

from advmask.render.footprint_windows import COLUMN_OF, ROW_OF, Windows
from advmask.render.pyramid import MipPyramid
from advmask.render.readings import readings

_Ints = NDArray[np.integer]
_Floats = NDArray[np.floating]
Entries = tuple[_Ints, _Ints, _Floats]
"""Pixels, places in a pyramid's list of texels, and weights."""

_CRUMB = 0.25  # weights below this share of the tolerance are not worth reading
_MOST_CELLS = 4_000_000  # in all windows at once; only pixels that see cloth folded far over need more


def footprints(
    each: Int[np.ndarray, " rows"],
    texel: Float[np.ndarray, "2 n"],
    *,
    share: Float[np.ndarray, " rows"],
    pyramid: MipPyramid,
    tolerance: float,
    kind: Int[np.ndarray, " n"] | None = None,
    slope: Float[np.ndarray, "kinds 2 2"] | None = None,
) -> Entries:
    """Sampling weights of pixels.

    Args:
        each: How many samples there are of each pixel.
        texel: (x, y) of the samples, pixel after pixel, in texels of level 0, centres at +0.5; a reading
            beyond the edge repeats the edge.
        share: Sampling weight of each sample of a pixel.
        pyramid: Of the texture.
        tolerance: Largest root of the summed squared error of the weights of level 0 that one replacement of
            four texels by a coarser one may make; 0 keeps the exact footprint.
        kind: Which of the slopes each sample has.
        slope: Change of `texel` over a sample's width and height, which says how often it is read; None reads
            each once.

    Returns:
        Pixels (m,), ascending, places in the pyramid's list (m,) and weights (m,), no place twice in a pixel.
        The weights of a pixel sum to those of its samples; texels that would hardly be seen are dropped,
        their weight is spread over the others.
    """
    places, share = texel - texel.dtype.type(0.5), share.astype(texel.dtype)
    if kind is None or slope is None:
        weight = np.repeat(share, each)
    else:
        read = readings(slope)
        count = read.count[kind]
        end = np.cumsum(count, dtype=np.int32)
        number = np.arange(end[-1] if len(end) else 0, dtype=np.int32)
        number += np.repeat(read.first[kind] - end + count, count)
        weight = np.repeat(np.repeat(share, each) / count.astype(texel.dtype), count)
        places = np.repeat(places, count, axis=1)
        places += read.offset.T.astype(texel.dtype).take(number, axis=1)
        each = np.diff(np.concatenate([[0], end])[np.concatenate([[0], np.cumsum(each)])])
    row, place, weight = _of_readings(each, places, weight, pyramid=pyramid, tolerance=tolerance)
    order = np.argsort(row, kind="stable")  # a few ascending runs, which are quickly merged
    return _without_crumbs(row[order], place[order], weight[order], least=_CRUMB * tolerance)


def join_footprints(first: Entries, second: Entries) -> Entries:
    """Put the entries of two lists of footprints together."""
    row, place, weight = (np.concatenate(pair) for pair in zip(first, second, strict=True))
    return row, place, weight


def _of_readings(
    each: _Ints, places: _Floats, weight: _Floats, *, pyramid: MipPyramid, tolerance: float
) -> Entries:
    """Footprints of pixels from their readings; `each` tells how many they have, pixel after pixel."""
    x, right = _corner(places[0], pyramid.width)
    y, down = _corner(places[1], pyramid.height)
    windows = Windows.around(each, x, y, width=pyramid.width, height=pyramid.height)
    if windows.cells > _MOST_CELLS and np.count_nonzero(each) > 1:
        # In two parts of about as many readings; each keeps the numbers of the pixels.
        before = np.arange(len(each)) < np.searchsorted(np.cumsum(each), len(weight) / 2, side="right").clip(
            1
        )
        cut = int(each[before].sum())
        parts = ((each * before, slice(cut)), (each * ~before, slice(cut, None)))
        return join_footprints(
            *(
                _of_readings(some, places[:, part], weight[part], pyramid=pyramid, tolerance=tolerance)
                for some, part in parts
            )
        )
    total = torch.zeros(windows.cells, dtype=torch.from_numpy(weight[:0]).dtype)
    lower = down * weight
    upper = weight - lower
    shares = (upper - upper * right, upper * right, lower - lower * right, lower * right)
    for cell, part in zip(windows.four(each, x, y, pyramid=pyramid), shares, strict=True):
        total.scatter_add_(0, torch.from_numpy(cell), torch.from_numpy(part))
    return _merged(total.numpy(), windows, pyramid=pyramid, tolerance=tolerance)


def _merged(values: _Floats, windows: Windows, *, pyramid: MipPyramid, tolerance: float) -> Entries:
    """Replace four even texels by the coarser one above them, two levels at a time."""
    kept: list[Entries] = []
    for level in range(0, pyramid.levels, 2):
        row, x, y = windows.blocks()
        squares, below = _together(values, level, pyramid, tolerance)
        above, beside = _together(squares, level + 1, pyramid, tolerance)
        for finer, where, parts in ((level, below, values), (level + 1, beside, squares)):
            bits = level + 2 - finer
            block, place = where >> 2 * bits, where & (1 << 2 * bits) - 1
            column = (x[block] << bits) + COLUMN_OF.take(place)
            line = (y[block] << bits) + ROW_OF.take(place)
            kept.append((row[block], _listed(finer, column, line, pyramid), parts[where]))
        seen = np.flatnonzero(above != 0)
        windows = windows.coarser()
        values = np.zeros(windows.cells, dtype=values.dtype)
        values[windows.cell(row[seen], x[seen], y[seen])] = above[seen]
    pixel, place, weight = (np.concatenate(parts) for parts in zip(*kept, strict=True))
    return pixel, place, weight


def _together(values: _Floats, level: int, pyramid: MipPyramid, tolerance: float) -> tuple[_Floats, _Ints]:
    """Sums of four texels each that are even enough to be one, and where others stay by themselves.

    NaN stands for texels that stay split: nothing above them is merged either.
    """
    four = values.reshape(-1, 4)
    every = np.ones(4, dtype=values.dtype)
    total = four @ every
    # A texel of this level stands for 4^level of level 0. One that has its square to itself stays as it is:
    # the bytes of the four comparisons, read as one number, are more than a power of two where there are two.
    seen = (four > 0).view(np.uint32).ravel()
    even = (seen & (seen - np.uint32(1))) != 0
    if level < pyramid.levels - 1:
        even &= (four * four) @ every - 0.25 * total * total <= tolerance**2 * 4.0**level
    else:
        even[:] = False
    split = np.flatnonzero((seen != 0) & ~even)
    alone = np.flatnonzero(four.take(split, axis=0) > 0)  # which NaN is not
    total[split] = np.nan
    return total, 4 * split[alone >> 2] + (alone & 3)


def _listed(level: int, column: _Ints, line: _Ints, pyramid: MipPyramid) -> _Ints:
    """Places in the pyramid's list; without meaning, and asked for none, above the last level."""
    if level >= pyramid.levels:
        return column
    return pyramid.offset(level) + line * pyramid.stored(level)[1] + column


def _without_crumbs(row: _Ints, place: _Ints, weight: _Floats, *, least: float) -> Entries:
    if least <= 0 or len(row) == 0:
        return row, place, weight
    begin = np.concatenate([[0], np.flatnonzero(row[1:] != row[:-1]) + 1])
    each = np.diff(begin, append=len(row))
    total = np.add.reduceat(weight, begin)
    seen = weight >= np.repeat(least * total, each)
    left = np.add.reduceat(weight * seen, begin)
    few = left < 0.5 * total
    if few.any():  # a pixel of which only crumbs are cloth keeps them
        seen |= np.repeat(few, each)
        left = np.add.reduceat(weight * seen, begin)
    there = np.flatnonzero(seen)
    row, place, weight = row[there], place[there], (weight * np.repeat(total / left, each))[there]
    return row, place, weight


def _corner(place: _Floats, most: int) -> tuple[_Ints, _Floats]:
    """The texel before a place whose texels have their centres at 0 to `most` - 1, and the way from there."""
    inside = np.clip(place, 0, most - 1)
    texel = np.minimum(inside.astype(np.int32), max(most - 2, 0))
    return texel, inside - texel.astype(place.dtype)
