"""The pose fit: sign conventions, derivative, recovery, equivariance and errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.core.errors import PhotoError
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose, _predict, fit_pose, rotation_matrix

ANGLES = st.floats(-3.0, 3.0)
SCALE = 60 / 66.2  # 60 px between the eyes


def seen(yaw: float, pitch: float, roll: float, *, points: np.ndarray = REFERENCE_POINTS_MM) -> np.ndarray:
    """Landmarks of a head, angles in radians; written out without the package's rotation.

    Looking up by `pitch` and then turning right by `yaw` is done on spherical coordinates of each point.
    """
    x, y, z = points.T
    y, z = y * np.cos(pitch) + z * np.sin(pitch), z * np.cos(pitch) - y * np.sin(pitch)
    x = x * np.cos(yaw) + z * np.sin(yaw)
    right, down = x, -y
    turned = np.stack(
        [right * np.cos(roll) - down * np.sin(roll), right * np.sin(roll) + down * np.cos(roll)], axis=1
    )
    return SCALE * turned + [200.0, 180.0]


@given(ANGLES, ANGLES, ANGLES)
def test_rotation_is_orthonormal(yaw, pitch, roll):
    rotation = rotation_matrix(yaw, pitch, roll)
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)


def test_zero_angles_are_the_identity_exactly():
    assert (rotation_matrix(0.0, 0.0, 0.0) == np.eye(3)).all()


def test_sign_conventions():
    nose, crown = np.array([[0.0, 0.0, 100.0]]), np.array([[0.0, 100.0, 0.0]])

    def at(point, **angles):
        pose = HeadPose(**{"yaw": 0.0, "pitch": 0.0, "roll": 0.0, **angles}, scale_px_per_mm=2.0,
                        translation_px=(50.0, 60.0))  # fmt: skip
        pixels, depth = pose.project(point)
        return pixels[0] - [50.0, 60.0], depth[0]

    np.testing.assert_allclose(at(nose)[0], [0, 0], atol=1e-12)
    assert at(nose)[1] == pytest.approx(100)  # nearer is larger
    turned, depth = at(nose, yaw=np.pi / 6)
    np.testing.assert_allclose(turned, [100, 0], atol=1e-9)  # right in the picture
    assert depth == pytest.approx(100 * np.cos(np.pi / 6))
    np.testing.assert_allclose(at(nose, pitch=np.pi / 6)[0], [0, -100], atol=1e-9)  # looks up: y gets smaller
    np.testing.assert_allclose(at(crown)[0], [0, -200], atol=1e-9)
    np.testing.assert_allclose(at(crown, roll=np.pi / 6)[0], [100, -200 * np.cos(np.pi / 6)])  # clockwise


@given(st.floats(-0.9, 0.9), st.floats(-0.5, 0.5), ANGLES)
def test_projection_agrees_with_plain_trigonometry(yaw, pitch, roll):
    pose = HeadPose(yaw, pitch, roll, SCALE, (200.0, 180.0))
    np.testing.assert_allclose(pose.project(REFERENCE_POINTS_MM)[0], seen(yaw, pitch, roll), atol=1e-9)


@given(st.lists(st.floats(-1.4, 1.4), min_size=6, max_size=6))
@settings(max_examples=40)
def test_derivative_agrees_with_finite_differences(values):
    parameters = np.array(values)
    model = REFERENCE_POINTS_MM / 60
    _, jacobian = _predict(parameters, model)
    for column in range(6):
        step = np.zeros(6)
        step[column] = 1e-6
        ahead, behind = _predict(parameters + step, model)[0], _predict(parameters - step, model)[0]
        np.testing.assert_allclose(jacobian[:, column], ((ahead - behind) / 2e-6).ravel(), atol=1e-7)


@given(st.floats(-45, 45), st.floats(-180, 180))
@settings(max_examples=60, deadline=None)
def test_level_heads_are_recovered_without_noise(yaw, roll):
    fitted = fit_pose(seen(np.deg2rad(yaw), 0.0, np.deg2rad(roll)))
    assert np.rad2deg(fitted.yaw) == pytest.approx(yaw, abs=0.3)
    assert np.rad2deg(fitted.pitch) == pytest.approx(0, abs=0.05)
    wrapped = (np.rad2deg(fitted.roll) - roll + 180) % 360 - 180
    assert wrapped == pytest.approx(0, abs=0.1)
    assert fitted.scale_px_per_mm == pytest.approx(SCALE, rel=0.005)
    assert fitted.translation_px == pytest.approx((200, 180), abs=0.5)
    assert fitted.residual < 0.003


@pytest.mark.parametrize("pitch", [-20, -10, 10, 20])
def test_nodding_is_recovered_but_held_back(pitch):
    fitted = np.rad2deg(fit_pose(seen(0.2, np.deg2rad(pitch), 0.0)).pitch)
    assert 0.65 * abs(pitch) < np.sign(pitch) * fitted <= abs(pitch)


@pytest.mark.parametrize(("spread_mm", "yaw_limit", "pitch_limit"), [(0.0, 3.0, 4.0), (3.0, 5.0, 6.0)])
def test_mean_error_with_noisy_landmarks(spread_mm, yaw_limit, pitch_limit):
    generator = np.random.default_rng(0)
    errors = []
    for _ in range(300):
        yaw, pitch, roll = np.deg2rad(generator.uniform([-45, -20, -30], [45, 20, 30]))
        person = REFERENCE_POINTS_MM + spread_mm * generator.normal(size=(5, 3))
        landmarks = seen(yaw, pitch, roll, points=person) + 1.5 * generator.normal(size=(5, 2))
        fitted = fit_pose(landmarks)
        errors.append([fitted.yaw - yaw, fitted.pitch - pitch])
    yaw_error, pitch_error = np.rad2deg(np.abs(errors).mean(axis=0))
    assert yaw_error <= yaw_limit
    assert pitch_error <= pitch_limit


@given(
    st.floats(-0.7, 0.7),
    st.floats(-0.3, 0.3),
    st.floats(0.05, 20),
    st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
    st.floats(-3.1, 3.1),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_fit_follows_scaling_translation_and_rotation_of_the_picture(yaw, pitch, factor, shift, turn, seed):
    landmarks = seen(yaw, pitch, 0.0) + np.random.default_rng(seed).normal(size=(5, 2))
    plain = fit_pose(landmarks)
    matrix = factor * np.array(
        [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    )  # y down: clockwise
    moved = fit_pose(landmarks @ matrix.T + shift)
    assert moved.yaw == pytest.approx(plain.yaw, abs=1e-6)
    assert moved.pitch == pytest.approx(plain.pitch, abs=1e-6)
    assert (moved.roll - plain.roll - turn + np.pi) % (2 * np.pi) - np.pi == pytest.approx(0, abs=1e-6)
    assert moved.scale_px_per_mm == pytest.approx(factor * plain.scale_px_per_mm, rel=1e-6)
    expected = matrix @ plain.translation_px + shift
    assert moved.translation_px == pytest.approx(tuple(expected), abs=1e-4 * factor + 1e-6)
    assert moved.residual == pytest.approx(plain.residual, abs=1e-8)


@given(st.floats(-0.7, 0.7), st.floats(-0.3, 0.3), st.floats(-0.5, 0.5))
@settings(max_examples=30, deadline=None)
def test_a_mirrored_picture_gives_the_mirrored_pose(yaw, pitch, roll):
    landmarks = seen(yaw, pitch, roll)
    mirrored = ([400.0, 0.0] + landmarks * [-1.0, 1.0])[[1, 0, 2, 4, 3]]
    plain, flipped = fit_pose(landmarks), fit_pose(mirrored)
    assert (flipped.yaw, flipped.pitch, flipped.roll) == pytest.approx(
        (-plain.yaw, plain.pitch, -plain.roll), abs=1e-6
    )


def test_residual_is_in_eye_distances():
    landmarks = seen(0.0, 0.0, 0.0)
    fitted = fit_pose(landmarks + 6.0 * np.random.default_rng(3).normal(size=(5, 2)))
    assert 0.02 < fitted.residual < 0.2  # 6 px are a tenth of the 60 px eye distance


@pytest.mark.parametrize("shape", [(4, 2), (5, 3), (10,), (1, 5, 2)])
def test_wrong_shapes_are_named(shape):
    with pytest.raises(PhotoError, match=r"\(5, 2\)"):
        fit_pose(np.zeros(shape))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_landmarks_that_are_not_finite_are_called_so(bad):
    landmarks = seen(0.0, 0.0, 0.0)
    landmarks[2, 1] = bad
    with pytest.raises(PhotoError, match="finite") as caught:
        fit_pose(landmarks)
    assert "shape (5, 2)" not in str(caught.value)  # the shape is not what is wrong


def test_coinciding_landmarks_are_refused():
    with pytest.raises(PhotoError, match="coincide"):
        fit_pose(np.full((5, 2), 40.0))


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_any_five_points_give_a_finite_pose(seed):
    generator = np.random.default_rng(seed)
    landmarks = generator.uniform(0, 500, size=(5, 2))
    if seed % 3 == 0:
        landmarks[:, 1] = landmarks[0, 1]  # all on a line
    if seed % 3 == 1:
        landmarks[[0, 1]] = landmarks[[1, 0]]  # eyes swapped
    fitted = fit_pose(landmarks)
    assert np.isfinite([fitted.yaw, fitted.pitch, fitted.roll, fitted.scale_px_per_mm, fitted.residual]).all()
    assert np.isfinite(fitted.translation_px).all()
    assert fitted.scale_px_per_mm > 0
