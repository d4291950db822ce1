"""Gradients of several networks taken one after another, and put together when all terms are known."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.known_gradient import with_gradient

Combine = Callable[[Float[Tensor, " terms"]], Float[Tensor, ""]]


class EagerGradients:
    """Takes the gradient of each term at once, so that only its value and its gradient are held.

    Args:
        combine: Makes one number of all terms; None adds them. Each gradient counts as much as the combined
            number changes with its term (the chain rule), so the whole is exact.
    """

    def __init__(self, combine: Combine | None = None) -> None:
        self._combine = combine
        self._terms: list[Tensor] = []
        self._held: dict[int, tuple[Tensor, list[tuple[int, Tensor]]]] = {}

    def take(self, term: Float[Tensor, ""], chips: Tensor, ready: Tensor) -> None:
        """Take in a term.

        Args:
            term: Computed from `ready`.
            chips: What the gradient is for; the same tensor may come again.
            ready: Their values, cut off from what they came from; a gradient is taken if they ask for one.
        """
        if ready.requires_grad:
            (gradient,) = torch.autograd.grad(term, ready)
            self._held.setdefault(id(chips), (chips, []))[1].append((len(self._terms), gradient))
        self._terms.append(term.detach())

    def total(self, zero: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """All terms in one number, whose gradient reaches the chips.

        Args:
            zero: Says the type and device of the result.
        """
        shares: Tensor | None = None
        if self._combine is None:
            total = sum(self._terms, zero)
        else:
            with torch.enable_grad():
                terms = torch.stack(self._terms).requires_grad_()
                combined = self._combine(terms)
                (shares,) = torch.autograd.grad(combined, terms)
            total = combined.detach().to(zero)
        for chips, parts in self._held.values():
            gradients = [each if shares is None else each * shares[number] for number, each in parts]
            total = with_gradient(total, chips, sum(gradients[1:], gradients[0]))
        return total
