"""A colour-managed driver: how much of each ink it lays down for the colours asked for."""

from functools import lru_cache

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.colour.oklab import oklab
from advmask.colour.srgb import linear_from_srgb
from advmask.printers.colour_table import grid
from advmask.printers.halftone import primaries, reflectance
from advmask.printers.settings import InkSettings

# Black comes in where the brightest channel asked for falls below half, and slowly at first, as in drivers
# for photographs: early black is grainy. A guess; drivers do not tell.
_BLACK_FROM = 0.5
_BLACK_POWER = 1.5
# Weights of errors of lightness, saturation and hue. Guesses: by equal ones a pure green prints yellow.
_LIGHTNESS, _CHROMA, _HUE = 0.4, 1.0, 2.0
_ROUNDS = 40
_STEP = 1e-4


@lru_cache(maxsize=16)
def separate(inks: InkSettings, steps: int) -> Float[Tensor, "{steps} {steps} {steps} 4"]:
    """Coverages of cyan, magenta, yellow and black for the colours on a grid.

    What is asked for is meant relative to the paper, with black point compensation: white is bare paper,
    black the darkest print, and linear light in between. Black is laid down by a fixed rule; the other inks
    so that the print comes closest to that aim in Oklab. Colours the inks can reach are met; others become
    near ones that keep the hue before the saturation, and that before the lightness, as perceptual intents
    do.

    The inks' dot gain is not in the settings' `dot_gain` here: that is what the driver did not expect.

    Args:
        inks: Of the printer.
        steps: Nodes along each axis of the grid.

    Returns:
        By red, green and blue of the sRGB asked for; float64 in [0, 1]. Not to be changed.
    """
    asked = grid(steps)
    solids = primaries(inks)
    aim = oklab(solids[-1] + (solids[0] - solids[-1]) * linear_from_srgb(asked)).view(-1, 3)
    asked = asked.view(-1, 3)
    black = ((_BLACK_FROM - asked.amax(dim=1, keepdim=True)) / _BLACK_FROM).clamp(min=0) ** _BLACK_POWER
    inked = _nearest(1 - asked, black, aim, solids, inks.yule_nielsen)
    return torch.cat([inked, black], dim=1).view(steps, steps, steps, 4)


def _nearest(start: Tensor, black: Tensor, aim: Tensor, solids: Tensor, yule_nielsen: float) -> Tensor:
    """Coverages by Levenberg's method; what stands at a bound and would leave it is held there."""
    turn = _along_hue(aim)

    def error(inked: Tensor) -> Tensor:
        found = oklab(reflectance(torch.cat([inked, black], dim=1), solids, yule_nielsen))
        return (turn @ (found - aim)[:, :, None])[:, :, 0]

    inked = start.clone()
    damping = torch.full((len(inked), 1), 1e-3, dtype=inked.dtype)
    missed = error(inked)
    for _ in range(_ROUNDS):
        columns = []
        for ink in range(3):
            side = torch.where(inked[:, ink] > 0.5, -_STEP, _STEP)
            moved = inked.clone()
            moved[:, ink] += side
            columns.append((error(moved) - missed) / side[:, None])
        jacobian = torch.stack(columns, dim=2)
        slope = (jacobian.mT @ missed[:, :, None])[:, :, 0]
        held = _held(inked, slope)
        jacobian = jacobian.masked_fill(held[:, None, :], 0)
        slope = slope.masked_fill(held, 0)
        normal = jacobian.mT @ jacobian + torch.diag_embed(damping.expand(-1, 3))
        trial = (inked - torch.linalg.solve(normal, slope)).clamp(0, 1)
        now = error(trial)
        better = now.square().sum(dim=1, keepdim=True) < missed.square().sum(dim=1, keepdim=True)
        inked = torch.where(better, trial, inked)
        missed = torch.where(better, now, missed)
        damping = torch.where(better, damping * 0.3, damping * 4).clamp(1e-7, 1e3)
    return inked


def _held(inked: Tensor, slope: Tensor) -> Bool[Tensor, "N 3"]:
    held: Tensor = ((inked <= 0) & (slope > 0)) | ((inked >= 1) & (slope < 0))
    return held


def _along_hue(aim: Tensor) -> Float[Tensor, "N 3 3"]:
    """Matrices that turn differences in Oklab into weighted ones of lightness, saturation and hue."""
    away = aim[:, 1:] / aim[:, 1:].norm(dim=1, keepdim=True).clamp(min=1e-9)
    turn = aim.new_zeros(len(aim), 3, 3)
    turn[:, 0, 0] = _LIGHTNESS
    turn[:, 1, 1:] = _CHROMA * away
    turn[:, 2, 1] = -_HUE * away[:, 1]
    turn[:, 2, 2] = _HUE * away[:, 0]
    return turn
