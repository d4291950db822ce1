"""Placing a worn mask on a photo."""

from functools import partial

import numpy as np
import pytest

from advmask.masks.placement import Wear, place, worn_vertices
from advmask.masks.pose import HeadPose
from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import vertex_normals, vertex_tangents

POSE = HeadPose(yaw=0.3, pitch=-0.1, roll=0.2, scale_px_per_mm=0.8, translation_px=(90.0, 70.0))
FRONTAL = HeadPose(yaw=0.0, pitch=0.0, roll=0.0, scale_px_per_mm=0.8, translation_px=(90.0, 70.0))
MASK = shipped_surface("contour")
bare = partial(place, ear_loops=False)


def test_the_ideal_place_is_the_projection_exactly():
    placement = bare(MASK, POSE)
    points, depth = POSE.project(MASK.vertices_mm)
    assert (placement.points_px == points).all()
    assert (placement.depth_mm == depth).all()


def test_a_wear_of_nothing_changes_nothing():
    ideal, worn = bare(MASK, POSE), bare(MASK, POSE, wear=Wear())
    np.testing.assert_allclose(worn.points_px, ideal.points_px, atol=1e-11)
    np.testing.assert_allclose(worn.depth_mm, ideal.depth_mm, atol=1e-11)
    np.testing.assert_allclose(worn.normals, ideal.normals, atol=1e-12)
    assert (worn.faces == ideal.faces).all()


def test_texture_coordinates_start_at_the_corner_of_the_texture():
    uv = bare(MASK, POSE).uv_mm
    np.testing.assert_allclose(uv.min(axis=0), [0, 0], atol=1e-4)
    np.testing.assert_allclose(uv.max(axis=0), MASK.size_mm, atol=1e-4)


def test_normals_turn_with_the_head():
    normals = bare(MASK, POSE).normals
    expected = vertex_normals(MASK.vertices_mm, MASK.faces)
    np.testing.assert_allclose(normals, expected @ POSE.rotation.T, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)


@pytest.mark.parametrize("shift", [(4.0, 0.0), (0.0, -6.0), (-3.0, 5.0)])
def test_shift_in_mm_moves_a_frontal_mask_by_its_scale(shift):
    ideal, worn = bare(MASK, FRONTAL), bare(MASK, FRONTAL, wear=Wear(shift_mm=shift))
    right, up = shift
    moved = worn.points_px - ideal.points_px
    np.testing.assert_allclose(moved, np.broadcast_to([0.8 * right, -0.8 * up], moved.shape), atol=1e-9)
    np.testing.assert_allclose(worn.depth_mm, ideal.depth_mm, atol=1e-9)


def test_shift_is_in_the_frame_of_the_head():
    moved = bare(MASK, POSE, wear=Wear(shift_mm=(5.0, 0.0))).points_px - bare(MASK, POSE).points_px
    right_of_head = POSE.rotation @ [5.0, 0.0, 0.0]
    np.testing.assert_allclose(
        moved, np.broadcast_to(0.8 * right_of_head[:2] * [1, -1], moved.shape), atol=1e-9
    )


def test_positive_tilt_is_clockwise_in_the_picture():
    ideal, worn = (bare(MASK, FRONTAL, wear=wear).points_px for wear in (None, Wear(tilt_deg=7.0)))
    centre = ideal.mean(axis=0)
    angle = np.deg2rad(7.0)
    # In a frame with y down, this turns clockwise: (1, 0) goes to (cos, sin), to the right and down.
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(worn, (ideal - centre) @ turn.T + centre, atol=1e-9)


