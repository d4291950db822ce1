"""Landmarks of a video made steady: smoothed where a face is still, followed where it moves, never late."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float64, Int64
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from advmask.applying.face_finding import FoundFace
from advmask.applying.settings import SteadySettings

# Spans that are tried grow by this factor, from about one frame upwards.
_SHORTEST_FRAMES, _GROWTH = 0.6, 1.5
# A longer span is refused when its line leaves that of a shorter one by more, in the latter's own noise.
# (Of 0.8 to 1.6 the least follows nods best, and a still face is as still with any.)
_BELIEVED = 0.8
_REACH = 3.0  # standard deviations to either side
_AT_ONCE = 512
# A face that moves by more from one frame to the next, in eye distances, was not moved: the scene was cut.
_CUT = 0.25


def steadied(seen: dict[int, FoundFace], *, rate: float, settings: SteadySettings) -> dict[int, FoundFace]:
    """Smooth one face's landmarks over time, and fill the short gaps.

    Args:
        seen: The face, by the number of the frame.
        rate: Frames per second.
        settings: How steady, and how long gaps may be.

    Returns:
        The face by the number of the frame, from the first to the last one, long gaps left out.
    """
    result: dict[int, FoundFace] = {}
    for frames in _pieces(seen, longest_gap=round(settings.gap_s * rate)):
        result |= _steadied_piece([seen[number] for number in frames], np.array(frames), rate, settings)
    return result


def smooth_points(
    points: Float64[np.ndarray, "seen n"],
    frames: Int64[np.ndarray, "seen"],
    at: Int64[np.ndarray, "frames"],
    *,
    rate: float,
    unit: Float64[np.ndarray, "seen"],
    span_s: float,
) -> Float64[np.ndarray, "frames n"]:
    """Fit a line to each coordinate around each moment, and read it there.

    A line, unlike a mean, is neither late where the face moves evenly nor drawn inwards at both ends. Its
    weights are Gaussian in time. How far they reach is decided for each moment by Lepski's rule: the longest
    span whose line agrees with those of all shorter spans, up to their noise, which is told from how
    neighbouring frames disagree. So a still face is averaged long, and a nod is followed.

    Args:
        points: Coordinates, px.
        frames: Numbers of the frames they were seen in, ascending.
        at: Numbers of the frames wanted.
        rate: Frames per second.
        unit: Distance between the eyes in the frames seen, px.
        span_s: The longest span, above 0.

    Source:
        Lepski, Mammen and Spokoiny, Optimal Spatial Adaptation to Inhomogeneous Smoothness, 1997.
    """
    seen_s, at_s = frames / rate, at / rate
    noise = _noise(points / unit[:, None], frames) * np.interp(at_s, seen_s, unit)
    count = max(1, 1 + int(np.log(max(span_s * rate / _SHORTEST_FRAMES, 1.0)) / np.log(_GROWTH)))
    spans_s = _SHORTEST_FRAMES / rate * _GROWTH ** np.arange(count)
    lines: list[tuple[np.ndarray, np.ndarray]] = []
    chosen, agreeing = np.zeros(len(at)), np.ones(len(at), dtype=bool)
    for number, within in enumerate(spans_s):
        height, gain = _local_line(points, seen_s, at_s, within_s=np.full(len(at), within))
        for shorter, shorter_gain in lines:
            away = np.sqrt(((height - shorter) ** 2).mean(axis=1))
            agreeing &= away <= _BELIEVED * noise * shorter_gain + 1e-9
        chosen[agreeing] = number
        lines.append((height, gain))
    # The spans themselves must not jump, or the mask would.
    calm = gaussian_filter1d(minimum_filter1d(chosen, size=5, mode="nearest"), 2.0, mode="nearest")
    return _local_line(points, seen_s, at_s, within_s=spans_s[0] * _GROWTH**calm)[0]


def _noise(points: np.ndarray, frames: np.ndarray) -> float:
    """Standard deviation of a coordinate's noise, from second differences of neighbouring frames."""
    if len(points) < 3:
        return 0.0
    second = points[:-2] - 2 * points[1:-1] + points[2:]
    size = np.sqrt((second**2).mean(axis=1) / 6)[frames[2:] - frames[:-2] == 2]
    return float(np.median(size)) if len(size) else 0.0


