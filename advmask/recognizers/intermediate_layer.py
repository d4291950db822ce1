"""An intermediate layer of a network, found by the size of its maps, and its output."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.recognizers.recognizer import Recognizer

_SHARE = 1 / 8  # of the side of a chip
_WITHIN = 2.0  # times larger or smaller


def intermediate_layer(member: Recognizer) -> str:
    """Name the module of a network whose maps have about an eighth of the chip's side.

    Of several with maps of that size the one that is done last: the deepest before the network goes on to
    coarser ones. An eighth is where parts of a face, and not yet the person, are told apart in the usual
    networks. Found by one run on a grey chip.

    Raises:
        ConfigError: No module gives maps between a sixteenth and a quarter, as of networks that hide
            their layers (TorchScript) or have no maps.
    """
    height, width = member.specification.size
    sizes: list[tuple[str, float]] = []
    handles = []
    for name, module in member.network.named_modules():

        def note(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            if isinstance(output, Tensor) and output.dim() == 4 and min(output.shape[2:]) > 1:
                sizes.append((name, math.sqrt(output.shape[2] * output.shape[3] / (height * width))))

        if name:
            handles.append(module.register_forward_hook(note))
    try:
        with torch.no_grad():
            member.embed(member.template.new_full((1, 3, height, width), 0.5))
    finally:
        for handle in handles:
            handle.remove()
    off = [abs(math.log(share / _SHARE)) for _, share in sizes]
    if not off or min(off) > math.log(_WITHIN) + 1e-6:
        raise ConfigError(
            f"objective.features finds no layer of {member.name} with maps of about an eighth of its input; "
            "leave that recognizer out, or set objective.features=0."
        )
    nearest = min(off)
    return [name for (name, _), one in zip(sizes, off, strict=True) if one <= nearest + 1e-6][-1]


@contextmanager
def watched(network: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Within this context, the output of a layer is added to the list given, once for each run.

    Args:
        network: Run inside the context.
        layer: Name of the module.
    """
    seen: list[Tensor] = []

    def keep(_: nn.Module, __: Any, output: Tensor) -> None:
        seen.append(output)

    handle = network.get_submodule(layer).register_forward_hook(keep)
    try:
        yield seen
    finally:
        handle.remove()
