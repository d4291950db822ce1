"""Where networks run."""

from typing import TYPE_CHECKING, Literal

from advmask.core.errors import ConfigError

if TYPE_CHECKING:
    import torch

DeviceName = Literal["auto", "cpu", "cuda"]


def device_beside(asked: DeviceName, other: "torch.device | None") -> "torch.device":
    """As `device_of`, for work before that of another device.

    Args:
        asked: auto takes that device; cuda takes it too where it is a GPU, of which there may be several.
        other: None where nothing else is known.
    """
    if other is not None and other.type in ("cpu", "cuda") and asked in ("auto", other.type):
        return other
    return device_of(asked)


def device_of(asked: DeviceName, *, processes: int = 1) -> "torch.device":
    """The device that is asked for.

    Args:
        asked: auto takes a GPU where there is one and a single process uses it.
        processes: That will use it.

    Raises:
        ConfigError: A GPU is asked for, and torch sees none.
    """
    import torch  # here, because settings that name devices are read without it

    there = torch.cuda.is_available()
    if asked == "cuda" and not there:
        raise ConfigError(
            "device=cuda asks for a GPU, and torch sees none: none is here, its driver is missing, or "
            "torch was built without CUDA; take device=auto."
        )
    return torch.device(
        "cuda" if asked == "cuda" or (asked == "auto" and there and processes == 1) else "cpu"
    )
