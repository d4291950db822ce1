"""Small relief of worn cloth - folds, seams, pleat edges, the nose wire - as it changes the light on it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ridge:
    """A ridge or groove along a line of the pattern, with a Gaussian profile that fades at both ends.

    Attributes:
        points_mm: (N, 2) the line, pattern frame.
        height_mm: Of the middle above the cloth; below zero is a groove.
        width_mm: Standard deviation of the profile across.
        shadow: Share of the light lost on the line itself, 0 to 1.
        below_only: The shadow falls only on the side that is below the line (larger v): the edge of a pleat.
        fade_mm: Length at both ends over which the ridge rises from nothing; 0 ends it at once.
    """

    points_mm: Float64[np.ndarray, "n 2"]
    height_mm: float = 0.0
    width_mm: float = 2.0
    shadow: float = 0.0
    below_only: bool = False
    fade_mm: float = 0.0

    def graded(self, factor: float) -> "Ridge":
        """The ridge on a pattern of another size."""
        return replace(self, points_mm=self.points_mm * factor)


def relief(
    uv_mm: Float64[np.ndarray, "n 2"], ridges: Sequence[Ridge]
) -> tuple[Float64[np.ndarray, "n 2"], Float64[np.ndarray, " n"]]:
    """Slope of the cloth's height and share of light that reaches it, at places of the pattern.

    Args:
        uv_mm: Places, pattern frame.
        ridges: Whose effects add up (slopes) and multiply (light).

    Returns:
        Derivative of the height by u and v, mm per mm, and the light, 1 where nothing shades.
    """
    slope, light = np.zeros_like(uv_mm), np.ones(len(uv_mm))
    orders = [np.argsort(axis) for axis in uv_mm.T]
    for ridge in ridges:
        near, across, along = _nearest(uv_mm, orders, ridge.points_mm, reach=4 * ridge.width_mm)
        profile = np.exp(-0.5 * (across**2).sum(axis=1) / ridge.width_mm**2)
        if ridge.fade_mm > 0:
            length = np.linalg.norm(np.diff(ridge.points_mm, axis=0), axis=1).sum()
            end = np.clip(np.minimum(along, length - along) / ridge.fade_mm, 0.0, 1.0)
            profile *= end**2 * (3 - 2 * end)
        slope[near] -= ridge.height_mm * (profile / ridge.width_mm**2)[:, None] * across
        dark = profile if not ridge.below_only else np.where(across[:, 1] >= 0, profile, 0.0)
        light[near] *= 1 - ridge.shadow * dark
    return slope, light


def _nearest(
    points: FloatArray, orders: Sequence[NDArray[np.int64]], line: FloatArray, *, reach: float
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Points within reach of an open line (n,), their offsets (n, 2) from it, its arc length there (n,).

    `orders` holds the points in ascending order of each coordinate: those beside a piece of the line follow
    each other in the order along which the line runs.
    """
    start, step = line[:-1], np.diff(line, axis=0)
    length = np.linalg.norm(step, axis=1)
    low, high = np.minimum(start, line[1:]) - reach, np.maximum(start, line[1:]) + reach
    axis = int(np.ptp(line, axis=0).argmax())
    order = orders[axis]
    beside = points[order, axis]
    first = np.searchsorted(beside, low[:, axis])
    count = np.searchsorted(beside, high[:, axis], side="right") - first
    piece = np.repeat(np.arange(len(start)), count)
    point = order[np.arange(len(piece)) + np.repeat(first - np.cumsum(count) + count, count)]
    across = points[point, 1 - axis]
    close = np.flatnonzero((across >= low[piece, 1 - axis]) & (across <= high[piece, 1 - axis]))
    piece, point = piece[close], point[close]
    away, along = points[point] - start[piece], step[piece]
    share = ((away * along).sum(axis=1) / np.maximum(length**2, 1e-12)[piece]).clip(0.0, 1.0)
    offset = away - share[:, None] * along
    distance = (offset**2).sum(axis=1)
    least = np.full(len(points), np.inf)
    np.minimum.at(least, point, distance)
    nearest = np.flatnonzero(distance == least[point])[::-1]  # of equally near pieces the first
    chosen = np.full(len(points), -1)
    chosen[point[nearest]] = nearest
    near = np.flatnonzero(chosen >= 0)
    chosen = chosen[near]
    before = np.cumsum(length) - length
    return near, offset[chosen], (before[piece] + share * length[piece])[chosen]
