"""Ear loops and straps: where they hang, where they end, and that they lie as ribbons off the head."""

import numpy as np
import pytest

from advmask.masks.mask_building import build_mask
from advmask.masks.placement import Wear, place
from advmask.masks.pose import HeadPose
from advmask.masks.settings import MaskSettings
from advmask.masks.shipped import shipped_surface
from advmask.masks.straps import STRAPS, strands, strap_corners

NAMES = ["contour", "panelled", "pleated", "flatfold"]


@pytest.mark.parametrize("name", NAMES)
def test_corners_are_the_four_outer_ends_of_the_mask(name):
    vertices = shipped_surface(name).vertices_mm
    upper_left, lower_left, upper_right, lower_right = vertices[list(strap_corners(vertices))]
    half = np.abs(vertices[:, 0]).max()
    for corner, side in ((upper_left, -1), (lower_left, -1), (upper_right, 1), (lower_right, 1)):
        assert side * corner[0] > 0.85 * half
    assert upper_left[1] > lower_left[1] + 10
    assert upper_right[1] > lower_right[1] + 10
    np.testing.assert_allclose(upper_left * [-1, 1, 1], upper_right, atol=3.0)
    np.testing.assert_allclose(lower_left * [-1, 1, 1], lower_right, atol=3.0)


@pytest.mark.parametrize("name", NAMES)
def test_strands_run_from_the_corners_to_the_ears(name):
    vertices = shipped_surface(name).vertices_mm
    corners = vertices[list(strap_corners(vertices))]
    loops = strands(corners)
    ribbons = loops.vertices_mm.reshape(4, -1, 2, 3)
    middle = ribbons.mean(axis=2)
    np.testing.assert_allclose(np.linalg.norm(ribbons[:, :, 1] - ribbons[:, :, 0], axis=-1), 3.5, atol=1e-9)
    assert np.linalg.norm(middle[:, 0] - corners, axis=-1).max() < 1.01  # a millimetre above the cloth
    for number, ribbon in enumerate(middle):
        side = -1 if number < 2 else 1
        end = ribbon[-1]
        assert side * end[0] > 70
        assert end[2] < -15  # behind the cheek
        assert (end[1] > 10) == (number % 2 == 0)
        steps = np.linalg.norm(np.diff(ribbon, axis=0), axis=1)
        assert steps.max() < 10


@pytest.mark.parametrize(("kind", "width"), [("head_straps", 6.0), ("ties", 10.0)])
def test_straps_run_above_and_below_the_ear(kind, width):
    vertices = shipped_surface("flatfold").vertices_mm
    ribbons = strands(vertices[list(strap_corners(vertices))], STRAPS[kind]).vertices_mm.reshape(4, -1, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(ribbons[:, :, 1] - ribbons[:, :, 0], axis=-1), width, atol=1e-9)
    ear = STRAPS["ear_loops"].ends_mm
    for number, end in enumerate(ribbons.mean(axis=2)[:, -1]):
        upper = number % 2 == 0
        assert (end[1] > ear[0, 1] + 10) if upper else (end[1] < ear[1, 1] - 10)


def test_the_pattern_says_which_straps_a_placement_has():
    pose, counts = HeadPose(0.0, 0.0, 0.0, 1.0, (0.0, 0.0)), {}
    for straps in (None, "head_straps", "none"):
        placed = place(build_mask(MaskSettings(straps=straps)), pose)
        counts[straps] = int((~placed.is_cloth).sum())
        if straps == "head_straps":
            assert placed.points_px[:, 1].min() < -40  # up to the crown
    assert counts[None] > 10
    assert counts["head_straps"] > 10
    assert counts["none"] == 0
    assert place(shipped_surface("gaiter"), pose).is_cloth.all()


def test_strands_face_away_from_the_head():
    vertices = shipped_surface("contour").vertices_mm
    loops = strands(vertices[list(strap_corners(vertices))])
    np.testing.assert_allclose(np.linalg.norm(loops.normals, axis=1), 1, atol=1e-12)
    a, b, c = (loops.vertices_mm[loops.faces[:, corner]] for corner in range(3))
    outward = np.cross(b - a, c - a)
    assert (np.linalg.norm(outward, axis=1) > 0.5).all()
    assert ((outward * loops.normals[loops.faces[:, 0]]).sum(axis=1) > 0).all()
    assert (loops.normals[:, 0] * np.sign(loops.vertices_mm[:, 0]) > 0).mean() > 0.9


def test_left_and_right_strands_are_mirror_images():
    corners = np.array([[-70.0, 5, 0], [-60, -60, -5], [70, 5, 0], [60, -60, -5]])
    ribbons = strands(corners).vertices_mm.reshape(4, -1, 2, 3).mean(axis=2)
    np.testing.assert_allclose(ribbons[:2] * [-1, 1, 1], ribbons[2:], atol=1e-9)


@pytest.mark.parametrize("yaw", [0.0, 0.6])
def test_ear_loops_of_a_placement_are_no_cloth(yaw):
    surface = shipped_surface("contour")
    pose = HeadPose(yaw, 0.0, 0.0, 1.0, (0.0, 0.0))
    bare, looped = place(surface, pose, ear_loops=False), place(surface, pose)
    assert bare.is_cloth.all()
    count = len(surface.vertices_mm)
    np.testing.assert_array_equal(looped.faces[looped.is_cloth], bare.faces)
    assert (looped.faces[~looped.is_cloth] >= count).all()
    assert (~looped.is_cloth).sum() > 10
    np.testing.assert_array_equal(looped.points_px[:count], bare.points_px)
    assert (looped.uv_mm[count:] == 0).all()
    assert (looped.tangents[count:] == 0).all()


def test_loops_hang_on_the_worn_mask():
    surface, pose = shipped_surface("contour"), HeadPose(0.0, 0.0, 0.0, 1.0, (0.0, 0.0))
    count = len(surface.vertices_mm)
    ideal, low = place(surface, pose), place(surface, pose, wear=Wear(shift_mm=(0.0, -8.0)))
    ribbons, lower = (one.points_px[count:].reshape(4, -1, 2, 2).mean(axis=2) for one in (ideal, low))
    np.testing.assert_allclose(lower[:, 0] - ribbons[:, 0], np.tile([0.0, 8.0], (4, 1)), atol=1.5)
    np.testing.assert_allclose(lower[:, -1], ribbons[:, -1], atol=2.0)  # ears stay where they are
