"""The rasteriser against a slow oracle in plain Python, pixel by pixel."""

from fractions import Fraction

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import binary_fill_holes
from supersampled_reference import worn

from advmask.render.rasterise import Fragments, rasterise


def draw(points, depth, faces, *, height, width) -> Fragments:
    return rasterise(
        torch.as_tensor(np.asarray(points, dtype=np.float64)).reshape(-1, 2),
        torch.as_tensor(np.asarray(depth, dtype=np.float64)),
        torch.as_tensor(np.asarray(faces, dtype=np.int64)).reshape(-1, 3),
        height=height,
        width=width,
    )


def candidates(points, depth, faces, x, y, number=float):
    """(depth, face, weights) of all triangles that hold the centre of pixel (x, y), borders included."""
    found = []
    half = number(1) / 2
    px, py = number(x) + half, number(y) + half
    for index, face in enumerate(faces):
        (ax, ay), (bx, by), (cx, cy) = ([number(v) for v in points[corner]] for corner in face)
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        wa = ((bx - px) * (cy - py) - (by - py) * (cx - px)) / area
        wb = ((cx - px) * (ay - py) - (cy - py) * (ax - px)) / area
        wc = 1 - wa - wb
        if wa >= 0 and wb >= 0 and wc >= 0:
            z = sum(w * number(depth[corner]) for w, corner in zip((wa, wb, wc), face, strict=True))
            found.append((z, index, (wa, wb, wc)))
    return found


def assert_equals_oracle(points, depth, faces, *, height, width, number, slack=0.0):
    """Every pixel: covered or not, face, weights. Ties within `slack` may go to any of the tied faces."""
    fragments = draw(points, depth, faces, height=height, width=width)
    drawn = {
        int(pixel): (int(face), weights)
        for pixel, face, weights in zip(
            fragments.pixel, fragments.face, fragments.barycentric.numpy(), strict=True
        )
    }
    assert len(drawn) == len(fragments.pixel)  # one entry a pixel
    assert (fragments.pixel.diff() > 0).all()  # in row order
    for y in range(height):
        for x in range(width):
            found = candidates(points, depth, faces, x, y, number)
            if not found:
                assert y * width + x not in drawn, (x, y)
                continue
            nearest = max(z for z, _, _ in found)
            face, weights = drawn[y * width + x]
            tied = {index: w for z, index, w in found if nearest - z <= slack}
            assert face in tied, (x, y, face, tied)
            np.testing.assert_allclose(weights, [float(w) for w in tied[face]], atol=1e-9)


