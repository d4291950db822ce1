"""Tiles that a print shop repeats over fabric by the metre."""

import math
from dataclasses import dataclass

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from shapely import affinity

from advmask.core.errors import ConfigError, DesignError
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.coverage import signed_distance_px
from advmask.printing.raster import Artwork, margin_mm
from advmask.printing.settings import PrintingSettings
from advmask.printing.upsample import MM_PER_INCH, dots, plan_print
from advmask.textures.design_files import Design

_OFFSETS = 24  # places tried for the turned mask
_CLOSE_MM = 0.25
_COARSE = 4  # texels to a cell in which the largest rectangle is sought


@dataclass(frozen=True)
class FabricTile:
    """How masks lie on a tile that repeats both ways: one upright, and where that saves fabric one turned.

    Attributes:
        across: Tiles in the width of the fabric.
        width: Of the tile, mm: an equal share of the fabric's width.
        height: Of the tile, mm.
        turned: How far right and down of the upright picture the turned one lies, mm; None for none.
    """

    across: int
    width: float
    height: float
    turned: tuple[float, float] | None

    @property
    def masks(self) -> int:
        """On one tile."""
        return 1 if self.turned is None else 2

    def masks_per_metre(self) -> float:
        """On a metre of fabric."""
        return 1000.0 / self.height * self.masks * self.across


def lay_on_fabric(
    pattern: FlatPattern, printing: PrintingSettings, *, fabric_mm: float, gap_mm: float
) -> FabricTile:
    """Find the tile that takes the least fabric.

    Raises:
        ConfigError: The fabric is narrower than the mask.
    """
    around = margin_mm(pattern, printing)
    left, top, right, bottom = pattern.box_mm
    wide, high = right - left + 2 * around, bottom - top + 2 * around
    across = math.floor(fabric_mm / (wide + gap_mm))
    if across < 1:
        raise ConfigError(
            f"fabric_mm={fabric_mm:g} is narrower than mask {pattern.name} in size {pattern.size} with its "
            f"bleed and gap, {wide + gap_mm:.0f} mm; give the width of the fabric in mm."
        )
    width = fabric_mm / across
    alone = FabricTile(across, width, high + gap_mm, None)
    inked = shapely.union_all(
        [shapely.Polygon(panel.bleed_mm(printing.bleed_mm)) for panel in pattern.panels]
    )
    inked = affinity.translate(inked, around - left, around - top)
    turned = affinity.rotate(inked, 180.0, origin=(wide / 2, high / 2))
    best = alone
    for place in range(_OFFSETS):
        right_by = width * place / _OFFSETS
        down = _least_drop(inked, turned, right_by, width, gap_mm, high)
        again = _least_drop(turned, inked, -right_by, width, gap_mm, high)
        # Two upright masks must not meet either.
        height = max(down + again, high + gap_mm)
        pair = FabricTile(across, width, height, (right_by, down))
        if pair.height / 2 < best.height / best.masks - 1e-9:
            best = pair
    return best


def fabric_tile(artwork: Artwork, printing: PrintingSettings, tile: FabricTile) -> NDArray[np.uint8]:
    """(h, w, 3) the tile on white, to be repeated both ways without a gap."""
    height, width = dots(tile.height, dpi=printing.dpi), dots(tile.width, dpi=printing.dpi)
    result = np.full((height, width, 3), 255, dtype=np.uint8)
    per_mm = printing.dpi / MM_PER_INCH
    _put(result, artwork, (round((width - artwork.coverage.shape[1]) / 2), 0))
    if tile.turned is not None:
        turned = Artwork(artwork.colour[::-1, ::-1], artwork.coverage[::-1, ::-1])
        start = round((width - artwork.coverage.shape[1]) / 2)
        right, down = (round(by * per_mm) for by in tile.turned)
        _put(result, turned, (start + right, down))
    return result


def texture_tile(design: Design, pattern: FlatPattern, printing: PrintingSettings) -> NDArray[np.uint8]:
    """(h, w, 3) the design four times, mirrored right and down, so that it repeats without an edge.

    Of the design it is the largest rectangle that lies on one panel: beyond, nothing was ever learned.
    """
    scale = design.texels_per_mm
    height, width = design.texels.shape[1:]
    best = (0, 0, 0, 0)
    for panel in pattern.panels:
        corners = (panel.outline_mm - pattern.box_mm[:2]) * scale / _COARSE
        inside = signed_distance_px(
            corners, height=height // _COARSE, width=width // _COARSE, reach=2.0
        )  # whole blocks of texels within the outline
        found = _largest_rectangle(inside < -0.75)
        if _area(found) > _area(best):
            best = found
    if _area(best) == 0:
        raise DesignError(
            f"Pattern {pattern.name} has no panel wide enough for a tile; leave out repeat=true."
        )
    left, top, right, bottom = (float(_COARSE * edge) for edge in best)
    values = design.texels.detach().cpu().to(torch.float32).numpy()
    size = (dots((right - left) / scale, dpi=printing.dpi), dots((bottom - top) / scale, dpi=printing.dpi))
    plan = plan_print(values, box=(left, top, right, bottom), size=size)
    parts = [plan.rows(row, min(256, size[1] - row)) for row in range(0, size[1], 256)]
    one = (np.concatenate(parts, axis=1).transpose(1, 2, 0) * 255.0).round().astype(np.uint8)
    row = np.concatenate([one, one[:, ::-1]], axis=1)
    return np.concatenate([row, row[::-1]], axis=0)


def _area(box: tuple[int, int, int, int]) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


def _largest_rectangle(free: NDArray[np.bool_]) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the largest rectangle of free cells, by columns that end in each row."""
    best = (0, 0, 0, 0)
    heights = np.zeros(free.shape[1] + 1, dtype=int)  # the last stays 0 and ends every rectangle
    for row in range(free.shape[0]):
        heights[:-1] = np.where(free[row], heights[:-1] + 1, 0)
        open_: list[tuple[int, int]] = []
        for column, high in enumerate(heights.tolist()):
            start = column
            while open_ and open_[-1][1] >= high:
                start, tall = open_.pop()
                box = (start, row + 1 - tall, column, row + 1)
                best = max(best, box, key=_area)
            open_.append((start, high))
    return best


def _least_drop(
    above: shapely.Geometry, below: shapely.Geometry, right: float, width: float, gap: float, most: float
) -> float:
    """How far down a shape must move so that it keeps its distance from one above that repeats across."""
    row = shapely.union_all([affinity.translate(above, times * width, 0.0) for times in range(-2, 3)])
    low, high = 0.0, most + gap
    if row.distance(affinity.translate(below, right, low)) >= gap:
        return low
    while high - low > _CLOSE_MM:
        middle = (low + high) / 2
        # Further down is not always further away: the whole way from there on must be free.
        free = all(
            row.distance(affinity.translate(below, right, middle + step)) >= gap
            for step in np.arange(0.0, most + gap - middle, 10.0)
        )
        low, high = (low, middle) if free else (middle, high)
    return high


def _put(into: NDArray[np.uint8], artwork: Artwork, at: tuple[int, int]) -> None:
    """Lay an artwork on a tile; what stands over one edge comes in at the other."""
    rows = (np.arange(artwork.coverage.shape[0]) + at[1]) % into.shape[0]
    columns = (np.arange(artwork.coverage.shape[1]) + at[0]) % into.shape[1]
    place = np.ix_(rows, columns)
    share = artwork.coverage[..., None].astype(np.float32) / 255.0
    mixed = into[place] * (1.0 - share) + artwork.colour * share
    into[place] = mixed.round().astype(np.uint8)
