"""The mask follows the person: its vertices are moved as the face differs from the mean head."""

from functools import cache, lru_cache

import numpy as np
from jaxtyping import Float, Float64, Int64

from advmask.core.errors import PhotoError
from advmask.masks.dense_pose import mean_face
from advmask.masks.pose import HeadPose

# Mesh points that a mask touches or spans, on the midline and on the left in the picture; those on the left
# stand for their mirror images too. 57 in all.
_MIDLINE = (168, 6, 197, 195, 5, 4, 164, 18, 200, 199, 152)
_LEFT = (
    *(234, 93, 132, 58, 172, 136, 150, 149, 176, 148),  # the outline of the jaw, from the ear to the chin
    64,  # the side of the nose
    *(50, 101, 118, 117, 116, 147, 187, 205),  # the cheek
    *(57, 92, 186, 43),  # around the mouth
)

# Depth is the network's guess: a person's face in one photo foretells the face in another photo, turned by 15
# degrees or more, best when about half of its difference in depth is believed.
_DEPTH_BELIEVED = 0.5

# Differences are followed in full up to the first figure, which nine in ten are below, and never beyond the
# second: cloth does not go where a jaw goes that opens wide.
_FREE_MM = 8.0
_MOST_MM = 15.0

# Stiffness of the map, millimetres: the larger, the less a single point counts against its neighbours. With
# this, the map misses the differences it is made from by 0.8 mm, and stretches no edge of a mask by more than
# a third when a mouth opens wide.
_STIFFNESS_MM = 40.0


def follow_person(
    vertices_mm: Float[np.ndarray, "V 3"], points: Float[np.ndarray, "468 3"], pose: HeadPose
) -> Float64[np.ndarray, "V 3"]:
    """Move a mask's vertices to the head of one person.

    The mesh is brought back to the head frame by the pose; its differences from the mean head at 57 points,
    with half of what they say about depth and no more than 15 mm each, move the vertices by a linear map that
    depends on nothing but where the vertices are: distances as radial basis, plus an affine part, smoothed.

    Args:
        vertices_mm: The mask on the mean head, head frame.
        points: The person's mesh (x, y, z) in pixels of the picture in which `pose` was fitted, y down, z
            larger nearer to the camera; NaN where depth is unknown.
        pose: Pose of the head in that picture.

    Returns:
        The mask on this person, head frame.

    Raises:
        PhotoError: There are not 468 points, or some x or y is not finite.

    Source:
        Carr et al., Reconstruction and Representation of 3D Objects with Radial Basis Functions, 2001.
    """
    vertices = np.ascontiguousarray(vertices_mm, dtype=np.float64)
    differences = _held_back(_differences_mm(points, pose)[follow_points()])
    return np.asarray(vertices + _linear_map(vertices.tobytes()) @ differences)


@cache
def follow_points() -> Int64[np.ndarray, "57"]:
    """Numbers of the mesh points that the mask follows."""
    left = np.array(_LEFT)
    return np.concatenate([_MIDLINE, left, mean_face().mirror[left]])


def _differences_mm(points: Float[np.ndarray, "468 3"], pose: HeadPose) -> Float64[np.ndarray, "468 3"]:
    """How the points differ from the mean head, in the head frame."""
    points = np.asarray(points, dtype=np.float64)
    head = mean_face()
    if points.shape != head.points_mm.shape or not np.isfinite(points[:, :2]).all():
        raise PhotoError("A mask follows a face mesh of 468 finite points (x, y, z); detect the face again.")
    there = head.points_mm @ pose.rotation.T
    flat = (points[:, :2] - np.asarray(pose.translation_px)) * [1.0, -1.0] / pose.scale_px_per_mm
    depth = points[:, 2] / pose.scale_px_per_mm - there[:, 2]
    known = np.isfinite(depth)
    fixed = head.stable[known[head.stable]]
    # Depth is known up to a constant, which the points that keep their place settle.
    depth -= depth[fixed].mean() if len(fixed) else 0.0
    depth = _DEPTH_BELIEVED * np.where(known, depth, 0.0)
    return np.asarray(np.column_stack([flat - there[:, :2], depth]) @ pose.rotation)


def _held_back(differences_mm: Float[np.ndarray, "n 3"]) -> Float64[np.ndarray, "n 3"]:
    """Leave small differences as they are and bend large ones back below the limit, in their direction."""
    length = np.linalg.norm(differences_mm, axis=1, keepdims=True)
    room = _MOST_MM - _FREE_MM
    bent = _FREE_MM + room * np.tanh((length - _FREE_MM) / room)
    return np.asarray(differences_mm * np.where(length > _FREE_MM, bent / np.maximum(length, _FREE_MM), 1.0))


@lru_cache(maxsize=16)
def _linear_map(vertices: bytes) -> Float64[np.ndarray, "V 57"]:
    """The matrix that takes differences at the 57 points to those at the vertices.

    Smoothing splines with the radial function |r|, which is biharmonic in space: of all functions near the
    values they are the smoothest, and affine functions they give back exactly.
    """
    places = np.frombuffer(vertices).reshape(-1, 3)
    centres = mean_face().points_mm[follow_points()]
    n = len(centres)
    # -|r| and not |r| is positive definite, on what is orthogonal to constants.
    system = np.zeros((n + 4, n + 4))
    system[:n, :n] = _STIFFNESS_MM * np.eye(n) - _distances(centres, centres)
    system[:n, n:] = _affine(centres)
    system[n:, :n] = system[:n, n:].T
    solved = np.linalg.solve(system, np.eye(n + 4, n))
    return np.asarray(np.hstack([-_distances(places, centres), _affine(places)]) @ solved)


def _distances(a: Float[np.ndarray, "m 3"], b: Float[np.ndarray, "n 3"]) -> Float64[np.ndarray, "m n"]:
    return np.asarray(np.linalg.norm(a[:, None] - b[None], axis=2))


def _affine(places: Float[np.ndarray, "m 3"]) -> Float64[np.ndarray, "m 4"]:
    return np.hstack([np.ones((len(places), 1)), places])
