"""Transforms of SVG attributes and of CSS as matrices."""

import math
import re
from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from jaxtyping import Float64

from advmask.masks.svg_grammar import LENGTH, numbers, sized

Matrix = Float64[np.ndarray, "3 3"]
Box = tuple[float, float, float, float]  # left, top, width, height in user units

_FUNCTION = re.compile(r"\s*([A-Za-z][A-Za-z0-9]*)(\s*)\(([^()]*)\)\s*")
_DEGREES = {"deg": 1.0, "grad": 0.9, "rad": 180 / math.pi, "turn": 360.0}
_SIDES = {"left": 0.0, "top": 0.0, "center": 0.5, "right": 1.0, "bottom": 1.0}


def shifted(x: float, y: float) -> Matrix:
    """A matrix that moves."""
    return np.array([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def scaled(x: float, y: float) -> Matrix:
    """A matrix that scales."""
    return np.array([[x, 0, 0], [0, y, 0], [0, 0, 1.0]])


def _about(degrees: float, x: float = 0.0, y: float = 0.0) -> Matrix:
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    turn: Matrix = np.array([[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])
    return np.asarray(shifted(x, y) @ turn @ shifted(-x, -y))


def _skewed(x: float, y: float = 0.0) -> Matrix:
    across, down = math.tan(math.radians(x)), math.tan(math.radians(y))
    return np.array([[1, across, 0], [down, 1, 0], [0, 0, 1]])


def _sized(x: float, y: float | None = None) -> Matrix:
    return scaled(x, x if y is None else y)


def _moved(x: float = 0.0, y: float = 0.0) -> Matrix:
    return shifted(x, y)


def _six(a: float, b: float, c: float, d: float, e: float, f: float) -> Matrix:
    return np.array([[a, c, e], [b, d, f], [0, 0, 1]])


# By name in lower case: how many values there may be in an attribute; in a style, what each of them is (a
# number, an angle, a length across or down), of which all but the first may be missing, or none of a matrix.
_FUNCTIONS: dict[str, tuple[tuple[int, ...], str, Callable[..., Matrix]]] = {
    "matrix": ((6,), "nnnnnn", _six),
    "translate": ((1, 2), "xy", _moved),
    "translatex": ((), "x", _moved),
    "translatey": ((), "y", lambda y: shifted(0.0, y)),
    "scale": ((1, 2), "nn", _sized),
    "scalex": ((), "n", lambda x: scaled(x, 1.0)),
    "scaley": ((), "n", lambda y: scaled(1.0, y)),
    "rotate": ((1, 3), "a", _about),
    "rotatez": ((), "a", _about),
    "skew": ((), "aa", _skewed),
    "skewx": ((1,), "a", _skewed),
    "skewy": ((1,), "a", lambda y: _skewed(0.0, y)),
}
_ATTRIBUTE_NAMES = frozenset({"matrix", "translate", "scale", "rotate", "skewX", "skewY"})


def attribute_matrix(text: str) -> Matrix:
    """The matrix of a transform attribute, whose numbers are plain.

    Raises:
        ValueError: It cannot be read.
    """
    total = np.eye(3)
    place = 0
    while place < len(text.rstrip()):
        match = _FUNCTION.match(text, place)
        if match is None or match[1] not in _ATTRIBUTE_NAMES:
            raise ValueError(f"{text[place:].strip()[:30]!r} is not understood")
        counts, _, make = _FUNCTIONS[match[1].lower()]
        values = numbers(match[3])
        if len(values) not in counts:
            raise ValueError(f"{match[1]} has {len(values)} numbers")
        total = total @ make(*values)
        place = match.end()
        if text[place : place + 1] == ",":
            place += 1
    return total


def style_matrix(styles: Mapping[str, str], attribute: str | None, box: Callable[[], Box | None]) -> Matrix:
    """The matrix of an element: its attribute, or the CSS properties that go before it, about its origin.

    Args:
        styles: Of the element.
        attribute: Its transform attribute.
        box: Gives the box that percentages and the origin refer to, None where it is not known; called only
            where they matter.

    Raises:
        ValueError: A value cannot be read.
    """
    given = styles.get("transform")
    total = attribute_matrix(attribute or "") if given is None else _style_functions(given, box)
    before = np.eye(3)
    if (moved := _set(styles, "translate")) is not None:
        across, down = ([*moved.split(), "0"])[:2]
        before = before @ shifted(_length(across, box=box, axis=0), _length(down, box=box, axis=1))
    if (turned := _set(styles, "rotate")) is not None:
        before = before @ _about(_angle(turned))
    if (sized := _set(styles, "scale")) is not None:
        factors = [_plain(one) for one in sized.split()]
        if len(factors) > 2:
            raise ValueError(f"scale: {sized!r} is not understood")
        before = before @ scaled(factors[0], factors[-1])
    total = before @ total
    if np.array_equal(total[:2, :2], np.eye(2)):
        return np.asarray(total)  # wherever the origin is
    x, y = _origin(styles, box)
    return np.asarray(shifted(x, y) @ total @ shifted(-x, -y))


def _set(styles: Mapping[str, str], name: str) -> str | None:
    value = styles.get(name, "none")
    return None if value.lower() in {"none", "initial", "unset"} else value


def _style_functions(text: str, box: Callable[[], Box | None]) -> Matrix:
    total = np.eye(3)
    if text.lower() in {"none", "initial", "unset"}:
        return total
    place = 0
    while place < len(text):
        match = _FUNCTION.match(text, place)
        if match is None or match[2]:
            raise ValueError(f"{text[place:].strip()[:30]!r} is not understood")
        _, kinds, make = _FUNCTIONS.get(match[1].lower(), ((), "", shifted))
        given = match[3].split(",")
        if len(given) > len(kinds) or (kinds == "nnnnnn" and len(given) != len(kinds)):
            raise ValueError(f"{match[0].strip()[:30]!r} is not understood")
        read: dict[str, Callable[[str], float]] = {
            "n": _plain,
            "a": _angle,
            "x": partial(_length, box=box, axis=0),
            "y": partial(_length, box=box, axis=1),
        }
        total = total @ make(*(read[kind](one.strip()) for kind, one in zip(kinds, given, strict=False)))
        place = match.end()
    return total


def _plain(text: str) -> float:
    (value,) = numbers(text)
    return value


def _angle(text: str) -> float:
    match = LENGTH.match(text)
    unit = match[2].lower() if match else ""
    if match is None or (unit not in _DEGREES and float(match[1]) != 0):
        raise ValueError(f"the angle {text!r} is not understood; write it in deg")
    return sized(match[1]) * _DEGREES.get(unit, 1.0)


def _length(text: str, *, box: Callable[[], Box | None], axis: int) -> float:
    match = LENGTH.match(text)
    if match is not None and match[2] == "%":
        known = box()
        if known is None:
            raise ValueError(f"{text!r} is a share of something unknown; write it in px")
        return sized(match[1]) / 100 * known[2 + axis]
    if match is None or (match[2].lower() != "px" and float(match[1]) != 0):
        raise ValueError(f"the length {text!r} is not understood; write user units, which are mm, as px")
    return sized(match[1])


def _origin(styles: Mapping[str, str], box: Callable[[], Box | None]) -> tuple[float, float]:
    words = styles.get("transform-origin", "0 0").lower().split()
    words = ["0", "0"] if words in (["initial"], ["unset"]) else words
    if not 1 <= len(words) <= 3:
        raise ValueError(f"transform-origin: {' '.join(words)!r} is not understood")
    if len(words) == 1:
        words = ["center", *words] if words[0] in {"top", "bottom"} else [*words, "center"]
    if words[0] in {"top", "bottom"} or words[1] in {"left", "right"}:
        words[:2] = words[1::-1]
    if words[0] in {"top", "bottom"} or words[1] in {"left", "right"}:
        raise ValueError(f"transform-origin: {' '.join(words)!r} is not understood")
    found = []
    for axis, word in enumerate(words[:2]):
        share = f"{100 * _SIDES[word]}%" if word in _SIDES else word
        found.append(_length(share, box=box, axis=axis))
    if styles.get("transform-box", "view-box").lower() in {"view-box", "initial", "unset"}:
        return found[0], found[1]
    known = box()
    if known is None:
        raise ValueError("its transform-box is not known")
    return known[0] + found[0], known[1] + found[1]
