"""Polygons of an OBJ file as triangles, whichever corner each begins with."""

from dataclasses import dataclass

import numpy as np
import shapely
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

from advmask.core.errors import DesignError
from advmask.masks.obj_reading import ObjPolygons

LEAST_MM2 = 1e-6  # less has no area


@dataclass(frozen=True, eq=False)
class ObjMesh:
    """Triangles of an OBJ file.

    Attributes:
        positions: (P, 3) of `v`.
        coordinates: (T, 2) of `vt`.
        corners: (F, 3) numbers of positions, from 0.
        corner_coordinates: (F, 3) numbers of coordinates, from 0.
        lines: (F,) line numbers in the file, from 1.
    """

    positions: Float64[np.ndarray, "p 3"]
    coordinates: Float64[np.ndarray, "t 2"]
    corners: Int64[np.ndarray, "f 3"]
    corner_coordinates: Int64[np.ndarray, "f 3"]
    lines: Int64[np.ndarray, " f"]


def split(faces: ObjPolygons, *, where: str) -> ObjMesh:
    """Split polygons on the flat pattern, where a valid face cannot overlap itself.

    The triangles of a face are those of the constrained Delaunay triangulation of its outline in `vt`: they
    use every corner, also one in the middle of a straight edge, and do not depend on the corner that the
    face begins with. A polygon without area, or with neighbouring corners in one place, gives a
    triangle without area.

    Args:
        faces: As read.
        where: The file's name, for messages.

    Raises:
        DesignError: The outline of a face crosses or touches itself on the pattern; the message names the
            line.
    """
    starts = np.cumsum(faces.counts) - faces.counts
    plain = np.flatnonzero(faces.counts == 3)
    larger = np.flatnonzero(faces.counts > 3)
    triangles = [starts[plain][:, None] + np.arange(3)]
    owners = [plain]
    for face, parts in zip(larger.tolist(), _split_rings(faces, starts, larger, where), strict=True):
        triangles.append(starts[face] + parts)
        owners.append(np.full(len(parts), face))
    owner = np.concatenate(owners)
    order = np.argsort(owner, kind="stable")  # as they stand in the file
    found = np.concatenate(triangles)[order]
    return ObjMesh(
        faces.positions,
        faces.coordinates,
        faces.corners[found],
        faces.corner_coordinates[found],
        faces.lines[owner[order]],
    )


def _split_rings(
    faces: ObjPolygons, starts: NDArray[np.int64], larger: NDArray[np.int64], where: str
) -> list[NDArray[np.int64]]:
    """For each larger face, (N, 3) the numbers of its corners in the order they stand in the file."""
    if len(larger) == 0:
        return []
    counts = faces.counts[larger]
    which = np.repeat(np.arange(len(larger)), counts)
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    corner = faces.corner_coordinates[np.repeat(starts[larger], counts) + within]
    uv = faces.coordinates[corner]
    rings = shapely.polygons(shapely.linearrings(uv, indices=which))
    flat = shapely.area(shapely.convex_hull(rings)) < LEAST_MM2
    after = _following(which)
    flat[which[(uv == uv[after]).all(axis=1)]] = True  # twice the same place
    flat[which[corner == corner[after[after]]]] = True  # to a corner and back
    wrong = np.flatnonzero(~flat & ~shapely.is_valid(rings))
    if len(wrong):
        raise DesignError(
            f"{where}, line {faces.lines[larger[wrong[0]]]}: the edge of the face crosses or touches itself, "
            "so that triangles are overturned on the pattern (vt); move its corners apart there: "
            f"{shapely.is_valid_reason(rings[wrong[0]])} mm."
        )
    # Normalised, so that ties between diagonals do not hang on the corner the face begins with.
    cut = shapely.constrained_delaunay_triangles(shapely.normalize(rings[~flat]))
    parts, owners = shapely.get_parts(cut, return_index=True)
    places = shapely.get_coordinates(parts).reshape(-1, 4, 2)[:, :3].tolist()
    sharp = np.flatnonzero(~flat)
    numbers: list[list[list[int]]] = [[] for _ in larger]
    corners = np.split(uv, np.cumsum(counts)[:-1])
    known = {face: {tuple(at): n for n, at in enumerate(corners[face].tolist())} for face in sharp.tolist()}
    for owner, triangle in zip(sharp[owners].tolist(), places, strict=True):
        # In the order of the outline a triangle turns as the outline does; it begins at its smallest place.
        ends = sorted(known[owner][tuple(at)] for at in triangle)
        first = ends.index(known[owner][tuple(min(triangle))])
        numbers[owner].append(ends[first:] + ends[:first])
    for face in np.flatnonzero(flat).tolist():
        numbers[face] = [[0, n, n + 1] for n in range(1, int(counts[face]) - 1)]
    return [np.array(found, dtype=np.int64) for found in numbers]


def _following(which: NDArray[np.int64]) -> NDArray[np.int64]:
    """For each corner, the number of the next one of its face."""
    last = np.r_[which[1:] != which[:-1], True]
    after = np.arange(1, len(which) + 1)
    after[last] = np.r_[0, np.flatnonzero(last)[:-1] + 1]
    return after
