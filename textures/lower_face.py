"""A lower face drawn from formulas: what a mask with a face printed on it looks like.

The face is a height above the page, in millimetres, lit from above and a little from the left, times the
colour of skin and lips, times the shade that gathers in hollows.
"""

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]

NOSE_TIP_MM = 25.0
NOSE_BASE_MM = 38.0
MOUTH_MM = 65.0
MOUTH_HALF_WIDTH_MM = 28.0
CHIN_CREASE_MM = 92.0
CHIN_MM = 107.0

_LIGHT = np.array([-0.22, -0.46, 0.86])
_SKIN = np.array([0.93, 0.74, 0.64])
_FLUSH = np.array([0.90, 0.60, 0.52])
_LIP = np.array([0.77, 0.42, 0.41])

_LARGER = 1.5
_LARGE_ABOUT_MM = 50.0
_DEEPER = 2.0
_BLUR_MM = 7.0


def lower_face(u_mm: Field, v_mm: Field) -> Field:
    """Draw nose, mouth, chin and neck.

    Args:
        u_mm: (1, W) places to the right of the nose line.
        v_mm: (H, 1) places below its top.

    Returns:
        (H, W, 3) sRGB in [0, 1].
    """
    u, v = np.broadcast_arrays(u_mm, v_mm)
    step = 0.25
    slope_u = (_height(u + step, v) - _height(u - step, v)) / (2 * step)
    slope_v = (_height(u, v + step) - _height(u, v - step)) / (2 * step)
    steepness = np.sqrt(slope_u**2 + slope_v**2 + 1.0)
    lit = (-slope_u * _LIGHT[0] - slope_v * _LIGHT[1] + _LIGHT[2]) / steepness / np.linalg.norm(_LIGHT)
    lit = np.clip(lit, 0.0, 1.0)
    shade = (0.50 + 0.55 * lit) * _hollows(u, v)
    gloss = 0.10 * _bump(u + 1.5, v - NOSE_TIP_MM + 1, 3.5, 4) + 0.10 * _bump(u + 4, v - MOUTH_MM - 6, 8, 1.6)
    return np.clip(_colour(u, v) * shade[..., None] + gloss[..., None], 0.0, 1.0)


def large_face(u_mm: Field, v_mm: Field) -> Field:
    """Draw a lower face 1.5 times as large as a real one, about the upper lip, its features deepened.

    Args:
        u_mm: (1, W) places to the right of the nose line, evenly spaced.
        v_mm: (H, 1) places below its top, evenly spaced.

    Returns:
        (H, W, 3) sRGB in [0, 1].
    """
    face = lower_face(u_mm / _LARGER, (v_mm - _LARGE_ABOUT_MM) / _LARGER + _LARGE_ABOUT_MM)
    blurred = _blurred(_blurred(face, v_mm[:, 0]).swapaxes(0, 1), u_mm[0]).swapaxes(0, 1)
    return np.clip(face + _DEEPER * (face - blurred), 0.0, 1.0)


def _blurred(picture: Field, places_mm: Field) -> Field:
    """Gaussian mean along the first axis; the ends go on."""
    spacing = float(places_mm[1] - places_mm[0]) if len(places_mm) > 1 else 1.0
    reach = int(np.ceil(3 * _BLUR_MM / spacing))
    weights = np.exp(-0.5 * (np.arange(-reach, reach + 1) * spacing / _BLUR_MM) ** 2)
    padded = np.pad(picture, ((reach, reach), (0, 0), (0, 0)), mode="edge")
    sums = np.zeros_like(picture)
    for place, weight in enumerate(weights / weights.sum()):
        sums += weight * padded[place : place + len(picture)]
    return sums


def _height(u: Field, v: Field) -> Field:
    side = np.abs(u)
    head = -(u**2) / 210.0 - (v - 45.0) ** 2 / 700.0
    rise = 9.0 + 8.0 * np.clip(v / NOSE_TIP_MM, 0.0, 1.2)
    ridge = rise * np.exp(-((side / (9.0 + 0.12 * v.clip(0, 40))) ** 2.2)) * (1.0 - _step(v, 27.0, 43.0))
    nose = ridge + 4.0 * _bump(u, v - NOSE_TIP_MM - 2, 7.5, 6.5) + 7.0 * _bump(side - 13.5, v - 32, 4.6, 5.0)
    philtrum = 0.8 * _bump(side - 4.5, v - 50, 2.2, 6) - 0.8 * _bump(u, v - 49, 2.4, 6)
    muzzle = 5.0 * _bump(u, v - MOUTH_MM, 30, 17)
    taper = _taper(u)
    line = v - _mouth_line(u)
    upper = 2.6 * taper * np.exp(-(((line + 4.2) / 3.2) ** 2))
    lower = 3.8 * taper * np.exp(-(((line - 5.2) / 4.2) ** 2))
    chin = 6.5 * _bump(u, v - CHIN_MM, 17, 10) - 2.6 * _bump(u, v - CHIN_CREASE_MM + 4, 20, 5)
    cheeks = 5.0 * _bump(side - 56, v - 22, 26, 26)
    jaw = -8.0 * _step(v - _jaw(u), -10.0, 20.0)
    return head + nose + philtrum + muzzle + upper + lower + chin + cheeks + jaw


