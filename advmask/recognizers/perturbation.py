"""Perturbed surrogates: networks a little different in each step, so that a design fits none too closely."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from advmask.recognizers.settings import PerturbationSettings


def drawn_moves(photos: int, reach: float, *, draws: Generator) -> tuple[Tensor, Tensor]:
    """Shifts (photos, 2) and changes of size (photos, 1) of landmarks, each uniform in both directions.

    Args:
        photos: How many.
        reach: Largest shift in each direction, and largest relative change of size, in eye distances.
        draws: On the CPU.
    """
    shift, size = (reach * (2 * torch.rand(photos, n, generator=draws) - 1) for n in (2, 1))
    return shift, size


def moved_landmarks(
    landmarks: Float[Tensor, "batch 5 2"], moves: tuple[Tensor, Tensor] | None
) -> Float[Tensor, "batch 5 2"]:
    """Landmarks shifted and scaled about their centre, which moves and scales the chip cut by them.

    Args:
        landmarks: Pixels of the picture.
        moves: From `drawn_moves`; None leaves them.

    Source:
        Xie et al., "Improving transferability of adversarial examples with input diversity", 2019, whose
        random resizing and padding this is for aligned faces.
    """
    if moves is None:
        return landmarks
    shift, size = moves
    eyes = torch.linalg.vector_norm(landmarks[:, 1] - landmarks[:, 0], dim=1)[:, None, None]
    centre = landmarks.mean(dim=1, keepdim=True)
    larger = centre + (landmarks - centre) * (1 + size.to(landmarks)[:, :, None])
    moved: Tensor = larger + eyes * shift.to(landmarks)[:, None]
    return moved


def drawn_gains(
    channels: Sequence[int], settings: PerturbationSettings, *, draws: Generator
) -> tuple[Float[Tensor, "1 channels 1 1"], ...]:
    """What the outputs of convolutions are multiplied by; nothing where networks are not perturbed.

    Args:
        channels: That each convolution gives.
        settings: How much.
        draws: On the CPU.
    """
    gains = []
    for count in channels if settings.of_networks else ():
        factor = 1 + settings.scale * (2 * torch.rand(1, generator=draws) - 1)
        kept = torch.rand(count, generator=draws) >= settings.dropout
        gains.append((factor * kept / (1 - settings.dropout))[None, :, None, None])
    return tuple(gains)


@contextmanager
def perturbed(network: nn.Module, gains: Sequence[Float[Tensor, "1 channels 1 1"]]) -> Iterator[None]:
    """Within this context the network's convolutions drop channels and are scaled, as drawn.

    Args:
        network: Any.
        gains: From `drawn_gains`, one for each of its convolutions; none of them leave the network as it is.

    Source:
        Yamada et al., "ShakeDrop regularization for deep residual learning", 2019, for the scaling;
        Li et al., "Learning transferable adversarial examples via ghost networks", 2020, for both.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Conv2d)] if gains else []
    handles = []
    for layer, drawn in zip(layers, gains, strict=True):

        def change(_: nn.Module, __: Any, output: Tensor, gain: Tensor = drawn) -> Tensor:
            changed: Tensor = output * gain.to(output)
            return changed

        handles.append(layer.register_forward_hook(change))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
