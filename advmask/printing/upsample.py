"""From texels to printer dots, at exact size and without colours that the design does not have."""

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from advmask.errors import DesignError

MM_PER_INCH = 25.4


def to_print_resolution(
    texels: Float[Tensor, "3 H W"], *, texels_per_mm: float, dpi: int
) -> Float[Tensor, "3 h w"]:
    """Resample a texture to printer dots.

    Convention: the picture covers the texture rectangle exactly; its width is `round(width_mm * dpi / 25.4)`
    dots, so that a dot differs from 1/dpi inch by less than half a dot over the whole width. The work is done
    on sRGB values, as in the programs that designs are drawn with.

    Where the print is finer than the texels, interpolation is bicubic (a = -0.5), and every dot is held
    between the smallest and the largest of the four texels around it: a plain area stays plain and an edge
    gets no halo. Where the texels are finer than the print, they are averaged with the bicubic kernel widened
    to the size of a dot, and detail smaller than about two dots is lost.

    Args:
        texels: (3, H, W) in [0, 1], sRGB.
        texels_per_mm: Texels to a millimetre.
        dpi: Dots per inch.

    Returns:
        (3, h, w) float32 in [0, 1], on the CPU.

    Raises:
        DesignError: The texels are not (3, H, W), a scale is not above 0, or the print would have no dot.

    Source:
        R. Keys, Cubic convolution interpolation for digital image processing, 1981.
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
    return torch.from_numpy(resample(values, box=(0.0, 0.0, float(width), float(height)), size=size))


def dots(length_mm: float, *, dpi: int) -> int:
    """A length in whole printer dots."""
    return round(length_mm * dpi / MM_PER_INCH)


def resample(
    values: NDArray[np.float32], *, box: tuple[float, float, float, float], size: tuple[int, int]
) -> NDArray[np.float32]:
    """Resample a part of a texture as `to_print_resolution` describes.

    Args:
        values: (C, H, W) in [0, 1].
        box: Left, top, right and bottom edge of the part in texels, within the texture, fractions allowed.
            Texels beside the part still count in the interpolation.
        size: Width and height of the result.

    Returns:
        (C, height, width) float32 in [0, 1].
    """
    left, top, right, bottom = box
    width, height = size
    finer = (right - left) <= width and (bottom - top) <= height
    columns = _cells(left, right, width)
    rows = _cells(top, bottom, height)
    result = np.empty((len(values), height, width), dtype=np.float32)
    for channel, plane in enumerate(values):
        picture = Image.fromarray(np.ascontiguousarray(plane, dtype=np.float32))
        smooth = np.asarray(picture.resize(size, Image.Resampling.BICUBIC, box=box))
        low, high = _limits(plane, rows, columns) if finer else (np.float32(0.0), np.float32(1.0))
        result[channel] = smooth.clip(low, high)
    return result


def _cells(start: float, end: float, count: int) -> NDArray[np.intp]:
    """For each of `count` dots between two places, the cell between texel centres in which it lies."""
    places = start + (np.arange(count) + 0.5) * (end - start) / count
    return np.floor(places + 0.5).astype(np.intp)


def _limits(
    plane: NDArray[np.float32], rows: NDArray[np.intp], columns: NDArray[np.intp]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    padded = np.pad(plane, 1, mode="edge")
    corners = padded[:-1, :-1], padded[1:, :-1], padded[:-1, 1:], padded[1:, 1:]
    chosen = np.ix_(rows, columns)
    return np.minimum.reduce(corners)[chosen], np.maximum.reduce(corners)[chosen]
