"""A smooth map from colours asked for to colours seen, of the kind that predicts patches left out best."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Literal

import numpy as np
from jaxtyping import Float64
from scipy.interpolate import PchipInterpolator, RBFInterpolator

from advmask.colour.difference import delta_e
from advmask.colour.lab import lab_of
from advmask.colour.srgb import decoded

Space = Literal["srgb", "lab", "tone"]
ColourMap = Callable[[Float64[np.ndarray, "n 3"]], Float64[np.ndarray, "n 3"]]

_SPACES: tuple[Space, ...] = ("srgb", "lab", "tone")
_RIDGE = 1e-5
_FOLDS = 10
_SMOOTHING = (1e-4, 1e-3, 1e-2, 1e-1)


@dataclass(frozen=True)
class Kind:
    """A kind of map.

    Attributes:
        space: In which coordinates colours asked for are taken: sRGB, L*a*b*, or sRGB through the curve that
            makes greys even in lightness.
        degree: Of the polynomial.
        smoothing: Of the spline that is added for what the polynomial leaves; None for no spline.
    """

    space: Space
    degree: int
    smoothing: float | None

    def __str__(self) -> str:
        """For reports."""
        spline = "" if self.smoothing is None else f" and a spline smoothed by {self.smoothing:g}"
        return f"polynomial of degree {self.degree} in {self.space}{spline}"


KINDS: tuple[Kind, ...] = tuple(
    Kind(space, degree, smoothing)
    for degree, smoothing in [
        *((degree, None) for degree in (1, 2, 3, 4)),
        *((degree, smoothing) for degree in (1, 2, 3) for smoothing in reversed(_SMOOTHING)),
    ]
    for space in _SPACES
)
"""From plain to pliant: of two that predict equally well the first is taken."""


def fit_map(asked: Float64[np.ndarray, "n 3"], lab: Float64[np.ndarray, "n 3"], kind: Kind) -> ColourMap:
    """Fit one kind of map.

    Args:
        asked: sRGB in [0, 1].
        lab: L*a*b* seen.
        kind: Which kind.

    Returns:
        A function from sRGB in [0, 1] to L*a*b*.
    """
    coordinates = _coordinates(asked, lab, kind.space)
    design = _monomials(coordinates(asked), kind.degree)
    ridge = np.sqrt(_RIDGE * len(asked)) * np.eye(design.shape[1])
    solved = np.linalg.lstsq(
        np.vstack([design, ridge]), np.vstack([lab, np.zeros((len(ridge), 3))]), rcond=None
    )[0]
    spline = None
    if kind.smoothing is not None:
        spline = RBFInterpolator(
            coordinates(asked), lab - design @ solved, kernel="cubic", smoothing=kind.smoothing, degree=1
        )

    def predict(colours: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
        placed = coordinates(colours)
        smooth: Float64[np.ndarray, "n 3"] = _monomials(placed, kind.degree) @ solved
        return smooth if spline is None else smooth + spline(placed)

    return predict


def choose_kind(asked: Float64[np.ndarray, "n 3"], lab: Float64[np.ndarray, "n 3"]) -> tuple[Kind, float]:
    """The kind that predicts colours left out best, by cross-validation in ten parts.

    Args:
        asked: sRGB in [0, 1], each colour once.
        lab: L*a*b* seen.

    Returns:
        The kind, and its mean CIEDE2000 error at colours left out.
    """
    part = np.random.default_rng(0).permutation(len(asked)) % _FOLDS
    errors = [_error(asked, lab, kind, part) for kind in KINDS]
    best = int(np.argmin(errors))
    return KINDS[best], errors[best]


def _error(
    asked: Float64[np.ndarray, "n 3"], lab: Float64[np.ndarray, "n 3"], kind: Kind, part: np.ndarray
) -> float:
    wrong = np.zeros(len(asked))
    for fold in range(_FOLDS):
        out = part == fold
        wrong[out] = delta_e(fit_map(asked[~out], lab[~out], kind)(asked[out]), lab[out])
    return float(wrong.mean())


def _coordinates(
    asked: Float64[np.ndarray, "n 3"], lab: Float64[np.ndarray, "n 3"], space: Space
) -> ColourMap:
    """From sRGB to about [-1, 1] on each axis."""
    if space == "srgb":
        return lambda srgb: 2.0 * srgb - 1.0
    if space == "lab":
        return lambda srgb: lab_of(decoded(srgb)) / 50.0 - (1.0, 0.0, 0.0)
    tone = grey_curve(asked, (lab[:, 0] - lab[:, 0].min()) / max(1e-6, float(np.ptp(lab[:, 0]))))
    return lambda srgb: 2.0 * tone(srgb) - 1.0


def grey_curve(
    asked: Float64[np.ndarray, "n 3"], seen: Float64[np.ndarray, "n"]
) -> Callable[[Float64[np.ndarray, "*m"]], Float64[np.ndarray, "*m"]]:
    """A rising curve through what is seen of the greys among the colours asked for."""
    grey = (asked == asked[:, :1]).all(axis=1)
    order = np.argsort(asked[grey, 0])
    levels, first = np.unique(asked[grey, 0][order], return_index=True)
    heights = np.maximum.accumulate(seen[grey][order][first])
    if len(levels) < 2:
        return lambda values: values
    curve = PchipInterpolator(levels, heights, extrapolate=False)
    low, high = float(levels[0]), float(levels[-1])
    return lambda values: np.asarray(curve(np.clip(values, low, high)))


def _monomials(values: Float64[np.ndarray, "n 3"], degree: int) -> Float64[np.ndarray, "n terms"]:
    columns = [np.ones(len(values))]
    for size in range(1, degree + 1):
        columns += [
            np.prod(values[:, list(factors)], axis=1)
            for factors in combinations_with_replacement(range(3), size)
        ]
    return np.column_stack(columns)
