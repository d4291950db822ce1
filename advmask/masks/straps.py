"""What holds a mask: two strands from each side of it, to behind the ear or around the head."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STATIONS = 12
_SIDE_SHARE = 0.9  # corners are sought among the border vertices at least this far out


@dataclass(frozen=True, eq=False)
class StrapKind:
    """How a kind of strap runs.

    Attributes:
        ends_mm: Where the upper and the lower strand pass out of sight on the reference head, right in the
            picture, head millimetres.
        width_mm: Of a strand.
    """

    ends_mm: Float64[np.ndarray, "2 3"]
    width_mm: float


# Ear loops: above the root of the ear and below its lobe. Straps and ties: to the crown above the ear, and to
# the nape below it.
_AROUND = np.array([[77.0, 52.0, -40.0], [68.0, -40.0, -40.0]])
STRAPS: Mapping[str, StrapKind] = {
    "ear_loops": StrapKind(np.array([[76.0, 20.0, -24.0], [73.5, -26.0, -20.0]]), 3.5),
    "head_straps": StrapKind(_AROUND, 6.0),
    "ties": StrapKind(_AROUND, 10.0),
}


@dataclass(frozen=True, eq=False)
class Strands:
    """The visible ribbons of the straps, as a mesh of their own.

    Attributes:
        vertices_mm: (S, 3) head frame.
        normals: (S, 3) unit, away from the head.
        faces: (F, 3) counter-clockwise when seen from outside.
    """

    vertices_mm: Float64[np.ndarray, "s 3"]
    normals: Float64[np.ndarray, "s 3"]
    faces: Int64[np.ndarray, "f 3"]


def strap_corners(vertices_mm: Float64[np.ndarray, "v 3"]) -> tuple[int, int, int, int]:
    """Vertices that the straps hang on: left upper, left lower, right upper, right lower in the picture."""
    corners = []
    for side in (-1.0, 1.0):
        out = side * vertices_mm[:, 0]
        edge = np.flatnonzero(out >= _SIDE_SHARE * out.max())
        corners += [int(edge[vertices_mm[edge, 1].argmax()]), int(edge[vertices_mm[edge, 1].argmin()])]
    return corners[0], corners[1], corners[2], corners[3]


def strands(corners_mm: Float64[np.ndarray, "4 3"], kind: StrapKind = STRAPS["ear_loops"]) -> Strands:
    """Ribbons from the corners of a worn mask to where they pass out of sight.

    Args:
        corners_mm: In the order of `strap_corners`.
        kind: Of straps.
    """
    vertices: list[FloatArray] = []
    normals: list[FloatArray] = []
    faces: list[NDArray[np.int64]] = []
    for number, corner in enumerate(corners_mm):
        side = -1.0 if number < 2 else 1.0
        ear = kind.ends_mm[number % 2] * [side, 1.0, 1.0]
        bend = np.array([ear[0], 0.6 * corner[1] + 0.4 * ear[1], 0.4 * corner[2] + 0.6 * ear[2]])
        t = np.linspace(0.0, 1.0, STATIONS)[:, None]
        path = (1 - t) ** 2 * corner + 2 * t * (1 - t) * bend + t**2 * ear
        along = np.gradient(path, axis=0)
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        outward = path * [1.0, 0.0, 0.5] + [0.0, 0.0, 10.0]
        outward -= (outward * along).sum(axis=1, keepdims=True) * along
        outward /= np.linalg.norm(outward, axis=1, keepdims=True)
        across = np.cross(along, outward) * (kind.width_mm / 2)
        path = path + outward  # a millimetre above the skin
        first = sum(map(len, vertices))
        vertices.append(np.stack([path - across, path + across], axis=1).reshape(-1, 3))
        normals.append(np.repeat(outward, 2, axis=0))
        a = first + 2 * np.arange(STATIONS - 1)
        faces.append(np.concatenate([np.stack([a, a + 1, a + 2], 1), np.stack([a + 1, a + 3, a + 2], 1)]))
    mesh = np.concatenate(vertices), np.concatenate(normals), np.concatenate(faces)
    return Strands(mesh[0], mesh[1], _facing_out(*mesh))


def _facing_out(vertices: FloatArray, normals: FloatArray, faces: NDArray[np.int64]) -> NDArray[np.int64]:
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    inwards = (np.cross(b - a, c - a) * normals[faces[:, 0]]).sum(axis=1) < 0
    return np.where(inwards[:, None], faces[:, ::-1], faces)
