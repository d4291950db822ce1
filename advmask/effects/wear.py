"""How a mask sits: shift, tilt, size and folds, drawn here and applied when a placement is made."""

import torch
from pydantic import Field
from torch import Generator

from advmask.effects.draws import symmetric, uniform
from advmask.masks import Fold, Wear
from advmask.settings import Settings


class WearSettings(Settings):
    """Ranges of how a mask sits; each is drawn uniformly in plus or minus its value.

    Attributes:
        shift_mm: Sideways and up.
        tilt_deg: Turn in the plane of the face.
        scale: Relative size.
        folds: Number of folds in the cloth, 0 to this.
        fold_mm: Their height, up or down.
    """

    shift_mm: float = Field(default=0.0, ge=0, le=30)
    tilt_deg: float = Field(default=0.0, ge=0, le=45)
    scale: float = Field(default=0.0, ge=0, le=0.3)
    folds: int = Field(default=0, ge=0, le=50)
    fold_mm: float = Field(default=0.0, ge=0, le=10)


def draw_wear(settings: WearSettings, *, draws: Generator) -> Wear:
    """Draw how a mask sits on one photo."""
    shift = symmetric((2,), settings.shift_mm, draws=draws)
    tilt = symmetric((), settings.tilt_deg, draws=draws)
    scale = symmetric((), settings.scale, draws=draws)
    count = int(torch.randint(settings.folds + 1, (), generator=draws)) if settings.fold_mm > 0 else 0
    return Wear(
        shift_mm=(float(shift[0]), float(shift[1])),
        tilt_deg=float(tilt),
        scale=1.0 + float(scale),
        folds=tuple(_draw_fold(settings.fold_mm, draws=draws) for _ in range(count)),
    )


def _draw_fold(height_mm: float, *, draws: Generator) -> Fold:
    """A fold from one of the four corners, where the loops pull, towards the middle."""
    left, lower = (bool(number < 0.5) for number in uniform((2,), 0.0, 1.0, draws=draws))
    start, reach, sink, height, width = uniform((5,), 0.0, 1.0, draws=draws).tolist()
    return Fold(
        left=left,
        start=1 - 0.2 * start if lower else 0.2 * start,
        end=(0.35 + 0.5 * reach, 0.3 + 0.5 * sink),
        height_mm=height_mm * (2 * height - 1),
        width_mm=2.5 + 3.5 * width,
    )