def brute_force(points, depth, faces, *, height, width):
    """Nearest face (-1: none) and its depth at all centres, every face tried on every pixel."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    nearest, face_at = np.full((height, width), -np.inf), np.full((height, width), -1)
    for index, corners in enumerate(faces):
        (ax, ay), (bx, by), (cx, cy) = points[corners]
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        if area == 0:
            continue
        wa = ((bx - x) * (cy - y) - (by - y) * (cx - x)) / area
        wb = ((cx - x) * (ay - y) - (cy - y) * (ax - x)) / area
        z = wa * depth[corners[0]] + wb * depth[corners[1]] + (1 - wa - wb) * depth[corners[2]]
        front = (wa >= 0) & (wb >= 0) & (wa + wb <= 1) & (z > nearest)
        nearest[front], face_at[front] = z[front], index
    return face_at, nearest


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_random_soups_of_overlapping_triangles(seed):
    generator = np.random.default_rng(seed)
    points = generator.uniform(-6, 22, size=(24, 2))
    depth = generator.normal(size=24)
    faces = generator.integers(0, 24, size=(14, 3))  # repeated corners make some degenerate
    assert_equals_oracle(points, depth, faces, height=13, width=16, number=float, slack=1e-9)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=12, deadline=None)
def test_corners_and_edges_on_pixel_centres_in_exact_arithmetic(seed):
    # Corners on a grid of half pixels: centres often fall on edges and corners, and the oracle is exact.
    generator = np.random.default_rng(seed)
    points = generator.integers(-4, 24, size=(20, 2)) / 2
    depth = generator.integers(-8, 8, size=20).astype(float)
    faces = generator.integers(0, 20, size=(12, 3))
    assert_equals_oracle(points, depth, faces, height=9, width=11, number=Fraction, slack=Fraction(1, 10**9))


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
@pytest.mark.parametrize(("yaw", "pitch", "roll"), [(0, 0, 0), (35, 10, 0), (-50, -15, 20)])
def test_the_masks_at_several_poses(name, yaw, pitch, roll):
    placement = worn(48, name=name, yaw=yaw, pitch=pitch, roll=roll)
    points, depth, faces = placement.points_px, placement.depth_mm, placement.faces
    drawn = draw(points, depth, faces, height=48, width=48)
    face_at, nearest = brute_force(points, depth, faces, height=48, width=48)
    found = np.full((48, 48), -1)
    found.ravel()[drawn.pixel.numpy()] = drawn.face.numpy()
    np.testing.assert_array_equal(found >= 0, face_at >= 0)
    assert (found >= 0).sum() > 300
    z = (drawn.barycentric.numpy() * depth[faces[drawn.face.numpy()]]).sum(axis=1)
    np.testing.assert_allclose(z, nearest.ravel()[drawn.pixel.numpy()], atol=1e-9)
    assert (found != face_at).sum() <= 0.01 * 48**2  # only where two faces are equally near


def test_a_fan_around_pixel_centres_is_watertight():
    generator = np.random.default_rng(1)
    for _ in range(40):
        hub = generator.integers(4, 12, size=2) + 0.5  # exactly a pixel centre
        angles = np.sort(generator.uniform(0, 2 * np.pi, size=9))
        rim = hub + 400 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
        if np.diff(np.append(angles, angles[0] + 2 * np.pi)).max() > 2.8:
            continue
        points = np.concatenate([hub[None], rim])
        faces = [[0, 1 + k, 1 + (k + 1) % 9] for k in range(9)]
        assert len(draw(points, np.zeros(10), faces, height=16, width=16).pixel) == 256


@pytest.mark.parametrize("seed", range(4))
def test_a_crumpled_grid_over_the_whole_picture_leaves_no_gap(seed):
    generator = np.random.default_rng(seed)
    lines = np.linspace(-3, 35, 20)
    grid = np.stack(np.meshgrid(lines, lines), axis=-1)
    grid[1:-1, 1:-1] += generator.uniform(-0.45, 0.45, size=(18, 18, 2))
    if seed % 2:
        grid = np.round(grid * 2) / 2  # shared edges and corners through pixel centres
    number = np.arange(400).reshape(20, 20)
    a, b, c, d = (v.ravel() for v in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([d, c, b], 1)])
    faces = faces[generator.permutation(len(faces))]
    drawn = draw(grid.reshape(-1, 2), generator.normal(size=400), faces, height=32, width=32)
    assert drawn.pixel.tolist() == list(range(32 * 32))


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
@pytest.mark.parametrize("yaw", [-45, 0, 20])
def test_a_mask_has_no_holes(name, yaw):
    placement = worn(224, name=name, yaw=yaw)
    drawn = draw(placement.points_px, placement.depth_mm, placement.faces, height=224, width=224)
    covered = np.zeros(224 * 224, dtype=bool)
    covered[drawn.pixel.numpy()] = True
    covered = covered.reshape(224, 224)
    assert covered.sum() > 4000
    assert (binary_fill_holes(covered) == covered).all()


def test_equally_near_triangles_go_to_the_smallest_number():
    points, faces = [[0, 0], [8, 0], [0, 8]], [[0, 1, 2], [0, 1, 2], [2, 1, 0]]
    assert set(draw(points, [1, 1, 1], faces, height=8, width=8).face.tolist()) == {0}


def test_larger_depth_is_nearer():
    points = [[0, 0], [16, 0], [0, 16]] * 2
    drawn = draw(points, [1, 1, 1, 2, 2, 2], [[0, 1, 2], [3, 4, 5]], height=8, width=8)
    assert set(drawn.face.tolist()) == {1}


def test_both_turning_senses_cover_the_same_pixels():
    points = np.array([[0.3, 0.2], [9.1, 1.7], [2.2, 8.8]])
    one = draw(points, [0, 1, 2], [[0, 1, 2]], height=10, width=10)
    other = draw(points, [0, 1, 2], [[0, 2, 1]], height=10, width=10)
    assert one.pixel.tolist() == other.pixel.tolist()
    np.testing.assert_allclose(one.barycentric.numpy(), other.barycentric.numpy()[:, [0, 2, 1]], atol=1e-12)


@pytest.mark.parametrize("shift", [(100, 0), (-100, 0), (0, 100), (0, -100), (1e9, 1e9)])
def test_triangles_outside_the_picture_draw_nothing(shift):
    points = np.array([[1.0, 1.0], [9.0, 1.0], [1.0, 9.0]]) + shift
    assert len(draw(points, [0, 0, 0], [[0, 1, 2]], height=10, width=10).pixel) == 0


def test_a_triangle_larger_than_the_picture_fills_it():
    points = [[-500, -500], [1500, -500], [-500, 1500]]
    drawn = draw(points, [0, 0, 0], [[0, 1, 2]], height=5, width=7)
    assert drawn.pixel.tolist() == list(range(35))


@pytest.mark.parametrize(
    "points",
    [
        [[2.5, 2.5]] * 3,  # a point on a centre
        [[0.5, 0.5], [3.5, 3.5], [7.5, 7.5]],  # a line through centres
        [[0.5, 2.5], [7.5, 2.5], [3.5, 2.5]],
    ],
)
def test_triangles_without_area_draw_nothing(points):
    assert len(draw(points, [0, 0, 0], [[0, 1, 2]], height=10, width=10).pixel) == 0


@given(
    st.lists(st.tuples(st.integers(-3, 10), st.integers(-3, 10)), min_size=3, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.integers(0, 11)), min_size=1, max_size=8),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=40, deadline=None)
def test_whole_number_corners_with_ties_and_degenerate_triangles(corners, triangles, seed):
    points = np.array(corners, dtype=float) + 0.5  # every corner on a pixel centre
    faces = np.array(triangles) % len(points)
    depth = np.random.default_rng(seed).integers(0, 3, size=len(points)).astype(float)
    assert_equals_oracle(points, depth, faces, height=7, width=8, number=Fraction, slack=Fraction(1, 10**9))


@pytest.mark.parametrize("scale", [1e3, 1e5])
def test_triangles_far_larger_than_the_picture_agree_too(scale):
    generator = np.random.default_rng(int(scale))
    points = generator.normal(size=(30, 2)) * scale
    faces = generator.integers(0, 30, size=(20, 3))
    depth = generator.normal(size=30)
    drawn = draw(points, depth, faces, height=40, width=30)
    face_at, _ = brute_force(points, depth, faces, height=40, width=30)
    found = np.full((40, 30), -1)
    found.ravel()[drawn.pixel.numpy()] = drawn.face.numpy()
    np.testing.assert_array_equal(found, face_at)


def test_no_triangles_and_no_hits_give_empty_fragments():
    for faces in ([], [[0, 1, 2]]):
        drawn = draw([[3.6, 3.6], [3.9, 3.6], [3.6, 3.9]], [0, 0, 0], faces, height=8, width=8)
        assert drawn.pixel.shape == drawn.face.shape == (0,)
        assert drawn.barycentric.shape == (0, 3)


def test_a_centre_within_rounding_of_a_shared_edge_is_never_missed():
    generator = np.random.default_rng(0)
    count, side = 4000, 64
    x, y = np.arange(count) % side, np.arange(count) // side
    centre = np.stack([x, y], axis=1) + 0.5
    angle = generator.uniform(0, 2 * np.pi, size=count)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    across = along[:, ::-1] * [-1, 1]
    forth, back = generator.uniform(0.1, 0.4, size=(2, count, 1))
    # Two triangles share the edge 0-1, which runs through the centre but for rounding.
    points = np.stack([centre + forth * along, centre - back * along, centre + across, centre - across], 1)
    points = points.reshape(-1, 2)
    first = 4 * np.arange(count)
    faces = np.concatenate(
        [np.stack([first, first + 1, first + 2], 1), np.stack([first + 1, first, first + 3], 1)]
    )
    for index in range(0, count, 4):  # a few at a time, so that no neighbour covers for another
        pair = faces[[index, index + count]]
        drawn = draw(points, np.zeros(len(points)), pair, height=side, width=side)
        assert y[index] * side + x[index] in drawn.pixel.tolist()
