"""Motion of the face or the camera while the shutter is open."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.filtering import chosen_photos, filter_some
from advmask.effects.camera.settings import MotionSettings
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class MotionDraw:
    """Motion on each photo.

    Attributes:
        length_px: Of the streak, 0 where there is none.
        angle_rad: Direction from the x axis.
        most_px: No streak is longer.
    """

    length_px: Float[Tensor, "batch"]
    angle_rad: Float[Tensor, "batch"]
    most_px: float


def draw_motion(settings: MotionSettings, *, batch: int, draws: Draws) -> MotionDraw | None:
    """Draw which photos are blurred by motion, how far and in which direction; None if none is."""
    if not settings.share * settings.length_px:
        return None
    chosen = draws.chance((batch,), settings.share)
    length = draws.uniform((batch,), 0.0, settings.length_px) * chosen
    angle = draws.uniform((batch,), 0.0, math.pi)
    return MotionDraw(length, angle, settings.length_px) if bool(length.any()) else None


def apply_motion(
    light: Float[Tensor, "batch channels rows columns"], drawn: MotionDraw
) -> Float[Tensor, "batch channels rows columns"]:
    """Average along a line, with even speed; differentiable; the border is repeated.

    Args:
        light: Values that average as light does; see `light_from_srgb`.
        drawn: For each picture.

    Returns:
        The same tensor if nothing moves.
    """
    chosen = chosen_photos(drawn.length_px)
    if not len(chosen):
        return light
    lines = _lines(drawn.length_px[chosen], drawn.angle_rad[chosen], reach=math.ceil(drawn.most_px / 2))
    return filter_some(light, chosen, lines)


def _lines(length_px: Tensor, angle_rad: Tensor, *, reach: int) -> Float[Tensor, "count side side"]:
    """Kernels of lines through the centre: many points of a line, each spread over its four pixels."""
    side, device = 2 * reach + 1, length_px.device
    along = torch.linspace(-0.5, 0.5, 4 * side + 1, device=device) * length_px[:, None]
    pixels = torch.arange(-reach, reach + 1, device=device)
    across = (1 - ((along * angle_rad.cos()[:, None])[..., None] - pixels).abs()).clamp(min=0)
    down = (1 - ((along * angle_rad.sin()[:, None])[..., None] - pixels).abs()).clamp(min=0)
    return (down.mT @ across) / along.shape[1]