def _steadied_piece(
    faces: Sequence[FoundFace], frames: Int64[np.ndarray, "seen"], rate: float, settings: SteadySettings
) -> dict[int, FoundFace]:
    at = np.arange(frames[0], frames[-1] + 1)
    five = np.stack([face.five for face in faces])
    unit = np.maximum(np.hypot(*(five[:, 1] - five[:, 0]).T), 1e-6)
    boxes = np.array([face.box for face in faces])
    meshes = [(number, face.dense) for number, face in enumerate(faces) if face.dense is not None]
    with_mesh = [number for number, _ in meshes]

    def read(values: np.ndarray, rows: np.ndarray, units: np.ndarray) -> np.ndarray:
        flat = values.reshape(len(values), -1)
        if settings.span_s == 0:
            columns = [np.interp(at, rows, column) for column in flat.T]
            return np.stack(columns, axis=1).reshape(len(at), *values.shape[1:])
        smooth = smooth_points(flat, rows, at, rate=rate, unit=units, span_s=settings.span_s)
        return smooth.reshape(len(at), *values.shape[1:])

    steady_five, steady_boxes = read(five, frames, unit), read(boxes, frames, unit)
    # The mesh may be missing where the detector was sure; then it is read from the neighbouring frames.
    steady_dense = None
    if meshes:
        steady_dense = read(np.stack([mesh for _, mesh in meshes]), frames[with_mesh], unit[with_mesh])
    return {
        int(number): FoundFace(
            box=tuple(steady_boxes[place].tolist()),
            five=steady_five[place],
            dense=None if steady_dense is None else steady_dense[place],
        )
        for place, number in enumerate(at)
    }


def _local_line(
    values: np.ndarray, seen_s: np.ndarray, at_s: np.ndarray, *, within_s: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Height (T, n), at each moment, of the line fitted around it, and its share (T,) of the noise."""
    heights, gains = [], []
    for first in range(0, len(at_s), _AT_ONCE):
        moment, within = at_s[first : first + _AT_ONCE], within_s[first : first + _AT_ONCE]
        reach = _REACH * float(within.max())
        low, high = np.searchsorted(seen_s, [moment[0] - reach, moment[-1] + reach])
        # Whatever is nearest counts, however narrow the weights.
        low, high = max(0, int(low) - 2), min(len(seen_s), int(high) + 2)
        away = seen_s[None, low:high] - moment[:, None]
        # In a gap, the frames on both its sides must count.
        if away.shape[1] > 1:
            within = np.maximum(within, 0.5 * np.partition(np.abs(away), 1, axis=1)[:, 1])
        exponent = -0.5 * (away / within[:, None]) ** 2
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        total = weight.sum(axis=1, keepdims=True)
        weight /= total
        mean = (weight * away).sum(axis=1, keepdims=True)
        spread = (weight * (away - mean) ** 2).sum(axis=1, keepdims=True)
        # One sample tells no slope.
        tilt = weight * (away - mean) / np.maximum(spread, 1e-9)
        kernel = weight - mean * tilt
        heights.append(kernel @ values[low:high])
        gains.append(np.sqrt((kernel**2).sum(axis=1)))
    return np.concatenate(heights), np.concatenate(gains)


def _pieces(seen: dict[int, FoundFace], *, longest_gap: int) -> list[list[int]]:
    """The numbers of the frames, cut where more than `longest_gap` are missing and where the scene is cut."""
    pieces: list[list[int]] = []
    for number in sorted(seen):
        before = pieces[-1][-1] if pieces else number
        near = number - before - 1 <= longest_gap
        if pieces and near and not _is_cut(seen[before], seen[number], number - before):
            pieces[-1].append(number)
        else:
            pieces.append([number])
    return pieces


def _is_cut(one: FoundFace, other: FoundFace, frames: int) -> bool:
    eyes = float(np.hypot(*(one.five[1] - one.five[0])))
    moved = float(np.sqrt(((other.five - one.five) ** 2).sum(axis=1).mean()))
    return moved > _CUT * frames * eyes
