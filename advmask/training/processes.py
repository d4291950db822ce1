"""Which of the processes of a run this is, known before Lightning is set up."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from torch import distributed

# What Lightning tells the processes that it starts, and leaves behind in the one that started them.
_OF_ONE_RUN = ("MASTER_ADDR", "MASTER_PORT", "NODE_RANK", "LOCAL_RANK", "WORLD_SIZE")

PATIENCE_S = 6 * 3600.0
"""How long processes of a run wait for one that is still reading photos, or laying masks."""


def is_first_process() -> bool:
    """Whether this process is the only one of its run, or the one of them that writes files and speaks."""
    # Here, so that commands that only read what a run left need not wait three seconds for Lightning.
    from pytorch_lightning.utilities import rank_zero_only

    return int(getattr(rank_zero_only, "rank", 0) or 0) == 0


@contextmanager
def only_the_first_speaks() -> Iterator[None]:
    """Within this context the processes of a run but the first log nothing below errors."""
    logger = logging.getLogger("advmask")
    before = logger.level
    if not is_first_process():
        logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)


@contextmanager
def processes_of_one_run() -> Iterator[None]:
    """Within this context Lightning may start processes; after it, it may start others for the next run.

    Else the next run of a sweep, or of a notebook, takes itself for one of processes that are there already.
    """
    before = {name: os.environ.get(name) for name in _OF_ONE_RUN}
    joined = _joined()
    try:
        yield
        if _joined() and not joined:
            distributed.destroy_process_group()
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _joined() -> bool:
    return distributed.is_available() and distributed.is_initialized()
