"""A palette: every texel is one of n inks, learned by a mixture that slowly makes up its mind."""

from collections.abc import Callable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.textures.colours import in_steps, nearest_ink
from advmask.textures.ink_choice import InkChoice

_HEAD_START = 3.0  # by which the logit of the start's ink leads
_MARGIN = 0.02


class PaletteTexture(nn.Module):
    """Texels = a mixture of inks, that of one ink alone at the end.

    Each ink has a field of logits; the mixture is their softmax, divided by a temperature that falls
    geometrically from `warm` to `cold` with the share of the run. For the last `decided` share of it the
    texels are the ink with the largest logit, exactly, and gradients are those of the mixture at the lowest
    temperature (straight-through), so that borders still move while everything is measured on what will be
    printed.

    Because the logits are smooth, so are the borders between inks. A start finer than the fields is smoothed
    to their detail.

    Args:
        start: Texels to start from, sRGB in [0, 1]; each takes the ink nearest in Lab.
        inks: Different colours that 8 bits hold exactly, sRGB in [0, 1].
        field: Makes the logits, one channel for each ink: called with the share of the run that is over.
        smooth: Smooths the start, called with (inks, height, width); None leaves it.
        learn_inks: The inks are learned too; they become colours of 8 bits when the texels are decided.
        warm: Temperature at the first step.
        cold: Temperature from where the texels are decided.
        decided: Share of the run, at its end, for which texels are of one ink; above 0.
        choice: What the inks leave of the start, kept for whoever shows it.

    Source:
        Bengio, Leonard and Courville, "Estimating or propagating gradients through stochastic neurons for
        conditional computation", 2013, for straight-through.
    """

    start: Tensor
    inks: Tensor

    def __init__(
        self,
        start: Float[Tensor, "3 height width"],
        *,
        inks: Float[Tensor, "inks 3"],
        field: nn.Module,
        smooth: Callable[[Tensor], Tensor] | None = None,
        learn_inks: bool = False,
        warm: float = 1.0,
        cold: float = 0.2,
        decided: float = 0.25,
        choice: InkChoice | None = None,
    ) -> None:
        super().__init__()
        self.choice = choice
        self.field = field
        nearest = nearest_ink(start.detach(), inks)
        leads = torch.nn.functional.one_hot(nearest, len(inks)).permute(2, 0, 1).float()
        self.register_buffer("start", _HEAD_START * (leads if smooth is None else smooth(leads)))
        self.register_buffer("inks", inks.clone())
        self.ink_change = nn.Parameter(torch.zeros_like(inks)) if learn_inks else None
        self._warm, self._cold, self._decided = warm, cold, decided

    def forward(self, share: float = 0.0) -> Float[Tensor, "3 height width"]:
        """The texels, sRGB in [0, 1], when `share` of the run is over."""
        decided = self.is_decided(share)
        texels: Tensor = _Mixture.apply(
            self.strength(share), self.colours(exact=decided).T, self.temperature(share), decided
        )
        return texels

    def strength(self, share: float) -> Float[Tensor, "inks height width"]:
        """How far each ink leads; the texels are of the strongest when they are decided."""
        strength: Tensor = self.start + self.field(share)
        return strength

    def is_decided(self, share: float) -> bool:
        """Whether every texel is of one ink when `share` of the run is over."""
        return share >= 1 - self._decided

    def temperature(self, share: float) -> float:
        """Temperature of the mixture."""
        fallen = min(1.0, share / (1 - self._decided)) if self._decided < 1 else 1.0
        return float(self._warm * (self._cold / self._warm) ** fallen)

    def colours(self, *, exact: bool) -> Float[Tensor, "inks 3"]:
        """The inks, sRGB; `exact` ones are colours of 8 bits, which gradients pass through."""
        if self.ink_change is None:
            return self.inks
        colours = torch.sigmoid(torch.logit(self.inks.clamp(_MARGIN, 1 - _MARGIN)) + self.ink_change)
        # The exact value is picked, not reached by a difference, whose last bit would be off.
        return _Picked.apply(colours, in_steps(colours.detach())) if exact else colours


class _Picked(torch.autograd.Function):
    """Forward the second argument, backward as if it were the first."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, shown: Tensor) -> Tensor:
        return shown.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


class _Mixture(torch.autograd.Function):
    """colours @ softmax(logits / temperature), with a backward pass of few passes over memory."""

    @staticmethod
    def forward(ctx: Any, logits: Tensor, colours: Tensor, temperature: float, decided: bool) -> Tensor:
        share = _softmax(logits / temperature).flatten(1)
        mixed = colours @ share
        ctx.save_for_backward(share, colours, mixed)
        ctx.temperature = temperature
        shape = (3, *logits.shape[1:])
        if not decided:
            return mixed.view(shape)
        return colours.index_select(1, _largest(logits).flatten()).view(shape)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor | None, None, None]:
        share, colours, mixed = ctx.saved_tensors
        flat = gradient.reshape(3, -1)
        # Of a softmax: share * (gradient of each ink - mean of these gradients over the inks).
        by_ink = colours.T @ flat
        by_logit = by_ink.sub_((mixed * flat).sum(dim=0)).mul_(share).div_(ctx.temperature)
        of_colours = flat @ share.T if ctx.needs_input_grad[1] else None
        return by_logit.view(-1, *gradient.shape[1:]), of_colours, None, None


def _softmax(logits: Tensor) -> Tensor:
    """Softmax over the first axis, in the memory of `logits`.

    On a CPU several times as fast as torch's own, which walks along that axis with long strides.
    """
    share = logits.sub_(logits.amax(dim=0)).exp_()
    return share.div_(share.sum(dim=0))


def _largest(logits: Tensor) -> Tensor:
    """Number of the largest along the first axis, the first of equals; faster than `argmax`."""
    best = logits.amax(dim=0)
    number = torch.zeros_like(best, dtype=torch.int32)
    for ink in range(len(logits) - 1, -1, -1):
        number.masked_fill_(logits[ink] == best, ink)
    return number
