"""The pose of a face mesh: the mean head, the fit against known poses, invariances and errors."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from advmask.core.errors import PhotoError
from advmask.masks.dense_pose import fit_dense_pose, fit_similarity, mean_face
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose, fit_pose

SCALE = 60 / 66.2  # 60 px between the eyes
FIVE = [(33, 133, 159, 145), (362, 263, 386, 374), (1, 4), (61,), (291,)]


def seen(pose: HeadPose, head: np.ndarray | None = None) -> np.ndarray:
    """A mesh (x, y, z) in pixels."""
    pixels, depth = pose.project(mean_face().points_mm if head is None else head)
    return np.column_stack([pixels, pose.scale_px_per_mm * depth])


def posed(yaw: float, pitch: float, roll: float) -> HeadPose:
    return HeadPose(*np.deg2rad([yaw, pitch, roll]), scale_px_per_mm=SCALE, translation_px=(200.0, 180.0))


def test_the_mean_head() -> None:
    head = mean_face()
    points, mirror = head.points_mm, head.mirror
    np.testing.assert_array_equal(mirror[mirror], np.arange(468))
    np.testing.assert_allclose(points[mirror] * [-1, 1, 1], points, atol=1e-4)
    five = np.stack([points[list(indices)].mean(axis=0) for indices in FIVE])
    assert np.linalg.norm(five - REFERENCE_POINTS_MM, axis=1).max() < 3
    # No similarity fits the reference points better.
    scale, rotation, shift = fit_similarity(five, REFERENCE_POINTS_MM)
    assert scale == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(rotation, np.eye(3), atol=1e-5)
    np.testing.assert_allclose(shift, 0, atol=1e-3)
    chin, forehead, nose = points[152], points[10], points[4]
    assert -105 < chin[1] < -80
    assert 70 < forehead[1] < 100
    assert nose[2] > points[:, 2].max() - 2
    assert 130 < np.ptp(points[:, 0]) < 160
    assert 150 < len(head.stable) < 350
    assert not np.isin([152, 61, 291, 13, 14, 234, 454], head.stable).any()


@given(st.integers(0, 10_000), st.floats(0.01, 50))
@settings(max_examples=50, deadline=None)
def test_similarity_against_scipy(seed: int, scale: float) -> None:
    generator = np.random.default_rng(seed)
    source, noise = generator.normal(size=(20, 3)), 0.1 * generator.normal(size=(20, 3))
    turn = Rotation.random(random_state=seed)
    target = scale * (turn.apply(source) + noise) + generator.normal(size=3)
    found_scale, rotation, shift = fit_similarity(source, target)
    reference, _ = Rotation.align_vectors(target - target.mean(axis=0), source - source.mean(axis=0))
    np.testing.assert_allclose(rotation, reference.as_matrix(), atol=1e-8)
    # Best scale and shift for that rotation, by ordinary least squares.
    columns = np.column_stack([(source @ rotation.T).ravel(), np.tile(np.eye(3), (20, 1))])
    best = np.linalg.lstsq(columns, target.ravel(), rcond=None)[0]
    np.testing.assert_allclose([found_scale, *shift], best, rtol=1e-8, atol=1e-8)


def test_similarity_never_mirrors() -> None:
    points = np.random.default_rng(0).normal(size=(30, 3))
    _, rotation, _ = fit_similarity(points, points * [-1, 1, 1])
    assert np.linalg.det(rotation) == pytest.approx(1)


@given(st.floats(-70, 70), st.floats(-30, 30), st.floats(-179, 179), st.floats(-500, 500), st.booleans())
@settings(max_examples=60, deadline=None)
def test_known_poses_are_recovered(yaw: float, pitch: float, roll: float, depth: float, known: bool) -> None:
    pose = posed(yaw, pitch, roll)
    points = seen(pose)
    points[:, 2] = points[:, 2] + depth if known else np.nan
    found = fit_dense_pose(points)
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-3)
    assert found.scale_px_per_mm == pytest.approx(SCALE, rel=1e-3)
    assert found.translation_px == pytest.approx(pose.translation_px, abs=0.1)
    assert found.residual < 1e-3
    rolled = np.rad2deg([found.yaw, found.pitch, found.roll]) - [yaw, pitch, roll]
    np.testing.assert_allclose((rolled + 180) % 360 - 180, 0, atol=0.15)


@pytest.mark.parametrize("depth", ["true", "flattened", "unknown", "half unknown"])
@pytest.mark.parametrize(("spread_mm", "yaw_limit", "pitch_limit"), [(0.0, 3.0, 4.0), (3.0, 5.0, 6.0)])
def test_mean_error_with_noise(depth: str, spread_mm: float, yaw_limit: float, pitch_limit: float) -> None:
    generator = np.random.default_rng(0)
    dense, five = [], []
    for _ in range(50):
        pose = posed(*generator.uniform([-45, -20, -30], [45, 20, 30]))
        person = REFERENCE_POINTS_MM + spread_mm * generator.normal(size=(5, 3))
        fitted = fit_pose(pose.project(person)[0] + 1.5 * generator.normal(size=(5, 2)))
        five.append([fitted.yaw - pose.yaw, fitted.pitch - pose.pitch])
        head = mean_face().points_mm + spread_mm * generator.normal(size=(468, 3))
        points = seen(pose, head) + 1.5 * generator.normal(size=(468, 3))
        points[:, 2] *= 0.85 if depth == "flattened" else 1.0
        points[: {"unknown": 468, "half unknown": 234}.get(depth, 0), 2] = np.nan
        fitted = fit_dense_pose(points)
        dense.append([fitted.yaw - pose.yaw, fitted.pitch - pose.pitch])
    yaw_error, pitch_error = np.rad2deg(np.abs(dense).mean(axis=0))
    assert yaw_error <= yaw_limit
    assert pitch_error <= pitch_limit
    assert (np.abs(dense).mean(axis=0) < np.abs(five).mean(axis=0)).all()


def test_mean_error_for_people_who_differ_smoothly() -> None:
    """Neighbouring points differ alike, over about 3 cm, so that the number of points does not help."""
    generator = np.random.default_rng(0)
    head = mean_face().points_mm
    distances = np.linalg.norm(head[:, None] - head[None], axis=2)
    smooth = np.linalg.cholesky(np.exp(-0.5 * (distances / 30) ** 2) + 1e-6 * np.eye(468))
    errors = []
    for _ in range(50):
        pose = posed(*generator.uniform([-45, -20, -30], [45, 20, 30]))
        points = seen(pose, head + 3 * smooth @ generator.normal(size=(468, 3)))
        fitted = fit_dense_pose(points + 1.5 * generator.normal(size=(468, 3)))
        errors.append([fitted.yaw - pose.yaw, fitted.pitch - pose.pitch])
    yaw_error, pitch_error = np.rad2deg(np.abs(errors).mean(axis=0))
    assert yaw_error <= 5
    assert pitch_error <= 6


def test_an_open_mouth_does_not_nod() -> None:
    head = mean_face().points_mm.copy()
    head[:, 1] -= 35 * np.clip((-42 - head[:, 1]) / 15, 0, 1)
    pose = posed(20, 5, 0)
    found = fit_dense_pose(seen(pose, head))
    np.testing.assert_allclose(found.rotation, pose.rotation, atol=1e-3)


@given(st.floats(0.05, 20), st.floats(-3.1, 3.1), st.floats(-500, 500), st.integers(0, 1000))
@settings(max_examples=30, deadline=None)
def test_the_fit_follows_the_picture(factor: float, turn: float, shift: float, seed: int) -> None:
    points = seen(posed(25, -8, 0)) + np.random.default_rng(seed).normal(size=(468, 3))
    plain = fit_dense_pose(points)
    c, s = np.cos(turn), np.sin(turn)
    matrix = factor * np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    moved = fit_dense_pose(points @ matrix.T + shift)
    assert (moved.yaw, moved.pitch) == pytest.approx((plain.yaw, plain.pitch), abs=1e-4)
    assert (moved.roll - plain.roll - turn + np.pi) % (2 * np.pi) - np.pi == pytest.approx(0, abs=1e-4)
    assert moved.scale_px_per_mm == pytest.approx(factor * plain.scale_px_per_mm, rel=1e-5)
    expected = matrix[:2, :2] @ plain.translation_px + shift
    assert moved.translation_px == pytest.approx(tuple(expected), abs=0.01 * factor + 1e-6)
    assert moved.residual == pytest.approx(plain.residual, rel=1e-4)


def test_a_mirrored_picture_gives_the_mirrored_pose() -> None:
    points = seen(posed(30, 10, -15)) + np.random.default_rng(1).normal(size=(468, 3))
    plain = fit_dense_pose(points)
    flipped = fit_dense_pose(points[mean_face().mirror] * [-1, 1, 1])
    assert (flipped.yaw, flipped.pitch, flipped.roll) == pytest.approx(
        (-plain.yaw, plain.pitch, -plain.roll), abs=1e-4
    )


def test_the_residual_is_in_eye_distances() -> None:
    noise = 6.0 * np.random.default_rng(3).normal(size=(468, 3))
    found = fit_dense_pose(seen(posed(10, 0, 0)) + noise)
    # 6 px are a tenth of the 60 px eye distance, in each of two directions.
    assert found.residual == pytest.approx(0.1 * np.sqrt(2), rel=0.1)


@pytest.mark.parametrize(
    ("points", "match"),
    [
        (np.zeros((5, 2)), r"\(468, 3\)"),
        (np.zeros((468, 2)), r"\(468, 3\)"),
        (np.full((468, 3), np.nan), "finite"),
        (np.full((468, 3), 7.0), "coincide"),
    ],
)
def test_impossible_points(points: np.ndarray, match: str) -> None:
    with pytest.raises(PhotoError, match=match):
        fit_dense_pose(points)


@given(st.integers(0, 10_000))
@settings(max_examples=30, deadline=None)
def test_any_points_give_a_finite_pose(seed: int) -> None:
    generator = np.random.default_rng(seed)
    points = generator.uniform(0, 500, size=(468, 3))
    if seed % 3 == 0:
        points[:, 1] = 3.0  # on a line in the picture
    if seed % 2:
        points[:, 2] = np.nan
    found = fit_dense_pose(points)
    assert np.isfinite([found.yaw, found.pitch, found.roll, found.scale_px_per_mm, found.residual]).all()
    assert found.scale_px_per_mm > 0
