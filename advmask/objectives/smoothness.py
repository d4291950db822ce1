"""Smoothness of a texture, per millimetre of cloth, as it is seen from a distance."""

import math
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

_ARC_MINUTE = math.radians(1 / 60)


def resolved_mm(distance_m: float) -> float:
    """Finest detail that an eye with normal sight tells apart, mm: one arc minute at a distance in metres."""
    return 1000 * distance_m * math.tan(_ARC_MINUTE)


class Smoothness(nn.Module):
    """Mean absolute change of colour per millimetre, along both axes (anisotropic total variation).

    From a distance, the change is that between neighbouring squares of the side that an eye resolves there,
    each with the mean colour of what it covers. From step to step the grid of squares moves on by half a
    side, along one axis or both, so that no stripe falls between them for good. Detail that an eye does not
    resolve costs nothing, and because squares and change are measured in millimetres, a design costs the same
    at every texture resolution.

    Where the side is no longer than a texel, every texel is seen: its change to the next is taken.

    Args:
        texels_per_mm: Texture resolution.
        distance_m: From where the design is looked at, metres; 0 sees every texel.

    Source:
        Rudin, Osher and Fatemi, "Nonlinear total variation based noise removal algorithms", 1992. One arc
        minute is the stroke of the letters that a normal eye reads (visual acuity 1, ISO 8596).
    """

    def __init__(self, *, texels_per_mm: float, distance_m: float = 0.0) -> None:
        super().__init__()
        self.texels_per_mm = texels_per_mm
        self.side_texel = resolved_mm(distance_m) * texels_per_mm
        self._shares: dict[tuple[object, ...], Tensor] = {}

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """Sum of the mean changes along rows and columns, in sRGB units per mm.

        Args:
            texture: sRGB in [0, 1].
            step: Of training; says where the grid of squares stands.
        """
        if self.side_texel <= 1:
            return self._change(texture) * self.texels_per_mm
        moved_down, moved_across = divmod(step % 4, 2)
        seen = self._averaged(self._averaged(texture, moved_down).mT, moved_across).mT
        return self._change(seen) * (self.texels_per_mm / self.side_texel)

    def _change(self, picture: Tensor) -> Tensor:
        change: Tensor = _Change.apply(picture)
        return change

    def _averaged(self, texture: Tensor, moved: int) -> Tensor:
        """Mean over windows of the rows; a small matrix product, on any device."""
        key = (texture.shape[1], moved, texture.dtype, texture.device)
        if key not in self._shares:
            shares = _window_shares(texture.shape[1], self.side_texel, moved=bool(moved))
            self._shares[key] = shares.to(texture)
        with torch.autocast(texture.device.type, enabled=False):
            return self._shares[key] @ texture


class _Change(torch.autograd.Function):
    """Mean absolute difference of neighbours, along rows plus along columns.

    Its gradient is the signs of the differences, added and taken away in place: half the time of letting
    autograd find it out, on every texel in every step.
    """

    @staticmethod
    def forward(ctx: Any, picture: Tensor) -> Tensor:
        differences = (picture[:, :, 1:] - picture[:, :, :-1], picture[:, 1:] - picture[:, :-1])
        change = sum((each.abs().mean() for each in differences if each.numel()), picture.new_zeros(()))
        ctx.save_for_backward(*(each.sign_() for each in differences))
        ctx.shape = picture.shape
        return change

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        result: Tensor = gradients[0].new_zeros(ctx.shape)
        for axis, sign in zip((2, 1), ctx.saved_tensors, strict=True):
            share = 1 / max(1, sign.numel())
            result.narrow(axis, 1, sign.shape[axis]).add_(sign, alpha=share)
            result.narrow(axis, 0, sign.shape[axis]).sub_(sign, alpha=share)
        return result.mul_(gradients[0])


def _window_shares(texels: int, side: float, *, moved: bool) -> Tensor:
    """What share each of `texels` has of each window: (windows, texels), rows summing to one.

    Windows of `side` texels stand side by side from the first texel on, or from half a side on if `moved`,
    and lie within the texture; if there is room for none, one covers all of it.
    """
    start = side / 2 if moved else 0.0
    windows = int((texels - start) / side + 1e-9)
    if windows == 0:
        side, start, windows = float(texels), 0.0, 1
    begin = start + torch.arange(windows, dtype=torch.float64)[:, None] * side
    texel = torch.arange(texels, dtype=torch.float64)
    overlap = torch.minimum(texel + 1, begin + side) - torch.maximum(texel, begin)
    return overlap.clamp(min=0) / side
