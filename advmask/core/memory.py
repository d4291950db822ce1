"""Keeping freed memory for the next step, where the C library would hand it back to the system."""

import ctypes
import os
import platform

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # numbers of these parameters in malloc.h
_KEPT = 2**31 - 1
_FROM_HEAP = 32 * 2**20  # the largest that every version of glibc accepts


def keep_freed_memory() -> bool:
    """Let the C library keep up to 2 GiB of freed memory for this process; once and for all.

    Without it, glibc hands the activations of a network back to the system after each forward pass and is
    given the same pages again, emptied, in the next one: a training step then took 6 % longer, and how much
    of it fell to which network changed from run to run. Nothing is taken that was not in use before.

    Settings of the user's own in the environment (`MALLOC_...`, `GLIBC_TUNABLES`) are left alone. Another C
    library, or another system, keeps its ways.

    Returns:
        Whether it was done.
    """
    if platform.libc_ver()[0] != "glibc" or any(
        name == "GLIBC_TUNABLES" or (name.startswith("MALLOC_") and name.endswith("_")) for name in os.environ
    ):
        return False
    library = ctypes.CDLL(None)
    # Either ends the automatic choice of the other: both are set, and the second only if the first was taken.
    given = ((_MMAP_THRESHOLD, _FROM_HEAP), (_TRIM_THRESHOLD, _KEPT))
    return all(library.mallopt(parameter, value) == 1 for parameter, value in given)
