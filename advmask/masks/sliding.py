"""How a mask slides on a face: along its own surface, so that it neither floats nor sinks in."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Float64
from numpy.typing import NDArray
from scipy.spatial.distance import cdist

FloatArray = NDArray[np.float64]

_CENTRES = 180  # of the spline: one for each 12 mm of cloth, which is as fine as a nose bends it
_SMOOTHING = 1e-3  # keeps the spline calm where a pleat lays cloth on cloth
_SAME_PLACE_MM = 0.01
UNIT_MM = 100.0  # of the spline's affine part, so that its system of equations is well scaled
# What is left of a slip at the sides, where the ear loops hold, and at the lower rim, where the chin does.
_AT_SIDES, _AT_CHIN = 0.5, 0.6
# Where the nose holds a mask that is stretched, from the top: a share of the height, which of a tube goes on
# down the neck.
_STILL, _STILL_MM = 0.2, 32.0


def slid(
    vertices_mm: Float64[np.ndarray, "v 3"],
    chart_mm: Float64[np.ndarray, "v 2"],
    *,
    slip_mm: float = 0.0,
    stretch: float = 0.0,
) -> Float64[np.ndarray, "v 3"]:
    """Vertices of a mask that slid down its own surface, or was pulled wider or narrower along it.

    A thin-plate spline takes places on the chart to places in space. Each vertex moves by what the spline
    says of its old and its new place; beyond the rims the spline goes on straight, back under the chin and
    towards the ears. A slip is full at the nose and less at the ear loops and the chin.

    Args:
        vertices_mm: The mask, fitted to the person or not.
        chart_mm: Where on a face the cloth lies; see `MaskSurface`.
        slip_mm: How far the middle of the upper rim slides down, along the face.
        stretch: Growth of the width; the height shrinks so that the area stays.

    Source:
        Bookstein, Principal Warps: Thin-Plate Splines and the Decomposition of Deformations, 1989.
    """
    if slip_mm == 0 and stretch == 0:
        return vertices_mm
    across, down = chart_mm.T
    held, middle = held_and_still(chart_mm)
    now = np.column_stack([across * (1 + stretch), middle + (down - middle) / (1 + stretch) + slip_mm * held])
    return np.asarray(vertices_mm + spline_of(chart_mm).moved(vertices_mm, now))


def held_and_still(chart_mm: Float64[np.ndarray, "v 2"]) -> tuple[Float64[np.ndarray, " v"], float]:
    """What share of a slip each vertex follows, and where on the chart a stretched mask keeps still."""
    across, down = chart_mm.T
    top, bottom = float(down.min()), float(down.max())
    share = (down - top) / (bottom - top)
    held = (1 - (1 - _AT_SIDES) * (across / np.abs(across).max()) ** 2) * (1 - (1 - _AT_CHIN) * share)
    return held, top + min(_STILL * (bottom - top), _STILL_MM)


@dataclass(frozen=True, eq=False)
class Spline:
    """A thin-plate spline from the chart to space, of which only the values at its centres are not known.

    Attributes:
        centres: (n,) numbers of the vertices whose places it goes through, nearly.
        places_mm: (n, 2) of these on the chart.
        solved: (n + 3, n) takes their places in space to the spline's coefficients.
        before: (V, n + 3) takes the coefficients to the spline at all vertices' places on the chart.
    """

    centres: NDArray[np.int64]
    places_mm: FloatArray
    solved: FloatArray
    before: FloatArray

    def moved(self, vertices_mm: FloatArray, now_mm: FloatArray) -> FloatArray:
        """How far (V, 3) the spline through the vertices goes from their places on the chart to new ones."""
        coefficients = self.solved @ vertices_mm[self.centres]
        return np.asarray((_basis(now_mm, self.places_mm) - self.before) @ coefficients)


def spline_of(chart_mm: Float64[np.ndarray, "v 2"]) -> Spline:
    """The spline of a mask, by where its vertices lie on a face."""
    return _spline(np.ascontiguousarray(chart_mm).tobytes())


@lru_cache(maxsize=8)
def _spline(chart: bytes) -> Spline:
    places = np.frombuffer(chart).reshape(-1, 2)
    centres = _spread(places)
    count = len(centres)
    system = np.zeros((count + 3, count + 3))
    system[:count] = _basis(places[centres], places[centres])
    system[count:, :count] = system[:count, count:].T
    system[:count, :count] += _SMOOTHING * np.eye(count)
    solved = np.linalg.solve(system, np.eye(count + 3, count)).astype(np.float64)
    return Spline(centres, places[centres], solved, _basis(places, places[centres]))


def _basis(places: FloatArray, centres: FloatArray) -> FloatArray:
    """Radial functions r^2 log r about the centres, and the affine functions, at places: (m, n + 3)."""
    squares = cdist(places, centres, "sqeuclidean")
    radial = 0.5 * squares * np.log(squares.clip(1e-200))
    return np.asarray(np.hstack([radial, np.ones((len(places), 1)), places / UNIT_MM]), dtype=np.float64)


def _spread(places: FloatArray) -> NDArray[np.int64]:
    """Numbers of vertices spread evenly over the chart: each as far from those before it as can be."""
    chosen = [int(np.hypot(*places.T).argmin())]
    away = np.full(len(places), np.inf)
    for _ in range(min(_CENTRES, len(places)) - 1):
        away = np.minimum(away, np.hypot(*(places - places[chosen[-1]]).T))
        if away.max() < _SAME_PLACE_MM:
            break
        chosen.append(int(away.argmax()))
    return np.array(chosen)
