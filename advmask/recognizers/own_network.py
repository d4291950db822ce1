"""A user's own network: a TorchScript file, or a function in a Python module."""

import hashlib
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from advmask.errors import AdvmaskError, ConfigError, WeightsError
from advmask.recognizers.specification import NetworkSpecification
from advmask.recognizers.subnormal import zero_subnormals

INSIGHTFACE: Mapping[str, Any] = {
    "size": (112, 112),
    "channels": "rgb",
    "range": (0.0, 1.0),
    "mean": (0.5,) * 3,
    "std": (0.5,) * 3,
    "template": "arcface",
    "distance": "cosine",
    "embedding": 512,
}
"""How most published face networks are fed."""


def load_torchscript(path: Path) -> nn.Module:
    """Load a network that was saved as TorchScript.

    Args:
        path: What `torch.jit.save` wrote. TorchScript is a program: take it from people you trust.

    Returns:
        The network in evaluation mode, frozen, subnormal weights set to zero.

    Raises:
        WeightsError: The file is missing, damaged or no TorchScript.
    """
    if not path.is_file():
        raise WeightsError(f"There is no TorchScript file {path}; check the path behind the colon.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch advises other formats
            network: nn.Module = torch.jit.load(str(path), map_location="cpu")
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise WeightsError(
            f"{path} is not a whole TorchScript file ({reason}); save it anew with torch.jit.save."
        ) from error
    zero_subnormals(network)
    for parameter in network.parameters():  # requires_grad_ of the whole is not to be had in TorchScript
        parameter.requires_grad_(False)
    return network.eval()


def load_python(name: str, place: str) -> tuple[nn.Module, NetworkSpecification]:
    """Call a user's function that builds a network.

    Args:
        name: The recognizer's whole name, for errors.
        place: `MODULE:FUNCTION`, where the module is a dotted name that Python finds from the current folder,
            or the path of a .py file.

    Returns:
        The network in evaluation mode, frozen, and how to feed it: what the function said, or InsightFace's
        way with the embedding that the network gives.

    Raises:
        ConfigError: The function cannot be found, fails, or gives something else.
    """
    module_name, _, function_name = place.rpartition(":")
    if not module_name or not function_name:
        raise ConfigError(
            f"{name} names no function; write python:MODULE:FUNCTION or python:FILE.py:FUNCTION."
        )
    function = getattr(_module(name, module_name), function_name, None)
    if not callable(function):
        raise ConfigError(f"{name}: the module {module_name} has no function {function_name}.")
    try:
        built = function()
    except AdvmaskError:
        raise
    except Exception as error:
        raise ConfigError(f"{name}: {function_name}() failed ({type(error).__name__}: {error}).") from error
    network, told = built if isinstance(built, tuple) and len(built) == 2 else (built, None)
    if not isinstance(network, nn.Module) or not (told is None or isinstance(told, Mapping)):
        raise ConfigError(
            f"{name}: {function_name}() gives {type(built).__name__}; a torch.nn.Module was expected, or a "
            "pair of one and a dict that says how to feed it."
        )
    zero_subnormals(network)
    network.eval().requires_grad_(False)
    if told is None:
        return network, NetworkSpecification.build({**INSIGHTFACE, "embedding": _embedding(network)})
    try:
        return network, NetworkSpecification.build(told)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error


def weights_checksum(network: nn.Module) -> str:
    """Hexadecimal SHA-256 over the names and values of a network's weights."""
    digest = hashlib.sha256()
    for key, values in sorted(network.state_dict().items()):
        digest.update(key.encode())
        digest.update(values.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _module(name: str, module: str) -> ModuleType:
    try:
        with _current_folder_first():
            if module.endswith(".py"):
                return _from_file(Path(module).expanduser())
            return importlib.import_module(module)
    except AdvmaskError:
        raise
    except Exception as error:
        raise ConfigError(f"{name}: cannot import {module} ({type(error).__name__}: {error}).") from error


def _from_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise ConfigError(f"There is no Python file {path}; check the path behind python:.")
    spec = importlib.util.spec_from_file_location(f"_advmask_user_{path.stem}", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def _current_folder_first() -> Iterator[None]:
    """A console script does not look for modules where the user stands; here it must."""
    folder = str(Path.cwd())
    sys.path.insert(0, folder)
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(folder)


@torch.no_grad()
def _embedding(network: nn.Module) -> int:
    height, width = INSIGHTFACE["size"]
    like = next((each for each in network.parameters() if each.is_floating_point()), torch.empty(0))
    try:
        output = network(torch.zeros(1, 3, height, width).to(like))
        return int(output.shape[1])
    except Exception:  # check_network says what is wrong
        return int(INSIGHTFACE["embedding"])
