"""Some photos of a batch, each with a kernel of its own, while the others stay as they are."""

from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor


def chosen_photos(strength: Float[Tensor, " batch"]) -> Int64[Tensor, " count"]:
    """Places of the photos that something is done to; on a GPU all, for which nothing must be waited for.

    Args:
        strength: Of what is done to each photo, 0 for nothing; doing it at 0 changes nothing.
    """
    if strength.device.type == "cpu":
        return strength.nonzero()[:, 0]
    return torch.arange(len(strength), device=strength.device)


def filter_some(
    pictures: Float[Tensor, "batch channels rows columns"],
    chosen: Int64[Tensor, "count"],
    kernels: Float[Tensor, "count side side"],
) -> Float[Tensor, "batch channels rows columns"]:
    """Correlate the chosen pictures with their kernels; differentiable in the pictures. Borders are repeated.

    Args:
        pictures: All of the batch.
        chosen: Which of them are filtered, each once.
        kernels: For each of these; the side is odd.
    """
    result: Tensor = _FilterSome.apply(pictures, chosen, kernels.to(pictures.dtype))
    return result


class _FilterSome(torch.autograd.Function):
    """Written out, since autograd copies the whole batch five times to filter a part of it."""

    @staticmethod
    def forward(ctx: Any, pictures: Tensor, chosen: Tensor, kernels: Tensor) -> Tensor:
        weights, around = _depthwise(kernels, pictures.shape[1])
        part = pictures[chosen].contiguous()
        padded = F.pad(part, around, mode="replicate")
        groups = len(weights)
        filtered = F.conv2d(padded.view(1, groups, *padded.shape[2:]), weights, groups=groups)
        ctx.save_for_backward(chosen, kernels)
        result = pictures.clone(memory_format=torch.contiguous_format)
        result[chosen] = filtered.view(part.shape)
        return result

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        chosen, kernels = ctx.saved_tensors
        gradient = gradients[0].clone(memory_format=torch.contiguous_format)
        weights, around = _depthwise(kernels, gradient.shape[1])
        part = gradient[chosen]
        groups = len(weights)
        spread = F.conv_transpose2d(part.view(1, groups, *part.shape[2:]), weights, groups=groups)
        spread = spread.view(*part.shape[:2], *spread.shape[2:])
        gradient[chosen] = torch.ops.aten.replication_pad2d_backward(spread, part, around)
        return gradient, None, None


def _depthwise(kernels: Tensor, channels: int) -> tuple[Tensor, list[int]]:
    """Kernels for each channel of each picture, and how far they reach over the border."""
    return kernels.repeat_interleave(channels, dim=0)[:, None], [kernels.shape[-1] // 2] * 4
