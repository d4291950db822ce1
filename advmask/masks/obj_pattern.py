"""A user's worn mesh with its flat pattern, from an OBJ file, as a mask surface."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from advmask.core.errors import DesignError
from advmask.masks.cloth_cutting import boundary_loops
from advmask.masks.flat_pattern import FlatPattern, Panel
from advmask.masks.obj_reading import read_obj
from advmask.masks.obj_splitting import LEAST_MM2, ObjMesh, split
from advmask.masks.shipped import shipped_surface
from advmask.masks.surface import MaskSurface

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
_SAME_MM = 1e-4
_SMALLEST_MM, _LARGEST_MM = 40.0, 400.0
_FARTHEST_MM = 30.0  # median distance from the lower face; a mask that stands well off it has 15
_SHARED_MM2 = 0.2
_MOST_PANELS = 20
_HEAD_AXIS_MM = np.array([0.0, -40.0, -10.0])  # behind the mouth


def surface_from_obj(content: bytes, *, name: str, where: str) -> MaskSurface:
    """Read a worn mask and its flat pattern, for a head of size M.

    Convention: `v` is the worn place in head millimetres (x right in the picture, y up, z to the camera; the
    head is that of `REFERENCE_POINTS_MM`), `vt` the place on the flat pattern in millimetres (u right, v
    DOWN, origin at the top of the nose line). Faces turn counter-clockwise seen from outside; if all turn the
    other way they are turned. Cloth that hangs together in `vt` is a panel; where two panels meet in `v`
    there is a seam. The place on the face is that of the nearest cloth of the shipped sheet.

    Args:
        content: The file.
        name: Of the pattern.
        where: The file's name, for messages.

    Raises:
        DesignError: The mesh is not a mask; the message names the line of the file.
    """
    read = read_obj(content, where=where)
    _check_sizes(read.positions[read.corners], read.coordinates[read.corner_coordinates], where)
    mesh = split(read, where=where)
    vertices, uv, faces = _welded(mesh)
    _check_place(vertices, where)
    _check_areas(vertices, uv, faces, mesh, where)
    faces = _turned_outwards(vertices, faces)
    _check_turning(uv, faces, mesh, where)
    _check_edges(vertices, faces, mesh, where)
    panels = _panels(uv, faces, mesh, where)
    return MaskSurface(
        pattern=FlatPattern(name, "M", panels),
        vertices_mm=vertices,
        uv_mm=uv,
        chart_mm=_nearest_chart(vertices),
        faces=faces,
    )


def _welded(mesh: ObjMesh) -> tuple[FloatArray, FloatArray, IntArray]:
    """One vertex for each place on the head and on the pattern, however often the file repeats it."""
    both = np.concatenate(
        [mesh.positions[mesh.corners.ravel()], mesh.coordinates[mesh.corner_coordinates.ravel()]], axis=1
    )
    _, first, index = np.unique(
        np.rint(both / _SAME_MM).astype(np.int64), axis=0, return_index=True, return_inverse=True
    )
    return both[first, :3], both[first, 3:], index.reshape(-1, 3).astype(np.int64)


def _check_sizes(vertices: FloatArray, uv: FloatArray, where: str) -> None:
    worn, flat = np.ptp(vertices, axis=0), np.ptp(uv, axis=0)
    if not _SMALLEST_MM <= worn.max() <= _LARGEST_MM:
        shown = " x ".join(f"{side:.3g}" for side in worn)
        hint = " It seems to be in metres; scale it by 1000." if 0.03 < worn.max() < 0.5 else ""
        hint = " It seems to be in inches; scale it by 25.4." if 1.5 < worn.max() < 16 else hint
        raise DesignError(
            f"{where}: the worn mask (v) measures {shown} mm, and its largest side is 40 to 400 mm.{hint}"
        )
    if not _SMALLEST_MM <= flat.max() <= 2 * _LARGEST_MM:
        hint = (
            " It seems to run from 0 to 1; multiply it by the size of the pattern."
            if flat.max() <= 1.5
            else ""
        )
        raise DesignError(
            f"{where}: the flat pattern (vt) measures {flat[0]:.3g} x {flat[1]:.3g} mm, and its larger side "
            f"is 40 to 800 mm.{hint}"
        )


def _check_areas(vertices: FloatArray, uv: FloatArray, faces: IntArray, mesh: ObjMesh, where: str) -> None:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    worn = 0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1)
    for areas, what in ((worn, "worn (v)"), (np.abs(_flat_areas(uv, faces)), "on the pattern (vt)")):
        bad = np.flatnonzero(areas < LEAST_MM2)
        if len(bad):
            more = f", and {len(bad) - 1} more" if len(bad) > 1 else ""
            raise DesignError(
                f"{where}, line {mesh.lines[bad[0]]}{more}: a triangle without area {what}; delete it or "
                "merge its corners."
            )


def _check_place(vertices: FloatArray, where: str) -> None:
    """A mask lies on or before the lower face; elsewhere its axes or its origin are other than here."""
    cloth = shipped_surface("cloth").vertices_mm
    distance, _ = cKDTree(cloth).query(vertices)
    far = float(np.median(distance))
    if far <= _FARTHEST_MM:
        return
    centre, wanted = vertices.mean(axis=0), cloth.mean(axis=0)
    raise DesignError(
        f"{where}: the worn mask (v) lies {far:.0f} mm from the lower face; its centre is at "
        f"({centre[0]:.0f}, {centre[1]:.0f}, {centre[2]:.0f}) and that of a mask near "
        f"({wanted[0]:.0f}, {wanted[1]:.0f}, {wanted[2]:.0f}). x points right in a photo, y up, z to the "
        "camera, in mm: swap axes or move it."
    )


def _turned_outwards(vertices: FloatArray, faces: IntArray) -> IntArray:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    outward = (a + b + c) / 3 - _HEAD_AXIS_MM
    if float((np.cross(b - a, c - a) * outward).sum()) < 0:
        return faces[:, ::-1].copy()
    return faces


def _check_turning(uv: FloatArray, faces: IntArray, mesh: ObjMesh, where: str) -> None:
    wrong = np.flatnonzero(_flat_areas(uv, faces) > 0)
    if len(wrong) == 0:
        return
    if len(wrong) == len(faces):
        raise DesignError(
            f"{where}: the pattern (vt) is the mirror image of the worn mask (v). In vt, v points down, and "
            "most programs let it point up: turn its sign. In v, z points to the camera."
        )
    raise DesignError(
        f"{where}, line {mesh.lines[wrong[0]]}: {len(wrong)} of {len(faces)} triangles are overturned on the "
        "pattern (vt) against the others; unfold it there, or turn the face around."
    )


def _check_edges(vertices: FloatArray, faces: IntArray, mesh: ObjMesh, where: str) -> None:
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    _, first, counts = np.unique(np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True)
    _, same_way = np.unique(edges, axis=0, return_counts=True)
    if counts.max() <= 2 and same_way.max() == 1:
        return
    if counts.max() > 2:
        bad = int(first[np.argmax(counts)])
        problem = f"{counts.max()} triangles share one edge, and cloth has two sides"
    else:
        _, start, twice = np.unique(edges, axis=0, return_index=True, return_counts=True)
        bad = int(start[np.argmax(twice)])
        problem = "two triangles lie on the same side of one edge"
    x, y, z = vertices[edges[bad]].mean(axis=0)
    raise DesignError(
        f"{where}, line {mesh.lines[bad % len(faces)]}: {problem}, at ({x:.1f}, {y:.1f}, {z:.1f}) mm; delete "
        "the faces that are too many."
    )


def _panels(uv: FloatArray, faces: IntArray, mesh: ObjMesh, where: str) -> tuple[Panel, ...]:
    pieces = _components(len(uv), faces)
    count = int(pieces.max()) + 1
    if count > _MOST_PANELS:
        raise DesignError(
            f"{where}: the pattern (vt) falls into {count} separate pieces, and a mask has at most "
            f"{_MOST_PANELS} panels; let neighbouring faces share their vt, or weld the texture coordinates."
        )
    panels, polygons = [], []
    for piece in range(count):
        own = np.flatnonzero(pieces[faces[:, 0]] == piece)
        line = f"{where}, line {mesh.lines[own[0]]}"
        loops = boundary_loops(faces[own])
        if len(loops) != 1:
            u, v = uv[loops[1]].mean(axis=0) if loops else (0.0, 0.0)
            raise DesignError(
                f"{line}: the panel that begins here has {len(loops)} edges, one of them around "
                f"({u:.1f}, {v:.1f}) mm; a panel has one, so fill its holes and do not let it touch itself "
                "in a point."
            )
        ring = shapely.Polygon(uv[loops[0]])
        if not ring.is_valid:
            reason = shapely.is_valid_reason(ring)
            raise DesignError(
                f"{line}: the panel that begins here overlaps itself on the pattern (vt): {reason} mm."
            )
        panels.append(Panel(f"panel {piece + 1}" if count > 1 else "mask", uv[loops[0]]))
        polygons.append(ring)
        for other, earlier in enumerate(polygons[:-1]):
            shared = shapely.intersection(ring, earlier)
            if shared.area > _SHARED_MM2:
                place = shared.representative_point()
                raise DesignError(
                    f"{line}: panel {piece + 1} overlaps panel {other + 1} on the pattern (vt) around "
                    f"({place.x:.1f}, {place.y:.1f}) mm; move them apart."
                )
    return tuple(panels)


def _components(vertices: int, faces: IntArray) -> IntArray:
    """For each vertex, the number of the piece it belongs to, counted in the order of the faces."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]]])
    graph = coo_array((np.ones(len(ends)), ends.T.astype(np.int32)), shape=(vertices, vertices))
    _, labels = connected_components(graph, directed=False)
    found, first = np.unique(labels[faces[:, 0]], return_index=True)
    rank = np.empty(int(found.max()) + 1, dtype=np.int64)
    rank[found[np.argsort(first)]] = np.arange(len(found))
    return np.asarray(rank[labels], dtype=np.int64)


def _nearest_chart(vertices: FloatArray) -> FloatArray:
    cloth = shipped_surface("cloth")
    places, charts = cloth.vertices_mm[cloth.faces], cloth.chart_mm[cloth.faces]
    steps = 4  # points in each triangle, about a millimetre apart
    shares = np.array(
        [[i, j, steps - i - j] for i in range(steps + 1) for j in range(steps + 1 - i)], dtype=np.float64
    )
    shares /= steps
    samples = np.einsum("kc,fcd->fkd", shares, places).reshape(-1, 3)
    _, nearest = cKDTree(samples).query(vertices)
    return np.asarray(np.einsum("kc,fcd->fkd", shares, charts).reshape(-1, 2)[nearest])


def _flat_areas(uv: FloatArray, faces: IntArray) -> FloatArray:
    """(F,) signed areas on the pattern; below zero for faces seen from outside, for v points down."""
    a, b, c = (uv[faces[:, corner]] for corner in range(3))
    return np.asarray(0.5 * ((b - a)[:, 0] * (c - a)[:, 1] - (b - a)[:, 1] * (c - a)[:, 0]))
