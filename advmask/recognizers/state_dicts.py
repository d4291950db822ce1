"""Weights read from .pth, .pt, .ckpt and .safetensors files without running what stands in them."""

import pickle
import warnings
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.types import Storage

from advmask.core.errors import WeightsError
from advmask.recognizers.file_kinds import is_cut_archive, refuse_other_kind
from advmask.recognizers.subnormal import without_subnormals

StateDict = dict[str, Tensor]

_INNER = ("state_dict", "model_state_dict", "model", "backbone")
_DEEPEST = 4
_LARGEST_FILE = 4 * 2**30
# Named besides the weights in Lightning's checkpoints. None is read: an empty class replaces them.
_BYSTANDERS = ("pytorch_lightning.", "lightning.", "argparse.Namespace")


class _Ignored:
    """Stands for an object in a checkpoint that is not looked at."""

    def __init__(self, *_: object, **__: object) -> None:
        pass


def read_state_dict(path: Path) -> StateDict:
    """Read the tensors of a weight file; nothing in the file is run.

    Args:
        path: A .safetensors file, or what `torch.save` wrote: a state dict, or a checkpoint that holds one.

    Returns:
        Tensors by name, on the CPU: floating ones as float32 with subnormal values set to zero.

    Raises:
        WeightsError: The file is missing, damaged, compressed, of another kind, holds anything but tensors
            and plain values, no weights, or values that are not finite.
    """
    try:
        if not path.is_file():
            raise WeightsError(
                f"There is no weight file {path}; check the path, or see: advmask weights list"
            )
        if path.stat().st_size > _LARGEST_FILE:
            raise WeightsError(f"{path} is larger than 4 GiB; the weights of a face network were expected.")
        refuse_other_kind(path, "weights")
        content = _safetensors(path) if path.suffix.lower() == ".safetensors" else _pickled(path)
    except OSError as error:
        raise WeightsError(f"Cannot read {path}: {error}. Check the path and its rights.") from error
    state = _innermost(content)
    if not state:
        raise WeightsError(
            f"{path} holds no weights by name; a state dict or a checkpoint with one was expected."
        )
    for name, values in state.items():
        if values.is_floating_point() and not bool(torch.isfinite(values).all()):
            raise WeightsError(f"{path}: {name} holds infinite or undefined values; get the file again.")
    return {name: without_subnormals(_plain(values)) for name, values in state.items()}


def under_prefix(state: StateDict, *, key: str, prefixes: Sequence[str], path: Path) -> StateDict:
    """The tensors whose names begin with the prefix under which `key` stands, without that prefix.

    Args:
        state: What `read_state_dict` gave.
        key: A name that the network must have, such as `conv1.weight`.
        prefixes: Prefixes to try, in order; the empty one among them where the file may have none.
        path: Named in errors.

    Raises:
        WeightsError: `key` stands under none of them.
    """
    for prefix in prefixes:
        if f"{prefix}{key}" in state:
            return {
                name.removeprefix(prefix): value for name, value in state.items() if name.startswith(prefix)
            }
    found = ", ".join(list(state)[:3])
    raise WeightsError(
        f"{path} holds the weights of another network: {key} was expected, it begins with {found}. Check "
        "that the name before the colon is right."
    )


def fill(network: nn.Module, state: StateDict, *, path: Path, ignored: Sequence[str] = ()) -> None:
    """Give a network, best made on the meta device, exactly the weights of a state dict.

    Args:
        network: Its parameters and buffers are replaced.
        state: Tensors by the network's own names. Counters of batches may be missing.
        path: Named in errors.
        ignored: Beginnings of names in the file that the network does without, such as a classifier.

    Raises:
        WeightsError: Names are missing or too many, or a shape differs.
    """
    wanted = network.state_dict()
    given = {name: values for name, values in state.items() if not name.startswith(tuple(ignored))}
    for name, values in wanted.items():
        if name.endswith("num_batches_tracked"):
            given[name] = torch.zeros_like(values, device="cpu")
    missing, extra = [n for n in wanted if n not in given], [n for n in given if n not in wanted]
    if missing or extra:
        said = [f"{what} {_some(names)}" for what, names in (("lacks", missing), ("adds", extra)) if names]
        raise WeightsError(
            f"{path} does not fit the network: it {' and '.join(said)}. Check that the name before the colon "
            "is right, and that the file is whole."
        )
    for name, values in wanted.items():
        if given[name].shape != values.shape:
            raise WeightsError(
                f"{path} does not fit the network: {name} has shape {tuple(given[name].shape)}; "
                f"{tuple(values.shape)} was expected. Check that the name before the colon is right."
            )
    network.load_state_dict(given, strict=True, assign=True)
    network.eval().requires_grad_(False)


def _safetensors(path: Path) -> Any:
    import safetensors
    import safetensors.torch

    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, ValueError, RuntimeError, KeyError) as error:
        raise WeightsError(f"{path} is not a whole safetensors file; get it again.") from error


def _pickled(path: Path) -> Any:
    _refuse_compressed(path)
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(_bystanders(path)):
            warnings.simplefilter("ignore")  # of how the file was pickled; what cannot be read is refused
            return torch.load(path, map_location=_kept_while_in(path.stat().st_size), weights_only=True)
    except pickle.UnpicklingError as error:
        first = str(error)
        if "Unsupported" not in first and "GLOBAL" not in first:
            raise WeightsError(f"{path} is not a whole weight file; get it again.") from error
        raise WeightsError(
            f"{path} holds more than weights: loading it could run code, so it is refused. Get the network "
            "as safetensors or as a plain state dict."
        ) from error
    except OSError:
        raise
    except Exception as error:
        raise WeightsError(f"{path} is not a whole weight file; get it again.") from error


def _kept_while_in(size: int) -> Callable[[Storage, str], Storage]:
    """Keeps storages on the CPU while a file of that many bytes has room for them; torch 2.6 does not ask."""
    total = 0

    def kept(storage: Storage, _: str) -> Storage:
        nonlocal total
        total += storage.nbytes()
        if total > size:
            raise ValueError("more values than the file has room for")
        return storage

    return kept


def _bystanders(path: Path) -> list[Any]:
    try:
        named = torch.serialization.get_unsafe_globals_in_checkpoint(str(path))
    except Exception:  # no zip file, or a damaged one: loading will say so
        return []
    return [(_Ignored, name) for name in named if name.startswith(_BYSTANDERS)]


def _refuse_compressed(path: Path) -> None:
    try:
        if is_cut_archive(path):
            raise WeightsError(f"{path} is not a whole weight file: its end is missing; get it again.")
        if not zipfile.is_zipfile(path):  # an old file, or none at all
            return
        with zipfile.ZipFile(path) as archive:
            compressed = any(item.compress_type != zipfile.ZIP_STORED for item in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise WeightsError(f"{path} is not a whole weight file; get it again.") from error
    if compressed:
        raise WeightsError(f"{path} is a compressed archive; unpack it and name the weight file inside.")


def _innermost(content: Any) -> StateDict:
    for _ in range(_DEEPEST):  # a file may hold a mapping that holds itself
        if not isinstance(content, Mapping):
            return {}
        inner = next((content[key] for key in _INNER if isinstance(content.get(key), Mapping)), None)
        if inner is None:
            break
        content = inner
    return {
        name: values
        for name, values in content.items()
        if isinstance(name, str) and isinstance(values, Tensor)
    }


def _plain(values: Tensor) -> Tensor:
    values = values.detach()
    return values.float() if values.is_floating_point() else values


def _some(names: list[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
