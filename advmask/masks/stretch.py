"""How much the cloth of a pattern must stretch to be worn."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.masks.surface import MaskSurface

LEAST, MOST = 0.9, 1.15  # what knitted and woven cloth takes up without puckering or pulling


@dataclass(frozen=True)
class Stretch:
    """Stretch of a pattern's edges between the flat and the worn state.

    Attributes:
        within: Share of the worn area, 0 to 1, whose triangles have all three edges between 0.9 and 1.15.
        percentiles: Of the edge ratio worn / flat, weighted by area: 1, 5, 50, 95 and 99 %.
    """

    within: float
    percentiles: tuple[float, float, float, float, float]


def edge_stretch(surface: MaskSurface) -> Stretch:
    """Measure the stretch of every edge of the mesh, worn length over flat length."""
    ratio = edge_ratios(surface)
    corners = surface.vertices_mm[surface.faces]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    good = ((ratio >= LEAST) & (ratio <= MOST)).all(axis=1)
    order = np.argsort(ratio, axis=None)
    weight = np.repeat(area, 3)[order]
    cumulated = (np.cumsum(weight) - 0.5 * weight) / weight.sum()
    one, five, half, most, nearly = np.interp([0.01, 0.05, 0.5, 0.95, 0.99], cumulated, ratio.ravel()[order])
    return Stretch(
        float((area * good).sum() / area.sum()),
        (float(one), float(five), float(half), float(most), float(nearly)),
    )


def edge_ratios(surface: MaskSurface) -> NDArray[np.float64]:
    """Worn length over flat length of the three edges of each triangle, (F, 3)."""
    following = np.roll(surface.faces, -1, axis=1)
    worn = np.linalg.norm(surface.vertices_mm[following] - surface.vertices_mm[surface.faces], axis=2)
    flat = np.linalg.norm(surface.uv_mm[following] - surface.uv_mm[surface.faces], axis=2)
    return np.asarray(worn / flat.clip(1e-9))
