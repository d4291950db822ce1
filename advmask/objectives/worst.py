"""Worst cases: the recognizer, and the share of photos, that match best."""

import math

import torch
from jaxtyping import Float
from torch import Tensor


def worst_share(values: Float[Tensor, "*shape batch"], share: float) -> Float[Tensor, "*shape"]:
    """Mean of the largest share of the values along the last axis (CVaR, expected shortfall).

    A share that is not a whole number of values takes the last one in part, so that the mean is continuous in
    the share; a share of less than one value is the maximum. The gradient is that of a mean over the chosen.

    Args:
        values: Costs; larger is worse.
        share: In (0, 1]; 1 is the plain mean.

    Raises:
        ValueError: The share is outside.

    Source:
        Rockafellar and Uryasev, "Optimization of conditional value-at-risk", 2000.
    """
    if not 0 < share <= 1:
        raise ValueError(f"a share lies above 0 and up to 1, not {share}")
    if share == 1:
        return values.mean(dim=-1)
    wanted = max(1.0, share * values.shape[-1])
    whole = math.floor(wanted + 1e-9)
    part = max(0.0, wanted - whole)
    taken = min(values.shape[-1], whole + (part > 1e-9))
    worst = values.topk(taken, dim=-1).values
    weights = worst.new_ones(taken)
    if taken > whole:
        weights[-1] = part
    mean: Tensor = (worst * (weights / weights.sum())).sum(dim=-1)
    return mean


def smooth_max(
    values: Float[Tensor, "*shape n"],
    *,
    temperature: float,
    weights: Float[Tensor, " n"] | None = None,
) -> Float[Tensor, "*shape"]:
    """Smooth maximum along the last axis: t log(sum of w exp(v / t)).

    Its gradient spreads over the values as a softmax of them: the worst gets most. With weights that sum to
    one it lies between their weighted mean, which it becomes at a high temperature, and the maximum, which it
    becomes at a low one.

    Args:
        values: Costs; larger is worse.
        temperature: t, in the units of the values.
        weights: None below zero, not all of them zero; None counts all alike, as 1/n each.

    Raises:
        ValueError: The temperature is not above 0.
    """
    if temperature <= 0:
        raise ValueError(f"a smooth maximum needs a temperature above 0, not {temperature}")
    if weights is None:
        weights = values.new_full((values.shape[-1],), 1 / values.shape[-1])
    worst: Tensor = temperature * torch.logsumexp(values / temperature + weights.log(), dim=-1)
    return worst
