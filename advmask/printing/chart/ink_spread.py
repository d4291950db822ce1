"""How far ink spreads, from how dark fine lines are on the whole."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float64
from scipy.optimize import minimize_scalar

_MOST_MM = 1.0
_PLACES = 256
_TERMS = 31

Curve = Callable[[Float64[np.ndarray, "*n"]], Float64[np.ndarray, "*n"]]


def ink_spread_mm(
    periods_mm: Float64[np.ndarray, "blocks"], tones: Float64[np.ndarray, "blocks"], *, curve: Curve
) -> tuple[float, float]:
    """Standard deviation of the spread, from the mean light of blocks of black and white lines.

    A camera that is out of focus spreads light and leaves its mean as it is; ink that spreads changes what is
    asked for, and the mean with it, because the printer's tone curve is bent. So the spread is found even
    where the camera cannot tell the lines apart.

    Args:
        periods_mm: Of each block, one black and one white line.
        tones: Mean linear light of each, relative to the paper.
        curve: The printer's linear light for a grey asked for, sRGB from 0 to 1.

    Returns:
        The spread, 0 to 1 mm, and the root mean square of what it leaves unexplained of the tones.
    """

    def misses(spread: float) -> float:
        return float(((line_tones(periods_mm, spread, curve=curve) - tones) ** 2).mean())

    grid = np.linspace(0.0, _MOST_MM, 51)
    near = int(np.argmin([misses(spread) for spread in grid]))
    bounds = grid[max(0, near - 1)], grid[min(len(grid) - 1, near + 1)]
    spread = float(minimize_scalar(misses, bounds=bounds, method="bounded", options={"xatol": 1e-4}).x)
    spread = 0.0 if misses(0.0) <= misses(spread) else spread
    return spread, float(np.sqrt(misses(spread)))


def line_tones(
    periods_mm: Float64[np.ndarray, "blocks"], spread_mm: float, *, curve: Curve
) -> Float64[np.ndarray, "blocks"]:
    """Mean light of black and white lines whose asked values are blurred by a Gaussian."""
    phase = 2.0 * np.pi * (np.arange(_PLACES) + 0.5) / _PLACES
    odd = np.arange(1, 2 * _TERMS, 2)
    waves = np.sin(odd[:, None] * phase) * (2.0 / (np.pi * odd))[:, None]
    damping = np.exp(-2.0 * (np.pi * odd * spread_mm / periods_mm[:, None]) ** 2)
    values = (0.5 + damping @ waves).clip(0.0, 1.0)
    if spread_mm == 0:  # the series would ring
        values = np.rint(values)
    tones: Float64[np.ndarray, "blocks"] = curve(values).mean(axis=1)
    return tones
