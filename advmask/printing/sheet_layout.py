"""Where things stand on a sheet, and how a sheet is cut into tiles of paper."""

import math
from dataclasses import dataclass
from string import ascii_uppercase

import numpy as np

from advmask.core.errors import ConfigError
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.raster import margin_mm
from advmask.printing.settings import PrintingSettings, SheetSettings

Box = tuple[float, float, float, float]

HEAD_MM = 9.0
"""Above the picture: registration marks and the title."""
FOOT_MM = 13.0
"""Below the picture: registration marks and the ruler."""
FRAME_MM = 7.0
"""Around each tile: its name and the marks for glueing."""
RULER_MM = 100.0
_LEAST_WIDTH_MM = RULER_MM + 30.0
_MOST_TILES = 400
_STEP_MM = 0.1
_CLEAR_MM = 1.0  # between the ruler and the edges of a tile


@dataclass(frozen=True)
class Sheet:
    """A mask with its marks, in millimetres from the sheet's top left corner.

    Attributes:
        width: Of the sheet.
        height: Of the sheet.
        picture: Left, top, right and bottom of the printed picture, which ends where the bleed does.
        trim: The box around the cuts.
        origin: Where the origin of the pattern frame lies.
    """

    width: float
    height: float
    picture: Box
    trim: Box
    origin: tuple[float, float]


@dataclass(frozen=True)
class Tile:
    """One paper of several: its name (row letter and column number), and the part of the sheet it shows."""

    name: str
    row: int
    column: int
    window: Box


@dataclass(frozen=True)
class Layout:
    """The paper, and what is on which.

    Attributes:
        page: Width and height of every page.
        place: Where the sheet's top left corner lies on the page, where there are no tiles.
        tiles: Row by row; empty where the sheet fits.
    """

    page: tuple[float, float]
    place: tuple[float, float]
    tiles: tuple[Tile, ...] = ()

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return max((tile.column for tile in self.tiles), default=0) + 1

    def ruler_left(self, sheet: Sheet) -> float:
        """Where the ruler begins on the sheet: in the middle, or where no tile cuts it."""
        middle = sheet.width / 2
        for tile in self.tiles:
            left, _, right, _ = tile.window
            if tile.row == self.rows - 1 and left <= middle <= right:
                end = min(right, sheet.width)
                return min(max(middle - RULER_MM / 2, left + _CLEAR_MM), end - _CLEAR_MM - RULER_MM)
        return middle - RULER_MM / 2

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return max((tile.row for tile in self.tiles), default=0) + 1


def sheet_of(pattern: FlatPattern, printing: PrintingSettings) -> Sheet:
    """Lay out a mask: marks and title above the picture, marks and ruler below it, nothing next to it."""
    around = margin_mm(pattern, printing)
    left, top, right, bottom = pattern.box_mm
    wide, high = right - left + 2 * around, bottom - top + 2 * around
    width = max(wide, _LEAST_WIDTH_MM)
    x, y = (width - wide) / 2, HEAD_MM
    origin = (x + around - left, y + around - top)
    cuts = np.concatenate([panel.cut_mm() for panel in pattern.panels]) + origin
    (cut_left, cut_top), (cut_right, cut_bottom) = cuts.min(axis=0), cuts.max(axis=0)
    trim = (float(cut_left), float(cut_top), float(cut_right), float(cut_bottom))
    return Sheet(width, y + high + FOOT_MM, (x, y, x + wide, y + high), trim, origin)


def lay_out(sheet: Sheet, settings: SheetSettings) -> Layout:
    """Choose the page: as large as needed, the paper upright or lying, or as few tiles as possible.

    Raises:
        ConfigError: Paper and overlap would need hundreds of tiles.
    """
    around = settings.margin_mm
    if settings.room_mm is None:
        page = sheet.width + 2 * around, sheet.height + 2 * around
        return Layout(page, (around, around))
    short, long = settings.room_mm
    for page in ((short, long), (long, short)):
        if sheet.width <= page[0] - 2 * around and sheet.height <= page[1] - 2 * around:
            return Layout(page, ((page[0] - sheet.width) / 2, (page[1] - sheet.height) / 2))
    options = [
        Layout(page, (0.0, 0.0), _tiles(sheet, page, settings)) for page in ((short, long), (long, short))
    ]
    best = min(options, key=lambda layout: len(layout.tiles))
    if len(best.tiles) > _MOST_TILES:
        raise ConfigError(
            f"paper={settings.paper} would need {len(best.tiles)} tiles; choose a larger paper or a smaller "
            "sheet.overlap_mm."
        )
    return best


def _tiles(sheet: Sheet, page: tuple[float, float], settings: SheetSettings) -> tuple[Tile, ...]:
    room = [side - 2 * (settings.margin_mm + FRAME_MM) for side in page]
    counts, steps, sizes = [], [], []
    for length, most in zip((sheet.width, sheet.height), room, strict=True):
        count = max(1, math.ceil((length - settings.overlap_mm) / (most - settings.overlap_mm) - 1e-9))
        # All tiles alike, in tenths of millimetres, with the overlap asked for.
        size = math.ceil(((length - settings.overlap_mm) / count + settings.overlap_mm) / _STEP_MM) * _STEP_MM
        counts.append(count)
        # The ruler must lie on one tile, so that no edge cuts it.
        size = max(size, RULER_MM + 4 * _CLEAR_MM) if length == sheet.width and count > 1 else size
        sizes.append(min(size, most))
        steps.append(sizes[-1] - settings.overlap_mm)
    return tuple(
        Tile(
            f"{_letters(row)}{column + 1}",
            row,
            column,
            (
                column * steps[0],
                row * steps[1],
                column * steps[0] + sizes[0],
                row * steps[1] + sizes[1],
            ),
        )
        for row in range(counts[1])
        for column in range(counts[0])
    )


def _letters(row: int) -> str:
    name = ascii_uppercase[row % 26]
    return name if row < 26 else _letters(row // 26 - 1) + name
