"""A sweep at a glance: each recipe's seeds and their mean, in every set-up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from advmask.evaluation.figures.figure_style import BARE_FACE, SERIES, panels
from advmask.evaluation.sweeps.collected import setup_of
from advmask.evaluation.sweeps.collected_tables import WORDS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_PERCENT = ("tar", "drop", "rank1", "others_fmr")


def rates_figure(record: Mapping[str, Any], figure_name: str = "tar") -> Figure:
    """A panel for each set-up, a row for each recipe: open marks are seeds, the bar is their mean.

    Args:
        record: From `collect`.
        figure_name: Which figure.
    """
    recipes = [one["recipe"] for one in record["recipes"]]
    setups = list(dict.fromkeys(setup_of(one) for run in record["runs"] for one in run["results"]))
    figure, axes = panels(len(setups), height_mm=22 + 7 * len(recipes))
    for axis, setup in zip(axes, setups, strict=True):
        for row, recipe in enumerate(recipes):
            values = [
                value
                for run in record["runs"]
                if run["recipe"] == recipe
                for one in run["results"]
                if setup_of(one) == setup and (value := _value(one, figure_name)) is not None
            ]
            colour = SERIES[row % len(SERIES)]
            beside = row + np.linspace(-0.15, 0.15, len(values))  # so that equal seeds both show
            axis.plot(values, beside, "o", color=colour, markerfacecolor="none", clip_on=False)
            if values:
                axis.plot([np.mean(values)] * 2, [row - 0.3, row + 0.3], color=BARE_FACE, linewidth=1.4)
        axis.set_yticks(range(len(recipes)), recipes)
        axis.set_ylim(len(recipes) - 0.5, -0.5)
        if figure_name in ("tar", "rank1"):
            axis.set_xlim(-2, 102)
        axis.set_title(f"{setup[0]}, {setup[1]}" + ("" if setup[2] == "bare" else f", {setup[2]} gallery"))
        axis.set_xlabel(WORDS[figure_name])
    return figure


def _value(result: Mapping[str, Any], figure_name: str) -> float | None:
    found = result.get(figure_name)
    value = found["value"] if isinstance(found, Mapping) else found
    return None if value is None else float(value) * (100 if figure_name in _PERCENT else 1)
