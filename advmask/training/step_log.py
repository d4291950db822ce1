"""The values of steps, fetched from the device every so often and handed on together."""

from typing import Any

import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from advmask.training.module import DesignModule
from advmask.training.own_parts import Progress

EVERY = 10
"""Steps between two fetches from a GPU, which waits for each of them; a CPU has nothing to wait for."""


class StepLog(Callback):
    """Writes the values of every step to the loggers, and tells them to a function.

    They also stand in `trainer.callback_metrics`, as of the last step fetched.

    Args:
        steps: Of the whole run.
        tell: Called with the steps taken, the steps of the run, and the values of the step by name.
    """

    def __init__(self, *, steps: int, tell: Progress | None = None) -> None:
        self._steps = steps
        self._tell = tell
        self._held: list[tuple[int, dict[str, Tensor | float]]] = []
        self._rate = 0.0

    def on_train_batch_start(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Note the learning rate that the step is taken with; the schedule moves on before its end."""
        self._rate = float(trainer.optimizers[0].param_groups[0]["lr"])

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Hold the values of the step, and hand them on where it is time to."""
        if isinstance(pl_module, DesignModule):
            self._held.append((batch.step, {**pl_module.values, "learning_rate": self._rate}))
            if pl_module.device.type == "cpu" or len(self._held) == EVERY:
                self._hand_on(trainer)

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Hand on what is left; a checkpoint follows."""
        self._hand_on(trainer)

    def _hand_on(self, trainer: pl.Trainer) -> None:
        held, self._held = self._held, []
        if not held:
            return
        tensors = [
            value.detach().float()
            for _, values in held
            for value in values.values()
            if torch.is_tensor(value)
        ]
        together = torch.stack(tensors)
        if trainer.world_size > 1:  # each process has seen its part of the photos
            together = trainer.strategy.reduce(together, reduce_op="mean")
        fetched = iter(together.tolist())
        for step, values in held:
            row = {
                name: next(fetched) if torch.is_tensor(value) else float(value)
                for name, value in values.items()
            }
            for logger in trainer.loggers:
                logger.log_metrics(row, step=step)
            trainer.callback_metrics.update({name: torch.tensor(value) for name, value in row.items()})
            if self._tell is not None:
                self._tell(step + 1, self._steps, row)
