"""A library call leaves the process as it was: generators, threads, torch's switches, Ctrl-C, environment."""

import os
import random
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from advmask.core.errors import ConfigError
from advmask.training.restored_state import as_found
from advmask.training.run import train
from advmask.training.settings import TrainSettings

WORDS = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS", "CUBLAS_WORKSPACE_CONFIG")


def process() -> list[Any]:
    """What of the process a library must not change."""
    name, keys, *rest = np.random.get_state()  # noqa: NPY002
    return [
        torch.get_rng_state().tolist(),
        random.getstate(),
        (name, keys.tolist(), rest),
        torch.get_num_threads(),
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
        torch.utils.deterministic.fill_uninitialized_memory,
        torch.backends.cudnn.benchmark,
        signal.getsignal(signal.SIGINT),
        [os.environ.get(word) for word in WORDS],
    ]


@pytest.mark.parametrize("accelerator", ["cpu", "tpu"])
def test_a_run_leaves_the_process_as_it_was(
    tiny_settings: Callable[..., TrainSettings], tmp_path: Path, accelerator: str
) -> None:
    torch.manual_seed(4)
    before = process()
    settings = tiny_settings(threads=2, preview_every=0, accelerator=accelerator)
    if accelerator == "tpu":
        with pytest.raises(ConfigError, match="Cannot train with"):
            train(settings, folder=tmp_path)
    else:
        train(settings, folder=tmp_path)
    assert process() == before


def test_everything_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")
    before = process()
    with suppress(KeyError), as_found():
        torch.manual_seed(9)
        np.random.seed(9)  # noqa: NPY002
        random.seed(9)
        torch.set_num_threads(2)
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.utils.deterministic.fill_uninitialized_memory = False
        torch.backends.cudnn.benchmark = True
        signal.signal(signal.SIGINT, lambda *_: None)  # in the background it may be ignored from the start
        for word in WORDS:
            os.environ[word] = "changed"
        assert all(was != now for was, now in zip(before, process(), strict=True))
        raise KeyError
    assert process() == before
