"""Answers of a service: asked for within a budget, slowly, again where a call fails, and kept for good.

Nothing is sent unless the command at hand says so, and never more than it says. Every answer is kept by the
content of the pictures, so that no question is asked twice, whatever ends the command.
"""

import hashlib
import math
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from advmask.core.config_folders import nowhere, user_folder
from advmask.core.errors import ConfigError, RunError, WeightsError
from advmask.recognizers.settings import ServiceSettings

_TRIES = 4
_FIRST_WAIT_S = 1.0  # doubled after each try
_VARIABLE = "ADVMASK_SERVICES"
_allowed: ContextVar[ServiceSettings] = ContextVar("services", default=ServiceSettings())  # noqa: B039 - frozen


@contextmanager
def services_allowed(settings: ServiceSettings) -> Iterator[None]:
    """Within this context services may be asked as the settings say; without, kept answers are used alone."""
    before = _allowed.set(settings.model_copy())
    try:
        yield
    finally:
        _allowed.reset(before)


class Answers:
    """What one service has answered, and the way to ask it for more.

    Args:
        name: Of the service and its version: answers are kept under it.
        length: Numbers of an answer.
        expected: What an answer is, in words.
        label: Of the recognizer, for errors.
        pause: Waits a number of seconds.
    """

    def __init__(
        self, name: str, *, length: int, expected: str, label: str, pause: Callable[[float], None]
    ) -> None:
        self._name, self._length, self._expected = name, length, expected
        self._label, self._pause = label, pause
        self.calls = 0
        self._last = -math.inf

    def opened(self) -> sqlite3.Connection:
        """The file that they are kept in; several processes may write to it at once.

        Raises:
            RunError: They cannot be kept.
        """
        folder = (user_folder("cache") or nowhere(_VARIABLE)) / "services"
        path = folder / f"{hashlib.sha256(self._name.encode()).hexdigest()[:16]}.sqlite"
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))  # embeddings are biometric data
            kept = sqlite3.connect(path, timeout=30)
            with kept:
                kept.execute(
                    "create table if not exists answers (picture text primary key, answer blob not null)"
                )
            return kept
        except (OSError, sqlite3.Error) as error:
            raise RunError(
                f"The answers of {self._name} cannot be kept in {path} ({error}); nothing was sent."
            ) from error

    def answer(self, key: str, ask: Callable[[], Any], kept: sqlite3.Connection) -> list[float]:
        """A kept answer, or a new one; NaN where the service found no face.

        Args:
            key: What is asked about.
            ask: Sends the question; gives numbers, or None where no face is found.
            kept: From `opened`.

        Raises:
            ConfigError: Nothing may be sent, or no more.
            RunError: Answers cannot be kept.
            WeightsError: The service fails again and again, or answers nonsense.
        """
        try:
            row = kept.execute("select answer from answers where picture = ?", (key,)).fetchone()
            if row is None:
                answer = self._asked(ask)
                stored = np.array(answer, dtype="<f8").tobytes()  # empty where there is no face
                with kept:
                    kept.execute("insert or replace into answers values (?, ?)", (key, stored))
            else:
                answer = np.frombuffer(row[0], dtype="<f8").tolist()
        except sqlite3.Error as error:
            raise RunError(
                f"The answers of {self._name} cannot be kept any more ({error}); make room, or wait for the "
                "other command, and repeat this one: only the last answer is asked for again."
            ) from error
        return self._checked(answer or None)

    def _asked(self, ask: Callable[[], Any]) -> list[float]:
        allowed = _allowed.get()
        if not allowed.send:
            raise ConfigError(
                f"{self._label} would be sent a picture of a face, and this command does not say that it "
                "may: add services.send=true services.calls=N, the most calls that may be made."
            )
        if self.calls >= allowed.calls:
            raise ConfigError(
                f"{self._label} was called {self.calls} times, as often as services.calls={allowed.calls} "
                "allows. What it answered is kept: the same command with a larger number goes on from here."
            )
        for number in range(_TRIES):
            wait = self._last + 1 / allowed.per_second - time.monotonic()
            if wait > 0:
                self._pause(wait)
            self._last = time.monotonic()
            self.calls += 1
            try:
                answer = ask()
            except Exception as error:  # whatever the user's code, or the net, raises
                if number == _TRIES - 1 or self.calls >= allowed.calls:
                    raise WeightsError(
                        f"{self._label} failed {number + 1} times in a row ({type(error).__name__}: "
                        f"{error}). What it answered before is kept; repeat the command later."
                    ) from error
                self._pause(_FIRST_WAIT_S * 2**number)
                continue
            self._checked(answer)
            return [] if answer is None else [float(each) for each in answer]
        raise AssertionError  # the last try returns or raises

    def _checked(self, answer: Any) -> list[float]:
        """An answer as a row of numbers."""
        if answer is None:
            return [math.nan] * self._length
        try:
            row = [float(each) for each in answer]
        except (TypeError, ValueError):
            row = []
        if len(row) != self._length or not all(map(math.isfinite, row)):
            said = answer[0] if self._length == 1 and isinstance(answer, list) else answer
            raise WeightsError(
                f"{self._label} answered {str(said)[:60]!r}; {self._expected} expected, or None where no "
                "face is found."
            )
        return row
