"""The lower-face mask: its texture coordinates, symmetry, outline, size and orientation."""

import itertools

import numpy as np
import pytest

from advmask.masks import MaskSettings, build_mask, lower_face_mask
from advmask.masks.surface import MaskSurface, vertex_normals
from advmask.settings import Settings

ROWS, COLUMNS = 24, 31


@pytest.fixture(scope="module")
def mask() -> MaskSurface:
    return lower_face_mask(rows=ROWS, columns=COLUMNS)


def polyline_lengths(points: np.ndarray) -> np.ndarray:
    """Running length along (N, 3) points, by plain summation."""
    total, out = 0.0, [0.0]
    for before, after in itertools.pairwise(points):
        total += float(np.sqrt(((after - before) ** 2).sum()))
        out.append(total)
    return np.array(out)


def test_u_is_the_arc_length_along_the_row_from_the_midline():
    fine = lower_face_mask(rows=8, columns=1201)
    grid = fine.vertices_mm.reshape(8, 1201, 3)
    u = fine.uv_mm[:, 0].reshape(8, 1201)
    for row in range(8):
        walked = polyline_lengths(grid[row])
        np.testing.assert_allclose(u[row], walked - walked[600], atol=0.15)


def test_u_does_not_depend_on_how_finely_the_mask_is_cut(mask):
    fine = lower_face_mask(rows=ROWS, columns=601)
    coarse_u = mask.uv_mm[:, 0].reshape(ROWS, COLUMNS)
    fine_u = fine.uv_mm[:, 0].reshape(ROWS, 601)[:, ::20]
    np.testing.assert_allclose(coarse_u, fine_u, atol=1e-9)
    coarse = mask.vertices_mm.reshape(ROWS, COLUMNS, 3)
    np.testing.assert_allclose(coarse, fine.vertices_mm.reshape(ROWS, 601, 3)[:, ::20], atol=1e-9)


