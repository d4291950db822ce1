"""A step taken in parts: by several processes, or one after another where memory is short."""

import gc
import logging
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from advmask.core.errors import RunError
from advmask.core.known_gradient import with_gradient
from advmask.training.data import Batch, StepData

_log = logging.getLogger(__name__)

Taken = tuple[Tensor, dict[str, Tensor]]
LossOf = Callable[[Batch], Taken]


class PartedSteps:
    """Takes each step at once, or, from the first time that memory does not suffice, in halves, quarters, ...

    The gradients of the parts are averaged, and each photo keeps its draws, so that the steps stay what they
    were. As fair as before but otherwise, where photos are assigned to several aligners, networks are
    perturbed, `objective.tail` picks photos or `objective.over_recognizers` a recognizer, for each part does
    that by itself.

    Args:
        data: Makes the parts.
    """

    def __init__(self, data: StepData) -> None:
        self._data = data
        self._at_once: int | None = None

    def __call__(self, loss: LossOf, batch: Batch, parameters: Sequence[nn.Parameter]) -> Taken:
        """The loss of a whole step, with the gradient of every parameter taken already, and values to log.

        Args:
            loss: Gives both for a part of a step.
            batch: The step.
            parameters: That are trained.

        Raises:
            RunError: Memory does not suffice for a single photo.
        """
        size = len(batch.photo)
        while True:
            at_once = min(size, self._at_once or size)
            try:
                return self._in_parts(loss, batch, parameters, at_once)
            except (torch.OutOfMemoryError, RuntimeError) as error:
                if not _is_memory(error):
                    raise
                if at_once == 1:
                    raise RunError(
                        "Out of memory with a single photo at a time; try trainer.precision=bf16-mixed, "
                        "fewer recognizers, a smaller faces.size or texture.texels_per_mm, or a larger "
                        "machine."
                    ) from error
            # The error is gone here, and with it what its traceback held.
            self._at_once = (at_once + 1) // 2
            _log.warning(
                "Out of memory at step %d with %d photos at once; going on with %d at once, whose gradients "
                "are averaged over the %d photos of a step.",
                batch.step,
                at_once,
                self._at_once,
                size,
            )
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()

    def _in_parts(
        self, loss: LossOf, batch: Batch, parameters: Sequence[nn.Parameter], at_once: int
    ) -> Taken:
        size = len(batch.photo)
        gradients: list[Tensor | None] = [None] * len(parameters)
        values: dict[str, Tensor] = {}
        total = batch.pictures.new_zeros(())
        for start in range(0, size, at_once):
            count = min(at_once, size - start)
            part = batch
            if count < size:
                drawn, device = batch.drawn.part(first=start, count=count), batch.pictures.device
                place = batch.first + start
                part = self._data.part(batch.step, first=place, count=count, drawn=drawn, device=device)
            whole, found = loss(part)
            share = whole * (count / size)
            taken = torch.autograd.grad(share, parameters, allow_unused=True)
            gradients = [_sum(known, more) for known, more in zip(gradients, taken, strict=True)]
            total = total + share.detach()
            for name, value in found.items():
                more = value.detach() * (count / size)
                values[name] = values[name] + more if name in values else more
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                total = with_gradient(total, parameter, gradient)
        return total, values


def _sum(known: Tensor | None, more: Tensor | None) -> Tensor | None:
    if known is None or more is None:
        return more if known is None else known
    return known + more


def _is_memory(error: BaseException) -> bool:
    """Whether a GPU, or torch's allocator for the CPU, had no more memory to give."""
    return isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error)
