"""Where everything stands on the calibration chart, in millimetres, and which colour each patch has."""

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from jaxtyping import Float64, Int64

from advmask.core.errors import ConfigError

VERSION = 1
"""Counted up whenever a chart is laid out in another way; it is part of the numbers of the markers."""
SEEDS = 16
VERSIONS = 9

CELL_MM = 12.0
GAP_MM = 1.2
COLUMNS, ROWS = 15, 19
WIDTH_MM, HEIGHT_MM = COLUMNS * CELL_MM, ROWS * CELL_MM
MARKER_MM = 18.0
MARKER_MODULES = 8
CORNERS = ("top left", "top right", "bottom right", "bottom left")

DOT_MM = 25.4 / 300
LINE_DOTS = (1, 2, 3, 4, 6, 8, 12)
"""Widths of lines in dots of 300 dpi, so that each is drawn sharply at 300 and 600 dpi."""
LINES_MM = 8.3
"""Side of the part of a line block that is read; each block reads as many whole periods as fit."""

_MARKER_CELLS = 2
_TARGET_COLUMNS, _TARGET_ROWS = (5, 10), (8, 11)
_LEVELS = (0, 64, 128, 191, 255)
_GREYS = (16, 32, 48, 96, 160, 176, 208, 224, 240)
_HELD_OUT = 48
_FIELD, _FIELD_GREYS = 72, 20
_FIELD_GREY = 128
_CLOSE = 100.0  # distance of two colours in 8-bit sRGB below which neighbours are told apart badly
_SHUFFLES = 48

Use = Literal["fit", "held out", "field"]
Cell = tuple[int, int]


