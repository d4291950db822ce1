"""What every network must do before it is taken for a recognizer: embed pictures, each by itself."""

import textwrap
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.network_fitting import Cast, ChannelsLast, InGroups, Rows
from advmask.recognizers.preprocessing import embedded
from advmask.recognizers.specification import NetworkSpecification

_TRACED = (2, 4, 8, 16, 32, 64)  # numbers of pictures that networks are traced with


class _NotRunError(WeightsError):
    """The network does not run as it was fed, or gives something else than embeddings."""


def fitted(
    network: nn.Module,
    specification: NetworkSpecification,
    *,
    name: str,
    as_written: Callable[[], nn.Module | None] = lambda: None,
) -> nn.Module:
    """The network as recognizers use it, with what it needs round it to be fed so.

    Tried in this order: as it is; with what it gives brought into rows; one picture at a time; all this with
    channels last; and all this again with the network as it was written.

    Args:
        network: In evaluation mode, in float32.
        specification: How to feed it and what to expect.
        name: What to call the network in errors.
        as_written: Gives the network as it was before it was cast to float32, if it was.

    Raises:
        WeightsError: It fits in none of these ways; what is wrong with the first.
    """
    refused: WeightsError | None = None
    for candidate in _ways(network, specification, as_written):
        try:
            check_network(candidate, specification, name=name)
        except _NotRunError as error:
            refused = refused or error
        else:
            return candidate
    assert refused is not None
    raise refused


def embedding_length(cast: Cast, specification: NetworkSpecification) -> int | None:
    """Values that a network gives for one picture, or None where it does not run."""
    for network in (cast.network, cast.as_written()):
        for inner in () if network is None else (network, ChannelsLast(network)):
            given = _single(inner, specification)
            if isinstance(given, Tensor) and given.dim() > 1:
                cast.again()
                return given.numel()
    cast.again()
    return None


def _ways(
    network: nn.Module, specification: NetworkSpecification, as_written: Callable[[], nn.Module | None]
) -> Iterator[nn.Module]:
    yield network
    if hasattr(network, "declared"):  # whose file said the rest
        yield InGroups(network)
        return
    for start in (lambda: network, as_written):
        inner = start()
        for each in () if inner is None else (inner, ChannelsLast(inner)):
            given = _single(each, specification)
            if given is None:
                for count in _TRACED:
                    yield InGroups(each, count)
                continue
            rows = Rows(each, specification.embedding)
            yield rows
            yield InGroups(rows)
            if isinstance(given, Tensor) and given.dim() > 1 and len(given) > 1:  # traced with that many
                yield InGroups(each, len(given))


@torch.no_grad()
def _single(network: nn.Module, specification: NetworkSpecification) -> object:
    """What it gives for one picture, or None where it does not run."""
    try:
        return embedded(network, _chips(specification)[:1], specification.model_copy(update={"flip": False}))
    except Exception:
        return None


@torch.no_grad()
def check_network(network: nn.Module, specification: NetworkSpecification, *, name: str) -> None:
    """Run a network on random pictures, by the call that recognizers use, and compare what comes out.

    Args:
        network: Takes normalised input `(B, 3, height, width)`.
        specification: How to feed it and what to expect.
        name: What to call the network in the error.

    Raises:
        WeightsError: It does not run at that size, for one or for two pictures; its output is not
            `(B, embedding)`, not finite or zero; or the embedding of a picture depends on its neighbours in
            the batch.
    """
    chips = _chips(specification)
    pair = _output(network, chips.clone(), specification, name=name)
    single = _output(network, chips[:1].clone(), specification, name=name)
    if not torch.allclose(pair[:1], single, rtol=0, atol=1e-3 * float(single.abs().max())):
        raise WeightsError(
            f"{name} gives a picture another embedding alone than in a batch of two; "
            "export it in evaluation mode with a free batch dimension."
        )


def _chips(specification: NetworkSpecification) -> Tensor:
    height, width = specification.size
    return torch.rand(2, 3, height, width, generator=torch.Generator().manual_seed(0))


def _output(network: nn.Module, chips: Tensor, specification: NetworkSpecification, *, name: str) -> Tensor:
    batch, _, height, width = chips.shape
    declared = getattr(network, "declared", "")
    declared = f" {declared}" if isinstance(declared, str) and declared else ""
    try:
        output = embedded(network, chips, specification)
    except Exception as error:
        raise _NotRunError(
            f"{name} does not run on {batch} x 3 x {height} x {width} values ({_reason(error)}); "
            f"{_advice(error)}{declared}"
        ) from error
    if not isinstance(output, Tensor):
        raise _NotRunError(f"{name} gives {type(output).__name__}; one tensor of embeddings was expected.")
    expected = (batch, specification.embedding)
    if tuple(output.shape) != expected:
        raise _NotRunError(
            f"{name} gives {tuple(output.shape)} for {batch} pictures; {expected} was expected. "
            "Check `embedding` in its specification, and that it takes any number of pictures (a free batch "
            f"dimension).{declared}"
        )
    if output.dtype != torch.float32:
        raise _NotRunError(f"{name} gives values of type {output.dtype}; float32 was expected.")
    if not bool(torch.isfinite(output).all()) or not bool(output.any(dim=1).all()):
        raise WeightsError(
            f"{name} gives infinite, undefined or all-zero embeddings for random pictures; its weights are "
            "damaged or `range`, `mean` and `std` in its specification are wrong."
        )
    return output


def carries_gradient(network: nn.Module, specification: NetworkSpecification) -> bool:
    """Whether a gradient comes through a network from its output to its input."""
    chips = _chips(specification)[:1].requires_grad_()
    try:
        with torch.enable_grad():
            found = embedded(network, chips, specification)
            (gradient,) = torch.autograd.grad(found.sum(), chips, allow_unused=True)
    except RuntimeError:
        return False
    return gradient is not None and bool(torch.isfinite(gradient).all()) and bool(gradient.any())


def _reason(error: Exception) -> str:
    """One line: the first, or of TorchScript, which begins with a traceback of its own, the last."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    line = lines[-1] if isinstance(error, torch.jit.Error) or "TorchScript" in lines[0] else lines[0]
    return textwrap.shorten(line.strip(), 200, placeholder=" ...")


def _advice(error: Exception) -> str:
    """What to do, by what went wrong."""
    said = str(error).lower()
    if any(word in said for word in ("nvidia", "cuda", "gpu", "same device", "two devices")):
        return "it was made on a GPU and asks for one: trace or save it again on the CPU (`network.cpu()`)."
    if any(word in said for word in ("half", "bfloat16", "double", "same dtype", "input type")):
        return "it computes in another floating type: save it again in float32 (`network.float()`)."
    return (
        "check `size` in its specification, and that it takes any number of pictures (a free batch "
        "dimension)."
    )
