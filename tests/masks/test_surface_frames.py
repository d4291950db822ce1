"""Normals and tangents of meshes, against surfaces whose normals and tangents can be written down."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import vertex_normals, vertex_tangents

NAMES = ["contour", "panelled", "pleated", "flatfold", "gaiter"]


def grid_faces(rows: int, columns: int) -> np.ndarray:
    """Counter-clockwise from outside for columns to the right and rows downwards."""
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (v.ravel() for v in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    return np.concatenate([np.stack([a, c, b], 1), np.stack([d, b, c], 1)])


def cylinder(radius: float = 60.0) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vertices, cloth coordinates, faces and angles of a cylinder around the y axis."""
    angle, v = np.meshgrid(np.linspace(-1.2, 1.2, 81), np.linspace(0, 40, 6))
    vertices = np.stack([radius * np.sin(angle), -v, radius * np.cos(angle)], axis=-1).reshape(-1, 3)
    uv = np.stack([radius * angle, v], axis=-1).reshape(-1, 2)
    return vertices, uv, grid_faces(6, 81), angle.ravel()


def test_normals_of_a_sphere_point_outward():
    points = np.random.default_rng(0).normal(size=(600, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    inward = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    assert (vertex_normals(points, faces) * points).sum(axis=1).min() > 0.97


def test_normals_and_tangents_of_a_cylinder():
    vertices, uv, faces, angle = cylinder()
    normals = vertex_normals(vertices, faces)
    inner = (np.abs(angle) < 1.19)[:, None]
    expected = np.stack([np.sin(angle), np.zeros_like(angle), np.cos(angle)], axis=1)
    np.testing.assert_allclose(normals * inner, expected * inner, atol=8e-3)
    along_u, along_v = vertex_tangents(vertices, uv, faces)
    expected = np.stack([np.cos(angle), np.zeros_like(angle), -np.sin(angle)], axis=1)
    np.testing.assert_allclose(along_u * inner, expected * inner, atol=8e-3)
    np.testing.assert_allclose(along_v, np.tile([0.0, -1.0, 0.0], (len(uv), 1)), atol=1e-9)


def test_tangents_tell_how_much_the_cloth_is_stretched():
    vertices, uv, faces, _ = cylinder()
    once, _ = vertex_tangents(vertices, uv, faces)
    twice, down = vertex_tangents(vertices * [2.0, 2.0, 2.0], uv * [1.0, 2.0], faces)
    np.testing.assert_allclose(twice, 2 * once, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(down, axis=1), 1, atol=1e-9)


def test_a_seam_with_doubled_vertices_has_one_normal_and_its_own_tangents():
    vertices = np.array(
        [[-1.0, 1, 0], [-1, -1, 0], [0, 1, 1], [0, -1, 1], [0, 1, 1], [0, -1, 1], [1, 1, 0], [1, -1, 0]]
    )
    uv = np.array([[0.0, 0], [0, 2], [1.4, 0], [1.4, 2], [9, 0], [9, 2], [10.4, 0], [10.4, 2]])
    faces = np.array([[0, 1, 2], [3, 2, 1], [4, 5, 6], [7, 6, 5]])
    normals = vertex_normals(vertices, faces)
    np.testing.assert_array_equal(normals[2:4], normals[4:6])
    assert (normals[2:4, 2] > 0.9).all()  # between the two slopes
    along_u, _ = vertex_tangents(vertices, uv, faces)
    assert (along_u[:4, 2] > 0).all()  # rising to the seam
    assert (along_u[4:, 2] < 0).all()


def test_triangles_without_area_on_the_pattern_are_left_out():
    vertices, uv, faces, _ = cylinder()
    flat = np.concatenate([faces, [[0, 0, 1], [5, 6, 6]]])
    for one, other in zip(
        vertex_tangents(vertices, uv, faces), vertex_tangents(vertices, uv, flat), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    lonely = np.concatenate([vertices, [[1.0, 2.0, 3.0]]])
    more = np.concatenate([uv, [[0.0, 0.0]]])
    assert np.isfinite(vertex_tangents(lonely, more, faces)).all()
    assert np.isfinite(vertex_normals(lonely, faces)).all()


@pytest.mark.parametrize("name", NAMES)
def test_frames_of_the_masks_are_sound(name):
    surface = shipped_surface(name)
    normals = vertex_normals(surface.vertices_mm, surface.faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-9)
    from_axis = (surface.vertices_mm - [0.0, 0.0, -11.0]) * [1.0, 0.0, 1.0]
    assert ((from_axis * normals).sum(axis=1) > 0).mean() > 0.97  # away from a line inside the head
    along_u, along_v = vertex_tangents(surface.vertices_mm, surface.uv_mm, surface.faces)
    stretch = np.linalg.norm(along_u, axis=1), np.linalg.norm(along_v, axis=1)
    for one in stretch:  # cloth: a millimetre of pattern is about a millimetre on the face
        assert 0.85 < np.median(one) < 1.15
    # u, v and the normal make a left-handed frame, since v points down.
    handed = (np.cross(along_u, along_v) * normals).sum(axis=1)
    assert (handed < 0).mean() > 0.98
