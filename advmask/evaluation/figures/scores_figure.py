"""How similarities are spread under each mask, beside those of strangers and the threshold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from advmask.evaluation.figures.figure_style import OTHERS, legend_below, look, panels
from advmask.evaluation.figures.measured import Measured, labelled
from advmask.evaluation.probe_scores import BARE

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_FEWEST, _MOST = 12, 40  # bars


def scores_figure(setups: Sequence[Measured]) -> Figure:
    """A panel for each set-up: steps of equal area, so that few probes stand beside many strangers."""
    figure, axes = panels(len(setups), share=False)
    for axis, one in zip(axes, setups, strict=True):
        conditions = one.conditions()
        everything = np.concatenate([*conditions.values(), one.impostor])
        bars = int(np.clip(2 * np.sqrt(len(conditions[BARE])), _FEWEST, _MOST))
        edges = np.linspace(everything.min(), max(everything.max(), everything.min() + 1e-6), bars + 1)
        if len(one.impostor):
            axis.hist(
                one.impostor, edges, density=True, color=OTHERS, alpha=0.3, label="strangers, bare faces"
            )
        for name, values in conditions.items():
            axis.hist(
                values,
                edges,
                density=True,
                histtype="step",
                linewidth=1.2,
                label=labelled(name, one, setups),
                **look(name, one.plain),
            )
        threshold = one.result["threshold"]
        axis.axvline(threshold, color="#444444", linewidth=0.8, linestyle=":")
        axis.annotate(
            f" FMR {one.result['fmr']:g}",
            (threshold, 0.97),
            xycoords=("data", "axes fraction"),
            va="top",
            color="#444444",
        )
        axis.set_title(one.title)
        axis.set_xlabel(f"{one.axis} to the own person")
        axis.set_ylabel("density")
        axis.margins(y=0.12)
    legend_below(figure, axes)
    return figure
