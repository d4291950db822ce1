"""The charts: curves and distributions of each set-up, and people side by side."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.curves import roc, thinned
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.report.names import condition_name, setup_name
from advmask.evaluation.report.svg import (
    Chart,
    Shape,
    circle,
    label,
    line_look,
    linear,
    logarithmic,
    mark,
    path,
    star,
)

FloatArray = NDArray[np.float64]
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 52, 12, 26, 44
_HEIGHT = 300
_FOOT = _HEIGHT - _BOTTOM
_NAME_SIGNS = 30  # that fit next to a chart of people
_GREY, _FAINT = "#595959", "#dcdcdc"
_Axis = Callable[[float], float]
_log_x = partial(logarithmic, _LEFT, _WIDTH - _RIGHT)
_log_y = partial(logarithmic, _FOOT, _TOP)
_linear_y = partial(linear, _FOOT, _TOP)


def setup_charts(one: JudgedScores) -> dict[str, Any]:
    """ROC, DET and distributions of one recognizer, aligner and gallery; none with too few comparisons."""
    scores = one.scores
    kept = scores.detected()
    genuine = {condition_name(name): values[kept] for name, values in scores.similarity.items()}
    impostor = one.gallery.comparisons.impostor
    what = f"{scores.recognizer}: {setup_name(scores.aligner, scores.gallery)}"
    if not kept.any() or not len(impostor):
        return {"what": what}
    axis = "minus distance" if one.recognizer.distance == "euclidean" else "similarity"
    return {
        "what": what,
        "roc": roc_chart(
            genuine,
            impostor,
            title=f"ROC curves of {what}",
            marked=[each.fmr for each in one.gallery.thresholds],
        ),
        "det": det_chart(genuine, impostor, title=f"DET curves of {what}"),
        "distributions": distributions(
            genuine,
            impostor,
            threshold=one.threshold.threshold,
            title=f"Similarities of probes to their own people under each mask, {what}",
            axis=f"{axis} to the own person",
        ),
    }


def roc_chart(
    genuine: Mapping[str, FloatArray], impostor: FloatArray, *, title: str, marked: Sequence[float] = ()
) -> Chart:
    """Share of wearers matched against the false match rate, which is drawn logarithmically.

    Args:
        genuine: For each condition, similarities of probes to their own people.
        impostor: Similarities of bare faces to other people.
        title: What a reader who does not see it is told.
        marked: False match rates at which upright lines stand.
    """
    lines = {name: roc(values, impostor) for name, values in genuine.items() if len(values)}
    upright = [path(f"M{_log_x(rate):.1f} {_TOP}V{_FOOT}", _GREY, stroke_dasharray="2 2") for rate in marked]
    ticks = [(_linear_y(value), f"{value:.0%}") for value in (0, 0.25, 0.5, 0.75, 1)]
    drawn = [*_lines(lines, _log_x, _linear_y), *upright]
    return _framed(title, drawn, ticks, "still matched", list(lines))


def det_chart(genuine: Mapping[str, FloatArray], impostor: FloatArray, *, title: str) -> Chart:
    """Share of wearers missed against the false match rate, both logarithmic."""
    curves = {name: roc(values, impostor) for name, values in genuine.items() if len(values)}
    lines = {name: (fmr, 1 - tar) for name, (fmr, tar) in curves.items()}
    ticks = [(_log_y(10.0**power), f"{10.0**power:.3g}") for power in (-3, -2, -1, 0)]
    return _framed(title, _lines(lines, _log_x, _log_y), ticks, "missed", list(lines))


def distributions(
    genuine: Mapping[str, FloatArray], impostor: FloatArray, *, threshold: float, title: str, axis: str
) -> Chart:
    """One row of bars for each condition, and the threshold across all rows.

    Args:
        genuine: For each condition, similarities of probes to their own people.
        impostor: Similarities of bare faces to other people: the last row.
        threshold: A probe to the right of it matches.
        title: What a reader who does not see it is told.
        axis: What is drawn to the right.
    """
    rows = {name: values for name, values in genuine.items() if len(values)}
    rows |= {"other people": impostor} if len(impostor) else {}
    everything = np.concatenate([*rows.values(), [threshold]])
    low, high = float(everything.min()), float(everything.max())
    high = high if high > low else low + 1
    left, row_height, width = 108, 34, 640
    height = _TOP + row_height * len(rows) + 40
    edges = np.linspace(low, high, 41)

    def x(value: float) -> float:
        return linear(left, width - _RIGHT, (value - low) / (high - low))

    shapes: list[Shape] = []
    for number, (name, values) in enumerate(rows.items(), 1):
        foot = _TOP + row_height * number
        counted, _ = np.histogram(values, bins=edges)
        bars = "".join(
            f"M{x(edges[i]):.1f} {foot}v{-tall:.1f}H{x(edges[i + 1]):.1f}v{tall:.1f}"
            for i, tall in enumerate(counted / counted.max() * (row_height - 8))
            if tall > 0
        )
        fill = "none" if name == "other people" else "#7d7d7d"
        shapes += [
            path(bars, "#1a1a1a", stroke_width=0.7, fill=fill),
            path(f"M{left} {foot}H{width - _RIGHT}", _GREY, stroke_width=0.6),
            label(left - 8, foot - 4, name, "end"),
        ]
    foot = height - 40
    shapes += [
        path(f"M{x(threshold):.1f} {_TOP - 6}V{foot}", "#000", stroke_width=2, stroke_dasharray="5 3"),
        label(x(threshold), _TOP - 10, f"threshold {abs(threshold):.3f}", "middle"),
        *(
            label(x(value), foot + 16, f"{value:.2f}", "end" if value == high else "middle")
            for value in np.linspace(low, high, 5)
        ),
        label(width - _RIGHT, foot + 33, axis, "end"),
    ]
    return Chart(title, width, height, shapes)


def bars_by_person(rates: Mapping[str, tuple[float, float]], *, title: str, names: tuple[str, str]) -> Chart:
    """Two marks for each person: share matched with the plain mask and with the design.

    Args:
        rates: For each person the two shares.
        title: What a reader who does not see it is told.
        names: Of the two.
    """
    left, width, step = 200, 640, 20
    foot = _TOP + step * len(rates)
    x = partial(linear, left, width - 20)

    def design_mark(across: float, up: float) -> Shape:
        return path(star(across, up), "#000", stroke_width=0.6, fill="#b84a00")

    shapes: list[Shape] = []
    for number, (person, (plain, design)) in enumerate(rates.items()):
        y = _TOP + step * number + step // 2
        shapes += [
            label(left - 10, y + 4, _fitting(person), "end"),
            path(f"M{x(0)} {y}H{x(1)}", _FAINT),
            path(f"M{x(plain):.1f} {y}H{x(design):.1f}", _GREY, stroke_width=2),
            circle(x(plain), y, 5, "#000"),
            design_mark(x(design), y),
        ]
    shapes += [label(x(share), foot + 16, f"{share:.0%}", "middle") for share in (0, 0.25, 0.5, 0.75, 1)]
    shapes += [circle(left + 6, 12, 5, "#000"), label(left + 16, 16, names[0])]
    shapes += [design_mark(left + 186, 12), label(left + 198, 16, names[1])]
    return Chart(title, width, foot + 24, shapes)


def _lines(lines: Mapping[str, tuple[FloatArray, FloatArray]], x: _Axis, y: _Axis) -> list[Shape]:
    shapes = []
    for number, (name, (across, up)) in enumerate(lines.items()):
        fmr, share = thinned(across, up)
        steps = "".join(f"H{x(a):.1f}V{y(b):.1f}" for a, b in zip(fmr[1:], share[1:], strict=True))
        shapes.append(path(f"M{x(fmr[0]):.1f} {y(share[0]):.1f}{steps}", **line_look(number, name)))
        for power in (-3, -2, -1):  # marks where readers look
            rate = 10.0 ** (power - 0.06 * number + 0.2)
            place = max(int(np.searchsorted(fmr, rate, side="right")) - 1, 0)
            shapes.append(mark(number, x(rate), y(share[place])))
    return shapes


def _framed(
    title: str, drawn: list[Shape], ticks: Sequence[tuple[float, str]], upwards: str, names: Sequence[str]
) -> Chart:
    right = _WIDTH - _RIGHT
    shapes = [path(f"M{_LEFT} {_TOP}H{right}V{_FOOT}H{_LEFT}z", _GREY, fill="none")]
    for y, words in ticks:
        shapes += [path(f"M{_LEFT} {y:.1f}H{right}", _FAINT), label(_LEFT - 6, y + 4, words, "end")]
    for power in range(-4, 1):
        x = _log_x(10.0**power)
        shapes.append(path(f"M{x:.1f} {_TOP}V{_FOOT}", _FAINT))
        shapes.append(label(x, _FOOT + 16, f"{10.0**power:g}", "middle"))
    shapes.append(label(_LEFT, _TOP - 8, upwards))
    shapes.append(label(right, _FOOT + 33, "false match rate (bare faces)", "end"))
    shapes += drawn
    for number, name in enumerate(names):
        left, up = 20 + (number % 4) * 100, _HEIGHT + 14 + 20 * (number // 4)
        short = name.removeprefix("surgical_").replace("_", " ")[:11]
        shapes += [
            path(f"M{left} {up}h26", **line_look(number, name)),
            mark(number, left + 13, up),
            label(left + 30, up + 4, short, style="font-size:11px"),
        ]
    return Chart(title, _WIDTH, _HEIGHT + 24 + 20 * ((len(names) - 1) // 4), shapes)


def _fitting(person: str) -> str:
    """A name of at most 28 signs; what stands in brackets at its end is kept."""
    name, bracket, count = person.rpartition(" (")
    rest = f"{bracket}{count}" if bracket and count.endswith(")") else ""
    name = person.removesuffix(rest)
    room = _NAME_SIGNS - len(rest)
    return (name if len(name) <= room else f"{name[: room - 1]}…") + rest
