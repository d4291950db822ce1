"""What several benchmarks need: settings from words, CPU time, jobs in processes of their own."""

import atexit
import os
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import torch

from advmask.commands.composition import composed
from advmask.commands.given_settings import as_mapping
from advmask.commands.quoting import quote_overrides
from advmask.core.made_on import software
from advmask.core.settings import Settings

S = TypeVar("S", bound=Settings)


def settings_of(kind: type[S], command: str, words: Sequence[str]) -> S:
    """Settings of a command as the command itself would build them.

    Args:
        kind: Of the settings.
        command: Its name, such as `train`.
        words: Overrides, as typed.
    """
    values = as_mapping(composed(command, quote_overrides(list(words)))[0])
    return kind.build({key: values[key] for key in kind.model_fields})


def words_of(program: str, *, at_least: int) -> list[str]:
    """The words of the command line; says how the benchmark is used if there are too few, or for help.

    Args:
        program: What its file says of itself.
        at_least: How many words it needs.
    """
    words = sys.argv[1:]
    if len(words) < at_least or {"-h", "--help"} & set(words):
        print(program)
        raise SystemExit(0 if words else 2)
    return words


def made_by() -> str:
    """The line under a table: the command, the day, versions and the commit that it was made with."""
    made, words = software(), [Path(sys.argv[0]).name, *sys.argv[1:]]
    commit = made["commit"] or {"id": "none", "changed": False}
    versions = ", ".join(
        f"{name} {made['packages'].get(name, '-')}" for name in ("advmask", "torch", "numpy")
    )
    return (
        f"Made by `python benchmarks/{shlex.join(words)}` on {datetime.now(UTC).date()}: {versions}, Python "
        f"{made['python']}, commit {commit['id'][:7]}{' with changes' * commit['changed']}, "
        f"threads: {torch.get_num_threads()}."
    )


def _ends_with_it() -> None:
    """Every benchmark ends with that line; its jobs in other processes (`--train`, `--judge`) do not."""
    if Path(sys.argv[0]).parent.resolve() == Path(__file__).parent.resolve() and not (
        sys.argv[1:] and sys.argv[1] in ("--train", "--judge", "-h", "--help")
    ):
        atexit.register(lambda: print(f"\n{made_by()}"))


_ends_with_it()


def own_options(words: list[str], defaults: Mapping[str, str]) -> dict[str, str]:
    """Take a benchmark's own `name=value` out of its words; what is not given is as in `defaults`."""
    asked = dict(defaults)
    for word in list(words):
        name, _, value = word.partition("=")
        if name in asked:
            asked[name] = value
            words.remove(word)
    return asked


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


def again(program: str, *words: str) -> None:
    """A benchmark once more with other words, as a process of one thread; prints what it took.

    Args:
        program: Its file.
        words: The job, the folder it works in, and the rest.

    Raises:
        SystemExit: It failed; with the end of what it said.
    """
    start = time.time()
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, program, *words]
    done = subprocess.run(command, env=environment, check=False, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)[:400]}\n{done.stderr[-3000:]}")
    print(f"{time.time() - start:6.0f} s  {words[0]} {'/'.join(Path(words[1]).parts[-2:])}", flush=True)
