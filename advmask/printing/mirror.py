"""A pattern as it lies on paper whose print is transferred face down."""

from dataclasses import replace

import numpy as np

from advmask.masks.flat_pattern import FlatPattern

_ACROSS = np.array([-1.0, 1.0])


def mirrored_pattern(pattern: FlatPattern) -> FlatPattern:
    """The pattern with left and right exchanged; names stay with their panels. Twice is the same."""
    return replace(
        pattern,
        panels=tuple(replace(panel, outline_mm=panel.outline_mm * _ACROSS) for panel in pattern.panels),
        lines=tuple(replace(line, points_mm=line.points_mm * _ACROSS) for line in pattern.lines),
    )
