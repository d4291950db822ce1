"""ROC and DET: how often wearers are matched, or missed, at every false match rate, with bands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from advmask.evaluation.curves import rates_at
from advmask.evaluation.figures.figure_style import legend_below, look, panels
from advmask.evaluation.figures.measured import Measured, labelled
from advmask.evaluation.metrics import FloatArray, accepted, rate_over_people
from advmask.evaluation.probe_scores import BARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_POINTS = 25
_LEAST = 1e-3  # of the rates that a DET curve shows


def bands(
    values: FloatArray, people: Sequence[str], impostor: FloatArray, *, seed: int, points: int = _POINTS
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """FMR, and TAR with its interval over people at the thresholds behind them.

    Pointwise, at thresholds taken as they are: the same rates and intervals as the tables give at theirs.

    Args:
        values: Similarities of probes to their own people.
        people: On them.
        impostor: Similarities of different people, at least one.
        seed: Of the bootstrap.
        points: Of the curve.
    """
    ordered = np.sort(impostor)[::-1]
    ranks = np.unique(np.round(np.geomspace(1, len(ordered), points)).astype(int)) - 1
    thresholds = np.unique(ordered[ranks])[::-1]
    found = [rate_over_people(accepted(values, one), people, seed=seed) for one in thresholds]
    # One person alone has no interval, and no band.
    low = np.array([one.value if one.low is None else one.low for one in found])
    high = np.array([one.value if one.high is None else one.high for one in found])
    return rates_at(impostor, thresholds), np.array([one.value for one in found]), low, high


Curves = dict[str, tuple[FloatArray, FloatArray, FloatArray, FloatArray]]


def bands_of(setups: Sequence[Measured], *, points: int = _POINTS) -> list[Curves]:
    """For each set-up the `bands` of every condition that is drawn."""
    return [
        {
            name: bands(values, one.people(), one.impostor, seed=one.seed, points=points)
            for name, values in one.conditions().items()
        }
        for one in setups
    ]


def curves_figure(setups: Sequence[Measured], curves: Sequence[Curves], *, missed: bool) -> Figure:
    """A panel for each set-up, with bare faces, the strongest plain mask and the design; bands of these two.

    Args:
        setups: With impostors.
        curves: Of them.
        missed: Draw a DET curve, both axes logarithmic, in place of a ROC curve.
    """
    figure, axes = panels(len(setups))
    for axis, one, drawn in zip(axes, setups, curves, strict=True):
        for name, (fmr, *rates) in drawn.items():
            tar, low, high = rates
            if missed:
                tar, low, high = (np.maximum(1 - each, _LEAST) for each in (tar, high, low))
            style = look(name, one.plain)
            axis.plot(fmr, tar, label=labelled(name, one, setups), drawstyle="steps-post", **style)
            if name != BARE:  # three bands over each other would say nothing
                axis.fill_between(fmr, low, high, color=style["color"], alpha=0.2, linewidth=0, step="post")
        for rate in one.thresholds:
            axis.axvline(rate, color="#777777", linewidth=0.6, linestyle=":")
        axis.set_xscale("log")
        axis.xaxis.set_major_formatter("{x:g}")  # the font of formulas is another one
        axis.set_xlim(max(1 / len(one.impostor), 1e-5), 1)
        if missed:
            axis.set_yscale("log")
            axis.yaxis.set_major_formatter("{x:g}")
        axis.set_ylim(*((_LEAST, 1.05) if missed else (-0.02, 1.02)))
        axis.set_title(one.title)
        axis.set_xlabel("false match rate")
        axis.set_ylabel("wearers missed (FNMR)" if missed else "wearers matched (TAR)")
    legend_below(figure, axes)
    return figure
