"""The surfaces that ship: outlines, orientation, symmetry, stretch, sizes, and their files."""

import dataclasses

import numpy as np
import pytest
import shapely
from scipy.spatial import cKDTree

from advmask.core.errors import ConfigError
from advmask.masks.digest import surface_digest
from advmask.masks.mask_building import build_mask
from advmask.masks.pattern_files import load_surface, save_surface
from advmask.masks.settings import SHIPPED, SIZES, MaskSettings
from advmask.masks.shipped import shipped_surface
from advmask.masks.stretch import edge_stretch
from advmask.masks.surface import MaskSurface, vertex_normals, vertex_tangents

ALL = (*SHIPPED, "cloth")


@pytest.fixture(params=ALL)
def surface(request: pytest.FixtureRequest) -> MaskSurface:
    return shipped_surface(request.param)


def signed_areas(points: np.ndarray, faces: np.ndarray) -> np.ndarray:
    (ax, ay), (bx, by), (cx, cy) = (points[faces[:, corner]].T for corner in range(3))
    return 0.5 * ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax))


def test_outlines_are_simple_and_apart(surface):
    polygons = [shapely.Polygon(panel.outline_mm) for panel in surface.pattern.panels]
    assert all(polygon.is_valid for polygon in polygons)
    cut = [shapely.Polygon(panel.cut_mm()) for panel in surface.pattern.panels]
    assert shapely.union_all(cut).area == pytest.approx(sum(one.area for one in cut))
    for panel, polygon in zip(surface.pattern.panels, polygons, strict=True):
        assert shapely.Polygon(panel.safe_mm()).within(polygon)
        assert shapely.Polygon(panel.cut_mm()).buffer(1e-6).contains(polygon)


def test_the_mesh_lies_on_the_panels_once(surface):
    triangles = shapely.polygons(surface.uv_mm[surface.faces])
    union = shapely.union_all(triangles, grid_size=1e-5)
    panels = shapely.union_all([shapely.Polygon(panel.outline_mm) for panel in surface.pattern.panels])
    assert union.area == pytest.approx(shapely.area(triangles).sum(), rel=1e-4)
    assert union.difference(panels.buffer(0.01)).area < 1e-6
    if surface.name != "pleated":  # whose pleats hide cloth
        assert union.area == pytest.approx(panels.area, rel=1e-4)


def test_faces_turn_counter_clockwise_seen_from_outside(surface):
    # Counter-clockwise from outside is negative where v points down; one sign only: nothing folds over.
    assert (signed_areas(surface.uv_mm, surface.faces) < 0).all()
    normals = vertex_normals(surface.vertices_mm, surface.faces)
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1, atol=1e-9)
    from_axis = (surface.vertices_mm - [0.0, -40.0, -10.0]) * normals
    assert (from_axis.sum(axis=1) > 0).mean() > 0.995
    x, y, z = surface.vertices_mm.T
    in_front = (np.abs(x) < 10) & (y > -60) & (z > 0)  # a tube has a back too
    assert (normals[in_front, 2] > 0.3).all()


def test_v_grows_downwards_and_u_to_the_right(surface):
    by_u, by_v = vertex_tangents(surface.vertices_mm, surface.uv_mm, surface.faces)
    x, y, z = surface.vertices_mm.T
    middle = (np.abs(x) < 20) & (y > -60) & (z > 0)
    assert (by_u[middle, 0] > 0.3).all()
    assert (by_v[middle, 1] < 0).mean() > 0.95


@pytest.mark.parametrize("name", ["contour", "pleated", "gaiter", "cloth"])
def test_one_piece_patterns_are_symmetric(name):
    surface = shipped_surface(name)
    mirrored = {tuple(row) for row in (np.rint(surface.uv_mm * [-1, 1] * 100)).astype(int).tolist()}
    near = [tuple(row) in mirrored for row in np.rint(surface.uv_mm * 100).astype(int).tolist()]
    assert np.mean(near) > 0.9  # the others are off by the rounding
    assert surface.pattern.box_mm[0] == pytest.approx(-surface.pattern.box_mm[2], abs=0.01)


@pytest.mark.parametrize("name", ["panelled", "flatfold"])
def test_the_halves_of_a_mask_are_mirror_images(name):
    surface = shipped_surface(name)
    half = len(surface.uv_mm) // 2
    np.testing.assert_allclose(surface.uv_mm[:half] * [-1, 1], surface.uv_mm[half:], atol=1e-3)
    np.testing.assert_allclose(surface.vertices_mm[:half] * [-1, 1, 1], surface.vertices_mm[half:], atol=1e-3)


