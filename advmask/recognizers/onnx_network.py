"""Any face recognition network in ONNX form as a frozen, differentiable torch module."""

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.network_fitting import ChannelsLast, InGroups, Rows, WholeNumbers
from advmask.recognizers.onnx_ends import Ends, ends_of_model
from advmask.recognizers.onnx_file import first_line, read_onnx
from advmask.recognizers.onnx_graph import network_of, unknown_operators
from advmask.recognizers.onnx_node import UnsupportedError
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.subnormal import zero_subnormals

_CLOSE = 1e-4  # of the largest value of an embedding


class UnconvertibleError(WeightsError):
    """A whole ONNX network that cannot be converted to torch; onnxruntime may run it."""


def load_onnx(path: Path, specification: NetworkSpecification | None = None) -> nn.Module:
    """Convert an ONNX network to torch.

    Weights in any floating type become float32; constants are computed beforehand, batch norm is taken into
    the layer before it. A network for a fixed number of pictures is freed of it where that gives the same
    embeddings, and otherwise run in such groups.

    Args:
        path: The .onnx file; its weights may lie in files next to it.
        specification: Says which of several outputs is the embedding, and the size of the input.

    Returns:
        The network in eval mode with frozen parameters, subnormal values set to zero, laid out with channels
        last (an eighth less time on a CPU). It takes pictures (B, 3, H, W), whatever the file takes, and has
        `declared`: what the file says of its input.

    Raises:
        WeightsError: The file is missing, damaged, no ONNX file, or its inputs and outputs do not fit.
        UnconvertibleError: It uses operators that cannot be converted.
        MissingPackageError: onnx is not installed.
    """
    if not path.is_file():
        raise WeightsError(f"There is no ONNX file {path}; check the path behind `onnx:`.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch and numpy of values in damaged files
        model = read_onnx(path)
        ends = ends_of_model(model, path, specification)
        if missing := unknown_operators(model):
            raise UnconvertibleError(
                f"{path} uses operators that cannot be converted to torch ({', '.join(missing)}, opset "
                f"{ends.opset or 'unknown'}); export it again with plain layers."
            )
        network = _free(model, ends, path, specification)
    if specification is not None:
        network = Rows(network, specification.embedding)
    network.declared = ends.declared  # type: ignore[assignment]
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _free(model: Any, ends: Ends, path: Path, specification: NetworkSpecification | None) -> nn.Module:
    """The network for any number of pictures."""
    if ends.batch is None:
        return _converted(model, ends, path, batch=None)
    grouped = InGroups(_converted(model, ends, path, batch=None), ends.batch)
    sides = (ends.pictures.shape or [])[slice(1, 3) if ends.channels_last else slice(2, 4)]
    if specification is not None:
        sides = list(specification.size)
    if len(sides) != 2 or not all(isinstance(side, int) and 0 < side < 4096 for side in sides):
        return grouped
    draws = torch.Generator().manual_seed(0)
    pictures = torch.rand(ends.batch + 2, 3, *(int(side) for side in sides), generator=draws)
    if ends.whole is not None:
        pictures = pictures * ends.whole[1]
    try:
        free = _converted(model, ends, path, batch=ends.batch)
        with torch.no_grad():  # one alone too: squeezing all axes of length one takes that of the pictures
            several, single, wanted = free(pictures), free(pictures[:1]), grouped(pictures)
        if all(_same(each, wanted) for each in (several, single)):
            return free
    except Exception:  # it only runs as it was written
        return grouped
    return grouped


def _same(found: Tensor, wanted: Tensor) -> bool:
    """Whether embeddings, in any shape, are the first of some others."""
    wanted = wanted[: len(found)]
    within = _CLOSE * float(wanted.abs().max())
    return found.numel() == wanted.numel() and torch.allclose(
        found.reshape(wanted.shape), wanted, rtol=0, atol=within
    )


def _converted(model: Any, ends: Ends, path: Path, *, batch: int | None) -> nn.Module:
    fixed = {
        each.name: torch.zeros([s if isinstance(s, int) else 1 for s in each.shape or []], dtype=torch.bool)
        for each in ends.switches
    }
    try:
        network: nn.Module = network_of(
            model, takes=ends.pictures.name, gives=ends.output, fixed=fixed, batch=batch
        )
    except UnsupportedError as error:
        raise UnconvertibleError(
            f"{path} cannot be converted to torch ({error}; opset {ends.opset or 'unknown'}); export it "
            "again with plain layers."
        ) from error
    except Exception as error:
        raise UnconvertibleError(
            f"{path} cannot be converted to torch ({type(error).__name__}: {first_line(error)}); export or "
            "download it again."
        ) from error
    zero_subnormals(network)
    if ends.whole is not None:
        network = WholeNumbers(network, *ends.whole)
    return ChannelsLast(network) if ends.channels_last else network
