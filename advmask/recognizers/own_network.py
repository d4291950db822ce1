"""A user's own network: a TorchScript file, or a function in a Python module."""

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import nn

from advmask.core.errors import AdvmaskError, ConfigError, WeightsError
from advmask.recognizers.file_kinds import is_cut_archive, refuse_other_kind
from advmask.recognizers.network_check import embedding_length, fitted
from advmask.recognizers.network_fitting import Cast, InType
from advmask.recognizers.script_graph import in_float32_on_cpu
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
        The network in evaluation mode, frozen, in float32 and on the CPU whatever it was made on, subnormal
        weights set to zero.

    Raises:
        WeightsError: The file is missing, damaged or no TorchScript; the sentence says what it is instead.
    """
    network = in_float32_on_cpu(_script(path))
    zero_subnormals(network)
    for parameter in network.parameters():  # requires_grad_ of the whole is not to be had in TorchScript
        parameter.requires_grad_(False)
    return network


def script_as_written(path: Path, specification: NetworkSpecification) -> nn.Module | None:
    """A TorchScript network as its file has it, fed in the floating type in which it runs, if any."""
    network = _script(path)
    for kind in (torch.float32, torch.float16, torch.bfloat16, torch.float64):
        inner = InType(network, kind)
        with suppress(Exception), torch.no_grad():
            inner(torch.zeros(1, 3, *specification.size))
            return inner
    return None


def _script(path: Path) -> nn.Module:
    if not path.is_file():
        raise WeightsError(f"There is no TorchScript file {path}; check the path behind the colon.")
    refuse_other_kind(path, "torchscript")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch advises other formats
            network: nn.Module = torch.jit.load(str(path), map_location="cpu")
    except Exception as error:
        raise WeightsError(_not_loaded(path, error)) from error
    return network.eval()


def load_python(name: str, place: str) -> tuple[nn.Module, NetworkSpecification]:
    """Call a user's function that builds a network.

    Args:
        name: The recognizer's whole name, for errors.
        place: `MODULE:FUNCTION`, where the module is a dotted name that Python finds from the current folder,
            or the path of a .py file.

    Returns:
        The network in evaluation mode, frozen, in float32, and how to feed it: what the function said, or
        InsightFace's way with the embedding that the network gives.

    Raises:
        ConfigError: The function cannot be found, fails, or gives something else.
    """
    built = built_by_function(name, place)
    network, told = built if isinstance(built, tuple) and len(built) == 2 else (built, None)
    if not isinstance(network, nn.Module) or not (told is None or isinstance(told, Mapping)):
        raise ConfigError(
            f"{name}: {place.rpartition(':')[2]}() gives {type(built).__name__}; a torch.nn.Module was "
            "expected, or a pair of one and a dict that says how to feed it."
        )
    try:
        return fitted_module(network, told or INSIGHTFACE, name=name, find_length=told is None)
    except ConfigError as error:
        raise ConfigError(f"{name}: {error}") from error


def built_by_function(name: str, place: str) -> Any:
    """What a user's function without arguments gives.

    Args:
        name: The recognizer's whole name, for errors.
        place: `MODULE:FUNCTION` or `FILE.py:FUNCTION`.

    Raises:
        ConfigError: The function cannot be found, or fails.
    """
    module_name, _, function_name = place.rpartition(":")
    if not module_name or not function_name:
        scheme = name.partition(":")[0]
        raise ConfigError(
            f"{name} names no function; write {scheme}:MODULE:FUNCTION or {scheme}:FILE.py:FUNCTION."
        )
    module = _module(name, module_name, function_name)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(
            f"{name}: {module_name} has no function {function_name}; {_functions(module, function_name)}"
        )
    try:
        return function()
    except AdvmaskError:
        raise
    except Exception as error:
        raise ConfigError(f"{name}: {function_name}() failed ({type(error).__name__}: {error}).") from error


def fitted_module(
    network: nn.Module, feeding: Mapping[str, Any], *, name: str, find_length: bool
) -> tuple[nn.Module, NetworkSpecification]:
    """A module of a user's, frozen and in float32, with what it needs round it to be fed as recognizers are.

    Args:
        network: Changed in place.
        feeding: Keys of the specification.
        name: What to call it in errors.
        find_length: Whether the length of the embedding is found by a call.

    Raises:
        ConfigError: A value does not fit.
        WeightsError: It does not run as it is to be fed.
    """
    try:
        network.eval()
    except NotImplementedError:  # what torch.export gives has no modes, and says so to whoever asks
        network.train = lambda mode=True: network  # type: ignore[method-assign]
    network.requires_grad_(False)
    cast = Cast(network)
    zero_subnormals(network)
    specification = NetworkSpecification.build(
        {**feeding, "embedding": feeding.get("embedding", 512)} if find_length else feeding
    )
    if find_length and (length := embedding_length(cast, specification)) is not None:
        specification = NetworkSpecification.build({**feeding, "embedding": max(length, 2)})
    network = fitted(network, specification, name=name, as_written=cast.as_written)
    return network, specification


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
