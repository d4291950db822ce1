"""What advmask logs for its user, shown as plain lines: what the command line installs, and nobody else."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class PlainLines(logging.Handler):
    """Prints messages to standard output, one line each; a progress bar makes way for them."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a record's message."""
        from tqdm import tqdm

        tqdm.write(self.format(record), file=sys.stdout)


@contextmanager
def plain_lines() -> Iterator[None]:
    """Within this context, print what advmask logs at INFO and above; loggers above it do not get it too."""
    logger = logging.getLogger("advmask")
    level, propagate = logger.level, logger.propagate
    handler = PlainLines()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
