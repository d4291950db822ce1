"""A design in few flat inks: each dot one ink, borders between them as smooth lines."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
import torch
from numpy.typing import NDArray
from PIL import Image
from shapely import affinity

from advmask.colour.srgb import LUMINANCE
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.bleed import continued
from advmask.printing.ink_borders import FloatArray, ink_borders
from advmask.printing.raster import Artwork, check_fits, coverage_of, margin_mm, picture_size, rasterise
from advmask.printing.settings import PrintingSettings
from advmask.textures.colour_names import colour_code
from advmask.textures.design_files import Design

MOST_INKS = 32
_FINE_PER_MM = 9.0  # where borders are known between texels, they are drawn through texels as fine as this
_LEAST_MM2 = 0.002  # a speck smaller than a dot of 600 dpi
_STRIP_ROWS = 512


@dataclass(frozen=True, eq=False)
class FlatInks:
    """A design in few inks, going on into the bleed.

    Attributes:
        colours: (inks, 3) sRGB, 0 to 255, the light ones first, as they are printed.
        rings: Of each ink, (N, 2) places in the pattern frame, mm; even-odd.
        inked: Panels with allowance and bleed, mm: beyond, nothing is printed.
    """

    colours: NDArray[np.uint8]
    rings: tuple[tuple[FloatArray, ...], ...]
    inked: shapely.Geometry

    @cached_property
    def shapes(self) -> tuple[shapely.Geometry, ...]:
        """Of each ink what is printed with it, mm; together they are what is inked, without a gap."""
        shapely.prepare(self.inked)
        return tuple(_clipped(rings, self.inked) for rings in self.rings)

    @property
    def names(self) -> list[str]:
        """What layers are called."""
        return [f"ink {number} {code}" for number, code in enumerate(self.codes, 1)]

    @property
    def codes(self) -> list[str]:
        """Colours as #rrggbb."""
        return [colour_code(colour) for colour in (self.colours / 255).tolist()]

    def drawn(self, pattern: FlatPattern, printing: PrintingSettings) -> Artwork:
        """The artwork: each dot in the one ink that its centre lies in, or not printed at all."""
        width_mm, height_mm, width, height = picture_size(pattern, printing)
        start = np.array(pattern.box_mm[:2]) - margin_mm(pattern, printing)
        per_mm = np.array([width / width_mm, height / height_mm])
        numbers = np.zeros((height, width), dtype=np.uint8)
        for number, rings in enumerate(self.rings):
            edges = _edges([(ring - start) * per_mm for ring in rings])
            for top in range(0, height, _STRIP_ROWS):
                rows = min(_STRIP_ROWS, height - top)
                inside = _inside(edges, top=top, height=rows, width=width)
                numbers[top : top + rows][inside] = number
        inked = np.where(coverage_of(pattern, printing) > 127, np.uint8(255), np.uint8(0))
        return Artwork(self.colours[numbers], inked)

    def mirrored(self) -> "FlatInks":
        """Left and right exchanged."""
        across = np.array([-1.0, 1.0])
        rings = tuple(tuple(ring[::-1] * across for ring in of_ink) for of_ink in self.rings)
        return FlatInks(self.colours, rings, affinity.scale(self.inked, -1.0, 1.0, origin=(0, 0)))


def artwork_of(
    design: Design, pattern: FlatPattern, printing: PrintingSettings
) -> tuple[Artwork, FlatInks | None]:
    """A design at print resolution, and its inks where it is made of few: then no dot has another colour.

    Raises:
        DesignError: The design does not fit the pattern.
    """
    inks = flat_inks(design, pattern, printing)
    return rasterise(design, pattern, printing) if inks is None else inks.drawn(pattern, printing), inks


def flat_inks(design: Design, pattern: FlatPattern, printing: PrintingSettings) -> FlatInks | None:
    """A design as flat inks; None where it has more than `MOST_INKS` colours.

    Where the run kept how far each ink leads between texels (`Design.ink_fields`), borders run where two
    inks tie; else they are found from the texels alone, which leave them open by half a texel.

    Args:
        design: Made for the pattern.
        pattern: The flat pattern.
        printing: Bleed.
    """
    check_fits(design, pattern)
    texels = (design.texels.detach().cpu().clamp(0, 1) * 255).round().to(torch.uint8).numpy()
    colours, numbers = _palette(texels)
    if len(colours) > MOST_INKS:
        return None
    scale, finer = design.texels_per_mm, 1
    if design.ink_fields is not None:
        finer = max(1, round(_FINE_PER_MM / scale))
        numbers = _between_texels(design, colours, numbers, finer)
    per_mm = scale * finer
    margin = int(np.ceil((margin_mm(pattern, printing) + 1.0) * per_mm))
    wide = continued(
        numbers[None].astype(np.float32),
        pattern,
        per_mm=per_mm,
        margin=margin,
        around=None if design.around is None else numbers[None].astype(np.float32),
        exact=True,
    )
    borders = ink_borders(wide[0].astype(np.int64), len(colours), middles=per_mm < _FINE_PER_MM / 2)
    start = np.array(pattern.box_mm[:2]) - margin / per_mm
    rings = tuple(tuple(ring / per_mm + start for ring in of_ink) for of_ink in borders.rings)
    inked = shapely.union_all([shapely.Polygon(p.bleed_mm(printing.bleed_mm)) for p in pattern.panels])
    inks = FlatInks(colours, rings, inked)
    printed = [number for number, shape in enumerate(inks.shapes) if not shape.is_empty]
    if len(printed) == len(colours):
        return inks
    return FlatInks(colours[printed], tuple(rings[number] for number in printed), inked)  # no empty films


