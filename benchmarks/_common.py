"""What several benchmarks need: settings from the words of a command line, and CPU time."""

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import torch
from hydra import compose, initialize_config_dir

from advmask.commands.given import as_mapping
from advmask.commands.quoting import quote_overrides
from advmask.config import conf_dir, register_resolvers
from advmask.settings import Settings

S = TypeVar("S", bound=Settings)


def settings_of(kind: type[S], command: str, words: Sequence[str]) -> S:
    """Settings of a command as the command itself would build them.

    Args:
        kind: Of the settings.
        command: Its name, such as `train`.
        words: Overrides, as typed.
    """
    register_resolvers()
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return kind.build(as_mapping(compose(command, overrides=quote_overrides(list(words)))))


def clocked(work: Callable[[], Any], device: str = "cpu") -> float:
    """Seconds that `work` takes: CPU time of the process, or wall clock of another device."""
    if device == "cpu":
        start = time.process_time()
        work()
        return time.process_time() - start
    torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    torch.cuda.synchronize()
    return time.perf_counter() - start
