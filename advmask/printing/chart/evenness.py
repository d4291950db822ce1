"""How evenly the light falls on the chart, from the white and grey patches that stand all over it."""

import numpy as np
from jaxtyping import Float64

from advmask.core.errors import PhotoError
from advmask.printing.chart.chart_layout import HEIGHT_MM, WIDTH_MM, Chart

_DEGREES = (1, 2, 3, 4)
_SOFT = 0.01  # relative residual from which on a patch counts for less
_ROUNDS = 12
_MOST_RMS, _MOST = 0.025, 0.08
_MOST_RATIO = 3.5


def light_field(
    colours: Float64[np.ndarray, "patches 3"], chart: Chart, *, name: str = "The photo"
) -> Float64[np.ndarray, "patches 3"]:
    """Light that white paper would send back at each patch, per channel.

    The logarithm of the light is a polynomial of the place, of the degree (1 to 4) that predicts patches left
    out best; white and grey patches share it, the grey ones darker by one factor per channel. Patches far off
    count for less. It takes in gradients, falling off toward the corners of the photo, and light whose colour
    changes over the page.

    Args:
        colours: Linear light of each patch.
        chart: The layout.
        name: What messages call the photo.

    Raises:
        PhotoError: The light is too uneven, or a shadow or reflection stays that no smooth field explains.
    """
    asked = chart.asked()
    field = chart.of("field")
    grey = (asked[field] < 1.0).all(axis=1).astype(np.float64)
    logs = np.log(np.maximum(colours[field], 1e-4))
    places = chart.centres()
    best = min(_DEGREES, key=lambda degree: _left_out_error(places[field], grey, logs, degree))
    design = np.column_stack([_terms(places[field], best), grey])
    weights = _weights(design, logs)
    solved = np.linalg.lstsq(design * weights[:, None], logs * weights[:, None], rcond=None)[0]
    light: Float64[np.ndarray, "patches 3"] = np.exp(_terms(places, best) @ solved[:-1])
    residuals = np.abs(logs - design @ solved).mean(axis=1)
    brightness = light.mean(axis=1)
    if brightness.max() > _MOST_RATIO * brightness.min():
        raise PhotoError(
            f"{name} is lit too unevenly: the brightest part gets "
            f"{brightness.max() / brightness.min():.1f} times the light of the darkest. Turn away from the "
            "lamp or window, or photograph outdoors in the shade."
        )
    rms, most = float(np.sqrt((residuals**2).mean())), int(residuals.argmax())
    if rms > _MOST_RMS or residuals[most] > _MOST:
        raise PhotoError(
            f"{name} has a shadow, a reflection or a stain on the chart, or a page that is not flat, "
            f"{_where(places[field][most])}: white and grey patches differ there by "
            f"{100 * residuals[most]:.0f} % from what smooth light would give. Photograph it again, flat, "
            "without your own shadow and without glare."
        )
    return light


def _where(place_mm: Float64[np.ndarray, "2"]) -> str:
    rows, columns = ("at the top", "halfway down", "at the bottom"), ("left", "in the middle", "right")
    across, down = (place_mm / (WIDTH_MM, HEIGHT_MM) * 3).astype(int).clip(0, 2)
    return f"{rows[down]} {columns[across]}"


def _terms(places_mm: Float64[np.ndarray, "n 2"], degree: int) -> Float64[np.ndarray, "n terms"]:
    x, y = (places_mm / (WIDTH_MM, HEIGHT_MM) * 2.0 - 1.0).T
    powers = [(i, total - i) for total in range(degree + 1) for i in range(total + 1)]
    return np.column_stack([x**i * y**j for i, j in powers])


def _weights(
    design: Float64[np.ndarray, "n terms"], logs: Float64[np.ndarray, "n 3"]
) -> Float64[np.ndarray, "n"]:
    """Square roots of the weights of a fit that outliers do not bend (Cauchy's loss), by repeated fits."""
    weights = np.ones(len(design))
    for _ in range(_ROUNDS):
        solved = np.linalg.lstsq(design * weights[:, None], logs * weights[:, None], rcond=None)[0]
        residuals = np.abs(logs - design @ solved).mean(axis=1)
        weights = 1.0 / np.sqrt(1.0 + (residuals / _SOFT) ** 2)
    return weights


def _left_out_error(
    places: Float64[np.ndarray, "n 2"],
    grey: Float64[np.ndarray, "n"],
    logs: Float64[np.ndarray, "n 3"],
    degree: int,
) -> float:
    """Weighted error at each patch of the fit to all others, by the diagonal of the hat matrix."""
    design = np.column_stack([_terms(places, degree), grey])
    weights = _weights(design, logs)
    basis, _ = np.linalg.qr(design * weights[:, None])
    solved = np.linalg.lstsq(design * weights[:, None], logs * weights[:, None], rcond=None)[0]
    leverage = (basis**2).sum(axis=1)
    left_out = np.abs(logs - design @ solved).mean(axis=1) / (1.0 - leverage).clip(0.05)
    return float(np.log1p((left_out / _SOFT) ** 2).mean())
