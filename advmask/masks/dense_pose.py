"""Head pose from the 468 points of a face mesh: a similarity fit of the mean head."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from jaxtyping import Float, Float64, Int64

from advmask.core.errors import PhotoError
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose

_POINTS = 468

# Points of the mean head that keep their place whatever the face does: above the upper lip, so that no mouth
# and no jaw moves them, and not at the sides, where the network slides them along the outline it sees.
_STABLE_ABOVE_MM = -20.0
_STABLE_WITHIN_MM = 62.0

# How much a depth error of the network counts against an error across the picture. With 0, half a face alone
# gives a yaw 2.1 degrees (root mean square over 361 photos) from the other half's; with 0.1, 1.1 degrees.
# But with 1 all heads turn 15 % less than what is seen across the picture says; with 0.1, 7 %.
_DEPTH_WEIGHT = 0.1

_MOST_STEPS = 500
_STILL = 1e-7

_EYE_DISTANCE_MM = float(np.linalg.norm(REFERENCE_POINTS_MM[1] - REFERENCE_POINTS_MM[0]))


@dataclass(frozen=True, eq=False)
class MeanFace:
    """The mean of many heads, symmetric, in the head frame.

    Attributes:
        points_mm: Its 468 mesh points.
        mirror: For each point the number of its mirror image.
        stable: Numbers of the points that expressions hardly move.
    """

    points_mm: Float64[np.ndarray, "468 3"]
    mirror: Int64[np.ndarray, "468"]
    stable: Int64[np.ndarray, "n"]


@cache
def mean_face() -> MeanFace:
    """Load the mean head that `tools/mean_face.py` made."""
    with files("advmask.masks").joinpath("data", "mean_face.npz").open("rb") as stream:
        content = np.load(stream, allow_pickle=False)
        points, mirror = content["points_mm"].astype(np.float64), content["mirror"].astype(np.int64)
    x, y, _ = points.T
    stable = np.flatnonzero((y > _STABLE_ABOVE_MM) & (np.abs(x) < _STABLE_WITHIN_MM))
    return MeanFace(points, mirror, stable)


def fit_similarity(
    source: Float[np.ndarray, "n 3"], target: Float[np.ndarray, "n 3"]
) -> tuple[float, Float64[np.ndarray, "3 3"], Float64[np.ndarray, "3"]]:
    """Fit scale, rotation (never a reflection) and shift that bring `source` to `target`, by least squares.

    Args:
        source: Points that do not all coincide.
        target: Where they ought to be.

    Returns:
        s, R and t of target = s R source + t.

    Source:
        Umeyama, Least-Squares Estimation of Transformation Parameters Between Two Point Patterns, 1991.
    """
    from_mean, to_mean = source.mean(axis=0), target.mean(axis=0)
    from_origin = source - from_mean
    u, singular, vt = np.linalg.svd((target - to_mean).T @ from_origin)
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((singular * sign).sum() / (from_origin**2).sum())
    return scale, rotation, to_mean - scale * rotation @ from_mean


def fit_dense_pose(points_px: Float[np.ndarray, "468 3"]) -> HeadPose:
    """Fit the pose of the mean head to a face mesh: weak perspective, x and y above all, z a little.

    Minimises the squared distances across the picture plus a tenth of those in depth, over the stable points.
    Each step replaces the depths by a mean of the network's and of the last fit's, and fits a similarity to
    that; no step makes the sum larger (majorisation).

    Args:
        points_px: Points (x, y, z) in pixels, y down, z larger nearer to the camera, known up to a constant;
            NaN where unknown.

    Returns:
        The pose; its residual is that of the stable points across the picture.

    Raises:
        PhotoError: There are not 468 points, some x or y is not finite, or all coincide.
    """
    points = np.asarray(points_px, dtype=np.float64)
    if points.shape != (_POINTS, 3):
        raise PhotoError(f"A face mesh of shape (468, 3) is needed, not an array of shape {points.shape}.")
    if not np.isfinite(points[:, :2]).all():
        raise PhotoError("The points of a face mesh must be finite numbers of pixels; detect the face again.")
    head = mean_face()
    model = head.points_mm[head.stable]
    seen = points[head.stable] * [1.0, -1.0, 1.0]
    spread = float(np.ptp(seen[:, :2], axis=0).max())
    if spread < 1e-3:
        raise PhotoError("The points of the face mesh coincide; use a larger or clearer photo.")
    known = np.isfinite(seen[:, 2])
    depth = np.where(known, seen[:, 2], 0.0)
    target = np.column_stack([seen[:, :2], depth])
    if not known.all():
        # A face from the front, at the scale that is seen; depths of the wrong sign would never come right.
        target[:, 2] = np.where(known, depth, model[:, 2] * spread / np.ptp(model[:, :2], axis=0).max())
    weight = np.where(known, _DEPTH_WEIGHT, 0.0)
    scale, rotation, shift = fit_similarity(model, target)
    for _ in range(_MOST_STEPS):
        fitted = scale * model @ rotation.T + shift
        target[:, 2] = weight * depth + (1 - weight) * fitted[:, 2]
        before = rotation
        scale, rotation, shift = fit_similarity(model, target)
        if float(np.abs(rotation - before).max()) < _STILL:
            break
    fitted = scale * model @ rotation.T + shift
    away = np.sqrt(((fitted - seen)[:, :2] ** 2).sum(axis=1).mean())
    return HeadPose(
        *_angles(rotation),
        scale_px_per_mm=scale,
        translation_px=(float(shift[0]), -float(shift[1])),
        residual=float(away / (scale * _EYE_DISTANCE_MM)),
    )


def _angles(rotation: Float[np.ndarray, "3 3"]) -> tuple[float, float, float]:
    """Yaw, pitch and roll of `rotation_matrix`."""
    yaw = np.arctan2(-rotation[2, 0], np.hypot(rotation[0, 0], rotation[1, 0]))
    pitch = -np.arctan2(rotation[2, 1], rotation[2, 2])
    roll = -np.arctan2(rotation[1, 0], rotation[0, 0])
    return float(yaw), float(pitch), float(roll)
