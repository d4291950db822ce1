"""Head pose from five landmarks: weak perspective, fitted by Gauss-Newton with an analytic Jacobian."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.core.errors import PhotoError

FloatArray = NDArray[np.float64]

# Left-in-image eye, right eye, nose tip, left and right mouth corner of an average head, in head millimetres.
REFERENCE_POINTS_MM: FloatArray = np.array(
    [
        [-33.1, 28.1, 34.4],
        [33.1, 28.1, 34.4],
        [0.0, -6.9, 74.1],
        [-30.1, -39.7, 38.9],
        [30.1, -39.7, 38.9],
    ]
)
# Five points say little about nodding (a smile looks like it), so pitch is held back more than yaw.
# Residuals are in eye distances of the reference head; angles in radians.
_PITCH_RIDGE = 0.1
_YAW_RIDGE = 0.002
_STEPS = 30


@dataclass(frozen=True)
class HeadPose:
    """Weak-perspective pose: picture = scale * (R X)_xy, y turned down, plus translation.

    Attributes:
        yaw: Radians, positive when the face turns to the right in the picture.
        pitch: Radians, positive when the face looks up.
        roll: Radians, positive clockwise in the picture.
        scale_px_per_mm: Pixels per millimetre at the head.
        translation_px: (2,) picture position of the head frame's origin.
        residual: Root mean square distance of the landmarks from the fit, in eye distances.
    """

    yaw: float
    pitch: float
    roll: float
    scale_px_per_mm: float
    translation_px: tuple[float, float]
    residual: float = 0.0

    @property
    def rotation(self) -> FloatArray:
        """(3, 3) from the head frame to the camera frame (x right, y up, z to the camera)."""
        return rotation_matrix(self.yaw, self.pitch, self.roll)

    def project(self, points_mm: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Project (N, 3) head points to picture pixels (N, 2) and depth (N,) in mm, larger is nearer."""
        camera = points_mm @ self.rotation.T
        pixels = self.scale_px_per_mm * camera[:, :2] * [1.0, -1.0] + np.asarray(self.translation_px)
        return pixels, camera[:, 2]


def rotation_matrix(yaw: float, pitch: float, roll: float) -> FloatArray:
    """R = Rz(-roll) Ry(yaw) Rx(-pitch), angles in radians, in a frame with y up.

    Zero angles give the identity exactly.
    """
    rx, ry, rz = _elementary(yaw, pitch, roll)
    return np.asarray(rz @ ry @ rx)


