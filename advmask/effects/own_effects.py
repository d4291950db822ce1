"""Effects of one's own: drawn for each photo and applied to the photographed picture."""

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

from jaxtyping import Float
from torch import Generator, Tensor

from advmask.core.errors import ConfigError
from advmask.effects.draws import Draws
from advmask.effects.records import joined


@runtime_checkable
class Effect(Protocol):
    """Something that happens to a picture between the camera and the recognizer.

    What is drawn is a record: a tensor, or a list, tuple, dict or dataclass of tensors, each with the photos
    first. It is drawn on the CPU, photo by photo, so that a photo's draw does not depend on the others'; the
    photos' records are joined, may be cut again, and are moved to the pictures' device.
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


def draw_own(effect: Effect, *, batch: int, draws: Draws) -> Any:
    """Draw an effect's record for each photo by itself, and join them."""
    return joined([effect.draw(1, one) for one in draws.generators(batch)])


def applied(
    effect: Effect, pictures: Float[Tensor, "batch 3 rows columns"], record: Any
) -> Float[Tensor, "batch 3 rows columns"]:
    """Apply an effect to pictures; the record is on their device.

    Raises:
        ConfigError: It gives something else than pictures of the same shape.
    """
    found = effect.apply(pictures, record)
    if not isinstance(found, Tensor) or found.shape != pictures.shape:
        what = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ConfigError(
            f"The effect {type(effect).__name__} gave {what}; pictures of shape {tuple(pictures.shape)} were "
            "expected."
        )
    return found
