"""One function for many items, shared among processes of one thread each."""

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import IO, Any, Generic, TypeVar

from advmask.core.errors import RunError
from advmask.core.memory import keep_freed_memory

Item = TypeVar("Item")
Result = TypeVar("Result")

_AHEAD = 2  # items for each process that are handed out before the first of them is asked for
_SERVE = "from advmask.core.workers import serve; serve()"


def cores() -> int:
    """Cores that this process may use; its share of them where it is one of several ranks of a machine."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if os.environ.get("SLURM_CPUS_PER_TASK", "").isdigit():
        return max(1, min(there, int(os.environ["SLURM_CPUS_PER_TASK"])))
    _, ranks = rank()
    return max(1, there // ranks)


def rank() -> tuple[int, int]:
    """Number of this process among those that do the same on a machine, and all of them.

    By Lightning or torchrun, or by srun, whose tasks on each machine read "4" or, on several, "4(x2)".
    """
    names = (("LOCAL_RANK", "SLURM_LOCALID"), ("LOCAL_WORLD_SIZE", "WORLD_SIZE", "SLURM_STEP_TASKS_PER_NODE"))
    own, ranks = (next((os.environ[name] for name in some if os.environ.get(name)), "") for some in names)
    ranks = ranks.partition("(")[0].partition(",")[0]
    count = max(1, int(ranks)) if ranks.isdigit() else 1
    return (int(own) % count if own.isdigit() else 0), count


class Workers(Generic[Item, Result]):
    """Processes that each apply a function to items they are given.

    They are programs of their own and import only what the function needs: nothing of the caller's main
    module is run again, in a notebook or in a script without a guard. They end with this process, however it
    ends, and with the block.

    Args:
        function: Picklable, from a module that can be imported.
        count: How many processes.
    """

    def __init__(self, function: Callable[[Item], Result], count: int) -> None:
        self._function = pickle.dumps(function)
        self._count = count
        self._own = threading.local()
        self._started: list[subprocess.Popen[bytes]] = []
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")

    def __enter__(self) -> "Workers[Item, Result]":
        """Start nothing: a process starts with its first item."""
        return self

    def __exit__(self, *_: object) -> None:
        """End the processes, without waiting for what nobody asked for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for process in self._started:
            process.kill()
        for process in self._started:
            process.wait()
        self._threads.shutdown()
        for process in self._started:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):  # the end of a pipe to a process that is gone
                    pipe.close()  # type: ignore[union-attr]

    def map(self, items: Iterable[Item]) -> Iterator[Result]:
        """Results in the order of the items; an exception of the function is raised in its place.

        Only a few items are taken ahead of the results that are asked for.

        Raises:
            RunError: A process died.
        """
        waiting: deque[Future[Result]] = deque()
        for item in items:
            waiting.append(self._threads.submit(self._ask, item))
            if len(waiting) >= _AHEAD * self._count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()

    def _ask(self, item: Item) -> Result:
        try:
            if not hasattr(self._own, "process"):
                self._own.process = self._start()
            _send(self._own.process.stdin, pickle.dumps(item))
            good, value = pickle.loads(_receive(self._own.process.stdout))
        except (OSError, EOFError) as error:
            raise RunError(
                "A process that was helping died; most likely memory ran out. Start again: what was done is "
                "kept. With fewer cores (taskset -c 0 COMMAND) fewer are started."
            ) from error
        if not good:
            raise value
        result: Result = value
        return result

    def _start(self) -> "subprocess.Popen[bytes]":
        environment = {
            "OMP_NUM_THREADS": "1",
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", _SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment
        )
        self._started.append(process)
        assert process.stdin is not None
        _send(process.stdin, self._function)
        return process


def serve() -> None:
    """Apply the function that standard input brings first to each item that follows, until it ends."""
    keep_freed_memory()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all; the first process sees to it
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what is printed must not come among the answers
    questions = sys.stdin.buffer
    with contextlib.suppress(EOFError, BrokenPipeError):
        function = pickle.loads(_receive(questions))
        while True:
            item = pickle.loads(_receive(questions))
            answer: tuple[bool, Any]
            try:
                answer = (True, function(item))
            except Exception as error:
                answer = (False, error)
            _send(answers, pickle.dumps(answer))


def _send(pipe: IO[bytes], content: bytes) -> None:
    pipe.write(len(content).to_bytes(8, "little"))
    pipe.write(content)
    pipe.flush()


def _receive(pipe: IO[bytes]) -> bytes:
    size = pipe.read(8)
    content = pipe.read(int.from_bytes(size, "little")) if len(size) == 8 else b""
    if not content:
        raise EOFError
    return content
