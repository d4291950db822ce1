"""Long work in a process of its own: the ordinary commands, which go on when the studio is closed or killed.

Whether one is at work is told by a lock that it has from its start and that the system takes away with its
end, however it ends; so a studio that is started anew finds what is still going on.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from advmask.core.data_files import read_json
from advmask.core.errors import RunError
from advmask.core.files import write_text
from advmask.core.locks import locked

JOB = "job.json"
_LOCK = "at-work"
_PATIENCE_S = 15.0  # for a command that was asked to stop
_LOWER_PRIORITY = 5  # so that the page answers while all cores design


@dataclass(frozen=True)
class Job:
    """A command, as it was started last in a folder.

    Attributes:
        action: design, measure or print.
        words: All of the command, without `advmask`.
        process: Its number; also that of its group.
        begun: When, in seconds since 1970.
        stopped: The user stopped it.
    """

    action: str
    words: tuple[str, ...]
    process: int = 0
    begun: float = 0.0
    stopped: bool = False


class Works:
    """Starts and stops commands, one at a time in a folder.

    Args:
        program: What is started with the words of a command; None is the `advmask` that runs here.
    """

    def __init__(self, program: Sequence[str] | None = None) -> None:
        self._program = [sys.executable, "-m", "advmask"] if program is None else list(program)
        self._children: dict[Path, subprocess.Popen[bytes]] = {}
        self._one_at_a_time = threading.RLock()  # a look at a lock takes it for a moment

    def start(self, folder: Path, action: str, words: Sequence[str]) -> Job:
        """Start `advmask WORDS`, whose output goes to a log in the folder.

        Args:
            folder: Where job and log are noted; made if need be.
            action: What it is for.
            words: The command.

        Raises:
            RunError: Something is at work in the folder.
        """
        with self._one_at_a_time:
            folder.mkdir(parents=True, exist_ok=True)
            handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                if self._child_lives(folder) or locked(handle) is False:
                    raise RunError(f"{folder.name} is being worked on; wait until that is done, or stop it.")
                with (folder / _log(action)).open("wb") as log:
                    child = subprocess.Popen(
                        [*self._program, *words],
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                        pass_fds=() if sys.platform == "win32" else (handle,),
                    )
            finally:
                os.close(handle)
            if sys.platform != "win32":
                with suppress(OSError):
                    os.setpriority(os.PRIO_PROCESS, child.pid, _LOWER_PRIORITY)
            self._children[folder] = child
            threading.Thread(target=child.wait, daemon=True).start()  # or it would stay as a zombie
            job = Job(action, tuple(words), child.pid, time.time())
            _write(folder, job)
            return job

    def at_work(self, folder: Path) -> Job | None:
        """The job that is going on in a folder, whoever started it."""
        with self._one_at_a_time:
            job = last_job(folder)
            if job is None or not (self._child_lives(folder) or _held(folder / _LOCK)):
                return None
            return job

    def stop(self, folder: Path) -> bool:
        """Ask the job in a folder to stop, and end it if it does not; whether there was one."""
        with self._one_at_a_time:
            job = self.at_work(folder)
            if job is None:
                return False
            _write(folder, Job(**{**asdict(job), "stopped": True}))
        if sys.platform == "win32":
            if self._child_lives(folder):
                self._children[folder].terminate()
            return True
        with suppress(ProcessLookupError):
            os.killpg(job.process, signal.SIGINT)
        threading.Thread(target=self._make_sure, args=(folder, job), daemon=True).start()
        return True

    def _make_sure(self, folder: Path, job: Job) -> None:
        end = time.monotonic() + _PATIENCE_S
        while self.at_work(folder) is not None:
            if time.monotonic() > end:
                with suppress(ProcessLookupError):
                    os.killpg(job.process, signal.SIGKILL)
                return
            time.sleep(0.1)

    def _child_lives(self, folder: Path) -> bool:
        child = self._children.get(folder)
        return child is not None and child.poll() is None


def last_job(folder: Path) -> Job | None:
    """The job that was started last in a folder, whether or not it is going on."""
    try:
        values = read_json(folder / JOB)
        return Job(**{**values, "words": tuple(values["words"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def said(folder: Path, action: str) -> list[str]:
    """What the last job of this kind printed, line by line; of one that failed, the last says why."""
    try:
        text = (folder / _log(action)).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [line.strip() for line in text.replace("\r", "\n").splitlines() if line.strip()]


def _log(action: str) -> str:
    return f"log-{action}.txt"


def _held(lock: Path) -> bool:
    try:
        handle = os.open(lock, os.O_RDWR)
    except OSError:
        return False
    try:
        return locked(handle) is False
    finally:
        os.close(handle)


def _write(folder: Path, job: Job) -> None:
    write_text(folder / JOB, json.dumps(asdict(job), indent=2) + "\n")
