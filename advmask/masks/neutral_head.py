"""A whole head that is nobody's: the mean face, continued over a skull, with ears and a neck."""

from dataclasses import dataclass
from functools import cache

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray
from scipy.interpolate import RBFInterpolator

from advmask.masks.dense_pose import mean_face
from advmask.masks.surface import vertex_normals

FloatArray = NDArray[np.float64]
_Part = tuple[FloatArray, NDArray[np.int64]]

# Millimetres of the head frame. Directions are counted from a place between the ears.
_MIDDLE = np.array([0.0, 12.0, -22.0])
_SKULL_AT, _SKULL = np.array([0.0, 42.0, -34.0]), np.array([77.0, 92.0, 100.0])
_FAR_FROM_FACE = 0.22  # radians from every point of the face: there the skull begins
_SMOOTHING = 0.02  # of the surface through both
_EAR_AT, _EAR, _EAR_LEANS = np.array([78.0, 2.0, -32.0]), np.array([7.0, 32.0, 18.0]), 0.2
_NECK_TOP, _NECK_FOOT = np.array([0.0, 15.0, -46.0]), np.array([0.0, -230.0, -68.0])
_NECK = np.array([52.0, 54.0])  # half its width and depth
_ROWS, _COLUMNS = 56, 88


@dataclass(frozen=True, eq=False)
class HeadMesh:
    """A head as a triangle mesh, in the head frame.

    Attributes:
        vertices_mm: (V, 3).
        normals: (V, 3) unit, away from the head.
        faces: (F, 3) counter-clockwise seen from outside.
    """

    vertices_mm: Float64[np.ndarray, "v 3"]
    normals: Float64[np.ndarray, "v 3"]
    faces: Int64[np.ndarray, "f 3"]


@cache
def neutral_head() -> HeadMesh:
    """The head that masks are made for, whole: of many people's mean, and of none of them."""
    parts = [_head(), _ear(-1.0), _ear(1.0), _neck()]
    vertices, normals, faces, count = [], [], [], 0
    for points, triangles in parts:
        vertices.append(points)
        normals.append(vertex_normals(points, triangles))
        faces.append(triangles + count)
        count += len(points)
    return HeadMesh(np.concatenate(vertices), np.concatenate(normals), np.concatenate(faces))


def _head() -> _Part:
    """Distances from the middle, known at the face and on the skull, in all directions."""
    face = mean_face().points_mm - _MIDDLE
    far = np.linalg.norm(face, axis=1)
    towards_face = face / far[:, None]
    around = _ball(18, 36)[0]
    angle = np.arccos((around @ towards_face.T).clip(-1, 1).max(axis=1))
    around = around[angle > _FAR_FROM_FACE]
    known = np.concatenate([towards_face, around])
    distance = np.concatenate([far, _to_skull(around)])
    known, once = np.unique(known.round(6), axis=0, return_index=True)
    smooth = RBFInterpolator(known, distance[once], smoothing=_SMOOTHING, kernel="thin_plate_spline")
    directions, triangles = _ball(_ROWS, _COLUMNS)
    return _MIDDLE + smooth(directions)[:, None] * directions, triangles


def _to_skull(directions: Float64[np.ndarray, "n 3"]) -> Float64[np.ndarray, " n"]:
    """How far it is from the middle to the ellipsoid of the skull."""
    start, along = (_MIDDLE - _SKULL_AT) / _SKULL, directions / _SKULL
    a, b, c = (along**2).sum(axis=1), along @ start, start @ start - 1
    return np.asarray((np.sqrt(b**2 - a * c) - b) / a)


def _ear(side: float) -> _Part:
    points, triangles = _ball(16, 22)
    middle = (points[:, 1:] ** 2).sum(axis=1)
    hollow = np.where(points[:, 0] > 0, 1 - 1.7 * np.exp(-middle / 0.3), 1.0)
    x, y, z = (points * _EAR).T
    x = x * hollow
    # The upper end leans back, and the hinder edge stands off.
    points = np.stack([x - 0.35 * z, y, z - _EAR_LEANS * y], axis=1) + _EAR_AT
    return points * [side, 1, 1], triangles if side > 0 else triangles[:, ::-1]


def _neck() -> _Part:
    turn = np.linspace(0, 2 * np.pi, _COLUMNS, endpoint=False)
    ring = np.stack([_NECK[0] * np.sin(turn), np.zeros_like(turn), _NECK[1] * np.cos(turn)], axis=1)
    down = np.linspace(0, 1, 12)
    wide = 1 + 0.9 * np.maximum(0, down - 0.55) ** 2 * 4  # towards the shoulders
    rings = [
        _NECK_TOP + share * (_NECK_FOOT - _NECK_TOP) + ring * [factor, 1, 1]
        for share, factor in zip(down, wide, strict=True)
    ]
    return np.concatenate(rings), _strips(len(down), _COLUMNS)


def _ball(rows: int, columns: int) -> _Part:
    """Directions over the sphere from above down, and the triangles between them."""
    down = np.pi * (np.arange(rows) + 0.5) / rows
    turn = 2 * np.pi * np.arange(columns) / columns
    high, around = np.meshgrid(down, turn, indexing="ij")
    points = [np.sin(high) * np.sin(around), np.cos(high), np.sin(high) * np.cos(around)]
    flat = np.stack(points, axis=-1).reshape(-1, 3)
    poles = np.array([[0.0, 1.0, 0.0], [0.0, -1.0, 0.0]])
    first, last = np.arange(columns), (rows - 1) * columns + np.arange(columns)
    top, bottom = np.full(columns, len(flat)), np.full(columns, len(flat) + 1)
    caps = [np.stack([top, first, np.roll(first, -1)], 1), np.stack([bottom, np.roll(last, -1), last], 1)]
    return np.concatenate([flat, poles]), np.concatenate([_strips(rows, columns), *caps])


def _strips(rows: int, columns: int) -> NDArray[np.int64]:
    number = np.arange(rows * columns).reshape(rows, columns)
    above, below = number[:-1], number[1:]
    right_above, right_below = np.roll(above, -1, axis=1), np.roll(below, -1, axis=1)
    pairs = [np.stack([above, below, right_above], -1), np.stack([below, right_below, right_above], -1)]
    return np.concatenate([pair.reshape(-1, 3) for pair in pairs])
