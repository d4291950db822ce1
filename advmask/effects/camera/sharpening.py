"""Sharpening, as the software in a camera does it."""

import math
from dataclasses import dataclass

from jaxtyping import Float
from kornia.filters import get_gaussian_kernel2d
from torch import Tensor

from advmask.effects.camera.filtering import filter_some
from advmask.effects.camera.settings import SharpeningSettings
from advmask.effects.camera.straight_through import straight_through
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class SharpeningDraw:
    """Amount of sharpening on each photo, 0 where there is none, and its radius."""

    amount: Float[Tensor, "batch"]
    radius_px: float


def draw_sharpening(settings: SharpeningSettings, *, batch: int, draws: Draws) -> SharpeningDraw:
    """Draw which photos are sharpened, and how much."""
    chosen = draws.chance((batch,), settings.share)
    amount = draws.uniform((batch,), 0.0, settings.amount)
    return SharpeningDraw(amount=amount * chosen, radius_px=settings.radius_px)


def apply_sharpening(
    pictures: Float[Tensor, "batch channels rows columns"], drawn: SharpeningDraw
) -> Float[Tensor, "batch channels rows columns"]:
    """Add what a blur takes away; the border is repeated.

    Differentiable; where the result is clipped to [0, 1] the gradient passes as if it were not.

    Returns:
        The same tensor if nothing is sharpened.
    """
    chosen = drawn.amount.nonzero()[:, 0]
    if len(chosen) == 0:
        return pictures
    reach = math.ceil(2 * drawn.radius_px)
    side = 2 * reach + 1
    # Picture, and difference to the blurred picture, as one kernel for each photo.
    amount = drawn.amount[chosen, None, None]
    kernels = -amount * get_gaussian_kernel2d((side, side), (drawn.radius_px, drawn.radius_px))
    kernels[:, reach, reach] += 1 + amount[:, 0, 0]
    sharpened = filter_some(pictures, chosen, kernels)
    return straight_through(sharpened, sharpened.detach().clamp(0, 1))
