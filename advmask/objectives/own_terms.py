"""Losses of one's own in addition to ours: what they are shown, and how they are asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import ConfigError


@dataclass(frozen=True, eq=False)
class Step:
    """What a term that is called is shown: one training step, before the recognizers look at it.

    Attributes:
        number: Of the step, from 0.
        texels: (3, height, width) the design, sRGB in [0, 1], with its gradient.
        pictures: (B, 3, rows, columns) photos with the design on, printed, lit and photographed, as
            recognizers see them, sRGB in about [0, 1], with their gradient to the design.
        bare: (B, 3, rows, columns) the photos themselves.
        landmarks: (B, 5, 2) on the bare photos, px.
    """

    number: int
    texels: Float[Tensor, "3 height width"]
    pictures: Float[Tensor, "batch 3 rows columns"]
    bare: Float[Tensor, "batch 3 rows columns"]
    landmarks: Float[Tensor, "batch 5 2"]


@dataclass(frozen=True, eq=False)
class Embedded:
    """What a term's `of_embedding` is shown: one recognizer's view of a step.

    Attributes:
        recognizer: Its label.
        embedding: (B, D) of the masked photos, as the network gives them, with their gradient.
        template: (B, D) of the wearers, from bare photos.
        similarity: (B,) of the two, larger for more alike, with its gradient.
        margin: (B,) of the similarity: above 0 the wearer is matched; with its gradient. None for a
            recognizer without a threshold.
    """

    recognizer: str
    embedding: Float[Tensor, "batch dim"]
    template: Float[Tensor, "batch dim"]
    similarity: Float[Tensor, " batch"]
    margin: Float[Tensor, " batch"] | None


Term = Callable[[Step], Tensor] | nn.Module
"""A loss of one's own: called with a `Step`, or with a method `of_embedding` for an `Embedded`, or both.

Each gives one number, a tensor, its weight in it. What is taken over photos should be their mean: a step may
be taken in parts, or by several processes, whose gradients are averaged.
"""


class OwnTerms(nn.Module):
    """Several terms, each under its name: its `name`, or that of its function or class.

    Modules among them go to the device that training runs on. They are not trained, nor kept in checkpoints.

    Args:
        terms: See `Term`.

    Raises:
        ConfigError: One is not a term, has parameters that ask for a gradient, or two bear one name.
    """

    def __init__(self, terms: Sequence[Term] = ()) -> None:
        super().__init__()
        self._terms: dict[str, Any] = {}
        for term in terms:
            name = _name(term)
            if not _is_called(term) and not _looks_at_embeddings(term):
                raise ConfigError(
                    f"{name} is not a term: it can neither be called with a step nor has it of_embedding(); "
                    "see advmask.objectives.own_terms."
                )
            if isinstance(term, nn.Module) and any(each.requires_grad for each in term.parameters()):
                raise ConfigError(
                    f"The term {name} has parameters that ask for a gradient, and the design alone is "
                    "trained; call its requires_grad_(False)."
                )
            if name in self._terms:
                raise ConfigError(f"Two terms are called {name}; give one of them another `name`.")
            self._terms[name] = term
        self.modules_among_them = nn.ModuleList([one for one in terms if isinstance(one, nn.Module)])

    def __len__(self) -> int:
        """Number of terms."""
        return len(self._terms)

    def of_step(self, step: Step) -> dict[str, Float[Tensor, ""]]:
        """The terms that are called, by the name they are logged under."""
        return {
            f"term/{name}": _checked(name, term(step))
            for name, term in self._terms.items()
            if _is_called(term)
        }

    def of_embedding(self, seen: Embedded) -> dict[str, Float[Tensor, ""]]:
        """The terms that look at embeddings, by the name they are logged under."""
        return {
            f"term/{name}" + "/embedding" * _is_called(term): _checked(name, term.of_embedding(seen))
            for name, term in self._terms.items()
            if _looks_at_embeddings(term)
        }


def _name(term: Any) -> str:
    name = getattr(term, "name", None) or getattr(term, "__name__", None)
    return name if isinstance(name, str) else type(term).__name__


def _is_called(term: Any) -> bool:
    if isinstance(term, type) or not callable(term):
        return False
    return not isinstance(term, nn.Module) or type(term).forward is not nn.Module.forward


def _looks_at_embeddings(term: Any) -> bool:
    return not isinstance(term, type) and callable(getattr(term, "of_embedding", None))


def _checked(name: str, value: Any) -> Tensor:
    if not isinstance(value, Tensor) or value.ndim != 0:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else type(value).__name__
        raise ConfigError(f"The term {name} gave {what}; a tensor that is one number was expected.")
    return value
