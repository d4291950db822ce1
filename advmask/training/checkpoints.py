"""Checkpoints that a kill cannot damage."""

import logging
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.io import TorchCheckpointIO
from torch.optim.lr_scheduler import LambdaLR

from advmask.core.files import written_aside
from advmask.training.csv_log import CsvLog

_log = logging.getLogger(__name__)


class AsideCheckpointIO(TorchCheckpointIO):
    """Writes a checkpoint to a temporary name next to its own and renames it."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None) -> None:
        """Save; see the base class."""
        with written_aside(Path(path)) as aside:
            super().save_checkpoint(checkpoint, aside, storage_options)


class StretchCheckpoint(Callback):
    """Saves the run at the end of every stretch of steps, always to the same file.

    Args:
        path: The checkpoint.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Save, the log first: a resumed run keeps the rows before its checkpoint."""
        for logger in trainer.loggers:
            if isinstance(logger, CsvLog):
                logger.flush()
        trainer.save_checkpoint(self._path)


class RateAsAsked(Callback):
    """Gives a resumed run the learning rate of its settings where its checkpoint holds another.

    That happens after a step that was not finite, and in a run that is made longer; see `RunFolder.begin`.

    Args:
        rate: The learning rate asked for; None leaves that of an optimiser of the user's own.
    """

    def __init__(self, rate: float | None) -> None:
        self._rate = rate

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Change the rate of the optimiser and of its schedule."""
        for config in trainer.lr_scheduler_configs:
            schedule = config.scheduler
            assert isinstance(schedule, LambdaLR)
            before = schedule.base_lrs[0]
            if self._rate is not None:
                schedule.base_lrs = [self._rate for _ in schedule.base_lrs]
            for group, rate, share in zip(
                schedule.optimizer.param_groups, schedule.base_lrs, schedule.lr_lambdas, strict=True
            ):
                group["lr"] = rate * share(schedule.last_epoch)
                group["initial_lr"] = rate
            if self._rate is not None and before != self._rate:
                _log.info("The learning rate was %g and is %g from here on.", before, self._rate)
