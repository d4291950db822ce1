"""Reading an ONNX file with the data that lies next to it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from advmask.core.errors import MissingPackageError, WeightsError


def read_onnx(path: Path) -> Any:
    """Read a model with all its weights, and its own functions written out.

    Raises:
        WeightsError: It is damaged or no ONNX file, or weights that lie in another file are not there.
        MissingPackageError: onnx is not installed.
    """
    try:
        import onnx
        from onnx import external_data_helper, inliner
    except ImportError as error:
        raise MissingPackageError("ONNX networks need the package onnx; run: pip install onnx") from error
    try:
        model = onnx.load(str(path), load_external_data=False)
        nodes = len(model.graph.node)
    except Exception as error:
        raise WeightsError(
            f"{path} is not a whole ONNX file ({first_line(error)}); export or download it again."
        ) from error
    if not nodes:
        raise WeightsError(f"{path} holds no network; an ONNX file was expected.")
    beside = _checked_names(model, path)
    try:
        if beside:
            external_data_helper.load_external_data_for_model(model, str(path.parent))
        if model.functions:
            model = inliner.inline_local_functions(model)
    except Exception as error:
        raise WeightsError(
            f"{path} cannot be read with the weights next to it ({first_line(error)}); export it again with "
            "all in one file."
        ) from error
    return model


def normalises_itself(model: Any) -> bool:
    """Whether a network of InsightFace subtracts the mean and divides by itself, and wants values in 0..255.

    Older exports do. Their program tells it by a Sub and a Mul among the first eight nodes.
    """
    first = {node.op_type for node in model.graph.node[:8]}
    return {"Sub", "Mul"} <= first


def check_data_files(path: Path) -> None:
    """Say which file is missing, where a network's weights lie in another one.

    Raises:
        WeightsError: It is not next to the network.
    """
    try:
        import onnx

        model = onnx.load(str(path), load_external_data=False)
    except Exception:  # whoever reads the network says what is wrong
        return
    _checked_names(model, path)


def _checked_names(model: Any, path: Path) -> list[str]:
    names = _data_names(model)
    for name in names:
        if not _inside(path, name):
            raise WeightsError(
                f"The weights of {path} lie in {name}, outside of its folder; store all in one file "
                "(onnx.save) or next to it."
            )
        if not (path.parent / name).is_file():
            raise WeightsError(
                f"The weights of {path} lie in {name}, which is not next to it; copy that file to "
                f"{path.parent / name}, or store all in one file (onnx.save)."
            )
    return names


def data_files(path: Path) -> list[Path]:
    """Files next to an ONNX file that hold its weights, in alphabetical order; none for any other file."""
    if path.suffix.lower() != ".onnx" or not path.is_file():
        return []
    try:
        import onnx

        names = _data_names(onnx.load(str(path), load_external_data=False))
    except Exception:  # whoever reads the network says what is wrong
        return []
    return [path.parent / name for name in names if _inside(path, name) and (path.parent / name).is_file()]


def first_line(error: Exception) -> str:
    """What an exception says first, shortened."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _inside(path: Path, name: str) -> bool:
    return (path.parent / name).resolve().is_relative_to(path.parent.resolve()) and bool(name)


def _data_names(model: Any) -> list[str]:
    names = set()
    for tensor in _tensors(model):
        if tensor.data_location == 1:  # external
            names.add(next((each.value for each in tensor.external_data if each.key == "location"), ""))
    return sorted(names)


def _tensors(message: Any) -> Iterator[Any]:
    """All tensors of a model, a graph or a node."""
    if message.DESCRIPTOR.name == "ModelProto":
        yield from _tensors(message.graph)
        for function in message.functions:
            for node in function.node:
                yield from _tensors(node)
    elif message.DESCRIPTOR.name == "GraphProto":
        yield from message.initializer
        for node in message.node:
            yield from _tensors(node)
    else:
        for each in message.attribute:
            if each.HasField("t"):
                yield each.t
            yield from each.tensors
            for graph in ([each.g] if each.HasField("g") else []) + list(each.graphs):
                yield from _tensors(graph)
