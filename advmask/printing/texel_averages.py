"""Averages of printer dots over texels, in linear light: what is seen of a print from afar."""

from dataclasses import dataclass

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from advmask.colour.srgb import decoded, encoded

FloatArray = NDArray[np.float32]

CLOSE_ENOUGH = 0.4 / 255.0
"""An average this near to its texel, in sRGB, needs no correction."""
_ROUNDS_OF_DOTS = 16
_ENOUGH_GAIN = 0.97


@dataclass(frozen=True, eq=False)
class Shares:
    """Who covers whom along one axis.

    Attributes:
        weights: (texels, dots) which share of each texel each dot covers.
        spread: (dots, texels) which share of each dot lies on each texel.
        whole: (texels,) those that dots cover wholly.
    """

    weights: scipy.sparse.csr_array
    spread: scipy.sparse.csr_array
    whole: NDArray[np.bool_]

    def of_texels(self, part: slice) -> "Shares":
        """The same dots, and some of the texels."""
        return Shares(self.weights[part], self.spread[:, part], self.whole[part])


def shares(start: float, end: float, count: int, texels: int) -> Shares:
    """Of `count` dots between two places, measured in texels."""
    edges = start + np.arange(count + 1) * (end - start) / count
    dot, texel, share = [], [], []
    first = np.floor(edges[:-1]).astype(int)
    for further in range(int(np.ceil((end - start) / count)) + 1):
        at = first + further
        common = np.minimum(edges[1:], at + 1) - np.maximum(edges[:-1], at)
        kept = (common > 1e-9) & (at >= 0) & (at < texels)
        dot.append(np.flatnonzero(kept))
        texel.append(at[kept])
        share.append(common[kept])
    weights = scipy.sparse.csr_array(
        (np.concatenate(share), (np.concatenate(texel), np.concatenate(dot))), shape=(texels, count)
    ).astype(np.float32)
    places = np.arange(texels)
    spread = (weights.T * np.float32(count / (end - start))).tocsr()
    return Shares(weights, spread, (places >= start - 1e-6) & (places + 1 <= end + 1e-6))


def texel_means(
    printed: NDArray[np.float32], *, box: tuple[float, float, float, float], height: int, width: int
) -> tuple[FloatArray, NDArray[np.bool_]]:
    """What a camera that sees one texel per pixel sees of a print: area averages in linear light.

    Args:
        printed: (C, h, w) sRGB in [0, 1].
        box: Where the print lies, in texels.
        height: Texels.
        width: Texels.

    Returns:
        (C, height, width) sRGB in [0, 1], and (height, width) which texels lie wholly on the print.
    """
    rows = shares(box[1], box[3], printed.shape[1], height)
    columns = shares(box[0], box[2], printed.shape[2], width)
    light = decoded(printed)
    means = np.stack([(columns.weights @ (rows.weights @ plane).T).T for plane in light])
    return encoded(means.clip(0.0, 1.0)), np.outer(rows.whole, columns.whole)


def fitted(
    drawn: FloatArray, low: FloatArray, high: FloatArray, texels: FloatArray, rows: Shares, columns: Shares
) -> FloatArray:
    """Dots moved towards the averages asked for, within their limits: what interpolation could not do."""
    whole = np.outer(rows.whole, columns.whole)
    result = np.empty_like(drawn)
    for channel, plane in enumerate(drawn):
        moved = plane
        best, least, rest = plane, np.inf, np.inf
        for _ in range(_ROUNDS_OF_DOTS):
            residual = texels[channel] - (columns.weights @ (rows.weights @ moved).T).T
            residual[~whole] = 0.0
            error = visible(residual, texels[channel])
            if error < least:
                best, least = moved, error
            before, rest = rest, float(np.square(residual).sum())
            if error < CLOSE_ENOUGH or rest > _ENOUGH_GAIN * before:  # the rest cannot be met
                break
            # Only dots that still have room move, and each texel's by what it lacks.
            wanted = (rows.spread @ (columns.spread @ residual.T).T) > 0
            room = np.where(wanted, high[channel] - moved, moved - low[channel]) > 1e-6
            free = (columns.weights @ (rows.weights @ room.astype(np.float32)).T).T
            push = residual / np.maximum(free, 0.02)
            moved = (moved + room * (rows.spread @ (columns.spread @ push.T).T)).clip(
                low[channel], high[channel]
            )
        result[channel] = best
    return result


def visible(residual: FloatArray, light: FloatArray) -> float:
    """The largest residual as a difference of sRGB values."""
    return float(np.abs(encoded((light - residual).clip(0.0, 1.0)) - encoded(light)).max(initial=0.0))
