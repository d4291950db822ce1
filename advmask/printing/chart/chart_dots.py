"""The chart as printer dots."""

from types import ModuleType

import numpy as np
from jaxtyping import Float64, UInt8

from advmask.core.errors import MissingPackageError
from advmask.printing.chart.chart_layout import (
    CELL_MM,
    GAP_MM,
    HEIGHT_MM,
    MARKER_MM,
    MARKER_MODULES,
    WIDTH_MM,
    Chart,
    LineBlock,
    marker_corners_mm,
)
from advmask.printing.upsample import MM_PER_INCH, dots


def opencv() -> ModuleType:
    """The package that draws and finds the markers.

    Raises:
        MissingPackageError: It is not installed.
    """
    try:
        import cv2
    except ImportError as error:
        raise MissingPackageError(
            "advmask calibrate needs OpenCV; run `pip install 'advmask[calibrate]'`."
        ) from error
    return cv2


def draw_chart(chart: Chart, *, dpi: int) -> UInt8[np.ndarray, "h w 3"]:
    """Draw the frame of a chart: patches, lines and markers on white.

    Every edge is moved to the nearest edge of a dot, but the lines, which cover a dot in part where they are
    no whole number of dots wide.

    Args:
        chart: The chart.
        dpi: Dots per inch.

    Returns:
        (h, w, 3) sRGB, 0 to 255, with w = `round(WIDTH_MM dpi / 25.4)` and h the same way.

    Raises:
        MissingPackageError: OpenCV is not installed.
    """
    picture = np.full((dots(HEIGHT_MM, dpi=dpi), dots(WIDTH_MM, dpi=dpi), 3), 255, dtype=np.uint8)
    for patch in chart.patches:
        picture[_square(patch.centre_mm, CELL_MM - GAP_MM, dpi=dpi)] = patch.rgb
    for block in chart.lines:
        place = _square(block.centre_mm, CELL_MM - GAP_MM, dpi=dpi)
        picture[place] = _line_values(block, count=place[1 if block.upright else 0], dpi=dpi)
    for corner, number in enumerate(chart.markers):
        place = _square(tuple(marker_corners_mm(corner).mean(axis=0)), MARKER_MM, dpi=dpi)
        rows, columns = (
            (np.arange(side.stop - side.start) * MARKER_MODULES) // (side.stop - side.start) for side in place
        )
        picture[place] = marker_modules(number)[np.ix_(rows, columns)][..., None]
    return picture


def marker_dictionary(numbers: range | None = None) -> object:
    """The markers that stand at the corners: AprilTag 36h11, any two of which differ in 11 of 36 bits.

    Args:
        numbers: Some that follow each other, of which the first then has the number 0; None takes all.
    """
    aruco = opencv().aruco
    every = aruco.getPredefinedDictionary(aruco.DICT_APRILTAG_36H11)
    if numbers is None:
        return every
    some = every.bytesList[numbers.start : numbers.stop]
    return aruco.Dictionary(some, every.markerSize, every.maxCorrectionBits)


def marker_modules(number: int) -> UInt8[np.ndarray, "8 8"]:
    """One marker, a pixel for each of its modules, 0 or 255."""
    modules: UInt8[np.ndarray, "8 8"] = opencv().aruco.generateImageMarker(
        marker_dictionary(), number, MARKER_MODULES
    )
    return modules


def _square(centre: tuple[float, ...], side_mm: float, *, dpi: int) -> tuple[slice, slice]:
    left, top = (dots(middle - side_mm / 2.0, dpi=dpi) for middle in centre)
    right, bottom = (dots(middle + side_mm / 2.0, dpi=dpi) for middle in centre)
    return slice(top, bottom), slice(left, right)


def _line_values(block: LineBlock, *, count: slice, dpi: int) -> UInt8[np.ndarray, "_ _ 1"]:
    """Lines that begin with a black one at the edge of their square."""
    length = count.stop - count.start
    edges = np.arange(length + 1) * MM_PER_INCH / dpi
    black = np.diff(_black_before(edges, block.period_mm)) * dpi / MM_PER_INCH
    values = np.rint(255.0 * (1.0 - black.clip(0.0, 1.0))).astype(np.uint8)
    return values[None, :, None] if block.upright else values[:, None, None]


def _black_before(place: Float64[np.ndarray, "n"], period: float) -> Float64[np.ndarray, "n"]:
    # A place a hair before the end of a period counts as its end, or rounding would soften whole dots.
    whole = np.floor(place / period + 1e-9)
    begun = np.minimum((place - whole * period).clip(0.0), period / 2.0)
    black: Float64[np.ndarray, "n"] = whole * period / 2.0 + begun
    return black
