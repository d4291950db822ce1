"""Person by person: how often each is matched under the strongest plain mask, and under the design."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from advmask.evaluation.figures.figure_style import DESIGN, PLAIN, legend_below, panels
from advmask.evaluation.figures.measured import Measured, labelled
from advmask.evaluation.sweeps.recipe_tests import DESIGN as UNDER_DESIGN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_NAMED = 40  # people whose names have room


def by_person(one: Measured) -> dict[str, tuple[float, float]]:
    """For each person the share of probes matched under the strongest plain mask and the design.

    Those whom the design helps least come last.
    """
    conditions, people = one.conditions(), np.array(one.people())
    assert one.plain is not None
    plain, design = (conditions[name] >= one.result["threshold"] for name in (one.plain, UNDER_DESIGN))
    rates = {
        str(name): (float(plain[people == name].mean()), float(design[people == name].mean()))
        for name in np.unique(people)
    }
    return dict(sorted(rates.items(), key=lambda item: (item[1][1] - item[1][0], item[1][1])))


def people_figure(setups: Sequence[Measured], *, names: bool) -> Figure:
    """A panel for each set-up with a plain mask: two marks a person, joined.

    Args:
        setups: Each with a plain mask and a design.
        names: Write the people's names; numbers otherwise.
    """
    most = max(len(set(one.people())) for one in setups)
    figure, axes = panels(len(setups), height_mm=min(28 + 3.4 * most, 150), share=False)
    for axis, one in zip(axes, setups, strict=True):
        rates = by_person(one)
        rows = np.arange(len(rates))
        plain, design = (np.array([pair[i] for pair in rates.values()]) for i in (0, 1))
        axis.hlines(rows, plain, design, color="#9a9a9a", linewidth=1)
        worn = labelled(one.plain or "", one, setups)
        ring = {"color": PLAIN, "markersize": 7, "markerfacecolor": "none"}  # so that equal marks both show
        axis.plot(plain, rows, "o", label=worn, clip_on=False, **ring)
        axis.plot(design, rows, "D", color=DESIGN, label="design", clip_on=False)
        lower = 100 * float(np.mean(plain - design))
        said = f"{abs(lower):.1f} points {'lower' if lower >= 0 else 'higher'}"
        axis.set_title(f"{one.title}\ndesign {said}, mean over people")
        axis.set_xlim(-0.02, 1.02)
        axis.set_ylim(len(rates) - 0.5, -0.5)
        shown = rows if len(rates) <= _NAMED else rows[:: -(-len(rates) // _NAMED)]
        told = list(rates) if names else [f"{row + 1}" for row in rows]
        axis.set_yticks(shown, [told[row] for row in shown])
        axis.set_xlabel(f"photos matched at FMR {one.result['fmr']:g}")
        axis.set_ylabel("" if names else "person, most helped first")
    legend_below(figure, axes)
    return figure
