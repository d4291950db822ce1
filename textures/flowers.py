"""Poppies and cornflowers drawn from formulas: a motif with large shapes, dark hearts and no symmetry."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Field = NDArray[np.float64]

_GROUND = (0.965, 0.925, 0.850)
_RED, _WINE, _INK = (0.850, 0.260, 0.170), (0.600, 0.130, 0.160), (0.105, 0.130, 0.200)
_GOLD, _GREEN, _DEEP_GREEN = (0.900, 0.665, 0.235), (0.330, 0.520, 0.310), (0.160, 0.330, 0.260)
_BLUE, _PALE = (0.240, 0.440, 0.700), (0.985, 0.965, 0.930)


@dataclass(frozen=True)
class _Flower:
    """Where a flower is and how it is turned: middle and radius in mm, angle in degrees."""

    u: float
    v: float
    radius: float
    turn: float


_STEMS = ((-62, 40, -34, 150, 9.0), (58, 46, 30, 150, -8.0), (-8, 66, 4, 150, 5.0), (96, 28, 84, 150, 6.0))
_LEAVES = (
    (-58, 104, 34, 9, -62),
    (-22, 118, 30, 8, -118),
    (26, 112, 36, 9, -58),
    (64, 108, 32, 9, -116),
    (-92, 92, 34, 9, -80),
    (100, 96, 32, 8, -70),
    (-26, 20, 26, 7, 150),
    (28, 18, 28, 7, 28),
)
_POPPIES = (
    _Flower(-4, 66, 30, 12),
    _Flower(-62, 36, 27, 40),
    _Flower(58, 40, 28, -15),
    _Flower(-98, 76, 21, 70),
    _Flower(97, 82, 22, 20),
)
_CORNFLOWERS = (
    _Flower(-6, 14, 14, 0),
    _Flower(-48, 86, 13, 20),
    _Flower(42, 88, 14, 8),
    _Flower(96, 26, 14, 30),
    _Flower(-104, 28, 13, 15),
    _Flower(4, 118, 13, 25),
)


def flowers(u_mm: Field, v_mm: Field) -> Field:
    """Draw a meadow.

    Args:
        u_mm: (1, W) places to the right of the nose line.
        v_mm: (H, 1) places below its top.

    Returns:
        (H, W, 3) sRGB in [0, 1]: nine flat colours, without antialiasing.
    """
    picture = np.broadcast_to(np.array(_GROUND), (v_mm.shape[0], u_mm.shape[1], 3)).copy()
    for u0, v0, u1, v1, bend in _STEMS:
        along = (v_mm - v0) / (v1 - v0)
        middle = u0 + (u1 - u0) * along + bend * np.sin(np.pi * along)
        picture[(np.abs(u_mm - middle) < 1.6) & (along > 0)] = _DEEP_GREEN
    for leaf in _LEAVES:
        _leaf(picture, u_mm, v_mm, *leaf)
    for flower in _CORNFLOWERS:
        _cornflower(picture, u_mm, v_mm, flower)
    for flower in _POPPIES:
        _poppy(picture, u_mm, v_mm, flower)
    return picture


def _leaf(
    picture: Field, u: Field, v: Field, u0: float, v0: float, long: float, wide: float, turn: float
) -> None:
    x, y = _turned(u - u0, v - v0, turn)
    along = x / long
    edge = wide * np.sqrt(np.clip(along * (1 - along), 0, None)) * 2 * (1 - 0.35 * along)
    inside = (along > 0) & (along < 1) & (np.abs(y) < edge)
    picture[inside] = _GREEN
    picture[inside & (y > 0)] = _DEEP_GREEN
    picture[inside & (np.abs(y) < 0.7)] = _GROUND


def _poppy(picture: Field, u: Field, v: Field, flower: _Flower) -> None:
    """Four petals, two behind and two in front, a dark heart with a ring of stamens."""
    for number, (side, colour) in enumerate(((90, _WINE), (270, _WINE), (0, _RED), (180, _RED))):
        angle = np.deg2rad(flower.turn + side)
        x = u - flower.u - 0.46 * flower.radius * np.cos(angle)
        y = v - flower.v - 0.46 * flower.radius * np.sin(angle)
        far, round_ = np.hypot(x, y), np.arctan2(y, x)
        rim = 0.64 * flower.radius * (1 + 0.05 * np.sin(9 * round_ + number) + 0.03 * np.sin(17 * round_))
        picture[far < rim] = colour
        picture[(far < rim) & (far > rim - 0.055 * flower.radius)] = _INK
    x, y = u - flower.u, v - flower.v
    far, round_ = np.hypot(x, y), np.arctan2(y, x)
    blot = flower.radius * (0.40 + 0.07 * np.cos(8 * (round_ - np.deg2rad(flower.turn))))
    picture[far < blot] = _INK
    dots = (np.cos(16 * round_) > 0.2) & (np.abs(far - 0.30 * flower.radius) < 0.035 * flower.radius)
    picture[dots] = _GOLD
    picture[far < 0.17 * flower.radius] = _GREEN
    picture[(far < 0.17 * flower.radius) & (np.cos(8 * round_) > 0.55)] = _PALE


def _cornflower(picture: Field, u: Field, v: Field, flower: _Flower) -> None:
    """Nine notched rays round a dark heart."""
    x, y = u - flower.u, v - flower.v
    far, round_ = np.hypot(x, y), np.arctan2(y, x) - np.deg2rad(flower.turn)
    ray = np.abs(np.cos(4.5 * round_))
    notch = 0.14 * np.abs(np.cos(13.5 * round_))
    rays = far < flower.radius * (0.35 + 0.65 * np.sqrt(ray) - notch)
    picture[rays] = _BLUE
    picture[rays & (ray > 0.985) & (far > 0.3 * flower.radius)] = _PALE
    picture[far < 0.30 * flower.radius] = _INK
    picture[far < 0.12 * flower.radius] = _GOLD


def _turned(x: Field, y: Field, degrees: float) -> tuple[Field, Field]:
    cos, sin = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return x * cos + y * sin, y * cos - x * sin
