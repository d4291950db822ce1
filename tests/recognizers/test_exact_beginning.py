"""The first layers leave autocast, and are afterwards what they were."""

from typing import Any

import torch
from torch import Tensor, nn

from advmask.recognizers.exact_beginning import exact_beginning


class Chain(nn.Module):
    """Names what it gives its layers, as some networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(4, 4) for _ in range(6))

    def forward(self, values: Tensor) -> Tensor:
        for layer in self.layers:
            values = layer(input=values)
        return values


def test_layers_that_are_called_by_name_leave_autocast() -> None:
    network, given = Chain(), torch.rand(2, 4)
    kinds: list[torch.dtype] = []
    for layer in network.layers:
        layer.register_forward_hook(lambda _, __, told: kinds.append(told.dtype))
    with torch.autocast("cpu", dtype=torch.bfloat16), exact_beginning(network):
        network(given)
    assert kinds == [torch.float32] * 2 + [torch.bfloat16] * 4


def test_a_forward_that_somebody_has_replaced_stays_replaced() -> None:
    network = Chain()
    first, second = network.layers[:2]
    real = first.forward

    def own(*given: Any, **named: Any) -> Tensor:
        return real(*given, **named) + 1

    first.forward = own  # type: ignore[method-assign]
    with exact_beginning(network):
        assert first.forward is not own
    assert first.forward is own
    assert "forward" not in second.__dict__
