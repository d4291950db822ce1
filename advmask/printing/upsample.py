"""From texels to printer dots, at exact size, with the colours and the averages that the design has."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import correlate1d
from torch import Tensor

from advmask.colour.srgb import decoded, encoded
from advmask.core.errors import DesignError
from advmask.printing.texel_averages import (
    CLOSE_ENOUGH,
    Shares,
    fitted,
    shares,
    texel_means,
    visible,
)

__all__ = ["MM_PER_INCH", "PrintPlan", "dots", "plan_print", "texel_means", "to_print_resolution"]

MM_PER_INCH = 25.4
FloatArray = NDArray[np.float32]

_STRIP_ROWS = 256
# What a texel's share of the dots between its edges sees of itself and its neighbours: the bicubic kernel
# (a = -0.5) averaged over a texel's width.
_BOX_OF_BICUBIC = np.array([-1 / 76.8, 0.09375, 0.838542, 0.09375, -1 / 76.8])
_PREFILTER_ROUNDS = 12
_ROUNDS = 3
_GIVE = 0.25  # of the spread of four texels: how far dots may leave it, at a peak or a thin line


@dataclass(frozen=True, eq=False)
class PrintPlan:
    """A texture made ready for print: numbers to interpolate, and the texels that bound the result.

    Attributes:
        values: (C, H, W) linear light, to be interpolated; they may leave [0, 1].
        texels: (C, H, W) linear light, the texture itself.
        box: Left, top, right and bottom edge of the print in texels.
        size: Width and height of the print in dots.
    """

    values: FloatArray
    texels: FloatArray
    box: tuple[float, float, float, float]
    size: tuple[int, int]

    def rows(self, start: int, count: int) -> FloatArray:
        """(C, count, width) sRGB in [0, 1]: rows of the print, so that no part of it needs all memory."""
        if not _is_finer(self.box, self.size):
            return encoded(self._drawn(start, count)[0])
        # The last step looks at whole texels, so a little more is drawn and cut off again.
        around = math.ceil(4 * self.size[1] / (self.box[3] - self.box[1]))
        first, end = max(0, start - around), min(self.size[1], start + count + around)
        drawn, low, high = self._drawn(first, end - first)
        _, top, _, bottom = self._part(first, end - first)
        met = slice(math.floor(top), math.ceil(bottom))
        rows = shares(top, bottom, end - first, self.texels.shape[1]).of_texels(met)
        columns = shares(self.box[0], self.box[2], self.size[0], self.texels.shape[2])
        moved = fitted(drawn, low, high, self.texels[:, met], rows, columns)
        room = _GIVE * (high - low)
        low, high = (low - room).clip(0.0, 1.0), (high + room).clip(0.0, 1.0)
        moved = fitted(moved, low, high, self.texels[:, met], rows, columns)
        return encoded(moved[:, start - first : start - first + count])

    def _part(self, start: int, count: int) -> tuple[float, float, float, float]:
        left, top, right, bottom = self.box
        step = (bottom - top) / self.size[1]
        return left, top + start * step, right, min(top + (start + count) * step, self.values.shape[1])

    def _drawn(self, start: int, count: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Rows in linear light, and the least and the most that each dot may be."""
        return _interpolated(
            self.values, self.texels, box=self._part(start, count), size=(self.size[0], count),
            bounded=_is_finer(self.box, self.size),
        )  # fmt: skip


def plan_print(
    texels: FloatArray, *, box: tuple[float, float, float, float], size: tuple[int, int]
) -> PrintPlan:
    """Find what to interpolate so that the dots on each texel average to that texel.

    The eye and the camera blur a print in linear light. Interpolation alone rounds off peaks and thin lines,
    so a camera far away would see less contrast than the design that was learned. Here the dots are bicubic
    (a = -0.5), each held between the smallest and the largest of the four texels around it, and the numbers
    interpolated are changed until the average over each texel, dots weighted with the area they share with
    it, is the texel to 0.4/255. Where that is not enough, dots may leave these bounds by a quarter of their
    distance, but never [0, 1]. Plain areas stay plain, edges get no halo, and a step between two texels
    becomes a step. What cannot be met is a dot that lies on two very different texels: it has one colour.
    Where a texel is not at least as large as a dot, texels are averaged instead and nothing is corrected.

    Args:
        texels: (C, H, W) in [0, 1], sRGB.
        box: Left, top, right and bottom edge of the print in texels, within the texture, fractions allowed.
        size: Width and height in dots.

    Source:
        R. Keys, Cubic convolution interpolation for digital image processing, 1981. M. Irani, S. Peleg,
        Improving resolution by image registration, 1991 (back-projection of the residual).
    """
    light = decoded(texels)
    plan = PrintPlan(light, light, box, size)
    if not _is_finer(box, size):
        return plan
    rows = shares(box[1], box[3], size[1], light.shape[1])
    columns = shares(box[0], box[2], size[0], light.shape[2])
    whole = np.outer(rows.whole, columns.whole)
    values = light.copy()
    for _ in range(_PREFILTER_ROUNDS):
        values += light - _seen(values)
    plan = replace(plan, values=values)
    best, least = plan, np.inf
    for _ in range(_ROUNDS):
        residual = light - _texel_means(plan, rows, columns)
        residual[:, ~whole] = 0.0
        error = visible(residual, light)
        if error < least:
            best, least = plan, error
        if error < CLOSE_ENOUGH:
            break
        # An edge that limits hold back asks for more and more: bounded, or it would swing later.
        plan = replace(plan, values=np.clip(plan.values + 1.5 * residual, -4.0, 5.0))
    return best