def fit_pose(landmarks_px: FloatArray) -> HeadPose:
    """Fit the pose of a head to five landmarks.

    Minimises the squared distance of the projected reference points from the landmarks, plus a small
    ridge on pitch and yaw, over yaw, pitch, roll, log scale and translation.

    Args:
        landmarks_px: (5, 2) left-in-image eye, right eye, nose, mouth corners, x and y in pixels.

    Raises:
        PhotoError: The landmarks are not five finite, distinct points.
    """
    landmarks = np.asarray(landmarks_px, dtype=np.float64)
    if landmarks.shape != (5, 2):
        raise PhotoError(f"Five landmarks (5, 2) are needed, not an array of shape {landmarks.shape}.")
    if not np.isfinite(landmarks).all():
        raise PhotoError("The five landmarks must be finite numbers of pixels; detect the face again.")
    spread = float(np.linalg.norm(landmarks - landmarks.mean(axis=0)))
    if spread < 1e-3:
        raise PhotoError("The five landmarks coincide; a face needs distinct eyes, nose and mouth.")
    unit_px, unit_mm = spread, float(np.linalg.norm(_flat_reference() - _flat_reference().mean(axis=0)))
    target = (landmarks - landmarks.mean(axis=0)) / unit_px * [1.0, -1.0]
    model = (REFERENCE_POINTS_MM - REFERENCE_POINTS_MM.mean(axis=0)) / unit_mm
    eyes = float(np.linalg.norm(model[1, :2] - model[0, :2]))

    parameters = np.array([0.0, 0.0, _initial_roll(target), 0.0, 0.0, 0.0])
    ridge = np.zeros(6)
    ridge[0], ridge[1] = _YAW_RIDGE, _PITCH_RIDGE
    ridge *= eyes**2
    for _ in range(_STEPS):
        predicted, jacobian = _predict(parameters, model)
        error = (target - predicted).ravel()
        normal = jacobian.T @ jacobian + np.diag(ridge)
        step = np.linalg.solve(normal, jacobian.T @ error - ridge * parameters)
        step[:3] = np.clip(step[:3], -0.4, 0.4)
        parameters = parameters + step
        parameters[:2] = np.clip(parameters[:2], -1.5, 1.5)
        # A face is near 0 here; landmarks unlike any face would shrink the head until nothing can be solved.
        parameters[3] = np.clip(parameters[3], -2.0, 2.0)
        if float(np.abs(step).max()) < 1e-10:
            break
    predicted, _ = _predict(parameters, model)
    residual = float(np.sqrt(((target - predicted) ** 2).sum(axis=1).mean())) / eyes
    yaw, pitch, roll, log_scale = (float(value) for value in parameters[:4])
    scale = float(np.exp(log_scale)) * unit_px / unit_mm
    centre = rotation_matrix(yaw, pitch, roll) @ REFERENCE_POINTS_MM.mean(axis=0)
    offset = landmarks.mean(axis=0) + parameters[4:] * unit_px * [1.0, -1.0]
    translation = offset - scale * centre[:2] * [1.0, -1.0]
    return HeadPose(yaw, pitch, roll, scale, (float(translation[0]), float(translation[1])), residual)


def _predict(parameters: FloatArray, model: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Projected points (5, 2), y up, and their derivative (10, 6) by the six parameters."""
    yaw, pitch, roll, log_scale = (float(value) for value in parameters[:4])
    rx, ry, rz = _elementary(yaw, pitch, roll)
    scale = np.exp(log_scale)
    turned = scale * (model @ (rz @ ry @ rx).T)[:, :2]
    columns = [
        scale * (model @ (rz @ _generator("y", ry) @ rx).T)[:, :2],
        scale * (model @ (-rz @ ry @ _generator("x", rx)).T)[:, :2],
        scale * (model @ (-_generator("z", rz) @ ry @ rx).T)[:, :2],
        turned,
        np.broadcast_to([1.0, 0.0], turned.shape),
        np.broadcast_to([0.0, 1.0], turned.shape),
    ]
    return turned + parameters[4:], np.stack([column.ravel() for column in columns], axis=1)


_SKEW = {
    "x": np.array([[0.0, 0.0, 0.0], [0.0, 0.0, -1.0], [0.0, 1.0, 0.0]]),
    "y": np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]),
    "z": np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 0.0]]),
}


def _generator(axis: str, rotation: FloatArray) -> FloatArray:
    """Derivative of an elementary rotation by its angle."""
    return np.asarray(_SKEW[axis] @ rotation)


def _elementary(yaw: float, pitch: float, roll: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    cx, sx = np.cos(-pitch), np.sin(-pitch)
    cy, sy = np.cos(yaw), np.sin(yaw)
    cz, sz = np.cos(-roll), np.sin(-roll)
    rx = np.array([[1.0, 0.0, 0.0], [0.0, cx, -sx], [0.0, sx, cx]])
    ry = np.array([[cy, 0.0, sy], [0.0, 1.0, 0.0], [-sy, 0.0, cy]])
    rz = np.array([[cz, -sz, 0.0], [sz, cz, 0.0], [0.0, 0.0, 1.0]])
    return rx, ry, rz


def _initial_roll(target: FloatArray) -> float:
    across = target[1] - target[0] + target[4] - target[3]
    return -float(np.arctan2(across[1], across[0]))


def _flat_reference() -> FloatArray:
    return REFERENCE_POINTS_MM[:, :2]
