"""Who else is writing: locks of the operating system, which end with their process, however it ends."""

import errno
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from advmask.core.errors import RunError

_RETRY_S = 0.02


def locked(handle: int, *, shared: bool = False) -> bool | None:
    """Lock an open file or folder for as long as it is open here, or mapped.

    Args:
        handle: Of the file or folder.
        shared: Among all that lock it in this way, and keep out those that would have it alone.

    Returns:
        Whether it is locked now; False if another holder has it, None where nothing can be locked (on Windows
        and on some network drives).
    """
    if sys.platform == "win32":
        return None
    import fcntl

    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except OSError as error:
        return False if error.errno in (errno.EWOULDBLOCK, errno.EACCES) else None
    return True


@contextmanager
def alone_in(folder: Path, *, wait_s: float, taken: str) -> Iterator[None]:
    """Keep a folder for this process, as far as the others ask in this way too.

    Where nothing can be locked, nobody is kept out.

    Args:
        folder: It should exist.
        wait_s: How long to wait for another process.
        taken: What the user is told where another process has it.

    Raises:
        RunError: Another process has it.
    """
    handle = None
    with suppress(OSError):  # Windows opens no folders; and what cannot be read is told by whoever writes
        handle = os.open(folder, os.O_RDONLY)
    try:
        end = time.monotonic() + wait_s
        while handle is not None and locked(handle) is False:
            if time.monotonic() >= end:
                raise RunError(taken)
            time.sleep(_RETRY_S)
        yield
    finally:
        if handle is not None:
            os.close(handle)
