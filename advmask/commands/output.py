"""The folder that the running command writes to."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from advmask.core.errors import RunError

_SHARED = "ADVMASK_OUTPUT_DIR"


def output_dir() -> Path:
    """Absolute path of this run's folder, which exists and can be written to.

    Raises:
        RunError: The folder cannot be written to.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    # Hydra accepts any folder that exists; a run of hours must not end in a refusal to write.
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RunError(unwritable(folder, "Permission denied"))
    return folder


def folder_of_all_jobs(design: str | None) -> Path:
    """Where the jobs of a sweep that share one evaluation meet: the run of the design, or the sweep's folder.

    Raises:
        RunError: The folder of this job cannot be written to.
    """
    own = output_dir()
    if HydraConfig.get().mode != RunMode.MULTIRUN:
        return own
    return Path(design).absolute() if design and Path(design).is_dir() else own.parent


def folder_of_first_process() -> str | None:
    """Where the process writes that started this one for a further device; None in the first process."""
    return os.environ.get(_SHARED) if is_extra_process() else None


def unwritable(folder: object, reason: str) -> str:
    """Sentence that says a run folder cannot be written, and what to do."""
    return f"Cannot write to {folder}: {reason}; choose another with hydra.run.dir=DIR."


@contextmanager
def shared_output() -> Iterator[Path]:
    """Tell processes started inside the block where this run writes, and give that folder.

    Lightning starts one more process per device with the same words, and there a folder named by the
    time of day, or by the job of a sweep, would be another one.
    """
    folder = Path(HydraConfig.get().runtime.output_dir)
    before = os.environ.get(_SHARED)
    if not is_extra_process():
        os.environ[_SHARED] = str(folder)
    try:
        yield folder
    finally:
        if before is None:
            os.environ.pop(_SHARED, None)
        else:
            os.environ[_SHARED] = before


def is_extra_process() -> bool:
    """Whether Lightning started this process in addition to another one, for a further device."""
    return os.environ.get("LOCAL_RANK", "0") != "0"
