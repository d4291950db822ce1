"""What every network must do before it is taken for a recognizer: embed pictures, each by itself."""

import textwrap

import torch
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.preprocessing import preprocess
from advmask.recognizers.specification import NetworkSpecification


@torch.no_grad()
def check_network(network: nn.Module, specification: NetworkSpecification, *, name: str) -> None:
    """Run a network on random pictures and compare its output with its specification.

    Args:
        network: Takes normalised input `(B, 3, height, width)`.
        specification: How to feed it and what to expect.
        name: What to call the network in the error.

    Raises:
        WeightsError: It does not run at that size, for one or for two pictures; its output is not
            `(B, embedding)`, not finite or zero; or the embedding of a picture depends on its neighbours in
            the batch.
    """
    height, width = specification.size
    like = next((each for each in network.parameters() if each.is_floating_point()), torch.empty(0))
    chips = torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))
    fed = preprocess(
        chips,
        channels=specification.channels,
        value_range=specification.range,
        mean=specification.mean,
        std=specification.std,
    )
    inputs = fed.to(like)
    pair = _output(network, inputs.clone(), specification, name=name)
    single = _output(network, inputs[:1].clone(), specification, name=name)
    if not torch.allclose(pair[:1], single, rtol=0, atol=1e-3 * float(single.abs().max())):
        raise WeightsError(
            f"{name} gives a picture another embedding alone than in a batch of two; "
            "export it in evaluation mode with a free batch dimension."
        )


def _output(network: nn.Module, inputs: Tensor, specification: NetworkSpecification, *, name: str) -> Tensor:
    batch, _, height, width = inputs.shape
    try:
        output = network(inputs)
    except Exception as error:
        raise WeightsError(
            f"{name} does not run on {batch} x 3 x {height} x {width} values ({_reason(error)}); check "
            "`size` in its specification, and that it takes any number of pictures (a free batch dimension)."
        ) from error
    if not isinstance(output, Tensor):
        raise WeightsError(f"{name} gives {type(output).__name__}; one tensor of embeddings was expected.")
    expected = (batch, specification.embedding)
    if tuple(output.shape) != expected:
        raise WeightsError(
            f"{name} gives {tuple(output.shape)} for {batch} pictures; {expected} was expected. "
            "Check `embedding` in its specification, and that it takes any number of pictures (a free batch "
            "dimension)."
        )
    if not bool(torch.isfinite(output).all()) or not bool(output.any(dim=1).all()):
        raise WeightsError(
            f"{name} gives infinite, undefined or all-zero embeddings for random pictures; its weights are "
            "damaged or `range`, `mean` and `std` in its specification are wrong."
        )
    return output


def carries_gradient(network: nn.Module, specification: NetworkSpecification) -> bool:
    """Whether a gradient comes through a network from its output to its input."""
    height, width = specification.size
    like = next((each for each in network.parameters() if each.is_floating_point()), torch.empty(0))
    inputs = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0)).to(like)
    inputs.requires_grad_()
    try:
        with torch.enable_grad():
            (gradient,) = torch.autograd.grad(network(inputs).sum(), inputs, allow_unused=True)
    except RuntimeError:
        return False
    return gradient is not None and bool(torch.isfinite(gradient).all()) and bool(gradient.any())


def _reason(error: Exception) -> str:
    """One line: the first, or of TorchScript, which begins with a traceback of its own, the last."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[-1] if isinstance(error, torch.jit.Error) or "TorchScript" in lines[0] else lines[0]
    return textwrap.shorten(line.strip(), 200, placeholder=" ...")
