"""Whether a GPU can be there at all, known without loading torch, which takes seconds."""

import sys
from pathlib import Path

# Of the drivers of NVIDIA and AMD, and of Windows for its Linux subsystem.
_DEVICE_FILES = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")


def may_have_gpu() -> bool:
    """Whether this machine may have a GPU for torch; only Linux shows that there is none, so others may."""
    return sys.platform != "linux" or any(Path(file).exists() for file in _DEVICE_FILES)