def test_scale_stretches_about_the_middle():
    ideal, worn = (bare(MASK, FRONTAL, wear=wear).points_px for wear in (None, Wear(scale=1.1)))
    np.testing.assert_allclose(worn - worn.mean(axis=0), 1.1 * (ideal - ideal.mean(axis=0)), atol=1e-9)
    np.testing.assert_allclose(worn.mean(axis=0), ideal.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("wear", [Wear(tilt_deg=10.0), Wear(scale=1.15), Wear(tilt_deg=-8.0, scale=0.9)])
def test_normals_are_those_of_the_worn_surface(wear):
    worn = bare(MASK, FRONTAL, wear=wear)
    vertices = np.column_stack([(worn.points_px - [90.0, 70.0]) * [1, -1] / 0.8, worn.depth_mm])
    expected = vertex_normals(vertices, MASK.faces)
    angle = np.rad2deg(np.arccos((expected * worn.normals).sum(axis=1).clip(-1, 1)))
    assert angle.max() < 2.0


@pytest.mark.parametrize("yaw", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_only_faces_turned_to_the_camera_are_kept(yaw):
    pose = HeadPose(yaw, 0.1, 0.4, 0.7, (50.0, 60.0))
    kept = {tuple(face) for face in bare(MASK, pose).faces.tolist()}
    camera = MASK.vertices_mm @ pose.rotation.T
    for face in MASK.faces.tolist():
        a, b, c = camera[face]
        towards = np.cross(b - a, c - a)[2]
        if abs(towards) > 1e-9:
            assert (tuple(face) in kept) == (towards > 0)


def test_no_face_is_seen_from_the_front_and_from_behind():
    front, behind = (
        {tuple(face) for face in bare(MASK, HeadPose(yaw, 0.0, 0.0, 1.0, (0.0, 0.0))).faces.tolist()}
        for yaw in (0.0, np.pi)
    )
    assert not front & behind
    assert len(front) + len(behind) == len(MASK.faces)
    assert len(behind) < 0.1 * len(MASK.faces)  # a few under the chin only


def test_tangents_turn_with_the_head():
    tangents = bare(MASK, POSE).tangents
    u, v = vertex_tangents(MASK.vertices_mm, MASK.uv_mm, MASK.faces)
    np.testing.assert_allclose(tangents[:, 0], u @ POSE.rotation.T, atol=1e-12)
    np.testing.assert_allclose(tangents[:, 1], v @ POSE.rotation.T, atol=1e-12)


def test_tangents_are_how_the_picture_changes_with_the_cloth():
    placement = bare(MASK, FRONTAL)
    for corners in MASK.faces[::97]:
        (p, q, r), (a, b, c) = MASK.uv_mm[corners], placement.points_px[corners]
        jacobian = np.stack([b - a, c - a], axis=1) @ np.linalg.inv(np.stack([q - p, r - p], axis=1))
        mean = placement.tangents[corners, :, :2].mean(axis=0).T * 0.8 * [[1.0], [-1.0]]
        np.testing.assert_allclose(mean, jacobian, atol=0.12)


def test_vertices_fitted_to_a_person_are_worn_in_place_of_the_surface_s():
    person = MASK.vertices_mm * [1.1, 0.95, 1.0] + [0.0, 2.0, 1.0]
    wear = Wear((2.0, -1.0), 5.0, 1.02)
    placement = bare(MASK, POSE, wear=wear, vertices_mm=person)
    points, depth = POSE.project(worn_vertices(person, wear))
    np.testing.assert_allclose(placement.points_px, points, atol=1e-9)
    np.testing.assert_allclose(placement.depth_mm, depth, atol=1e-9)
    np.testing.assert_array_equal(placement.uv_mm, bare(MASK, POSE).uv_mm)


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_every_shipped_mask_covers_nose_mouth_and_chin(name):
    placement = bare(shipped_surface(name), FRONTAL)
    low, high = placement.points_px.min(axis=0), placement.points_px.max(axis=0)
    for landmark in ([0.0, -6.9, 74.1], [-30.1, -39.7, 38.9], [30.1, -39.7, 38.9]):
        (point,), _ = FRONTAL.project(np.array([landmark]))
        assert (low < point).all()
        assert (point < high).all()
    assert placement.px_per_mm == 0.8
