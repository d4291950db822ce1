"""Stops a run before a step that would spoil the texture."""

import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from torch.optim import Optimizer

from advmask.core.errors import RunError
from advmask.training.current_design import design_now
from advmask.training.data import Batch, StepData
from advmask.training.module import DesignModule
from advmask.training.run_folder import RunFolder

_NAMED = 4


class FiniteSteps(Callback):
    """Ends a run before a step whose loss or gradient is not finite.

    The design as it stood before that step is kept, and the folder notes what happened, after which the run
    may be resumed from its last checkpoint with another learning rate.

    Args:
        run: Where the note goes.
        data: Tells which photos the step was of.
        keep: Writes a design under a name into the run folder and gives the picture file.
        learning_rate: Of the run.
    """

    def __init__(
        self, run: RunFolder, *, data: StepData, keep: Callable[[Tensor, str], Path], learning_rate: float
    ) -> None:
        self._run = run
        self._data = data
        self._keep = keep
        self._rate = learning_rate
        self._loss: Tensor | None = None
        self._step = 0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Batch, batch_idx: int
    ) -> None:
        """Note which step it is."""
        self._step = batch.step

    def on_before_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule, loss: Tensor) -> None:
        """Note the loss; one process must not stop while the others wait for its gradient."""
        self._loss = loss.detach()

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: Optimizer
    ) -> None:
        """Check the loss and every gradient.

        Raises:
            RunError: One of them is not finite.
        """
        gradients = [value.grad for value in pl_module.parameters() if value.grad is not None]
        checked = gradients if self._loss is None else [self._loss, *gradients]
        # A sum is not finite if one of its terms is not; looking at each would cost ten times as much.
        sums = torch.stack([value.sum().float() for value in checked])
        bad = not bool(torch.isfinite(sums).all())
        if trainer.world_size > 1:
            bad = trainer.strategy.reduce_boolean_decision(bad, all=False)
        if bad:
            assert isinstance(pl_module, DesignModule)
            raise RunError(self._stopped(trainer, pl_module))

    def _stopped(self, trainer: pl.Trainer, module: DesignModule) -> str:
        loss = math.nan if self._loss is None else float(self._loss)
        what = "the gradient is not finite" if math.isfinite(loss) else f"the loss is {loss}"
        blamed = _not_finite(module.values)
        photos = self._data.sources(self._step)
        picture = "the texture before it"
        if trainer.is_global_zero:
            picture = str(self._keep(design_now(module), f"texture-step-{self._step}"))
            self._run.note_stop(
                {
                    "step": self._step,
                    "loss": str(loss),
                    "learning_rate": self._rate,
                    "recognizers": blamed,
                    "photos": [str(photo) for photo in photos],
                }
            )
        whose = f" (by {', '.join(blamed)})" if blamed else ""
        return (
            f"Stopped before step {self._step}: {what}{whose} on {_shown(photos)}; the last good design is "
            f"{picture}. Run the command again with a lower optimiser.learning_rate, such as "
            f"{self._rate / 5:g}, to go on from the last checkpoint; {self._run.stops} names all photos."
        )


def _not_finite(values: Mapping[str, Tensor | float]) -> list[str]:
    blamed = [
        name.partition("/")[2]
        for name, value in values.items()
        if name.startswith(("match_confidence/", "similarity/")) and not math.isfinite(float(value))
    ]
    return list(dict.fromkeys(blamed))


def _shown(photos: Sequence[Path]) -> str:
    names = ", ".join(photo.name for photo in photos[:_NAMED])
    more = len(photos) - _NAMED
    return names + (f" and {more} more" if more > 0 else "")
