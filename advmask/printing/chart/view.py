"""How the flat chart lies in a photo: perspective, and a lens that bends lines a little."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64
from scipy.optimize import least_squares

_BEND_PRIOR = 0.02  # a phone's bend of lines, as a share of the distance from the middle at the corner
_CORNER_PX = 0.3  # how well a corner is found


@dataclass(frozen=True)
class View:
    """From millimetres on the chart to pixels of the photo (pixel centres at + 0.5).

    Attributes:
        perspective: Homography before the lens.
        bend: Radial distortion at the corner of the photo, as a share of the distance from its middle.
        size: Width and height of the photo.
    """

    perspective: Float64[np.ndarray, "3 3"]
    bend: float
    size: tuple[int, int]

    def pixels(self, points_mm: Float64[np.ndarray, "*n 2"]) -> Float64[np.ndarray, "*n 2"]:
        """Where points of the chart lie in the photo."""
        ahead = points_mm @ self.perspective[:, :2].T + self.perspective[:, 2]
        flat = ahead[..., :2] / ahead[..., 2:]
        middle = np.array(self.size) / 2.0
        away = flat - middle
        square = (away**2).sum(axis=-1, keepdims=True) / (middle**2).sum()
        placed: Float64[np.ndarray, "*n 2"] = middle + away * (1.0 + self.bend * square)
        return placed

    def pixels_per_mm(self, points_mm: Float64[np.ndarray, "n 2"]) -> Float64[np.ndarray, "n"]:
        """Pixels to a millimetre at points of the chart, in the direction in which there are fewest."""
        half = 0.5 * np.eye(2)
        steps = [self.pixels(points_mm + step) - self.pixels(points_mm - step) for step in half]
        stretches = np.linalg.svd(np.stack(steps, axis=-1), compute_uv=False)
        fewest: Float64[np.ndarray, "n"] = stretches[:, -1]
        return fewest


def fit_view(
    points_mm: Float64[np.ndarray, "n 2"],
    pixels: Float64[np.ndarray, "n 2"],
    *,
    start: Float64[np.ndarray, "3 3"],
    size: tuple[int, int],
) -> tuple[View, Float64[np.ndarray, "n"]]:
    """Fit a view to corners that were found, by least squares with a soft loss.

    Args:
        points_mm: On the chart.
        pixels: In the photo.
        start: A homography near the answer.
        size: Width and height of the photo.

    Returns:
        The view, and how far each corner lies from its place, in pixels.
    """
    scale = start[2, 2] if abs(start[2, 2]) > 1e-12 else 1.0
    first = np.append((start / scale).ravel()[:8], 0.0)
    # All nine numbers near 1, for the solver's sake.
    unit = np.append(
        np.maximum(np.abs(first[:8]), [1e-3, 1e-3, 1.0, 1e-3, 1e-3, 1.0, 1e-6, 1e-6]), _BEND_PRIOR
    )

    def view(numbers: Float64[np.ndarray, "9"]) -> View:
        values = numbers * unit
        return View(np.append(values[:8], 1.0).reshape(3, 3), float(values[8]), size)

    def residuals(numbers: Float64[np.ndarray, "9"]) -> Float64[np.ndarray, "m"]:
        misses = (view(numbers).pixels(points_mm) - pixels) / _CORNER_PX
        return np.append(misses.ravel(), numbers[8])

    fitted = view(least_squares(residuals, first / unit, loss="soft_l1", f_scale=3.0).x)
    return fitted, np.linalg.norm(fitted.pixels(points_mm) - pixels, axis=1)
