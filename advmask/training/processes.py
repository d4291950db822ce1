"""Which of the processes of a run this is, known before Lightning is set up."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from pytorch_lightning.utilities import rank_zero_only


def is_first_process() -> bool:
    """Whether this process is the only one of its run, or the one of them that writes files and speaks."""
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
