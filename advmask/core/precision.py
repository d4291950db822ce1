"""Geometry and light are computed in float32 at least: in bfloat16 a point would stand half a pixel off."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor


@contextmanager
def full_precision(pictures: Tensor) -> Iterator[None]:
    """Leave autocast, if it is on, inside the block."""
    with torch.autocast(device_type=pictures.device.type, enabled=False):
        yield


def like(pictures: Tensor) -> Tensor:
    """Pictures in float32, or in float64 if they are."""
    return pictures if pictures.dtype == torch.float64 else pictures.float()


def as_file(pictures: Tensor) -> Tensor:
    """Cut to [0, 1] and rounded to 8 bits, with the gradient of neither.

    The gradient of a cut vanishes at 0 and 1 themselves, where much of a picture can lie.
    """
    given = pictures.detach()
    return (given.clamp(0, 1) * 255).round() / 255 + (pictures - given)