@dataclass(frozen=True)
class Patch:
    """One plain square.

    Attributes:
        column: Cell from the left.
        row: Cell from the top.
        rgb: Asked sRGB, 0 to 255.
        use: `fit` for the colour map, `held out` for testing it, `field` for how evenly the light falls.
    """

    column: int
    row: int
    rgb: tuple[int, int, int]
    use: Use

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Its middle, from the top left corner of the chart."""
        return centre_mm((self.column, self.row))


@dataclass(frozen=True)
class LineBlock:
    """One square of black and white lines of equal width.

    Attributes:
        column: Cell from the left.
        row: Cell from the top.
        period_mm: One black and one white line.
        upright: Whether the lines run down the page.
    """

    column: int
    row: int
    period_mm: float
    upright: bool

    @property
    def centre_mm(self) -> tuple[float, float]:
        """Its middle, from the top left corner of the chart."""
        return centre_mm((self.column, self.row))


@dataclass(frozen=True)
class Chart:
    """A chart; the frame is `WIDTH_MM` by `HEIGHT_MM`, u to the right, v down, from its top left corner."""

    seed: int
    patches: tuple[Patch, ...]
    lines: tuple[LineBlock, ...]
    markers: tuple[int, int, int, int]

    def asked(self) -> Float64[np.ndarray, "patches 3"]:
        """Asked sRGB of every patch, in [0, 1]."""
        return np.array([patch.rgb for patch in self.patches]) / 255.0

    def centres(self) -> Float64[np.ndarray, "patches 2"]:
        """Middle of every patch in millimetres."""
        return np.array([patch.centre_mm for patch in self.patches])

    def of(self, use: Use) -> Int64[np.ndarray, "chosen"]:
        """Indices of the patches of one use."""
        return np.array([i for i, patch in enumerate(self.patches) if patch.use == use], dtype=np.int64)


@cache
def chart_layout(seed: int = 0) -> Chart:
    """Lay out the chart.

    Of 254 patches, 134 serve the fit (a grid of 5 x 5 x 5 over the sRGB cube and 9 more greys), 48 random
    ones test it, and 72 white and grey ones spread over the whole chart show how evenly the light falls. The
    coloured ones are shuffled until colour says nothing of position and few neighbours look alike. In the
    middle stand 14 blocks of lines. The four markers bear the version, the seed and their corner.

    Args:
        seed: Another shuffle and other random colours, 0 to 15.

    Raises:
        ConfigError: The seed is none of these.
    """
    if not 0 <= seed < SEEDS:
        raise ConfigError(f"seed={seed} does not fit in the chart's markers; choose 0 to {SEEDS - 1}.")
    # Frozen by numpy's policy, unlike its newer generators: a chart printed once must be read for ever.
    random = np.random.RandomState([VERSION, seed])
    free = _free_cells()
    field = _spread(free, _FIELD)
    greys = set(_spread(field, _FIELD_GREYS))
    rest = [cell for cell in free if cell not in set(field)]
    grid = list(itertools.product(_LEVELS, repeat=3)) + [(grey,) * 3 for grey in _GREYS]
    held_out = random.randint(0, 256, (_HELD_OUT, 3), dtype=np.int64).tolist()
    colours = np.array([*grid, *held_out], dtype=np.int64)
    order = _shuffled(colours, rest, random)
    patches = [
        Patch(*cell, (int(r), int(g), int(b)), "fit" if index < len(grid) else "held out")
        for cell, index, (r, g, b) in zip(rest, order, colours[order], strict=True)
    ]
    patches += [Patch(*cell, (_FIELD_GREY,) * 3 if cell in greys else (255,) * 3, "field") for cell in field]
    patches.sort(key=lambda patch: (patch.row, patch.column))
    return Chart(seed, tuple(patches), _line_blocks(), marker_ids(VERSION, seed))


def marker_ids(version: int, seed: int) -> tuple[int, int, int, int]:
    """Numbers of the markers at the four `CORNERS`."""
    first = 4 * ((version - 1) * SEEDS + seed)
    return first, first + 1, first + 2, first + 3


def marker_meaning(number: int) -> tuple[int, int, int]:
    """Version, seed and corner that a marker stands for."""
    chart, corner = divmod(number, 4)
    return chart // SEEDS + 1, chart % SEEDS, corner


def marker_corners_mm(corner: int) -> Float64[np.ndarray, "4 2"]:
    """Corners of a marker in the order of `CORNERS`."""
    inset = (_MARKER_CELLS * CELL_MM - MARKER_MM) / 2.0
    left = inset if corner in (0, 3) else WIDTH_MM - inset - MARKER_MM
    top = inset if corner in (0, 1) else HEIGHT_MM - inset - MARKER_MM
    return np.array([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]) * MARKER_MM + (left, top)


def centre_mm(cell: Cell) -> tuple[float, float]:
    """Middle of a cell, given as column and row."""
    return (cell[0] + 0.5) * CELL_MM, (cell[1] + 0.5) * CELL_MM


def _free_cells() -> list[Cell]:
    def marker(column: int, row: int) -> bool:
        return min(column, COLUMNS - 1 - column) < _MARKER_CELLS and min(row, ROWS - 1 - row) < _MARKER_CELLS

    def target(column: int, row: int) -> bool:
        return column in range(*_TARGET_COLUMNS) and row in range(*_TARGET_ROWS)

    cells = [(column, row) for row in range(ROWS) for column in range(COLUMNS)]
    return [cell for cell in cells if not marker(*cell) and not target(*cell)]


def _line_blocks() -> tuple[LineBlock, ...]:
    cells = itertools.product(range(*_TARGET_ROWS), range(*_TARGET_COLUMNS))
    kinds = [(2 * dots * DOT_MM, upright) for dots in LINE_DOTS for upright in (True, False)]
    return tuple(LineBlock(column, row, *kind) for (row, column), kind in zip(cells, kinds, strict=False))


def _spread(cells: list[Cell], count: int) -> list[Cell]:
    """Choose cells as far apart as can be, one after the other, beginning at the first."""
    places = np.array(cells, dtype=np.float64)
    chosen = [0]
    nearest = np.full(len(cells), np.inf)
    while len(chosen) < count:
        nearest = np.minimum(nearest, np.linalg.norm(places - places[chosen[-1]], axis=1))
        chosen.append(int(nearest.argmax()))
    return [cells[index] for index in sorted(chosen)]


def _shuffled(
    colours: Int64[np.ndarray, "n 3"], cells: list[Cell], random: np.random.RandomState
) -> Int64[np.ndarray, "n"]:
    """The order of the colours, of several random ones, whose correlation with position is least."""
    places = np.array(cells, dtype=np.float64)
    places = (places - places.mean(axis=0)) / places.std(axis=0)
    moments = np.column_stack([places, places**2, places.prod(axis=1)])
    moments = (moments - moments.mean(axis=0)) / moments.std(axis=0)
    tones = (colours - colours.mean(axis=0)) / colours.std(axis=0)
    index = {cell: number for number, cell in enumerate(cells)}
    around = [[index[near] for near in _neighbours(cell) if near in index] for cell in cells]
    orders = [_parted(random.permutation(len(cells)), colours, around, random) for _ in range(_SHUFFLES)]
    return min(orders, key=lambda order: np.abs(moments.T @ tones[order]).max())


def _neighbours(cell: Cell) -> tuple[Cell, ...]:
    column, row = cell
    return (column - 1, row), (column + 1, row), (column, row - 1), (column, row + 1)


def _parted(
    order: Int64[np.ndarray, "n"],
    colours: Int64[np.ndarray, "n 3"],
    around: list[list[int]],
    random: np.random.RandomState,
) -> Int64[np.ndarray, "n"]:
    """Swap colours until hardly any patch has a neighbour that looks like it."""
    close = np.linalg.norm(colours[:, None] - colours[None], axis=2) < _CLOSE

    def alike(place: int) -> int:
        return sum(int(close[order[place], order[near]]) for near in around[place])

    for _ in range(3):
        for place in range(len(order)):
            if not alike(place):
                continue
            for other in random.randint(0, len(order), 12, dtype=np.int64):
                before = alike(place) + alike(int(other))
                order[[place, other]] = order[[other, place]]
                if alike(place) + alike(int(other)) < before:
                    break
                order[[place, other]] = order[[other, place]]
    return order
