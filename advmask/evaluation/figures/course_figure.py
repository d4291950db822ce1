"""The course of designs: match confidence and loss over the steps, recipes over their seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from advmask.evaluation.figures.figure_style import DASHES, SERIES, legend_below, panels
from advmask.evaluation.metrics import FloatArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Curve = Sequence[tuple[float, float]]
CONFIDENCE, SIMILARITY, LOSS = "match_confidence/", "similarity/", "loss"
_SPAN = 20  # part of a run over which single steps are averaged


def columns_drawn(courses: Sequence[Mapping[str, Curve]]) -> list[str]:
    """Match confidence of every recognizer, or its similarity where none has a threshold; then the loss."""
    every = dict.fromkeys(name for course in courses for name in course)
    for prefix in (CONFIDENCE, SIMILARITY):
        own = [name for name in every if name.startswith(prefix)]
        if own:
            return [*own, *([LOSS] if LOSS in every else [])]
    return [LOSS] if LOSS in every else []


def course_figure(recipes: Mapping[str, Sequence[Mapping[str, Curve]]]) -> Figure:
    """A panel for each column: the mean over seeds of each recipe, from least to most as a band.

    Args:
        recipes: For each the logs of its runs, by column.
    """
    names = columns_drawn([course for courses in recipes.values() for course in courses])
    figure, axes = panels(len(names), height_mm=55, share=False)
    for axis, name in zip(axes, names, strict=True):
        for number, (recipe, courses) in enumerate(recipes.items()):
            curves = [course[name] for course in courses if course.get(name)]
            if not curves:
                continue
            steps, values = _on_common_steps(curves)
            colour, dashes = SERIES[number % len(SERIES)], DASHES[number % len(DASHES)]
            axis.plot(steps, values.mean(axis=0), color=colour, linestyle=dashes, label=recipe)
            if len(curves) > 1:
                axis.fill_between(
                    steps, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.18, linewidth=0
                )
        prefix, _, own = name.rpartition("/")
        axis.set_title(f"{prefix.replace('_', ' ')} of {own}" if prefix else name)
        axis.set_xlabel("step")
        if name.startswith(CONFIDENCE):
            axis.set_ylim(-0.02, 1.02)
    if len(recipes) > 1:
        legend_below(figure, axes)
    return figure


def _on_common_steps(curves: Sequence[Curve]) -> tuple[FloatArray, FloatArray]:
    """Smoothed curves of several seeds at the steps that all of them have reached."""
    last = min(curve[-1][0] for curve in curves)
    steps = np.array([step for step, _ in curves[0] if step <= last])
    return steps, np.stack([_smoothed(curve, steps) for curve in curves])


def _smoothed(curve: Curve, steps: FloatArray) -> FloatArray:
    """A mean over the points around each step; what is not finite is left out."""
    known = np.array([point for point in curve if np.isfinite(point[1])], dtype=np.float64).reshape(-1, 2)
    reach = (known[-1, 0] - known[0, 0]) / _SPAN / 2 if len(known) else 0.0
    found = []
    for step in steps:
        near = known[np.abs(known[:, 0] - step) <= reach, 1]
        found.append(near.mean() if len(near) else np.nan)
    return np.array(found)
