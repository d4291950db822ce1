"""A user's own network: a TorchScript file, or a function in a Python module."""

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from advmask.core.errors import AdvmaskError, ConfigError, WeightsError
from advmask.recognizers.file_kinds import is_cut_archive, refuse_other_kind
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
        WeightsError: The file is missing, damaged or no TorchScript; the sentence says what it is instead.
    """
    if not path.is_file():
        raise WeightsError(f"There is no TorchScript file {path}; check the path behind the colon.")
    refuse_other_kind(path, "torchscript")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch advises other formats
            network: nn.Module = torch.jit.load(str(path), map_location="cpu")
    except Exception as error:
        raise WeightsError(_not_loaded(path, error)) from error
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
    module = _module(name, module_name, function_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(
            f"{name}: {module_name} has no function {function_name}; {_functions(module, function_name)}"
        )
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


def _not_loaded(path: Path, error: Exception) -> str:
    if is_cut_archive(path):
        why = "its end is missing"
    elif unknown := re.search(r"Unknown builtin op: ([\w:]+)", str(error)):
        return (
            f"{path} needs the operator {unknown[1]}, which torch alone does not have; export the network "
            "with plain layers."
        )
    else:
        why = f"torch {torch.__version__} cannot read it"
    return (
        f"{path} is not a whole TorchScript file: {why}; save it again with torch.jit.save, or copy it again."
    )


def _functions(module: ModuleType, wanted: str) -> str:
    """The nearest of a module's own functions, or all of them."""
    own = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]
    near = get_close_matches(wanted, own, n=2)
    if near:
        return f"did you mean {' or '.join(near)}?"
    return f"it has {', '.join(own[:8])}." if own else "it has none."


def _module(name: str, module: str, function: str) -> ModuleType:
    try:
        with _current_folder_first():
            if module.endswith(".py"):
                return _from_file(Path(module).expanduser())
            return importlib.import_module(module)
    except AdvmaskError:
        raise
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module}.".startswith(f"{error.name}."):
            raise ConfigError(f"{name}: cannot import {module}, which needs {error.name}.") from error
        near = get_close_matches(module, [path.stem for path in Path.cwd().glob("*.py")], n=1)
        raise ConfigError(
            f"{name}: cannot import {module}. "
            + (f"Did you mean {near[0]}? " if near else "")
            + f"Modules are looked for in the folder you are in ({Path.cwd()}), on PYTHONPATH and among the "
            f"installed packages. A file anywhere is named python:/path/to/file.py:{function}"
        ) from error
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
