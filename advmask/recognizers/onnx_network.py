"""Any face recognition network in ONNX form as a frozen, differentiable torch module."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from advmask.core.errors import MissingPackageError, WeightsError
from advmask.recognizers.subnormal import zero_subnormals


class UnconvertibleError(WeightsError):
    """A whole ONNX network that cannot be converted to torch; onnxruntime may run it."""


def load_onnx(path: Path) -> nn.Module:
    """Convert an ONNX network to torch.

    Args:
        path: The .onnx file, with one input and one output.

    Returns:
        The network in eval mode with frozen parameters, subnormal values set to zero, laid out with channels
        last (an eighth less time on a CPU).

    Raises:
        WeightsError: The file is missing, damaged, no ONNX file, or has other than one input and one output.
        UnconvertibleError: It uses operators that cannot be converted.
        MissingPackageError: onnx or onnx2torch is not installed.
    """
    if not path.is_file():
        raise WeightsError(f"There is no ONNX file {path}; check the path behind `onnx:`.")
    with _silenced():
        model = _read(path)
        _check_ends(model, path)
        _check_operators(model, path)
        network = _converted(model, path)
    _join_clips(network)
    zero_subnormals(network)
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


@contextmanager
def _silenced() -> Iterator[None]:
    """The converter warns of its own use of torch and onnx, which a user can do nothing about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _read(path: Path) -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingPackageError("ONNX networks need the package onnx; run: pip install onnx") from error
    try:
        model = onnx.load(str(path))
        nodes = len(model.graph.node)
    except Exception as error:
        raise WeightsError(
            f"{path} is not a whole ONNX file ({_first_line(error)}); export or download it again."
        ) from error
    if not nodes:
        raise WeightsError(f"{path} holds no network; an ONNX file was expected.")
    return model


def _check_ends(model: Any, path: Path) -> None:
    stored = {tensor.name for tensor in model.graph.initializer}
    for what, names in (
        ("input", [str(each.name) for each in model.graph.input if each.name not in stored]),
        ("output", [str(each.name) for each in model.graph.output]),
    ):
        if len(names) != 1:
            found = f"{len(names)} ({', '.join(names)})" if names else "none"
            raise WeightsError(
                f"{path} has {found} {what}s; exactly one {what} was expected. Export it with one {what}."
            )


def _check_operators(model: Any, path: Path) -> None:
    """Name all operators the converter lacks at once; it would stop at the first."""
    try:
        # Taken from the package, whose import fills the registry.
        from onnx2torch.converter import get_converter
    except ImportError as error:
        raise MissingPackageError(
            "ONNX networks need the package onnx2torch; run: pip install onnx2torch"
        ) from error
    versions = {each.domain: each.version for each in model.opset_import}
    missing: set[str] = set()
    for node in model.graph.node:
        try:
            get_converter(node.op_type, versions.get(node.domain, 0), node.domain)
        except Exception:  # a damaged name may fail in other ways than being unknown
            missing.add(str(node.op_type))
    if missing:
        raise UnconvertibleError(
            f"{path} uses operators that cannot be converted to torch ({', '.join(sorted(missing))}, opset "
            f"{versions.get('', 'unknown')}); export it again with opset 11 to 18 and plain layers."
        )


def _converted(model: Any, path: Path) -> nn.Module:
    import onnx2torch

    try:
        network: nn.Module = onnx2torch.convert(model)
    except Exception as error:
        raise UnconvertibleError(
            f"{path} cannot be converted to torch ({_first_line(error)}); export it again, opset 11 to 18."
        ) from error
    return network


def _join_clips(network: Any) -> None:
    """Give clipping from 0 to a maximum, also where written in two steps, torch's one quick layer.

    Saves a third of forward and backward of MobileFace V2, whose ReLU6 were exported so.
    """
    from onnx2torch.node_converters.clip import OnnxClip

    graph = network.graph
    for node in list(graph.nodes):
        clip = network.get_submodule(node.target) if node.op == "call_module" else None
        if not isinstance(clip, OnnxClip) or clip.max_val is None:
            continue
        before = node.args[0]
        if clip.min_val is not None and clip.min_val < clip.max_val:
            _replace(network, node.target, nn.Hardtanh(clip.min_val, clip.max_val))
        elif (
            clip.min_val is None
            and clip.max_val > 0
            and before.op == "call_module"
            and isinstance(network.get_submodule(before.target), nn.ReLU)
            and len(before.users) == 1
        ):
            _replace(network, node.target, nn.Hardtanh(0.0, clip.max_val))
            node.replace_input_with(before, before.args[0])
            graph.erase_node(before)
    network.delete_all_unused_submodules()
    network.recompile()


def _replace(network: nn.Module, target: str, layer: nn.Module) -> None:
    parent, _, leaf = target.rpartition(".")
    setattr(network.get_submodule(parent), leaf, layer)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
