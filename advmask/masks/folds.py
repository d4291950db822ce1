"""Folds of worn cloth: soft ridges that run from the ear loops into the mask."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.relief import Ridge


@dataclass(frozen=True)
class Fold:
    """One fold, in shares of the pattern's box, so that it can be drawn without knowing the pattern.

    Attributes:
        left: It starts at the left side of the pattern, else at the right.
        start: Where on that side, 0 the top and 1 the bottom.
        end: Where it dies: share of the half width from the side to the middle, and of the height.
        height_mm: Of the ridge; below zero is a furrow.
        width_mm: Standard deviation of its profile.
    """

    left: bool
    start: float
    end: tuple[float, float]
    height_mm: float
    width_mm: float


def fold_ridges(pattern: FlatPattern, folds: Sequence[Fold]) -> tuple[Ridge, ...]:
    """Lay folds on a pattern."""
    left, top, right, bottom = pattern.box_mm
    half, height = (right - left) / 2, bottom - top
    ridges = []
    for fold in folds:
        u0, way = (left, 1.0) if fold.left else (right, -1.0)
        start = np.array([u0, top + fold.start * height])
        end = np.array([u0 + way * fold.end[0] * half, top + fold.end[1] * height])
        # A slight sag: cloth under tension between two points hangs a little.
        middle = 0.5 * (start + end) + [0.0, 0.04 * height]
        t = np.linspace(0.0, 1.0, 9)[:, None]
        points = (1 - t) ** 2 * start + 2 * t * (1 - t) * middle + t**2 * end
        length = float(np.linalg.norm(end - start))
        ridges.append(Ridge(points, fold.height_mm, fold.width_mm, fade_mm=0.4 * length))
    return tuple(ridges)