def _colour(u: Field, v: Field) -> Field:
    side = np.abs(u)
    flush = (
        0.35 * _bump(side - 55, v - 28, 26, 20)
        + 0.6 * _bump(u, v - 28, 13, 9)
        + 0.4 * _bump(u, v - 108, 15, 9)
    )
    skin = _SKIN + (_FLUSH - _SKIN) * np.clip(flush, 0.0, 1.0)[..., None]
    lips = _lips(u, v)[..., None]
    return skin + (_LIP - skin) * 0.9 * lips


def _hollows(u: Field, v: Field) -> Field:
    side = np.abs(u)
    slope = 0.35 * (side - 8.0)
    nostrils = 1.0 - 0.78 * _step(_bump(side - 7.8, v - 37.3 + slope, 3.6, 1.9), 0.35, 0.85)
    wing = np.hypot((side - 13.0) / 6.6, (v - 32.0) / 6.6)
    crease = 1.0 - 0.22 * np.exp(-(((wing - 1.0) / 0.14) ** 2)) * _step(side, 13.0, 19.0) * _step(
        v, 25.0, 30.0
    )
    under_nose = 1.0 - 0.20 * _bump(u, v - 41.5, 12, 3.2)
    fold_at = 20.0 + 17.0 * ((v - 32.0).clip(0.0, None) / 36.0) ** 1.15
    fold = 1.0 - 0.11 * np.exp(-(((side - fold_at) / 3.0) ** 2)) * _step(v, 32.0, 42.0) * (
        1 - _step(v, 56.0, 76.0)
    )
    open_line = _step(MOUTH_HALF_WIDTH_MM + 1.0 - side, 0.0, 5.0)
    mouth = 1.0 - 0.62 * np.exp(-(((v - _mouth_line(u)) / 0.85) ** 2)) * open_line
    corners = 1.0 - 0.30 * _bump(side - MOUTH_HALF_WIDTH_MM, v - MOUTH_MM + 0.3, 2.6, 2.0)
    under_lip = 1.0 - 0.13 * _bump(u, v - 81.0, 15, 3.6)
    neck = 1.0 - 0.24 * _step(v - _jaw(u), -4.0, 14.0)
    return nostrils * crease * under_nose * fold * mouth * corners * under_lip * neck


def _lips(u: Field, v: Field) -> Field:
    """How far a place belongs to the lips, 0 to 1."""
    share = np.clip(np.abs(u) / MOUTH_HALF_WIDTH_MM, 0.0, 1.0)
    bow = 2.0 * np.exp(-((u / 3.6) ** 2))
    top = _mouth_line(u) - 9.4 * (1.0 - share**1.5) + bow
    bottom = _mouth_line(u) + 12.0 * (1.0 - share**2.2) ** 0.9
    within = _step(v - top, -0.9, 0.9) * _step(bottom - v, -1.0, 1.6)
    return within * (1.0 - _step(np.abs(u), MOUTH_HALF_WIDTH_MM - 2.5, MOUTH_HALF_WIDTH_MM))


def _mouth_line(u: Field) -> Field:
    return (
        MOUTH_MM
        + 0.9 * np.exp(-((u / 5.0) ** 2))
        - 0.9 * np.clip(np.abs(u) / MOUTH_HALF_WIDTH_MM, 0.0, 1.0) ** 4
    )


def _taper(u: Field) -> Field:
    return np.clip(1.0 - (u / (MOUTH_HALF_WIDTH_MM + 3.0)) ** 2, 0.0, 1.0) ** 1.5


def _jaw(u: Field) -> Field:
    """Where the jaw ends and the neck begins, in millimetres below the top of the nose line."""
    return 123.0 - 62.0 * (np.abs(u) / 96.0) ** 2.6


def _bump(u: Field, v: Field, width_mm: float, height_mm: float) -> Field:
    return np.exp(-0.5 * ((u / width_mm) ** 2 + (v / height_mm) ** 2))


def _step(value: Field, start: float, end: float) -> Field:
    """0 before `start`, 1 after `end`, smooth in between."""
    part = np.clip((value - start) / (end - start), 0.0, 1.0)
    return part * part * (3.0 - 2.0 * part)
