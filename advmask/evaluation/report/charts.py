"""Charts as SVG, told apart by dashes, marks and labels and not by colour."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from advmask.evaluation.curves import roc, thinned
from advmask.evaluation.report.html import text

FloatArray = NDArray[np.float64]
_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 420, 52, 12, 26, 44
_HEIGHT = 300
_NAME_SIGNS = 30  # that fit beside a chart of people
_FLOOR = 1e-4  # smallest rate on logarithmic axes
# One look for each condition: colour, dashes, mark. Any one of them tells the lines apart.
_LOOKS = (
    ("#000000", "", "circle"),
    ("#5a5a5a", "1.5 2.5", "square"),
    ("#0072b2", "8 3", "up"),
    ("#3d3d3d", "3 3", "diamond"),
    ("#cc79a7", "10 3 2 3", "cross"),
    ("#7a5c00", "6 2 1 2 1 2", "down"),
    ("#b84a00", "", "star"),
)


def roc_chart(
    genuine: Mapping[str, FloatArray], impostor: FloatArray, *, title: str, marked: Sequence[float] = ()
) -> str:
    """Share of wearers matched against the false match rate, which is drawn logarithmically.

    Args:
        genuine: For each condition, similarities of probes to their own people.
        impostor: Similarities of bare faces to other people.
        title: What a reader who does not see it is told.
        marked: False match rates at which upright lines stand.
    """
    lines = {name: roc(values, impostor) for name, values in genuine.items() if len(values)}
    upright = "".join(
        f'<path d="M{_log_x(rate):.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#595959" stroke-dasharray="2 2"/>'
        for rate in marked
    )
    ticks = [(_linear_y(value), f"{value:.0%}") for value in (0, 0.25, 0.5, 0.75, 1)]
    drawn = _lines(lines, _log_x, _linear_y)
    return _frame(title, drawn + upright, ticks, "still matched", list(lines))


def det_chart(genuine: Mapping[str, FloatArray], impostor: FloatArray, *, title: str) -> str:
    """Share of wearers missed against the false match rate, both logarithmic."""
    curves = {name: roc(values, impostor) for name, values in genuine.items() if len(values)}
    lines = {name: (fmr, 1 - tar) for name, (fmr, tar) in curves.items()}
    ticks = [(_log_y(10.0**power), f"{10.0**power:.3g}") for power in (-3, -2, -1, 0)]
    return _frame(title, _lines(lines, _log_x, _log_y), ticks, "missed", list(lines))


def distributions(
    genuine: Mapping[str, FloatArray], impostor: FloatArray, *, threshold: float, title: str, axis: str
) -> str:
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
    if not rows:
        return ""
    everything = np.concatenate([*rows.values(), [threshold]])
    low, high = float(everything.min()), float(everything.max())
    high = high if high > low else low + 1
    left, row_height, bins = 108, 34, 40
    width, height = 640, _TOP + row_height * len(rows) + 40
    edges = np.linspace(low, high, bins + 1)

    def x(value: float) -> float:
        return left + (value - low) / (high - low) * (width - left - _RIGHT)

    parts = []
    for number, (name, values) in enumerate(rows.items()):
        foot = _TOP + row_height * (number + 1)
        counted, _ = np.histogram(values, bins=edges)
        tall = counted / counted.max() * (row_height - 8)
        bars = "".join(
            f"M{x(edges[i]):.1f} {foot}v{-bar:.1f}H{x(edges[i + 1]):.1f}v{bar:.1f}"
            for i, bar in enumerate(tall)
            if bar > 0
        )
        fill = "none" if name == "other people" else "#7d7d7d"
        parts.append(f'<path d="{bars}" fill="{fill}" stroke="#1a1a1a" stroke-width=".7"/>')
        parts.append(f'<path d="M{left} {foot}H{width - _RIGHT}" stroke="#595959" stroke-width=".6"/>')
        parts.append(f'<text x="{left - 8}" y="{foot - 4}" text-anchor="end">{text(name)}</text>')
    foot = height - 40
    parts.append(
        f'<path d="M{x(threshold):.1f} {_TOP - 6}V{foot}" stroke="#000" stroke-width="2" '
        f'stroke-dasharray="5 3"/><text x="{x(threshold):.1f}" y="{_TOP - 10}" text-anchor="middle">'
        f"threshold {abs(threshold):.3f}</text>"
    )
    for value in np.linspace(low, high, 5):
        anchor = "end" if value == high else "middle"
        parts.append(f'<text x="{x(value):.1f}" y="{foot + 16}" text-anchor="{anchor}">{value:.2f}</text>')
    parts.append(f'<text x="{width - _RIGHT}" y="{foot + 33}" text-anchor="end">{text(axis)}</text>')
    return _svg(title, width, height, "".join(parts))


def bars_by_person(rates: Mapping[str, tuple[float, float]], *, title: str, names: tuple[str, str]) -> str:
    """Two marks for each person: share matched with the plain mask and with the design.

    Args:
        rates: For each person the two shares.
        title: What a reader who does not see it is told.
        names: Of the two.
    """
    left, width, step = 200, 640, 20
    foot = _TOP + step * len(rates)

    def x(share: float) -> float:
        return left + share * (width - left - 20)

    parts = []
    for number, (person, (plain, design)) in enumerate(rates.items()):
        y = _TOP + step * number + step / 2
        parts.append(
            f'<text x="{left - 10}" y="{y + 4}" text-anchor="end">{text(_fitting(person))}</text>'
            f'<path d="M{x(0)} {y}H{x(1)}" stroke="#dcdcdc"/>'
            f'<path d="M{x(plain):.1f} {y}H{x(design):.1f}" stroke="#595959" stroke-width="2"/>'
            f'<circle cx="{x(plain):.1f}" cy="{y}" r="5" fill="#fff" stroke="#000" stroke-width="1.5"/>'
            f'<path d="{_star(x(design), y)}" fill="#b84a00" stroke="#000" stroke-width=".6"/>'
        )
    for share in (0, 0.25, 0.5, 0.75, 1):
        parts.append(f'<text x="{x(share):.1f}" y="{foot + 16}" text-anchor="middle">{share:.0%}</text>')
    parts.append(
        f'<circle cx="{left + 6}" cy="12" r="5" fill="#fff" stroke="#000" stroke-width="1.5"/>'
        f'<text x="{left + 16}" y="16">{text(names[0])}</text>'
        f'<path d="{_star(left + 186, 12)}" fill="#b84a00" stroke="#000" stroke-width=".6"/>'
        f'<text x="{left + 198}" y="16">{text(names[1])}</text>'
    )
    return _svg(title, width, foot + 24, "".join(parts))


def _lines(lines: Mapping[str, tuple[FloatArray, FloatArray]], x: "_Axis", y: "_Axis") -> str:
    parts = []
    for number, (name, (across, up)) in enumerate(lines.items()):
        colour, dashes, mark = _LOOKS[number % len(_LOOKS)]
        fmr, share = thinned(across, up)
        path = f"M{x(fmr[0]):.1f} {y(share[0]):.1f}"
        path += "".join(f"H{x(a):.1f}V{y(b):.1f}" for a, b in zip(fmr[1:], share[1:], strict=True))
        thick = 2.6 if name == "design" else 1.4
        parts.append(
            f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="{thick}" '
            f'stroke-dasharray="{dashes}"/>'
        )
        for power in (-3, -2, -1):  # marks where readers look
            rate = 10.0 ** (power - 0.06 * number + 0.2)
            place = max(int(np.searchsorted(fmr, rate, side="right")) - 1, 0)
            parts.append(_mark(mark, x(rate), y(share[place]), colour))
    return "".join(parts)


def _frame(
    title: str, drawn: str, ticks: Sequence[tuple[float, str]], upwards: str, names: Sequence[str]
) -> str:
    foot = _HEIGHT - _BOTTOM
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_WIDTH - _LEFT - _RIGHT}" height="{foot - _TOP}" fill="none" '
        'stroke="#595959"/>'
    ]
    for y, label in ticks:
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#dcdcdc"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{label}</text>')
    for power in range(-4, 1):
        x = _log_x(10.0**power)
        parts.append(f'<path d="M{x:.1f} {_TOP}V{foot}" stroke="#dcdcdc"/>')
        parts.append(f'<text x="{x:.1f}" y="{foot + 16}" text-anchor="middle">{10.0**power:g}</text>')
    parts.append(f'<text x="{_LEFT}" y="{_TOP - 8}">{text(upwards)}</text>')
    parts.append(
        f'<text x="{_WIDTH - _RIGHT}" y="{foot + 33}" text-anchor="end">false match rate (bare faces)</text>'
    )
    parts.append(drawn)
    for number, name in enumerate(names):
        colour, dashes, mark = _LOOKS[number % len(_LOOKS)]
        x, y = 20 + (number % 4) * 100, _HEIGHT + 14 + 20 * (number // 4)
        thick = 2.6 if name == "design" else 1.4
        parts.append(
            f'<path d="M{x} {y}h26" stroke="{colour}" stroke-width="{thick}" stroke-dasharray="{dashes}"/>'
            + _mark(mark, x + 13, y, colour)
            + f'<text x="{x + 30}" y="{y + 4}" style="font-size:11px">{text(_short(name))}</text>'
        )
    return _svg(title, _WIDTH, _HEIGHT + 24 + 20 * ((len(names) - 1) // 4), "".join(parts))


def _short(name: str) -> str:
    return name.removeprefix("surgical_").replace("_", " ")[:11]


def _fitting(person: str) -> str:
    """A name of at most 28 signs; what stands in brackets at its end is kept."""
    name, bracket, count = person.rpartition(" (")
    rest = f"{bracket}{count}" if bracket and count.endswith(")") else ""
    name = person.removesuffix(rest)
    room = _NAME_SIGNS - len(rest)
    return (name if len(name) <= room else f"{name[: room - 1]}…") + rest


class _Axis:
    def __init__(self, start: float, end: float, *, log: bool) -> None:
        self._start, self._end, self._log = start, end, log

    def __call__(self, rate: float) -> float:
        share = float(rate)
        if self._log:
            share = 1 - math.log10(max(share, _FLOOR)) / math.log10(_FLOOR)
        return self._start + share * (self._end - self._start)


_log_x = _Axis(_LEFT, _WIDTH - _RIGHT, log=True)
_log_y = _Axis(_HEIGHT - _BOTTOM, _TOP, log=True)
_linear_y = _Axis(_HEIGHT - _BOTTOM, _TOP, log=False)


def _mark(kind: str, x: float, y: float, colour: str) -> str:
    shapes = {
        "square": f"M{x - 3.5:.1f} {y - 3.5:.1f}h7v7h-7z",
        "up": f"M{x - 4:.1f} {y + 3:.1f}h8l-4 -7z",
        "down": f"M{x - 4:.1f} {y - 3:.1f}h8l-4 7z",
        "diamond": f"M{x:.1f} {y - 4.5:.1f}l4.5 4.5l-4.5 4.5l-4.5 -4.5z",
        "star": _star(x, y),
    }
    if kind == "cross":
        cross = f"M{x - 3.5:.1f} {y - 3.5:.1f}l7 7m0 -7l-7 7"
        return f'<path d="{cross}" stroke="{colour}" stroke-width="2"/>'
    if kind == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#fff" stroke="{colour}" stroke-width="1.5"/>'
    return f'<path d="{shapes[kind]}" fill="{colour}"/>'


def _star(x: float, y: float) -> str:
    points = []
    for number in range(10):
        radius, angle = (6.5, 2.8)[number % 2], math.pi * (number / 5 - 0.5)
        points.append(f"{x + radius * math.cos(angle):.1f} {y + radius * math.sin(angle):.1f}")
    return f"M{'L'.join(points)}Z"


def _svg(title: str, width: int, height: int, inner: str) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{text(title)}">'
        f"<title>{text(title)}</title>{inner}</svg>"
    )
