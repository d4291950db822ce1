"""Perturbed surrogates: networks a little different in each step, so that a design fits none too closely."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from advmask.recognizers.settings import PerturbationSettings


def moved_landmarks(
    landmarks: Float[Tensor, "batch 5 2"], reach: float, *, draws: Generator
) -> Float[Tensor, "batch 5 2"]:
    """Landmarks shifted and scaled about their centre, which moves and scales the chip cut by them.

    Args:
        landmarks: Pixels of the picture.
        reach: Largest shift in each direction, and largest relative change of size, in eye distances.
        draws: On the CPU.

    Source:
        Xie et al., "Improving transferability of adversarial examples with input diversity", 2019, whose
        random resizing and padding this is for aligned faces.
    """
    if reach == 0:
        return landmarks
    shift, size = (reach * (2 * torch.rand(len(landmarks), n, generator=draws) - 1) for n in (2, 1))
    eyes = torch.linalg.vector_norm(landmarks[:, 1] - landmarks[:, 0], dim=1)[:, None, None]
    centre = landmarks.mean(dim=1, keepdim=True)
    larger = centre + (landmarks - centre) * (1 + size.to(landmarks)[:, :, None])
    moved: Tensor = larger + eyes * shift.to(landmarks)[:, None]
    return moved


@contextmanager
def perturbed(network: nn.Module, settings: PerturbationSettings, *, draws: Generator) -> Iterator[None]:
    """Within this context the network's convolutions drop channels and are scaled, as drawn.

    The draws are made on entering, so that one context is one network.

    Source:
        Yamada et al., "ShakeDrop regularization for deep residual learning", 2019, for the scaling;
        Li et al., "Learning transferable adversarial examples via ghost networks", 2020, for both.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    handles = []
    for layer in layers:
        factor = 1 + settings.scale * (2 * torch.rand(1, generator=draws) - 1)
        kept = torch.rand(layer.out_channels, generator=draws) >= settings.dropout
        gain = (factor * kept / (1 - settings.dropout))[None, :, None, None]

        def change(_: nn.Module, __: Any, output: Tensor, gain: Tensor = gain) -> Tensor:
            changed: Tensor = output * gain.to(output)
            return changed

        handles.append(layer.register_forward_hook(change))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
