"""A library leaves the process as it found it: what training needs of it is given back."""

import os
import random
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch.utils import deterministic as memory

_WORDS = ("PL_GLOBAL_SEED", "PL_SEED_WORKERS", "CUBLAS_WORKSPACE_CONFIG")  # Lightning's, for its processes


@contextmanager
def as_found() -> Iterator[None]:
    """Within this context generators may be seeded, threads set and so on; at its end all is as before.

    That is: the generators of torch, numpy and `random`, torch's CPU threads, its choice of deterministic
    algorithms and whether they fill fresh memory, what Ctrl-C does, and the words that Lightning leaves in
    the environment. A GPU's generators are left alone where no GPU was in use before.
    """
    python, states = random.getstate(), torch.get_rng_state()
    numbers = np.random.get_state()  # noqa: NPY002 - the caller's, whatever we use
    on_gpus = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    threads, benchmark = torch.get_num_threads(), torch.backends.cudnn.benchmark
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    filling = memory.fill_uninitialized_memory  # type: ignore[attr-defined]
    words = {name: os.environ.get(name) for name in _WORDS}
    on_interrupt = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        np.random.set_state(numbers)  # noqa: NPY002
        random.setstate(python)
        torch.set_rng_state(states)
        if on_gpus:
            torch.cuda.set_rng_state_all(on_gpus)
        torch.set_num_threads(threads)
        torch.backends.cudnn.benchmark = benchmark
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        memory.fill_uninitialized_memory = filling  # type: ignore[attr-defined]
        for name, value in words.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, on_interrupt)
