"""Aligned chips: pictures cut by ArcFace's template, whose landmarks are known without looking."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float64
from PIL import Image

ARCFACE_SIDE = 112
ARCFACE_POINTS = (
    *((38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366)),
    *((41.5493, 92.3655), (70.7299, 92.2041)),
)
"""InsightFace's template (Deng et al. 2019): pixel centres at whole numbers, as published."""

_LOOKED_AT = 20
_TOLD_BY = 0.5

QUALITY = (
    "Chips of ArcFace's template: landmarks are those of the template, so that masks are laid on as on a "
    "head that looks ahead, and what lies beyond a chip is its continued edge. Where landmarks are found "
    "anew, figures say less than on whole photos."
)


def chip_points(size: tuple[int, int]) -> Float64[np.ndarray, "5 2"] | None:
    """The five landmarks of a chip, pixel centres at +0.5; None for a picture that is not square.

    Args:
        size: Width and height in pixels.
    """
    if size[0] != size[1]:
        return None
    return (np.array(ARCFACE_POINTS) + 0.5) * (size[0] / ARCFACE_SIDE)


def seem_chips(paths: Sequence[Path]) -> bool:
    """Whether most of some pictures in which no face was found have the size of chips."""
    sizes = []
    for path in paths[:_LOOKED_AT]:
        try:
            with Image.open(path) as image:
                sizes.append(image.size)
        except Exception:  # whatever a decoder meets; it was told before
            sizes.append((0, 0))
    chips = sum(size in ((ARCFACE_SIDE, ARCFACE_SIDE), (96, ARCFACE_SIDE)) for size in sizes)
    return bool(sizes) and chips >= _TOLD_BY * len(sizes)
