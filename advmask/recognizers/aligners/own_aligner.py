"""An aligner of the user's own, named `python:module:function` and checked before it is used."""

import importlib
import sys
from pathlib import Path

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.recognizers.aligners.aligner import Aligner


class OwnAligner:
    """A user's aligner whose answers are checked.

    Args:
        name: As written by the user; results are filed under it.
        inner: What the user's function returned.
    """

    def __init__(self, name: str, inner: Aligner) -> None:
        self.name, self._inner = name, inner
        self.differentiable = bool(inner.differentiable)

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Ask the user's aligner.

        Raises:
            ConfigError: The answer is not (points, found) of the right shapes and types, or a found face has
                points that are not finite.
        """
        answer = self._inner.landmarks(pictures, hint)
        if not (isinstance(answer, tuple) and len(answer) == 2 and all(map(torch.is_tensor, answer))):
            raise ConfigError(f"{self.name}: landmarks() must return two tensors, (points, found).")
        points, found = answer
        batch = len(pictures)
        if tuple(points.shape) != (batch, 5, 2) or not points.is_floating_point():
            raise ConfigError(
                f"{self.name}: landmarks() returned points of shape {tuple(points.shape)} and type "
                f"{points.dtype}; {(batch, 5, 2)} in a floating type is needed."
            )
        if tuple(found.shape) != (batch,) or found.dtype != torch.bool:
            raise ConfigError(
                f"{self.name}: landmarks() returned found of shape {tuple(found.shape)} and type "
                f"{found.dtype}; {(batch,)} and torch.bool are needed."
            )
        if not bool(torch.isfinite(points[found]).all()):
            raise ConfigError(
                f"{self.name}: landmarks() returned points that are not finite for a face said to be found; "
                "set found to False there."
            )
        return points, found


def load_own_aligner(name: str) -> OwnAligner:
    """Import a module, call its function and check what comes back on two small pictures.

    The module is looked for in the current folder too.

    Args:
        name: `python:module:function`.

    Raises:
        ConfigError: It cannot be imported, has no such function, fails, or is not an aligner.
    """
    scheme, *rest = name.split(":")
    if scheme != "python" or len(rest) != 2 or not all(rest):
        raise ConfigError(f"{name!r} is not of the form python:module:function, such as python:mine:aligner.")
    module_name, function_name = rest
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # whatever the user's module raises
        raise ConfigError(
            f"Cannot import {module_name} for the aligner {name} ({type(error).__name__}: {error}); it is "
            f"looked for in {here} and among the installed packages."
        ) from error
    finally:
        sys.path.remove(here)
    function = getattr(module, function_name, None)
    if not callable(function):
        raise ConfigError(f"The module {module_name} has no function {function_name}; {name} names one.")
    try:
        inner = function()
    except Exception as error:
        raise ConfigError(f"{name} failed: {type(error).__name__}: {error}.") from error
    return own_aligner(inner, name=name)


def check_aligner(inner: object, *, name: str | None = None) -> Aligner:
    """Check that an object has what an aligner has.

    Args:
        inner: The object, which is given back.
        name: Of the function it comes from, if it does.

    Raises:
        ConfigError: It is not an aligner.
    """
    if isinstance(inner, type) or not isinstance(inner, Aligner) or not callable(inner.landmarks):
        what = inner.__name__ if isinstance(inner, type) else type(inner).__name__
        raise ConfigError(
            f"{what if name is None else f'{name} returned a {what}, which'} is not an aligner; it needs "
            "`name`, `differentiable` and `landmarks(pictures, hint)`."
        )
    return inner


def own_aligner(inner: object, *, name: str | None = None) -> OwnAligner:
    """Check an object that should be an aligner on two small pictures.

    Args:
        inner: The object.
        name: That its results are filed under; None takes its own.

    Raises:
        ConfigError: It is not an aligner, or its answers do not fit.
    """
    inner = check_aligner(inner, name=name)
    aligner = OwnAligner(inner.name if name is None else name, inner)
    _try(aligner)
    return aligner


def _try(aligner: OwnAligner) -> None:
    draws = torch.Generator().manual_seed(0)
    pictures = torch.rand(2, 3, 112, 112, generator=draws).requires_grad_(aligner.differentiable)
    five = torch.tensor([(42.0, 44.0), (70.0, 44.0), (56.0, 59.0), (43.5, 73.0), (68.5, 73.0)])
    hint = torch.stack([five, five + 2])
    try:
        points, found = aligner.landmarks(pictures, hint)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(f"{aligner.name}: landmarks() failed: {type(error).__name__}: {error}.") from error
    if aligner.differentiable and bool(found.any()) and not points.requires_grad:
        raise ConfigError(
            f"{aligner.name} says that it is differentiable, but its points carry no gradient to the "
            "pictures; set differentiable to False, or do not detach."
        )
