"""How far a run is: one bar for the whole run, with the numbers that matter."""

import sys
import time
from collections.abc import Mapping
from typing import Any

import pytorch_lightning as pl
from pytorch_lightning.callbacks import Callback
from torch import Tensor
from tqdm import tqdm

_SHOWN = {"match_confidence/": "match confidence", "similarity/": "similarity"}  # the first that there is


class DesignProgress(Callback):
    """Shows steps, the match confidence of each recognizer, and photos per second.

    Args:
        steps: Of the whole run.
        batch: Photos per step.
    """

    def __init__(self, *, steps: int, batch: int) -> None:
        self._steps = steps
        self._batch = batch
        self._bar: Any = None
        self._last = 0.0
        self._speed = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Open the bar where the run stands."""
        self._bar = tqdm(
            total=self._steps, initial=trainer.global_step, desc="designing", unit="step", file=sys.stderr
        )
        self._last = time.perf_counter()

    def on_train_batch_end(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Move on by one step."""
        now = time.perf_counter()
        speed = self._batch / max(now - self._last, 1e-9)
        self._last = now
        self._speed = speed if self._speed == 0 else 0.9 * self._speed + 0.1 * speed
        self._bar.set_postfix_str(
            f"{_figures(trainer.callback_metrics)}; {self._speed:.1f} photos/s",
            refresh=False,
        )
        self._bar.update(1)

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Close the bar."""
        self._close()

    def on_exception(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException
    ) -> None:
        """Close the bar, so that the message stands on its own line."""
        self._close()

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


def _figures(metrics: Mapping[str, Tensor]) -> str:
    """Of each recognizer, and last of validation people where there are any."""
    for prefix, words in _SHOWN.items():
        of_each = [
            f"{name.removeprefix(prefix)} {float(value):.2f}"
            for name, value in metrics.items()
            if name.startswith(prefix)
        ]
        if of_each:
            validated = metrics.get("val_match_confidence")
            more = [] if validated is None else [f"(validation {float(validated):.2f})"]
            return " ".join([words, *of_each, *more])
    return "?"
