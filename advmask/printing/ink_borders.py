"""Borders between inks: smooth lines through a map of texels, each shared by the two inks that it parts."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray
from scipy.sparse.linalg import splu

FloatArray = NDArray[np.float64]

FURTHEST = 0.45
"""How far a border may leave that of the texels, in texels: less than a half, so that none is passed over."""
_LENGTH = 3.0  # texels along a border over which steps are evened out
_SHARES = (0.8, 0.6, 0.4, 0.2, 0.0)  # of its way, for a corner that would go too far

_BOW = 0.1  # texels: more is no curve but a corner


@dataclass(frozen=True, eq=False)
class InkBorders:
    """All rings of a map of inks. Two inks that touch share the points of their border.

    Attributes:
        rings: For each ink its closed rings, (N, 2) places (x, y) in texels, corner of the map at (0, 0);
            even-odd, without the first point again.
    """

    rings: tuple[tuple[FloatArray, ...], ...]


def ink_borders(inks: NDArray[np.integer], count: int, *, middles: bool = True) -> InkBorders:
    """Find smooth borders in a map of inks.

    Texels say on which side of a border each of their centres lies, not where between two centres it runs.
    Of all lines that keep every point within `FURTHEST` of the stepped border of the texels, about the
    smoothest is taken: the corners of that border move to where a smoothing spline along it puts them, those
    that would go too far only a part of the way. Where three inks meet, the three borders meet.

    Args:
        inks: (H, W) number of the ink of each texel.
        count: Of inks.
        middles: Add a point of a smooth curve between each two.

    Source:
        Gibson, "Constrained elastic surface nets", 1998, for nodes that move within a bound; Reinsch,
        "Smoothing by spline functions", 1967.
    """
    width = inks.shape[1]
    map_ = np.pad(inks.astype(np.int64), 1, constant_values=-1)
    start, end, left = _half_edges(map_, width)
    keys, ends = np.unique(np.concatenate([start, end]), return_inverse=True)
    first, last = ends[: len(start)], ends[len(start) :]
    places = np.stack([keys % (width + 1), keys // (width + 1)], axis=1).astype(np.float64)
    once = first < last  # a border runs both ways
    smooth = _smoothed(places, first[once], last[once])
    rings = _rings(first, last, left, places, count)
    middle = _Middles(smooth, first[once], last[once]) if middles else None
    return InkBorders(
        tuple(
            tuple(smooth[nodes] if middle is None else middle.ring(nodes) for nodes in of_ink)
            for of_ink in rings
        )
    )


def _half_edges(
    map_: NDArray[np.int64], width: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Start, end and the ink to the left (of one who walks with y down) of each step along a border."""
    corner = np.arange((map_.shape[0] - 1) * (width + 1)).reshape(-1, width + 1)
    starts, ends, inks = [], [], []
    # Down a column of corners: to the left of it, as one walks down with y down, lies the texel to the right.
    down = map_[1:-1, :-1] != map_[1:-1, 1:]
    a, b = corner[:-1][down], corner[1:][down]
    west, east = map_[1:-1, :-1][down], map_[1:-1, 1:][down]
    across = map_[:-1, 1:-1] != map_[1:, 1:-1]
    c, d = corner[:, :-1][across], corner[:, 1:][across]
    north, south = map_[:-1, 1:-1][across], map_[1:, 1:-1][across]
    for start, end, ink in ((a, b, east), (b, a, west), (c, d, north), (d, c, south)):
        starts.append(start)
        ends.append(end)
        inks.append(ink)
    return np.concatenate(starts), np.concatenate(ends), np.concatenate(inks)


def _smoothed(places: FloatArray, first: NDArray[np.intp], last: NDArray[np.intp]) -> FloatArray:
    number = len(places)
    start, end = np.concatenate([first, last]), np.concatenate([last, first])
    degree = np.bincount(start, minlength=number)
    pairs = (start.astype(np.int32), end.astype(np.int32))  # SuperLU takes no longer ones
    mean = scipy.sparse.csr_array((1.0 / degree[start], pairs), shape=(number, number))
    same = scipy.sparse.csr_array(scipy.sparse.identity(number, format="csr"))
    bend = same - mean
    # (x - mean of neighbours) of a line is half its second difference.
    stiff = (4.0 * _LENGTH**4) * (bend.T @ bend) + same
    solver = splu(stiff.tocsc())
    smooth: FloatArray = solver.solve(places)
    # Once more on what was taken away: a round shape then shrinks far less.
    smooth += solver.solve(places - smooth)
    way = smooth - places
    near = _neighbours(start, end, number)
    todo = np.arange(number)
    for share in _SHARES:
        todo = todo[_away(smooth[todo], todo, near, places) > FURTHEST]
        if not len(todo):
            break
        smooth[todo] = places[todo] + share * way[todo]
    return smooth


