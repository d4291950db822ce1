"""Motion of the face or the camera while the shutter is open."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.camera.filtering import filter_some
from advmask.effects.camera.settings import MotionSettings
from advmask.effects.draws import Draws


@dataclass(frozen=True)
class MotionDraw:
    """Motion on each photo: length of the streak, 0 where there is none, and direction from the x axis."""

    length_px: Float[Tensor, "batch"]
    angle_rad: Float[Tensor, "batch"]

    def moves(self) -> bool:
        """Whether any photo is blurred."""
        return bool((self.length_px > 0).any())


def draw_motion(settings: MotionSettings, *, batch: int, draws: Draws) -> MotionDraw:
    """Draw which photos are blurred by motion, how far and in which direction."""
    chosen = draws.chance((batch,), settings.share)
    length = draws.uniform((batch,), 0.0, settings.length_px)
    return MotionDraw(length_px=length * chosen, angle_rad=draws.uniform((batch,), 0.0, math.pi))


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
    if not drawn.moves():
        return light
    chosen = drawn.length_px.nonzero()[:, 0]
    return filter_some(light, chosen, _lines(drawn.length_px[chosen], drawn.angle_rad[chosen]))


def _lines(length_px: Tensor, angle_rad: Tensor) -> Float[Tensor, "count side side"]:
    """Kernels of lines through the centre: many points of a line, each spread over its four pixels."""
    reach = max(1, math.ceil(float(length_px.max()) / 2))
    side = 2 * reach + 1
    along = torch.linspace(-0.5, 0.5, 4 * side + 1) * length_px[:, None]
    pixels = torch.arange(-reach, reach + 1)
    across = (1 - ((along * angle_rad.cos()[:, None])[..., None] - pixels).abs()).clamp(min=0)
    down = (1 - ((along * angle_rad.sin()[:, None])[..., None] - pixels).abs()).clamp(min=0)
    return (down.mT @ across) / along.shape[1]
