"""Seams, folds and pleat edges of the masks of a batch, in torch: the formulas of `masks.relief`."""

from collections.abc import Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor

from advmask.masks.relief import Ridge


def relief_of_batch(
    uv_mm: Float[Tensor, "n 2"],
    photo: Int[Tensor, " n"],
    ridges: Sequence[Ridge],
    folds: Sequence[Sequence[Ridge]],
) -> tuple[Float[Tensor, "n 2"], Float[Tensor, " n"]]:
    """Slope of the cloth's height and share of light that reaches it, at places of several masks.

    Args:
        uv_mm: Places, in the frame of the ridges.
        photo: Which mask each lies on.
        ridges: That all masks have.
        folds: Of each mask, more or fewer, of as many points each.

    Returns:
        Derivative of the height by u and v, mm per mm, and the light, 1 where nothing shades.
    """
    slope, light = torch.zeros_like(uv_mm), torch.ones_like(uv_mm[:, 0])
    every = [[ridge] * len(folds) for ridge in ridges]
    for number in range(max(map(len, folds), default=0)):
        every.append([one[number] if number < len(one) else _flat(folds) for one in folds])
    for own in every:
        shared = all(one is own[0] for one in own)
        lines = torch.stack([torch.as_tensor(one.points_mm) for one in own[: 1 if shared else None]])
        numbers = torch.tensor(
            [(one.height_mm, one.width_mm, one.shadow, one.fade_mm, float(one.below_only)) for one in own]
        )
        height, width, shadow, fade, below = numbers.to(uv_mm)[photo].unbind(dim=1)
        across, along, length = _nearest(uv_mm, lines.to(uv_mm), None if shared else photo)
        profile = torch.exp(-0.5 * across.square().sum(dim=1) / width**2)
        profile = torch.where(across.square().sum(dim=1) > (4 * width) ** 2, 0.0, profile)
        end = (torch.minimum(along, length - along) / fade.clamp(min=1e-9)).clamp(0, 1)
        profile = torch.where(fade > 0, profile * end**2 * (3 - 2 * end), profile)
        slope = slope - (height * profile / width**2)[:, None] * across
        light = light * (1 - shadow * torch.where((below > 0) & (across[:, 1] < 0), 0.0, profile))
    return slope, light


def _nearest(uv: Tensor, lines: Tensor, photo: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """Offsets (n, 2) from the lines (L, p, 2), arc lengths there (n,) and of the lines (n,) or ()."""
    step = lines.diff(dim=1)
    length = step.norm(dim=2)
    before = length.cumsum(dim=1) - length
    start, whole = lines[:, :-1], length.sum(dim=1)
    if photo is not None:
        start, step, length, before, whole = (one[photo] for one in (start, step, length, before, whole))
    away = uv[:, None] - start
    share = ((away * step).sum(dim=2) / length.square().clamp(min=1e-12)).clamp(0, 1)
    offset = away - share[..., None] * step
    nearest = offset.square().sum(dim=2).argmin(dim=1, keepdim=True)
    along = (before + share * length).gather(1, nearest)[:, 0]
    return offset.gather(1, nearest[..., None].expand(-1, -1, 2))[:, 0], along, whole


def _flat(folds: Sequence[Sequence[Ridge]]) -> Ridge:
    """A fold of no height, for masks with fewer than others."""
    some = next(one[0] for one in folds if one)
    return Ridge(some.points_mm, 0.0, 1.0)
