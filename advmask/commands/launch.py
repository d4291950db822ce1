"""Running a command under Hydra: composition, run folder and sweeps are Hydra's, the words are ours."""

import errno
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf import DictConfig

from advmask.commands.output import shared_output, unwritable
from advmask.commands.quoting import quoted
from advmask.core.config_folders import register_resolvers, user_conf_dir
from advmask.core.errors import RunError

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


def launch(command: str, *, module: str, conf: Path, words: Sequence[str], typed: Sequence[str]) -> None:
    """Compose the configuration of a command and let the command's module run it.

    Args:
        command: Name of the command and of its top-level YAML file.
        module: Import path of the module whose `run(config)` does the work; imported only now.
        conf: Absolute folder of the YAML files.
        words: Overrides, quoted, and Hydra's options.
        typed: The words as the user typed them, the command first.

    Raises:
        RunError: The run folder cannot be made or written to.
        hydra.errors.HydraException: The configuration does not compose.
        Exception: Whatever the command raised, as it was.
    """
    failures: list[Exception] = []

    def task(config: DictConfig) -> None:
        # Lightning starts further processes with sys.argv; they need the words as they were typed.
        sys.argv = [sys.argv[0], *typed]
        try:
            _run(module, config)
        except Exception as error:
            failures.append(error)
            if HydraConfig.get().mode == RunMode.MULTIRUN:
                raise  # ends the sweep; Hydra says which job it was

    register_resolvers()
    entry: Callable[[], None] = hydra.main(version_base="1.3", config_path=str(conf), config_name=command)(
        task
    )
    with _hydra_sees([*_own_choices(), *words]):
        try:
            entry()
        except OSError as error:
            # Outside the command, what Hydra does with files is to make the run folder.
            if failures or error.filename is None or isinstance(error, HydraException):
                raise
            raise RunError(unwritable(error.filename, error.strerror or str(error))) from error
    if failures:
        # Kept from Hydra, which would print a line of its own about a single run.
        raise failures[0]


def _own_choices() -> list[str]:
    """The word that lets Hydra find the user's own choices beside ours, if there are any."""
    folder = user_conf_dir()
    return [f"hydra.searchpath=[{quoted(f'file://{folder}')}]"] if folder.is_dir() else []


def _run(module: str, config: DictConfig) -> None:
    with shared_output() as folder:
        try:
            import_module(module).run(config)
        except OSError as error:
            if not _is_about(error, folder):
                raise
            raise RunError(unwritable(folder, error.strerror or str(error))) from error


def _is_about(error: OSError, folder: Path) -> bool:
    if error.errno in _NO_ROOM:
        return True
    if isinstance(error, FileNotFoundError) or not isinstance(error.filename, str):
        return False
    return Path(error.filename).absolute().is_relative_to(folder)


@contextmanager
def _hydra_sees(words: Sequence[str]) -> Iterator[None]:
    """Give Hydra its words, and have it raise its errors instead of printing them."""
    argv, full_error = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = [argv[0], *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = argv
        if full_error is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full_error