def to_print_resolution(
    texels: Float[Tensor, "3 H W"], *, texels_per_mm: float, dpi: int
) -> Float[Tensor, "3 h w"]:
    """Resample a texture to printer dots, as `plan_print` describes.

    Convention: the picture covers the texture rectangle exactly; its width is `round(width_mm * dpi / 25.4)`
    dots, so that a dot differs from 1/dpi inch by less than half a dot over the whole width. Where the texels
    are finer than the print, they are averaged in linear light with a kernel as wide as two dots, and
    detail smaller than that is lost.

    Args:
        texels: (3, H, W) in [0, 1], sRGB.
        texels_per_mm: Texels to a millimetre.
        dpi: Dots per inch.

    Returns:
        (3, h, w) float32 in [0, 1], sRGB, on the CPU.

    Raises:
        DesignError: The texels are not (3, H, W), a scale is not above 0, or the print would have no dot.
    """
    if texels.ndim != 3 or texels.shape[0] != 3:
        raise DesignError(f"Texels have the shape (3, height, width), got {tuple(texels.shape)}.")
    if not (texels_per_mm > 0 and dpi > 0):
        raise DesignError(f"texels_per_mm and dpi are above 0, got {texels_per_mm} and {dpi}.")
    values = texels.detach().cpu().to(torch.float32).numpy()
    height, width = values.shape[1:]
    size = (dots(width / texels_per_mm, dpi=dpi), dots(height / texels_per_mm, dpi=dpi))
    if min(size) < 1:
        raise DesignError(f"A texture of {width} x {height} texels is smaller than one dot at {dpi} dpi.")
    plan = plan_print(values, box=(0.0, 0.0, float(width), float(height)), size=size)
    parts = [plan.rows(top, min(_STRIP_ROWS, size[1] - top)) for top in range(0, size[1], _STRIP_ROWS)]
    return torch.from_numpy(np.concatenate(parts, axis=1))


def dots(length_mm: float, *, dpi: int) -> int:
    """A length in whole printer dots."""
    return round(length_mm * dpi / MM_PER_INCH)


def _texel_means(plan: PrintPlan, rows: Shares, columns: Shares) -> FloatArray:
    means = np.zeros_like(plan.texels)
    for top in range(0, plan.size[1], _STRIP_ROWS):
        count = min(_STRIP_ROWS, plan.size[1] - top)
        strip = plan._drawn(top, count)[0]
        share = rows.weights[:, top : top + count]
        for channel, plane in enumerate(strip):
            means[channel] += (columns.weights @ (share @ plane).T).T
    return means


def _seen(values: FloatArray) -> FloatArray:
    once = correlate1d(values, _BOX_OF_BICUBIC, axis=1, mode="nearest")
    seen: FloatArray = correlate1d(once, _BOX_OF_BICUBIC, axis=2, mode="nearest")
    return seen


def _is_finer(box: tuple[float, float, float, float], size: tuple[int, int]) -> bool:
    return (box[2] - box[0]) <= size[0] and (box[3] - box[1]) <= size[1]


def _interpolated(
    values: FloatArray,
    texels: FloatArray,
    *,
    box: tuple[float, float, float, float],
    size: tuple[int, int],
    bounded: bool,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    left, top, right, bottom = box
    width, height = size
    columns = _cells(left, right, width)
    rows = _cells(top, bottom, height)
    result = np.empty((len(values), height, width), dtype=np.float32)
    low, high = np.zeros_like(result), np.ones_like(result)
    for channel, plane in enumerate(values):
        picture = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
        # Where texels are finer than dots nothing bounds the result, so it must not ring by itself.
        how = Image.Resampling.BICUBIC if bounded else Image.Resampling.HAMMING
        smooth = np.asarray(picture.resize(size, how, box=box))
        if bounded:
            low[channel], high[channel] = _limits(texels[channel], rows, columns)
        result[channel] = smooth.clip(low[channel], high[channel])
    return result, low, high


def _cells(start: float, end: float, count: int) -> NDArray[np.intp]:
    """For each of `count` dots between two places, the cell between texel centres in which it lies."""
    places = start + (np.arange(count) + 0.5) * (end - start) / count
    return np.floor(places + 0.5).astype(np.intp)


def _limits(
    plane: FloatArray, rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[FloatArray, FloatArray]:
    padded = np.pad(plane, 1, mode="edge")[rows[0] : rows[-1] + 2]
    corners = padded[:-1, :-1], padded[1:, :-1], padded[:-1, 1:], padded[1:, 1:]
    chosen = np.ix_(rows - rows[0], columns)
    return np.minimum.reduce(corners)[chosen], np.maximum.reduce(corners)[chosen]
