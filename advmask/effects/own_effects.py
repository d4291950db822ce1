"""Effects of one's own: drawn for each photo and applied to the photographed picture."""

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Generator, Tensor, device

from advmask.core.errors import ConfigError

OWN = "own effect"
"""Begins the purposes that effects of one's own are drawn for."""


@runtime_checkable
class Effect(Protocol):
    """Something that happens to a picture between the camera and the recognizer.

    What is drawn is a record: a tensor, or a list, tuple, dict or dataclass of tensors, each with the photos
    first. It is drawn on the CPU, may be cut for a part of the photos, and is moved to the pictures' device.
    """

    def draw(self, batch: int, generator: Generator) -> Any:
        """Draw a record for so many photos, from this generator alone."""

    def apply(
        self, pictures: Float[Tensor, "batch 3 rows columns"], record: Any
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Change pictures, sRGB in [0, 1], as the record says; differentiable in the pictures."""


def check_effects(effects: Sequence[Any]) -> None:
    """Check that each is an effect.

    Raises:
        ConfigError: One has no `draw` and `apply`, or is a class.
    """
    for one in effects:
        if isinstance(one, type) or not isinstance(one, Effect):
            name = one.__name__ if isinstance(one, type) else type(one).__name__
            raise ConfigError(
                f"{name} is not an effect; an object with draw(batch, generator) and apply(pictures, record) "
                "was expected."
            )


def applied(
    effect: Effect, pictures: Float[Tensor, "batch 3 rows columns"], record: Any
) -> Float[Tensor, "batch 3 rows columns"]:
    """Apply an effect to pictures on their device.

    Raises:
        ConfigError: It gives something else than pictures of the same shape.
    """
    found = effect.apply(pictures, moved(record, pictures.device))
    if not isinstance(found, Tensor) or found.shape != pictures.shape:
        what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(
            f"The effect {type(effect).__name__} gave {what}; pictures of shape {tuple(pictures.shape)} were "
            "expected."
        )
    return found


def moved(record: Any, where: device) -> Any:
    """A record on another device."""
    return _each(record, lambda tensor: tensor.to(where))


def part_of(record: Any, *, first: int, count: int) -> Any:
    """What of a record belongs to `count` photos from the `first` on."""
    return _each(record, lambda tensor: tensor.narrow(0, first, count))


def _each(record: Any, change: Any) -> Any:
    if isinstance(record, Tensor):
        return change(record)
    if isinstance(record, Mapping):
        return {key: _each(value, change) for key, value in record.items()}
    if isinstance(record, tuple) and hasattr(record, "_fields"):  # a named tuple
        return type(record)(*(_each(value, change) for value in record))
    if isinstance(record, list | tuple):
        return type(record)(_each(value, change) for value in record)
    if is_dataclass(record) and not isinstance(record, type):
        changed = {one.name: _each(getattr(record, one.name), change) for one in fields(record)}
        return replace(record, **changed)
    return record  # a number or a name, the same for all photos
