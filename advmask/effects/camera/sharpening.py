"""Sharpening, as the software in a camera does it."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from kornia.filters import get_gaussian_kernel2d
from torch import Tensor

from advmask.core.constants import constant
from advmask.effects.camera.filtering import chosen_photos, filter_some
from advmask.effects.camera.settings import SharpeningSettings
from advmask.effects.camera.straight_through import straight_through
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class SharpeningDraw:
    """Amount of sharpening on each photo, 0 where there is none, and its radius."""

    amount: Float[Tensor, "batch"]
    radius_px: float


def draw_sharpening(settings: SharpeningSettings, *, batch: int, draws: Draws) -> SharpeningDraw | None:
    """Draw which photos are sharpened, and how much; None if none is."""
    if not settings.share * settings.amount:
        return None
    chosen = draws.chance((batch,), settings.share)
    amount = draws.uniform((batch,), 0.0, settings.amount) * chosen
    return SharpeningDraw(amount, settings.radius_px) if bool(amount.any()) else None


def apply_sharpening(
    pictures: Float[Tensor, "batch channels rows columns"], drawn: SharpeningDraw
) -> Float[Tensor, "batch channels rows columns"]:
    """Add what a blur takes away; the border is repeated.

    Differentiable; where the result is clipped to [0, 1] the gradient passes as if it were not.

    Returns:
        The same tensor if nothing is sharpened.
    """
    chosen = chosen_photos(drawn.amount)
    if not len(chosen):
        return pictures
    # Picture, and difference to the blurred picture, as one kernel for each photo.
    amount = drawn.amount[chosen, None, None]
    kernels = torch.addcmul(_point(amount, drawn.radius_px), amount, _difference(amount, drawn.radius_px))
    sharpened = filter_some(pictures, chosen, kernels)
    return straight_through(sharpened, sharpened.detach().clamp(0, 1))


@constant
def _point(radius_px: float) -> Float[Tensor, "side side"]:
    """The kernel that changes nothing."""
    reach = math.ceil(2 * radius_px)
    kernel = torch.zeros(2 * reach + 1, 2 * reach + 1)
    kernel[reach, reach] = 1
    return kernel


@constant
def _difference(radius_px: float) -> Float[Tensor, "side side"]:
    """The kernel that takes the blurred picture from the picture."""
    point = _point(torch.zeros(()), radius_px)
    blurred: Tensor = get_gaussian_kernel2d(tuple(point.shape), (radius_px, radius_px))[0]
    return point - blurred
