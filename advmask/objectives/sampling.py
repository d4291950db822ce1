"""Which texels of a texture an objective looks at in one step, when all of them would cost too much."""

import math

from jaxtyping import Float
from torch import Tensor


def strided(
    texels: Float[Tensor, "3 height width"], *, about: int, step: int
) -> Float[Tensor, "3 rows columns"]:
    """Every n-th texel along both axes, about so many; the next step takes the neighbouring ones.

    In n x n steps each texel is taken once, and early steps already lie far apart, so that mean values over a
    few steps have no bias. A view: no copy.

    Args:
        texels: Of the texture.
        about: How many are wanted.
        step: Of training.
    """
    _, height, width = texels.shape
    stride = max(1, min(round(math.sqrt(height * width / about)), height, width))
    row, column = divmod(scattered(step, stride * stride), stride)
    return texels[:, row::stride, column::stride]


def window(
    texels: Float[Tensor, "3 height width"], *, about: int, step: int
) -> Float[Tensor, "3 rows columns"]:
    """A window of about so many texels; the windows of successive steps tile the whole texture.

    Args:
        texels: Of the texture.
        about: How many are wanted.
        step: Of training.
    """
    _, height, width = texels.shape
    parts = max(1, min(round(math.sqrt(height * width / about)), height, width))
    row, column = divmod(scattered(step, parts * parts), parts)
    rows = slice(row * height // parts, (row + 1) * height // parts)
    columns = slice(column * width // parts, (column + 1) * width // parts)
    return texels[:, rows, columns]


def scattered(step: int, count: int) -> int:
    """A place in 0..count-1 that visits all of them in `count` steps, neighbours in time far apart."""
    # A stride near the golden section of the round spreads any few successive places evenly.
    stride = max(1, round(count * 0.6180339887498949))
    while math.gcd(stride, count) != 1:
        stride += 1
    return step * stride % count
