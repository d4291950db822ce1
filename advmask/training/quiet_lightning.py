"""Lightning's talk, kept from the user: our own progress bar and sentences say what matters."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

_HARMLESS = (
    ".*does not have many workers.*",  # batches are assembled in microseconds from memory
    ".*GPU available but not used.*",
    ".*MPS available but not used.*",
    ".*Checkpoint directory.*exists and is not empty.*",
    ".*resuming from a checkpoint that ended before the epoch ended.*",
    ".*module\\(s\\) in eval mode at the start of training.*",  # the recognizers are meant to be
    ".*isinstance\\(treespec, LeafSpec\\)` is deprecated.*",  # inside Lightning
    ".*`broadcast_buffers` is deprecated.*",  # its successor is unknown to older versions of torch
)


@contextmanager
def quiet_lightning() -> Iterator[None]:
    """Silence Lightning's informational messages and the warnings that are known to be harmless here."""
    loggers = [logging.getLogger(name) for name in ("pytorch_lightning", "lightning_fabric")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.WARNING)
    try:
        with warnings.catch_warnings():
            for message in _HARMLESS:
                warnings.filterwarnings("ignore", message=message)
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