@pytest.mark.parametrize(
    ("name", "seam"), [("panelled", "centre"), ("flatfold", "centre"), ("gaiter", "back")]
)
def test_the_seam_closes_when_worn(name, seam):
    surface = shipped_surface(name)
    seams = {line.name: line.points_mm for line in surface.pattern.lines}
    left, right = seams[f"{seam} seam, left"], seams[f"{seam} seam, right"]
    distance, nearest = cKDTree(surface.uv_mm).query(np.stack([left, right]))
    assert distance.max() < 1e-3
    one, other = surface.vertices_mm[nearest]
    assert np.linalg.norm(one - other, axis=1).max() < 0.01


@pytest.mark.parametrize("name", ["contour", "panelled", "flatfold", "gaiter"])
def test_cloth_hardly_stretches(name):
    stretch = edge_stretch(shipped_surface(name))
    assert stretch.within >= 0.95
    assert 0.97 <= stretch.percentiles[2] <= 1.05


def test_stretch_of_a_sheet_worn_larger_than_it_is():
    flat = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0], [10.0, 10.0]])
    worn = np.concatenate([flat * [1.1, -1.3], np.zeros((4, 1))], axis=1)
    sheet = dataclasses.replace(
        shipped_surface("cloth"), vertices_mm=worn, uv_mm=flat, faces=np.array([[0, 2, 1], [1, 2, 3]])
    )
    stretch = edge_stretch(sheet)
    assert stretch.within == 0.0
    assert stretch.percentiles[0] == pytest.approx(1.1)
    assert stretch.percentiles[4] == pytest.approx(1.3)


def test_texture_rectangle(surface):
    width, height = surface.size_mm
    assert surface.texture_size(3.0) == (round(3 * height), round(3 * width))
    inside = surface.uv_mm - surface.origin_mm
    assert inside.min() >= -1e-3
    assert (inside <= np.add((width, height), 1e-3)).all()
    outlines = np.concatenate([panel.outline_mm for panel in surface.pattern.panels])
    assert (outlines - surface.origin_mm).min() == 0


@pytest.mark.parametrize("size", SIZES)
def test_sizes_grade_the_pattern_and_not_the_head(size):
    medium, other = build_mask(MaskSettings()), build_mask(MaskSettings(size=size))
    np.testing.assert_allclose(other.uv_mm, medium.uv_mm * SIZES[size])
    np.testing.assert_allclose(other.size_mm, np.multiply(medium.size_mm, SIZES[size]))
    np.testing.assert_array_equal(other.vertices_mm, medium.vertices_mm)
    assert other.pattern.size == size
    assert [panel.allowance_mm for panel in other.pattern.panels] == [
        panel.allowance_mm for panel in medium.pattern.panels
    ]


def test_a_surface_survives_its_file(surface, tmp_path):
    save_surface(tmp_path / "s.npz", surface)
    again = load_surface(tmp_path / "s.npz")
    assert surface_digest(again) == surface_digest(surface)
    np.testing.assert_array_equal(again.faces, surface.faces)


def test_the_digest_sees_every_part():
    surface = shipped_surface("contour")
    parts = {surface_digest(surface)}
    moved = surface.uv_mm.copy()
    moved[5, 0] += 1e-6
    parts.add(surface_digest(dataclasses.replace(surface, uv_mm=moved)))
    parts.add(surface_digest(dataclasses.replace(surface, relief=surface.relief[1:])))
    parts.add(surface_digest(dataclasses.replace(surface, faces=surface.faces[::-1])))
    pattern = dataclasses.replace(surface.pattern, lines=())
    parts.add(surface_digest(dataclasses.replace(surface, pattern=pattern)))
    pattern = dataclasses.replace(surface.pattern, straps="ties")
    parts.add(surface_digest(dataclasses.replace(surface, pattern=pattern)))
    assert len(parts) == 6
    assert surface_digest(dataclasses.replace(surface, uv_mm=surface.uv_mm.copy())) in parts


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


def test_settings_name_the_mask():
    assert build_mask(MaskSettings()).name == "contour"
    assert build_mask(MaskSettings(pattern="pleated")).name == "pleated"
    assert build_mask(MaskSettings(pattern="gaiter")).pattern.straps == "none"
    assert build_mask(MaskSettings(size="S", straps="ties")).pattern.straps == "ties"


@pytest.mark.parametrize("pattern", ["lower_face", "", "cloth", "mine.png", "~nobody-of-that-name/x"])
def test_unknown_patterns_are_refused(pattern):
    with pytest.raises(
        ConfigError, match=r"contour, panelled, pleated, flatfold, gaiter, or the path of an \.svg .* \.obj"
    ):
        build_mask(MaskSettings(pattern=pattern))


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"There is no file .*gone\.svg"):
        build_mask(MaskSettings(pattern=str(tmp_path / "gone.svg")))
