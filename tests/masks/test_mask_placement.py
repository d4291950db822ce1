"""Placing a worn mask on a photo."""

import numpy as np
import pytest

from advmask.masks import HeadPose, Wear, lower_face_mask, place
from advmask.masks.surface import vertex_normals

POSE = HeadPose(yaw=0.3, pitch=-0.1, roll=0.2, scale_px_per_mm=0.8, translation_px=(90.0, 70.0))
FRONTAL = HeadPose(yaw=0.0, pitch=0.0, roll=0.0, scale_px_per_mm=0.8, translation_px=(90.0, 70.0))
MASK = lower_face_mask()


def test_the_ideal_place_is_the_projection_exactly():
    placement = place(MASK, POSE)
    points, depth = POSE.project(MASK.vertices_mm)
    assert (placement.points_px == points).all()
    assert (placement.depth_mm == depth).all()


def test_a_wear_of_nothing_changes_nothing():
    ideal, worn = place(MASK, POSE), place(MASK, POSE, wear=Wear())
    np.testing.assert_allclose(worn.points_px, ideal.points_px, atol=1e-11)
    np.testing.assert_allclose(worn.depth_mm, ideal.depth_mm, atol=1e-11)
    np.testing.assert_allclose(worn.normals, ideal.normals, atol=1e-12)
    assert (worn.faces == ideal.faces).all()


def test_texture_coordinates_start_at_the_corner_of_the_texture():
    uv = place(MASK, POSE).uv_mm
    np.testing.assert_allclose(uv.min(axis=0), [0, 0], atol=1e-12)
    np.testing.assert_allclose(uv.max(axis=0), MASK.size_mm, atol=1e-12)


def test_normals_turn_with_the_head():
    normals = place(MASK, POSE).normals
    np.testing.assert_allclose(normals, MASK.normals @ POSE.rotation.T)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1)


@pytest.mark.parametrize("shift", [(4.0, 0.0), (0.0, -6.0), (-3.0, 5.0)])
def test_shift_in_mm_moves_a_frontal_mask_by_its_scale(shift):
    ideal, worn = place(MASK, FRONTAL), place(MASK, FRONTAL, wear=Wear(shift_mm=shift))
    right, up = shift
    moved = worn.points_px - ideal.points_px
    np.testing.assert_allclose(moved, np.broadcast_to([0.8 * right, -0.8 * up], moved.shape), atol=1e-9)
    np.testing.assert_allclose(worn.depth_mm, ideal.depth_mm, atol=1e-9)


def test_shift_is_in_the_frame_of_the_head():
    moved = place(MASK, POSE, wear=Wear(shift_mm=(5.0, 0.0))).points_px - place(MASK, POSE).points_px
    right_of_head = POSE.rotation @ [5.0, 0.0, 0.0]
    np.testing.assert_allclose(
        moved, np.broadcast_to(0.8 * right_of_head[:2] * [1, -1], moved.shape), atol=1e-9
    )


def test_positive_tilt_is_clockwise_in_the_picture():
    ideal, worn = (place(MASK, FRONTAL, wear=wear).points_px for wear in (None, Wear(tilt_deg=7.0)))
    centre = ideal.mean(axis=0)
    angle = np.deg2rad(7.0)
    # In a frame with y down, this turns clockwise: (1, 0) goes to (cos, sin), to the right and down.
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    np.testing.assert_allclose(worn, (ideal - centre) @ turn.T + centre, atol=1e-9)


def test_scale_stretches_about_the_middle():
    ideal, worn = (place(MASK, FRONTAL, wear=wear).points_px for wear in (None, Wear(scale=1.1)))
    np.testing.assert_allclose(worn - worn.mean(axis=0), 1.1 * (ideal - ideal.mean(axis=0)), atol=1e-9)
    np.testing.assert_allclose(worn.mean(axis=0), ideal.mean(axis=0), atol=1e-9)


@pytest.mark.parametrize("wear", [Wear(tilt_deg=10.0), Wear(scale=1.15), Wear(tilt_deg=-8.0, scale=0.9)])
def test_normals_are_those_of_the_worn_surface(wear):
    worn = place(MASK, FRONTAL, wear=wear)
    vertices = np.column_stack([(worn.points_px - [90.0, 70.0]) * [1, -1] / 0.8, worn.depth_mm])
    expected = vertex_normals(vertices, MASK.faces)
    angle = np.rad2deg(np.arccos((expected * worn.normals).sum(axis=1).clip(-1, 1)))
    assert angle.max() < 2.0


@pytest.mark.parametrize("yaw", [-1.0, -0.5, 0.0, 0.5, 1.0])
def test_only_faces_turned_to_the_camera_are_kept(yaw):
    pose = HeadPose(yaw, 0.1, 0.4, 0.7, (50.0, 60.0))
    kept = {tuple(face) for face in place(MASK, pose).faces.tolist()}
    camera = MASK.vertices_mm @ pose.rotation.T
    for face in MASK.faces.tolist():
        a, b, c = camera[face]
        towards = np.cross(b - a, c - a)[2]
        if abs(towards) > 1e-9:
            assert (tuple(face) in kept) == (towards > 0)


def test_no_face_is_seen_from_the_front_and_from_behind():
    front, behind = (
        {tuple(face) for face in place(MASK, HeadPose(yaw, 0.0, 0.0, 1.0, (0.0, 0.0))).faces.tolist()}
        for yaw in (0.0, np.pi)
    )
    assert not front & behind
    assert len(front) + len(behind) == len(MASK.faces)
    assert len(behind) < 0.02 * len(MASK.faces)  # a few under the chin only