def _palette(texels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """Colours, the light ones first, and the number of that of each texel."""
    red, green, blue = texels.astype(np.int64)
    codes, numbers = np.unique((red << 16) | (green << 8) | blue, return_inverse=True)
    colours = np.stack([codes >> 16, (codes >> 8) & 255, codes & 255], axis=1).astype(np.uint8)
    order = np.argsort(-(colours @ np.array(LUMINANCE)), kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    return colours[order], place[numbers.reshape(texels.shape[1:])]


def _between_texels(
    design: Design, colours: NDArray[np.uint8], numbers: NDArray[np.intp], finer: int
) -> NDArray[np.intp]:
    """Numbers of inks on a finer grid, from the fields; a texel that is not theirs (locked) keeps its own."""
    fields = design.ink_fields
    assert fields is not None
    wanted = (fields.colours * 255).round().to(torch.uint8).numpy()
    known = {tuple(colour): number for number, colour in enumerate(colours.tolist())}
    number_of = np.array([known.get(tuple(colour), -1) for colour in wanted.tolist()])
    size = (numbers.shape[1] * finer, numbers.shape[0] * finer)
    best = np.full(size[::-1], -np.inf, dtype=np.float32)
    found = np.zeros(size[::-1], dtype=np.intp)
    for ink, plane in enumerate(fields.strength.numpy()):
        fine = np.asarray(Image.fromarray(plane).resize(size, Image.Resampling.BICUBIC))
        found[fine > best] = number_of[ink]
        np.maximum(best, fine, out=best)
    own = numbers.repeat(finer, axis=0).repeat(finer, axis=1)
    of_fields = number_of[fields.strongest.numpy()] == numbers
    theirs = of_fields.repeat(finer, axis=0).repeat(finer, axis=1) & (found >= 0)
    return np.where(theirs, found, own)


def _clipped(rings: tuple[FloatArray, ...], inked: shapely.Geometry) -> shapely.Geometry:
    """Rings as an area, cut off where nothing is printed."""
    areas = np.array([_signed_area(ring) for ring in rings])
    shapes = shapely.make_valid([shapely.Polygon(ring) for ring in rings], method="structure")
    # With y down and the ink to the left, a ring round ink runs the other way than one round a hole.
    outer, holes = shapes[areas < 0], shapes[areas > 0]
    inner = shapely.STRtree(outer)
    size = shapely.area(outer)
    into: dict[int, list[shapely.Geometry]] = {}
    for hole in holes:
        inside = inner.query(shapely.point_on_surface(hole), predicate="within")
        if len(inside):
            into.setdefault(int(inside[size[inside].argmin()]), []).append(hole)
    for number, of_it in into.items():
        outer[number] = shapely.difference(outer[number], shapely.union_all(of_it))
    cut = shapely.intersection(outer, inked)
    parts = shapely.get_parts(cut[~shapely.is_empty(cut)])
    parts = parts[(shapely.get_dimensions(parts) == 2) & (shapely.area(parts) > _LEAST_MM2)]
    return shapely.multipolygons(parts) if len(parts) else shapely.MultiPolygon()


def _signed_area(ring: FloatArray) -> float:
    following = np.roll(ring, -1, axis=0)
    return float((ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]).sum() / 2)


def _edges(rings: list[FloatArray]) -> FloatArray:
    """(N, 4) x and y of the upper and the lower end; one border gives the same numbers to both its inks."""
    if not rings:
        return np.empty((0, 4))
    start, end = np.concatenate(rings), np.concatenate([np.roll(ring, -1, axis=0) for ring in rings])
    down = (start[:, 1] < end[:, 1])[:, None]
    return np.concatenate([np.where(down, start, end), np.where(down, end, start)], axis=1)


def _inside(edges: FloatArray, *, top: int, height: int, width: int) -> NDArray[np.bool_]:
    """Which dots' centres have an odd number of edges to their left."""
    x0, y0, x1, y1 = edges[(edges[:, 3] > top) & (edges[:, 1] < top + height)].T
    first = np.ceil(y0 - 0.5).astype(np.int64).clip(top, top + height)
    last = np.ceil(y1 - 0.5).astype(np.int64).clip(top, top + height)
    count = last - first
    edge = np.repeat(np.arange(len(count)), count)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(count) - count, count) + first[edge]
    x = x0[edge] + (row + 0.5 - y0[edge]) * ((x1 - x0) / np.where(y1 > y0, y1 - y0, 1.0))[edge]
    column = np.ceil(x - 0.5).astype(np.int64).clip(0, width)
    crossings = np.bincount((row - top) * (width + 1) + column, minlength=height * (width + 1))
    odd: NDArray[np.bool_] = crossings.reshape(height, width + 1)[:, :width].cumsum(axis=1) % 2 == 1
    return odd
