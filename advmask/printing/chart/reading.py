"""Reading the colours of the patches, the tone of the lines and the sharpness off a photo."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Float64, UInt8

from advmask.colour.srgb import LUMINANCE, decoded
from advmask.core.errors import PhotoError
from advmask.printing.chart.chart_dots import opencv
from advmask.printing.chart.chart_layout import LINES_MM, MARKER_MM, LineBlock, marker_corners_mm
from advmask.printing.chart.marker_search import FoundChart

_INNER_MM = 6.0
_TRIMMED = 0.15  # of the pixels at either end: dust, fibres, and noise that was cut off
_CLIPPED = 254
_GREY = 3  # largest difference between the channels of a pixel in a photo without colour
_MOST_CLIPPED = 0.02
_MOST_PATCHES_CLIPPED = 1
_DARKEST_WHITE = 0.10  # linear light; about 90 of 255
_LEAST_CONTRAST = 0.25  # between paper and black, in linear light relative to the paper
_MOST_BLUR_MM = 0.65  # standard deviation; beyond about 0.8 the markers are not found any more
_EDGE_MM = 1.6
_DECODED = decoded(np.arange(256) / 255.0)


@dataclass(frozen=True)
class Reading:
    """What a photo shows of a chart, in linear light, 1 for the largest value of the photo.

    Attributes:
        colours: Mean of the inner part of each patch.
        lines: Mean luminance of each line block, over whole periods.
        blur_mm: Standard deviation of the blur of edges, printer and camera together.
    """

    colours: Float64[np.ndarray, "patches 3"]
    lines: Float64[np.ndarray, "blocks"]
    blur_mm: float


def read_chart(photo: UInt8[np.ndarray, "h w 3"], found: FoundChart, *, name: str = "The photo") -> Reading:
    """Read a chart.

    Args:
        photo: sRGB, 0 to 255.
        found: Where the chart lies in it.
        name: What messages call the photo.

    Raises:
        PhotoError: The photo is black and white, overexposed, underexposed, without contrast or blurred.
    """
    values = _values(photo, found)
    if np.ptp(values, axis=2).max() <= _GREY:
        raise PhotoError(f"{name} is black and white; switch the filter off, or scan the page in colour.")
    _check_exposure(values, found, name=name)
    light = _DECODED[values]
    light.sort(axis=1)
    cut = int(_TRIMMED * light.shape[1])
    colours = light[:, cut : light.shape[1] - cut].mean(axis=1)
    _check_contrast(colours, found, name=name)
    grey = _luminance(photo).astype(np.float32)
    blur_mm = _blur(grey, found)
    if not blur_mm <= _MOST_BLUR_MM:
        raise PhotoError(
            f"{name} is blurred: edges spread by {blur_mm:.2f} mm, where {_MOST_BLUR_MM:g} mm can be read. "
            "Hold the camera still, focus on the page, go closer, or scan the page."
        )
    lines = np.array([_line_tone(grey, found, block) for block in found.chart.lines])
    return Reading(colours, lines, blur_mm)


def _values(photo: UInt8[np.ndarray, "h w 3"], found: FoundChart) -> UInt8[np.ndarray, "patches samples 3"]:
    """Pixels of the inner part of every patch, about each pixel once."""
    centres = found.chart.centres()
    count = int(np.clip(_INNER_MM * np.median(found.view.pixels_per_mm(centres)), 8, 48))
    pixels = found.view.pixels(centres[:, None] + _raster(_INNER_MM, count))
    columns = np.floor(pixels[..., 0]).astype(np.intp).clip(0, photo.shape[1] - 1)
    rows = np.floor(pixels[..., 1]).astype(np.intp).clip(0, photo.shape[0] - 1)
    values: UInt8[np.ndarray, "patches samples 3"] = photo[rows, columns]
    return values


def _raster(side_mm: float, count: int) -> Float64[np.ndarray, "points 2"]:
    steps = ((np.arange(count) + 0.5) / count - 0.5) * side_mm
    return np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)


def _check_exposure(values: UInt8[np.ndarray, "patches samples 3"], found: FoundChart, *, name: str) -> None:
    white = values[(found.chart.asked() == 1.0).all(axis=1)]
    clipped = (white.max(axis=2) >= _CLIPPED).mean(axis=1) > _MOST_CLIPPED
    if clipped.sum() > _MOST_PATCHES_CLIPPED:
        raise PhotoError(
            f"{name} is overexposed: in {clipped.sum()} of {len(clipped)} white patches the paper is at "
            "the camera's limit. Photograph it darker (exposure correction of about -1), with no flash "
            "and no reflection, or scan it without automatic contrast."
        )
    if _DECODED[np.median(white, axis=(0, 1)).astype(np.intp)].max() < _DARKEST_WHITE:
        raise PhotoError(
            f"{name} is underexposed: the paper is at {int(np.median(white))} of 255. Photograph it in "
            "more light."
        )


def _check_contrast(colours: Float64[np.ndarray, "patches 3"], found: FoundChart, *, name: str) -> None:
    asked = found.chart.asked()
    white, black = (colours[(asked == level).all(axis=1)].mean(axis=0) @ LUMINANCE for level in (1.0, 0.0))
    if white - black < _LEAST_CONTRAST * white:
        raise PhotoError(
            f"{name} shows black at {100 * black / white:.0f} % of the paper's light: it lies under a "
            "reflection or haze, or hardly any ink came out. Photograph it without glare, or print it "
            "again."
        )


def _luminance(photo: UInt8[np.ndarray, "h w 3"]) -> Float64[np.ndarray, "h w"]:
    parts = [_DECODED[photo[..., channel]] * weight for channel, weight in enumerate(LUMINANCE)]
    total: Float64[np.ndarray, "h w"] = parts[0] + parts[1] + parts[2]
    return total


def _sampled(
    grey: Float32[np.ndarray, "h w"], found: FoundChart, points_mm: Float64[np.ndarray, "*n 2"]
) -> Float64[np.ndarray, "*n"]:
    places = (found.view.pixels(points_mm) - 0.5).astype(np.float32)
    flat = places.reshape(-1, 1, 2)
    # In pieces, for the function takes no more than 32767 rows.
    pieces = [
        opencv().remap(grey, piece, None, opencv().INTER_LINEAR, borderMode=opencv().BORDER_REPLICATE)
        for piece in np.array_split(flat, max(1, len(flat) // 16384 + 1))
    ]
    return np.concatenate(pieces).reshape(places.shape[:-1]).astype(np.float64)


def _line_tone(grey: Float32[np.ndarray, "h w"], found: FoundChart, block: LineBlock) -> float:
    side = np.floor(LINES_MM / block.period_mm) * block.period_mm
    centre = np.array(block.centre_mm)
    count = int(np.clip(2.5 * side * found.view.pixels_per_mm(centre[None])[0], 32, 200))
    return float(_sampled(grey, found, centre + _raster(side, count)).mean())


def _blur(grey: Float32[np.ndarray, "h w"], found: FoundChart) -> float:
    """Blur across the outer edges of the markers; the larger of that along and across the page."""
    along = np.linspace(0.15, 0.85, 25) * MARKER_MM
    across = np.linspace(-_EDGE_MM, _EDGE_MM, 81)
    widths: dict[bool, list[float]] = {False: [], True: []}
    for corner in range(4):
        corners = marker_corners_mm(corner)
        for side in range(4):
            start, end = corners[side], corners[(side + 1) % 4]
            ahead = (end - start) / MARKER_MM
            out = np.array([ahead[1], -ahead[0]])
            points = start + along[:, None, None] * ahead + across[None, :, None] * out
            profile = np.median(_sampled(grey, found, points), axis=0)
            widths[side % 2 == 0].append(_edge_width(across, profile))
    return float(max(np.median(values) for values in widths.values()))


def _edge_width(
    across: Sequence[float] | Float64[np.ndarray, "n"], profile: Float64[np.ndarray, "n"]
) -> float:
    """Standard deviation of the blur of a step: half of where it passes from 16 to 84 %."""
    low, high = profile[:5].mean(), profile[-5:].mean()
    if high <= low:
        return float("inf")
    rising = np.maximum.accumulate((profile - low) / (high - low))
    first, last = (float(np.interp(share, rising, across)) for share in (0.159, 0.841))
    return (last - first) / 2.0
