"""Finding the printed chart in a photo by its four markers."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, UInt8

from advmask.core.errors import PhotoError
from advmask.printing.chart.chart_dots import marker_dictionary, opencv
from advmask.printing.chart.chart_layout import (
    CORNERS,
    HEIGHT_MM,
    MARKER_MODULES,
    SEEDS,
    VERSION,
    VERSIONS,
    WIDTH_MM,
    Chart,
    chart_layout,
    marker_corners_mm,
    marker_ids,
    marker_meaning,
)
from advmask.printing.chart.view import View, fit_view

_SIDES_PX = (1600, 3200, 800)
_FARTHEST_MM = 1.5  # that a corner of a marker may lie from where a flat page has it
_FEWEST_PX_PER_MM = 1.8
_MOST_BEND = 0.1  # share of the distance from the middle, at the corner of the photo
_HOW = "Photograph the whole printed page of `advmask calibrate chart` from straight above, flat and sharp."

Markers = dict[int, Float64[np.ndarray, "4 2"]]


@dataclass(frozen=True)
class FoundChart:
    """A chart in a photo.

    Attributes:
        chart: The layout, by the seed that its markers bear.
        view: Where it lies.
        miss_mm: Root mean square of how far corners of markers lie from where the view has them.
    """

    chart: Chart
    view: View
    miss_mm: float


def find_chart(photo: UInt8[np.ndarray, "h w 3"], *, name: str = "The photo") -> FoundChart:
    """Find the chart, turned in any direction.

    Args:
        photo: sRGB, 0 to 255.
        name: What messages call the photo.

    Raises:
        PhotoError: There is no chart, or a mirrored one, part of one, one of another version, more than one,
            one on a page that is not flat, or one too small to be read.
        MissingPackageError: OpenCV is not installed.
    """
    grey = np.asarray(opencv().cvtColor(photo, opencv().COLOR_RGB2GRAY))
    markers = _any_markers(grey, name=name)
    seed = _seed_of(markers, name=name)
    numbers = marker_ids(VERSION, seed)
    missing = [corner for corner, number in zip(CORNERS, numbers, strict=True) if number not in markers]
    if missing:
        which = f"{' and '.join(missing)} corner{'s' if len(missing) > 1 else ''}"
        raise PhotoError(
            f"{name} shows only part of the chart: the marker of the {which} is cut off, covered, blurred "
            f"or in a reflection. {_HOW}"
        )
    view, miss_mm = _placed([markers[number] for number in numbers], photo.shape, name=name)
    found = FoundChart(chart_layout(seed), view, miss_mm)
    fewest = float(view.pixels_per_mm(found.chart.centres()).min())
    if fewest < _FEWEST_PX_PER_MM:
        raise PhotoError(
            f"{name} shows the chart too small or too much from the side: {fewest:.2f} pixels to a "
            f"millimetre, where {_FEWEST_PX_PER_MM:g} are needed. Go closer, or use a camera with more "
            "pixels."
        )
    return found


def _any_markers(grey: UInt8[np.ndarray, "h w"], *, name: str) -> Markers:
    """Markers of this version, else of others: to look among all of them takes nine times as long."""
    own = marker_ids(VERSION, 0)[0]
    for numbers in (range(own, own + 4 * SEEDS), range(4 * SEEDS * VERSIONS)):
        if found := _markers(grey, numbers, name=name):
            return found
        if _markers(np.ascontiguousarray(grey[:, ::-1]), numbers, name=name):
            raise PhotoError(
                f"{name} is mirrored: the chart in it reads from right to left. Switch mirroring off in the "
                "camera, or photograph the printed side; a print to be transferred is photographed on its "
                "cloth."
            )
    raise PhotoError(f"{name} shows no chart, or one too blurred, too small or too dark to be found. {_HOW}")


def _markers(grey: UInt8[np.ndarray, "h w"], numbers: range, *, name: str) -> Markers:
    """Corners of all markers, found at several sizes of the photo and then refined in the photo itself."""
    cv2 = opencv()
    height, width = grey.shape
    found: Markers = {}
    for side in _SIDES_PX:
        factor = min(1.0, side / max(height, width))
        if factor == 1.0 and side > max(height, width) * 2:
            continue
        small = (
            grey
            if factor == 1.0
            else cv2.resize(grey, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
        )
        scale = np.array([width / small.shape[1], height / small.shape[0]])
        for number, corners in _detected(small, numbers, name=name).items():
            found.setdefault(number, _refined(grey, corners * scale))
        if sum(1 for number in found if marker_meaning(number)[0] == VERSION) >= 4:
            break
    return found


def _detected(grey: UInt8[np.ndarray, "h w"], numbers: range, *, name: str) -> Markers:
    cv2 = opencv()
    settings = cv2.aruco.DetectorParameters()
    settings.minMarkerPerimeterRate = 0.015
    settings.perspectiveRemovePixelPerCell = 8  # with 4, OpenCV before 4.14 loses markers in soft photos
    detector = cv2.aruco.ArucoDetector(marker_dictionary(numbers), settings)
    corners, places, _ = detector.detectMarkers(grey)
    if places is None:
        return {}
    found: Markers = {}
    for place, four in zip(np.ravel(places).tolist(), corners, strict=True):
        number = numbers[place]
        if number in found:
            raise PhotoError(f"{name} shows more than one chart; photograph one page by itself.")
        found[number] = (
            np.asarray(four, dtype=np.float64).reshape(4, 2) + 0.5
        )  # OpenCV's pixel centres are whole
    return found


def _refined(
    grey: UInt8[np.ndarray, "h w"], corners: Float64[np.ndarray, "4 2"]
) -> Float64[np.ndarray, "4 2"]:
    """Corners to a fraction of a pixel, where the marker is large enough for it."""
    cv2 = opencv()
    sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
    reach = int(0.6 * sides.min() / MARKER_MODULES)
    if reach < 2:
        return corners
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_MAX_ITER, 40, 0.01)
    places = (corners - 0.5).astype(np.float32).reshape(-1, 1, 2)
    refined = cv2.cornerSubPix(grey, places, (reach, reach), (-1, -1), stop).reshape(4, 2) + 0.5
    moved = np.linalg.norm(refined - corners, axis=1) > reach
    return np.where(moved[:, None], corners, refined.astype(np.float64))


def _seed_of(markers: Markers, *, name: str) -> int:
    charts = {marker_meaning(number)[:2] for number in markers}
    ours = {seed for version, seed in charts if version == VERSION}
    if not ours:
        version = min(charts)[0]
        raise PhotoError(
            f"{name} shows a chart of version {version}, and this advmask reads version {VERSION}. Print "
            "the chart of this advmask, or fit the photo with the advmask that made its chart."
        )
    if len(charts) > 1:
        raise PhotoError(f"{name} shows more than one chart; photograph one page by itself.")
    return ours.pop()


def _placed(
    corners: list[Float64[np.ndarray, "4 2"]], shape: tuple[int, ...], *, name: str
) -> tuple[View, float]:
    points_mm = np.concatenate([marker_corners_mm(corner) for corner in range(4)])
    pixels = np.concatenate(corners)
    start, _ = opencv().findHomography(points_mm, pixels, 0)
    if start is not None and np.isfinite(start).all():
        view, misses = fit_view(points_mm, pixels, start=np.asarray(start), size=(shape[1], shape[0]))
        ahead = points_mm @ view.perspective[2, :2] + view.perspective[2, 2]
        miss_mm = misses / view.pixels_per_mm(points_mm)
        if (ahead > 0).all() and miss_mm.max() < _FARTHEST_MM and _plausible(view):
            return view, float(np.sqrt((miss_mm**2).mean()))
    raise PhotoError(
        f"{name} shows the four markers of the chart, but not where a flat page has them. Lay the page "
        "flat, under glass if need be, and photograph it from straight above with an ordinary lens."
    )


def _plausible(view: View) -> bool:
    frame = view.pixels(np.array([[0.0, 0.0], [WIDTH_MM, 0.0], [WIDTH_MM, HEIGHT_MM], [0.0, HEIGHT_MM]]))
    one, two = np.roll(frame, -1, axis=0) - frame, np.roll(frame, -2, axis=0) - np.roll(frame, -1, axis=0)
    turns = one[:, 0] * two[:, 1] - one[:, 1] * two[:, 0]
    return bool((turns > 0).all()) and abs(view.bend) < _MOST_BEND
