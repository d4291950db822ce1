"""A mask that follows the person: exact where it must be, and never torn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.interpolate import RBFInterpolator
from scipy.spatial import Delaunay

from advmask.core.errors import PhotoError
from advmask.masks.dense_pose import fit_dense_pose, mean_face
from advmask.masks.follow_person import _linear_map, follow_person, follow_points
from advmask.masks.pose import HeadPose

POSE = HeadPose(0.5, -0.15, 0.2, scale_px_per_mm=0.9, translation_px=(110.0, 95.0))


def seen(head: np.ndarray, pose: HeadPose = POSE) -> np.ndarray:
    pixels, depth = pose.project(head)
    return np.column_stack([pixels, pose.scale_px_per_mm * depth + 123.0])


def cloth() -> tuple[np.ndarray, np.ndarray]:
    """A sheet over the lower face: a part of an ellipsoid, as vertices and faces."""
    across, down = np.meshgrid(np.linspace(-1.4, 1.4, 21), np.linspace(0.0, 1.0, 15))
    across, down = across.ravel(), down.ravel()
    vertices = np.stack(
        [74 * np.sin(across), 10 - 105 * down, 85 * np.cos(across) * np.cos(0.8 * down) - 10], axis=1
    )
    return vertices, Delaunay(np.stack([across, down], axis=1)).simplices


def opened(mm: float) -> np.ndarray:
    """The mean head with its jaw dropped."""
    head = mean_face().points_mm.copy()
    share = np.clip((-42 - head[:, 1]) / 15, 0, 1)
    head[:, 1] -= mm * share
    head[:, 2] -= 0.3 * mm * share
    return head


def test_the_points() -> None:
    points = follow_points()
    assert len(points) == len(set(points.tolist())) == 57
    np.testing.assert_array_equal(np.sort(mean_face().mirror[points]), np.sort(points))
    places = mean_face().points_mm[points]
    assert places[:, 1].max() < 35  # nothing above the eyes
    assert places[:, 1].min() < -85  # the chin


@pytest.mark.parametrize("known", [True, False])
def test_the_mean_head_moves_nothing(known: bool) -> None:
    points = seen(mean_face().points_mm)
    points[:, 2] = points[:, 2] if known else np.nan
    vertices, _ = cloth()
    np.testing.assert_allclose(follow_person(vertices, points, POSE), vertices, atol=1e-9)


def test_an_affine_difference_is_followed_exactly() -> None:
    # Sheared and widened by less than 8 mm anywhere, across the line of sight, so that all of it is believed.
    frontal = HeadPose(0.0, 0.0, 0.0, scale_px_per_mm=1.3, translation_px=(50.0, 60.0))
    shear = np.array([[1.05, 0.02, 0.0], [-0.03, 0.97, 0.0], [0.0, 0.0, 1.0]])
    moved = follow_person(cloth()[0], seen(mean_face().points_mm @ shear.T, frontal), frontal)
    np.testing.assert_allclose(moved, cloth()[0] @ shear.T, atol=1e-6)


def test_depth_is_believed_by_half() -> None:
    frontal = HeadPose(0.0, 0.0, 0.0, scale_px_per_mm=1.0, translation_px=(0.0, 0.0))
    head = mean_face().points_mm.copy()
    low = np.setdiff1d(np.arange(468), mean_face().stable)
    head[low, 2] += 6.0
    whole = follow_person(head[low], seen(head, frontal), frontal) - head[low]
    assert np.abs(whole[:, :2]).max() < 1e-9
    assert whole[number_of(low, 152), 2] == pytest.approx(3.0, abs=0.6)


def number_of(numbers: np.ndarray, wanted: int) -> int:
    return int(np.flatnonzero(numbers == wanted)[0])


def test_the_map_is_a_smoothing_spline() -> None:
    vertices, _ = cloth()
    centres = mean_face().points_mm[follow_points()]
    values = np.random.default_rng(0).normal(size=(57, 3))
    reference = RBFInterpolator(centres, values, smoothing=40.0, kernel="linear", degree=1)(vertices)
    np.testing.assert_allclose(_linear_map(vertices.tobytes()) @ values, reference, atol=1e-8)


def test_the_map_is_made_once() -> None:
    vertices, _ = cloth()
    _linear_map.cache_clear()
    for _ in range(3):
        follow_person(vertices.copy(), seen(opened(3)), POSE)
    assert _linear_map.cache_info().misses == 1


def test_a_longer_chin_is_followed() -> None:
    head = opened(7.0)
    pose = fit_dense_pose(seen(head))
    (chin,) = follow_person(mean_face().points_mm[[152]], seen(head), pose)
    assert np.linalg.norm(chin - head[152]) < 2.5


@pytest.mark.parametrize("yaw", [0.0, 0.7])
@pytest.mark.parametrize("mm", [20.0, 35.0, 80.0])
def test_a_wide_open_mouth_does_not_tear_the_mask(mm: float, yaw: float) -> None:
    pose = HeadPose(yaw, 0.1, 0.0, scale_px_per_mm=0.9, translation_px=(110.0, 95.0))
    vertices, faces = cloth()
    points = seen(opened(mm), pose)
    moved = follow_person(vertices, points, fit_dense_pose(points))
    assert np.linalg.norm(moved - vertices, axis=1).max() < 22
    normals = [
        np.cross(v[faces[:, 1]] - v[faces[:, 0]], v[faces[:, 2]] - v[faces[:, 0]]) for v in (vertices, moved)
    ]
    assert ((normals[0] * normals[1]).sum(axis=1) > 0).all()
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    length = [np.linalg.norm(v[ends[:, 0]] - v[ends[:, 1]], axis=1) for v in (vertices, moved)]
    assert (length[1] / length[0]).max() < 1.5
    assert (length[1] / length[0]).min() > 0.8


@given(st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_mirrored_people_give_mirrored_masks(seed: int) -> None:
    head = mean_face()
    person = head.points_mm + 3 * np.random.default_rng(seed).normal(size=(468, 3))
    frontal = HeadPose(0.0, 0.1, 0.0, scale_px_per_mm=1.0, translation_px=(0.0, 0.0))
    vertices, _ = cloth()
    moved = follow_person(vertices, seen(person, frontal), frontal)
    flipped = follow_person(vertices * [-1, 1, 1], seen(person[head.mirror] * [-1, 1, 1], frontal), frontal)
    np.testing.assert_allclose(flipped, moved * [-1, 1, 1], atol=1e-2)


def test_noise_is_damped() -> None:
    vertices, _ = cloth()
    points = seen(mean_face().points_mm) + 0.9 * 3 * np.random.default_rng(0).normal(size=(468, 3))
    moved = follow_person(vertices, points, POSE) - vertices
    assert np.sqrt((moved**2).sum(axis=1).mean()) < np.sqrt(3) * 3 * 0.7


@pytest.mark.parametrize("points", [np.zeros((5, 3)), np.zeros((468, 2)), np.full((468, 3), np.nan)])
def test_impossible_points(points: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="468 finite points"):
        follow_person(cloth()[0], points, POSE)
