"""Flattening of a surface into cloth with little stretch, by libigl's SLIM."""

import igl
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_HELD = 1e6  # weight of vertices that are to stay, against the energy


def flatten(
    vertices: FloatArray,
    faces: NDArray[np.int64],
    start: FloatArray,
    *,
    steps: int = 60,
    held: NDArray[np.int64] | None = None,
) -> FloatArray:
    """Flat coordinates (V, 2) of a mesh that minimise the symmetric Dirichlet energy.

    Args:
        vertices: (V, 3) mm.
        faces: (F, 3), counter-clockwise seen from outside.
        start: (V, 2) a first guess without overturned triangles, u right, v down.
        steps: Iterations.
        held: Numbers of vertices that stay where they start; None holds none, and lays the result on the
            start.

    Source:
        Rabinovich, Poranne, Panozzo, Sorkine-Hornung, Scalable Locally Injective Mappings, 2017.
    """
    upright = np.asfortranarray(start * [1.0, -1.0])
    still = np.zeros(0, dtype=np.int32) if held is None else held.astype(np.int32)
    data = igl.slim_precompute(
        np.asfortranarray(vertices),
        np.asfortranarray(faces, dtype=np.int32),
        upright,
        igl.MappingEnergyType.SYMMETRIC_DIRICHLET,
        still,
        np.asfortranarray(upright[still]),
        0.0 if held is None else _HELD,
    )
    flat = igl.slim_solve(data, steps)[:, :2] * [1.0, -1.0]
    if held is None:
        return turned_like(flat, start)
    flat[held] = start[held]
    return np.asarray(flat)


def turned_like(points: FloatArray, model: FloatArray) -> FloatArray:
    """Points (V, 2) turned and shifted, not scaled, to lie on the model as well as they can."""
    centre, target = points.mean(axis=0), model.mean(axis=0)
    u, _, vt = np.linalg.svd((points - centre).T @ (model - target))
    turn = u @ np.diag([1.0, np.linalg.det(u @ vt)]) @ vt
    return np.asarray((points - centre) @ turn + target)
