"""Cutting cloth: the part of a worn surface that lies inside outlines drawn on its flat pattern."""

from collections.abc import Sequence

import numpy as np
import shapely
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.masks.flat_pattern import FlatPattern
from advmask.masks.relief import Ridge
from advmask.masks.surface import MaskSurface, vertex_tangents

FloatArray = NDArray[np.float64]
_SAME_UV_MM = 1e-4
_SLIVER_MM2 = 1e-4


def cut_from(cloth: MaskSurface, pattern: FlatPattern, relief: Sequence[Ridge] = ()) -> MaskSurface:
    """Cut the panels of a pattern out of a surface.

    Triangles inside a panel stay as they are; those that an outline crosses are cut along it. Position and
    place on the face of new vertices are linear within the triangle they lie in.

    Args:
        cloth: What is cut; triangles may leave parts of the pattern bare (cloth hidden in pleats).
        pattern: In the texture coordinates of the cloth.
        relief: Of the new surface.
    """
    triangles = shapely.polygons(cloth.uv_mm[cloth.faces])
    tree = shapely.STRtree(triangles)
    uv, source, faces, count = [], [], [], 0
    for panel in pattern.panels:
        polygon = shapely.Polygon(panel.outline_mm)
        shapely.prepare(polygon)
        near = np.sort(tree.query(polygon, predicate="intersects"))
        whole = shapely.covers(polygon, triangles[near])
        corners, numbers = _pieces(triangles, near[~whole], polygon)
        corners = np.concatenate([cloth.uv_mm[cloth.faces[near[whole]]], corners])
        numbers = np.concatenate([near[whole], numbers])
        corners = _turned_like(corners, cloth.uv_mm[cloth.faces[numbers]])
        points, first, index = _welded(corners.reshape(-1, 2))
        index = index.reshape(-1, 3)
        uv.append(points)
        source.append(numbers[first // 3])
        faces.append(index[_proper(points, index)] + count)
        count += len(points)
    places, owners, mesh = np.concatenate(uv), np.concatenate(source), np.concatenate(faces)
    used, mesh = np.unique(mesh, return_inverse=True)
    places, owners = places[used], owners[used]
    weights = barycentric(places, cloth.uv_mm[cloth.faces[owners]])[:, :, None]
    return MaskSurface(
        pattern=pattern,
        vertices_mm=(weights * cloth.vertices_mm[cloth.faces[owners]]).sum(axis=1),
        uv_mm=places,
        chart_mm=(weights * cloth.chart_mm[cloth.faces[owners]]).sum(axis=1),
        faces=mesh.reshape(-1, 3),
        relief=tuple(relief),
    )


def with_rim(cloth: MaskSurface, width: float) -> MaskSurface:
    """A surface of one panel, continued straight on by `width` millimetres beyond its edge."""
    loop = boundary_loops(cloth.faces)[0]
    outer = cloth.uv_mm[loop]
    along = np.roll(outer, -1, axis=0) - outer
    after = np.stack([along[:, 1], -along[:, 0]], axis=1) / np.linalg.norm(along, axis=1, keepdims=True)
    if _signed_area(outer) < 0:
        after = -after
    before = np.roll(after, 1, axis=0)
    # Mitred at corners, but not without bound.
    step = width * (before + after) / (1 + (before * after).sum(axis=1, keepdims=True)).clip(0.3)
    by_u, by_v = vertex_tangents(cloth.vertices_mm, cloth.uv_mm, cloth.faces)
    chart_u, chart_v = vertex_tangents(
        np.concatenate([cloth.chart_mm, np.zeros((len(cloth.chart_mm), 1))], axis=1), cloth.uv_mm, cloth.faces
    )
    across, down = step[:, :1], step[:, 1:]
    number = len(cloth.uv_mm) + np.arange(len(loop))
    next_inner, next_outer = np.roll(loop, -1), np.roll(number, -1)
    quads = [np.stack([loop, number, next_inner], axis=1), np.stack([number, next_outer, next_inner], axis=1)]
    chart = (across * chart_u[loop] + down * chart_v[loop])[:, :2]
    return MaskSurface(
        pattern=cloth.pattern,
        vertices_mm=np.concatenate(
            [cloth.vertices_mm, cloth.vertices_mm[loop] + across * by_u[loop] + down * by_v[loop]]
        ),
        uv_mm=np.concatenate([cloth.uv_mm, outer + step]),
        chart_mm=np.concatenate([cloth.chart_mm, cloth.chart_mm[loop] + chart]),
        faces=np.concatenate([cloth.faces, *quads]),
        relief=cloth.relief,
    )


def barycentric(
    places: Float64[np.ndarray, "n 2"], corners: Float64[np.ndarray, "n 3 2"]
) -> Float64[np.ndarray, "n 3"]:
    """Weights of each triangle's corners at a place."""
    a, b, c = corners[:, 0], corners[:, 1], corners[:, 2]
    whole = _cross(b - a, c - a)
    second, third = _cross(places - a, c - a) / whole, _cross(b - a, places - a) / whole
    return np.stack([1 - second - third, second, third], axis=1)


def boundary_loops(faces: Int64[np.ndarray, "f 3"]) -> list[NDArray[np.int64]]:
    """Closed edges of a mesh as vertex numbers, the longest first, each walked as its faces turn.

    Where two loops touch in a vertex they are taken apart in an unspecified but fixed way.
    """
    directed = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    pairs = set(map(tuple, directed.tolist()))
    onward: dict[int, list[int]] = {}
    for start, end in sorted(pair for pair in pairs if (pair[1], pair[0]) not in pairs):
        onward.setdefault(start, []).append(end)
    loops = []
    while onward:
        start = next(iter(onward))
        loop, here = [start], _step(onward, start)
        while here != start:
            loop.append(here)
            here = _step(onward, here)
        loops.append(np.array(loop, dtype=np.int64))
    return sorted(loops, key=len, reverse=True)


def _step(onward: dict[int, list[int]], start: int) -> int:
    ends = onward[start]
    end = ends.pop()
    if not ends:
        del onward[start]
    return end


def _pieces(
    triangles: NDArray[np.object_], numbers: NDArray[np.int64], polygon: shapely.Polygon
) -> tuple[FloatArray, NDArray[np.int64]]:
    """Triangles (n, 3, 2) that fill what the polygon leaves of crossed ones, and whose parts they are."""
    corners, owners = [np.zeros((0, 3, 2))], [np.zeros(0, dtype=np.int64)]
    for number in numbers.tolist():
        left = shapely.intersection(triangles[number], polygon)
        for part in shapely.get_parts(left):
            if part.geom_type != "Polygon" or part.area < _SLIVER_MM2:
                continue
            for one in shapely.constrained_delaunay_triangles(part).geoms:
                corners.append(shapely.get_coordinates(one)[None, :3])
                owners.append(np.array([number]))
    return np.concatenate(corners), np.concatenate(owners)


def _turned_like(corners: FloatArray, model: FloatArray) -> FloatArray:
    turn = _cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    wanted = _cross(model[:, 1] - model[:, 0], model[:, 2] - model[:, 0])
    other = turn * wanted < 0
    corners[other] = corners[other][:, ::-1]
    return corners


def _welded(points: FloatArray) -> tuple[FloatArray, NDArray[np.int64], NDArray[np.int64]]:
    _, first, index = np.unique(
        np.rint(points / _SAME_UV_MM).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    return points[first], first, index.reshape(-1)


def _proper(points: FloatArray, faces: NDArray[np.int64]) -> NDArray[np.bool_]:
    a, b, c = (points[faces[:, corner]] for corner in range(3))
    return np.asarray(np.abs(_cross(b - a, c - a)) > _SLIVER_MM2)


def _cross(a: FloatArray, b: FloatArray) -> FloatArray:
    return np.asarray(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])


def _signed_area(ring: FloatArray) -> float:
    return 0.5 * float(_cross(ring, np.roll(ring, -1, axis=0)).sum())