def test_v_is_the_length_along_the_midline_and_the_same_across_a_row(mask):
    v = mask.uv_mm[:, 1].reshape(ROWS, COLUMNS)
    middle = mask.vertices_mm.reshape(ROWS, COLUMNS, 3)[:, COLUMNS // 2]
    np.testing.assert_allclose(v[:, COLUMNS // 2], polyline_lengths(middle), atol=1e-9)
    assert np.ptp(v, axis=1).max() == 0


def test_the_surface_runs_through_the_rows_of_the_published_table(mask):
    # FACTS section 4: away from the rounded midline, edges stand where the table says.
    grid = lower_face_mask(rows=101, columns=31).vertices_mm.reshape(101, 31, 3)
    for s, xe, ye, ze in [(0.0, 72.5, 5, -8), (0.14, 73, -4, -9), (0.52, 70, -26, -11), (1.0, 63, -57, -11)]:
        np.testing.assert_allclose(grid[round(100 * s), -1], [xe, ye, ze], atol=1e-6)
        np.testing.assert_allclose(grid[round(100 * s), 0], [-xe, ye, ze], atol=1e-6)
    for s, ym, zm in [(0.0, 15.0, 66.0), (0.34, -30.0, 73.0), (0.80, -94.0, 46.0)]:
        middle = grid[round(100 * s), 15]
        assert abs(middle[0]) < 1e-9
        np.testing.assert_allclose(middle[1:], [ym, zm], atol=6)  # the crease is rounded


def test_left_and_right_are_mirror_images(mask):
    grid = mask.vertices_mm.reshape(ROWS, COLUMNS, 3)
    np.testing.assert_allclose(grid[:, ::-1] * [-1, 1, 1], grid, atol=1e-9)
    uv = mask.uv_mm.reshape(ROWS, COLUMNS, 2)
    np.testing.assert_allclose(uv[:, ::-1] * [-1, 1], uv, atol=1e-9)
    normals = mask.normals.reshape(ROWS, COLUMNS, 3)
    np.testing.assert_allclose(normals[:, ::-1] * [-1, 1, 1], normals, atol=1e-6)
    number = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    swapped = number[:, ::-1].ravel()
    triangles = {frozenset(face) for face in mask.faces.tolist()}
    assert {frozenset(swapped[list(face)].tolist()) for face in triangles} == triangles


def test_every_vertex_is_used_and_every_cell_is_two_triangles(mask):
    assert set(mask.faces.ravel()) == set(range(ROWS * COLUMNS))
    assert len(mask.faces) == 2 * (ROWS - 1) * (COLUMNS - 1)
    edges: dict[frozenset[int], list[tuple[int, int]]] = {}
    for a, b, c in mask.faces.tolist():
        for edge in ((a, b), (b, c), (c, a)):
            edges.setdefault(frozenset(edge), []).append(edge)
    border = [key for key, uses in edges.items() if len(uses) == 1]
    assert len(border) == 2 * (ROWS - 1) + 2 * (COLUMNS - 1)
    # An inner edge is walked once each way, so that all triangles turn the same way.
    assert all(uses[0] == uses[1][::-1] for uses in edges.values() if len(uses) == 2)
    assert max(len(uses) for uses in edges.values()) == 2


def test_outline_is_the_border_of_the_pattern_once_around(mask):
    outline = mask.outline_mm
    assert len(np.unique(outline, axis=0)) == len(outline) == 2 * (ROWS - 1) + 2 * (COLUMNS - 1)
    uv = mask.uv_mm.reshape(ROWS, COLUMNS, 2)
    border = np.concatenate([uv[0], uv[-1], uv[1:-1, 0], uv[1:-1, -1]])
    assert {tuple(point) for point in outline} == {tuple(point) for point in border}
    steps = np.linalg.norm(np.roll(outline, -1, axis=0) - outline, axis=1)
    assert steps.max() < 20  # closing included: no jump across the pattern


def test_outline_does_not_cross_itself(mask):
    start, end = mask.outline_mm, np.roll(mask.outline_mm, -1, axis=0)

    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    count = len(start)
    for i in range(count):
        for j in range(i + 2, count):
            if i == 0 and j == count - 1:
                continue
            p, q, r, s = start[i], end[i], start[j], end[j]
            crossing = side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0
            assert not crossing, (i, j)


def test_outline_encloses_the_whole_pattern(mask):
    x, y = mask.outline_mm.T
    shoelace = 0.5 * abs(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))
    a, b, c = (mask.uv_mm[mask.faces[:, corner]] for corner in range(3))
    triangles = 0.5 * np.abs((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]).sum()
    assert shoelace == pytest.approx(triangles, rel=1e-9)


def test_texture_rectangle(mask):
    assert mask.size_mm == pytest.approx((233, 152), abs=1)
    assert mask.origin_mm == pytest.approx((-mask.size_mm[0] / 2, 0), abs=1e-9)
    inside = mask.uv_mm - mask.origin_mm
    assert inside.min() >= 0
    assert (inside <= np.add(mask.size_mm, 1e-9)).all()
    height, width = mask.texture_size(3.0)
    assert (height, width) == (round(3 * mask.size_mm[1]), round(3 * mask.size_mm[0]))


def test_normals_are_unit_and_point_away_from_the_face(mask):
    np.testing.assert_allclose(np.linalg.norm(mask.normals, axis=1), 1, atol=1e-12)
    grid, normals = mask.vertices_mm.reshape(ROWS, COLUMNS, 3), mask.normals.reshape(ROWS, COLUMNS, 3)
    axis = np.stack([np.zeros(ROWS), grid[:, COLUMNS // 2, 1], np.full(ROWS, -11.0)], axis=1)
    from_axis = (grid - axis[:, None]) * [1, 0, 1]  # away from a vertical line inside the head
    assert ((from_axis * normals).sum(axis=-1) > 0).all()
    assert (normals[: ROWS // 2, COLUMNS // 2, 2] > 0.5).all()
    assert (normals[:, 0, 0] < 0).all()
    assert (normals[:, -1, 0] > 0).all()


def test_no_triangle_is_degenerate_in_space_or_on_the_pattern(mask):
    a, b, c = (mask.vertices_mm[mask.faces[:, corner]] for corner in range(3))
    area = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    assert area.min() > 0.5
    a, b, c = (mask.uv_mm[mask.faces[:, corner]] for corner in range(3))
    signed = 0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0])
    # Counter-clockwise from outside is negative where v points down; one sign only: nothing folds over.
    assert (signed < -0.5).all()


def test_vertex_normals_of_a_sphere_point_outward():
    generator = np.random.default_rng(0)
    from scipy.spatial import ConvexHull

    points = generator.normal(size=(600, 3))
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    faces = ConvexHull(points).simplices.astype(np.int64)
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    inward = (np.cross(b - a, c - a) * a).sum(axis=1) < 0
    faces[inward] = faces[inward][:, ::-1]
    assert (vertex_normals(points, faces) * points).sum(axis=1).min() > 0.97


@pytest.mark.parametrize(("rows", "columns"), [(7, 31), (24, 30), (24, 3), (0, 0)])
def test_unusable_grids_are_refused(rows, columns):
    with pytest.raises(ValueError, match="rows must be >= 8"):
        lower_face_mask(rows=rows, columns=columns)


def test_settings_name_the_mask():
    assert isinstance(MaskSettings(), Settings)
    assert build_mask(MaskSettings()).name == "lower_face"
