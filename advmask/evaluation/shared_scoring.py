"""One job in pieces, shared among several processes."""

import os
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from multiprocessing import active_children, get_context, parent_process
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any, Protocol, TypeVar

import torch

from advmask.core.errors import RunError

Result = TypeVar("Result")
Made_co = TypeVar("Made_co", covariant=True)


class Job(Protocol[Made_co]):
    """Something that is done piece by piece. It is handed over as a file, so it must be picklable."""

    def begin(self) -> Callable[[int], Made_co]:
        """Make ready, once in each process, and give what does the piece of a number."""


def in_processes(
    job: Job[Result],
    pieces: Sequence[int],
    *,
    processes: int,
    show: Callable[[Sequence["Future[Result]"]], Iterable["Future[Result]"]],
) -> list[Result]:
    """Do a job in processes of its own with one thread each.

    The job lies in a file of the system's temporary folder until all is done, readable by its owner only; the
    processes map its tensors, so that they share their memory. What each process makes ready for itself, such
    as networks, is there once a process. The processes end with this one, however it ends.

    Args:
        job: What to do.
        pieces: Numbers of the pieces.
        processes: How many, at most one a piece.
        show: Wraps the results, in the order of the pieces, in a progress bar.

    Returns:
        What each piece gave, in the order of the pieces.

    Raises:
        RunError: A process died, or the temporary folder is full.
    """
    before = active_children()
    with tempfile.TemporaryDirectory(prefix="advmask-") as folder:
        path = Path(folder) / "job.pt"
        try:
            torch.save(job, path)
        except (OSError, RuntimeError) as error:  # torch tells a full disk as the latter
            raise RunError(
                f"Cannot write to {Path(folder).parent} what the processes share: most likely that disk is "
                "full. Free it, name another by the variable TMPDIR, or use protocol.processes=1."
            ) from error
        try:
            count, given = min(processes, len(pieces)), (folder, dict(os.environ))
            with ProcessPoolExecutor(count, _context(), _begin, given) as pool:
                try:
                    results = [pool.submit(_do, path, piece) for piece in pieces]
                    return [result.result() for result in show(results)]
                except BaseException:  # Ctrl-C too: nobody waits for what is left
                    pool.shutdown(wait=False, cancel_futures=True)
                    children = [child for child in active_children() if child not in before]
                    for child in children:
                        child.terminate()
                    for child in children:
                        child.join()
                    raise
        except BrokenProcessPool as error:
            raise RunError(
                f"One of {processes} processes that score died; most likely memory ran out, as each holds "
                "all recognizers: take fewer, such as protocol.processes=1."
            ) from error


def _context() -> BaseContext:
    """How processes are started: each a copy of one that has loaded what scoring needs, where that is safe.

    Each would otherwise load it anew, which takes seconds of every core.
    """
    if sys.platform != "linux":
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["advmask.evaluation.probe_scores"])
    return context


def _begin(folder: str, environment: Mapping[str, str]) -> None:
    """Prepare this process, which is one of several. What may fail is left to `_do`, which can tell."""
    os.environ.clear()  # what it is a copy of may be older than a change of these
    os.environ.update(environment)
    torch.set_num_threads(1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them; the first one sees to it
    threading.Thread(target=_end_with_parent, args=(folder,), daemon=True).start()


def _do(path: Path, number: int) -> Any:
    with torch.no_grad():
        return _begun(path)(number)


@cache
def _begun(path: Path) -> Callable[[int], Any]:
    job: Job[Any] = torch.load(path, mmap=True, weights_only=False)  # the file is our own
    return job.begin()


def _end_with_parent(folder: str) -> None:
    """Wait for the first process; where it was killed, it left the job, which holds faces."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        shutil.rmtree(folder, ignore_errors=True)
    os._exit(1)
