"""The first layers of a network in single precision under autocast, where its gradient loses most."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import Tensor, nn

from advmask.core.precision import full_precision

# Layers nearest to the picture, of which bfloat16 blurs what reaches it: a network all in bfloat16 gives a
# gradient whose direction has a cosine of 0.79 to 0.985 with that of single precision, with these in single
# precision one of 0.99 and more (benchmarks/README.md).
_SHARE, _MOST = 1 / 3, 10


@contextmanager
def exact_beginning(network: nn.Module) -> Iterator[None]:
    """Within this context a third of a network's convolutions and linear layers, at most ten, leave autocast.

    Args:
        network: Any; the first of its layers are meant, in the order in which they were registered. One that
            shows none stays as it is.
    """
    layers = [one for one in network.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
    found = layers[: min(_MOST, int(_SHARE * len(layers)))]
    for layer in found:
        layer.forward = _outside_autocast(layer.forward)  # type: ignore[method-assign,assignment]
    try:
        yield
    finally:
        for layer in found:
            del layer.forward


def _outside_autocast(forward: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def exact(values: Tensor) -> Tensor:
        with full_precision(values):
            return forward(values.float())

    return exact