def _neighbours(start: NDArray[np.intp], end: NDArray[np.intp], number: int) -> NDArray[np.intp]:
    """(nodes, 4) the neighbours of each node, itself where it has fewer."""
    near = np.repeat(np.arange(number)[:, None], 4, axis=1)
    order = np.argsort(start, kind="stable")
    start, end = start[order], end[order]
    rank = np.arange(len(start)) - np.searchsorted(start, start)
    near[start, rank] = end
    return near


def _away(
    points: FloatArray, nodes: NDArray[np.intp], near: NDArray[np.intp], places: FloatArray
) -> NDArray[np.float64]:
    """Distances of points from the steps of the border that lie at most two from the nodes they came from."""
    least = np.full(len(nodes), np.inf)
    for one in range(4):
        middle = near[nodes, one]
        for ends in (nodes, *near[middle].T):
            start, way = places[middle], places[ends] - places[middle]
            share = ((points - start) * way).sum(axis=1) / (way**2).sum(axis=1).clip(1e-12)
            away = np.linalg.norm(points - start - share.clip(0, 1)[:, None] * way, axis=1)
            np.minimum(least, away, out=least)
    return least


def _rings(
    first: NDArray[np.intp], last: NDArray[np.intp], left: NDArray[np.int64], places: FloatArray, count: int
) -> list[list[NDArray[np.intp]]]:
    """Nodes of the rings of each ink, the ink to the left."""
    way = (places[last] - places[first]).astype(np.int64)
    order = np.lexsort((first, left))
    next_ = _followers(first, last, left, way, order)
    rings: list[list[NDArray[np.intp]]] = [[] for _ in range(count)]
    todo = left >= 0
    nodes, inks, following = first.tolist(), left.tolist(), next_.tolist()
    waiting = todo.tolist()
    for begin in np.flatnonzero(todo).tolist():
        if not waiting[begin]:
            continue
        ring, at = [], begin
        while waiting[at]:
            waiting[at] = False
            ring.append(nodes[at])
            at = following[at]
        rings[inks[begin]].append(np.array(ring, dtype=np.intp))
    return rings


def _followers(
    first: NDArray[np.intp],
    last: NDArray[np.intp],
    left: NDArray[np.int64],
    way: NDArray[np.int64],
    order: NDArray[np.intp],
) -> NDArray[np.intp]:
    """The step that follows each: with the same ink to its left, and of two the one that turns left."""
    size = int(max(first.max(), last.max())) + 1
    key, wanted = left[order] * size + first[order], left * size + last
    at = np.searchsorted(key, wanted)
    one = order[at]
    other = order[np.minimum(at + 1, len(order) - 1)]
    two = (np.minimum(at + 1, len(order) - 1) > at) & (key[np.minimum(at + 1, len(order) - 1)] == wanted)
    turn = way[:, 0] * way[one][:, 1] - way[:, 1] * way[one][:, 0]
    # With y down, a left turn has a negative cross product.
    return np.where(two & (turn > 0), other, one)


class _Middles:
    """Nodes and, between each two, the place where a smooth curve through four of them passes."""

    def __init__(self, smooth: FloatArray, first: NDArray[np.intp], last: NDArray[np.intp]) -> None:
        number = len(smooth)
        start, end = np.concatenate([first, last]), np.concatenate([last, first])
        degree = np.bincount(start, minlength=number)
        sums = np.stack([np.bincount(start, smooth[end][:, axis], number) for axis in (0, 1)], axis=1)
        # Beyond an end the line goes on to its other neighbour; where three meet it goes straight on.
        beyond = np.where(
            (degree[first] == 2)[:, None], sums[first] - smooth[last], 2 * smooth[first] - smooth[last]
        )
        after = np.where(
            (degree[last] == 2)[:, None], sums[last] - smooth[first], 2 * smooth[last] - smooth[first]
        )
        straight = (smooth[first] + smooth[last]) / 2
        bow = (smooth[first] + smooth[last] - beyond - after) / 16
        most = _BOW / np.linalg.norm(bow, axis=1).clip(1e-12)
        self._middle = straight + bow * np.minimum(1.0, most)[:, None]
        self._smooth, self._number = smooth, number
        code = first * number + last
        self._order = np.argsort(code)
        self._code = code[self._order]

    def ring(self, nodes: NDArray[np.intp]) -> FloatArray:
        """(2 N, 2) the ring with its middles."""
        following = np.roll(nodes, -1)
        low, high = np.minimum(nodes, following), np.maximum(nodes, following)
        middle = self._middle[self._order[np.searchsorted(self._code, low * self._number + high)]]
        return np.stack([self._smooth[nodes], middle], axis=1).reshape(-1, 2)
