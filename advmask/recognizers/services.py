"""Recognizers that are asked picture by picture: a service on the net, a program without a gradient.

Nothing is sent unless the command at hand says so, and never more than it says. Every answer is kept by the
content of the picture, so that no picture is sent twice, whatever ends the command.
"""

import hashlib
import io
import math
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from advmask.core.config_folders import nowhere, user_folder
from advmask.core.errors import ConfigError, RunError, WeightsError
from advmask.recognizers.settings import ServiceSettings

_TRIES = 4
_FIRST_WAIT_S = 1.0  # doubled after each try
_VARIABLE = "ADVMASK_SERVICES"
_allowed: ContextVar[ServiceSettings] = ContextVar("services", default=ServiceSettings())  # noqa: B039 - frozen


@runtime_checkable
class Service(Protocol):
    """What a user's function gives for `service:FILE.py:FUNCTION`.

    Attributes:
        name: Of the service and its version: answers are kept under it.
        embedding: Numbers of an answer.
    """

    name: str
    embedding: int

    def embed(self, png: bytes) -> Sequence[float] | None:
        """The embedding of the face on a picture, or None if none is found.

        Whatever it raises counts as a failed try; it is asked again after a while, a few times.

        Args:
            png: The picture as a PNG file, 8 bits, sRGB, as recognizers see it: found and cropped generously.
        """


@contextmanager
def services_allowed(settings: ServiceSettings) -> Iterator[None]:
    """Within this context services may be asked as the settings say; without, kept answers are used alone."""
    before = _allowed.set(settings.model_copy())
    try:
        yield
    finally:
        _allowed.reset(before)


class AskedNetwork(nn.Module):
    """Embeddings that a service gives, as a network: whole pictures in, rows out; NaN where it finds no face.

    Args:
        service: The user's object.
        label: Of the recognizer, for errors.
        pause: Waits a number of seconds; to be replaced in tests.
    """

    def __init__(self, service: Service, *, label: str, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._service, self._label, self._pause = service, label, pause
        self.sent = 0
        self._last = -math.inf

    def forward(self, pictures: Float[Tensor, "batch 3 rows columns"]) -> Float[Tensor, "batch dim"]:
        """Ask for each picture that has not been answered yet.

        Raises:
            ConfigError: Nothing may be sent, or no more.
            WeightsError: The service fails again and again, or answers nonsense.
        """
        arrays = (pictures.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
        with closing(_kept(self._service.name)) as kept:
            rows = [self._answer(_png(array), kept) for array in arrays]
        return torch.tensor(np.array(rows), dtype=torch.float32).to(pictures.device)

    def _answer(self, png: bytes, kept: sqlite3.Connection) -> list[float]:
        key = hashlib.sha256(png).hexdigest()
        row = kept.execute("select answer from answers where picture = ?", (key,)).fetchone()
        if row is None:
            answer = self._asked(png)
            stored = np.array(answer, dtype="<f8").tobytes()  # empty where there is no face
            with kept:
                kept.execute("insert or replace into answers values (?, ?)", (key, stored))
        else:
            answer = np.frombuffer(row[0], dtype="<f8").tolist()
        return self._checked(answer or None)

    def _asked(self, png: bytes) -> list[float]:
        allowed = _allowed.get()
        if not allowed.send:
            raise ConfigError(
                f"{self._label} would be sent a picture of a face, and this command does not say that it "
                "may: add services.send=true services.calls=N, the most pictures that may be sent."
            )
        if self.sent >= allowed.calls:
            raise ConfigError(
                f"{self._label} was sent {self.sent} pictures, as many as services.calls={allowed.calls} "
                "allows. What it answered is kept: the same command with a larger number goes on from here."
            )
        for number in range(_TRIES):
            wait = self._last + 1 / allowed.per_second - time.monotonic()
            if wait > 0:
                self._pause(wait)
            self._last = time.monotonic()
            self.sent += 1
            try:
                answer = self._service.embed(png)
            except Exception as error:  # whatever the user's code, or the net, raises
                if number == _TRIES - 1 or self.sent >= allowed.calls:
                    raise WeightsError(
                        f"{self._label} failed {number + 1} times in a row ({type(error).__name__}: "
                        f"{error}). What it answered before is kept; repeat the command later."
                    ) from error
                self._pause(_FIRST_WAIT_S * 2**number)
                continue
            self._checked(answer)
            return [] if answer is None else [float(each) for each in answer]
        raise AssertionError  # the last try returns or raises

    def _checked(self, answer: Sequence[float] | None) -> list[float]:
        """An answer as a row of numbers."""
        length = self._service.embedding
        if answer is None:
            return [math.nan] * length
        try:
            row = [float(each) for each in answer]
        except (TypeError, ValueError):
            row = []
        if len(row) != length or not all(map(math.isfinite, row)):
            raise WeightsError(
                f"{self._label} answered {str(answer)[:60]!r}; {length} finite numbers were expected, or "
                "None where no face is found."
            )
        return row


def checked_service(built: Any, *, name: str) -> Service:
    """An object of a user's, if it is a service.

    Raises:
        ConfigError: It is none.
    """
    fits = isinstance(built, Service) and isinstance(built.name, str) and isinstance(built.embedding, int)
    if not fits or not 2 <= built.embedding <= 65536:
        raise ConfigError(
            f"{name} gives {type(built).__name__}, which is no service: `name`, `embedding` (how many "
            "numbers) and `embed(png)` were expected."
        )
    service: Service = built
    return service


def _png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()


def _kept(name: str) -> sqlite3.Connection:
    """The answers of a service: a file that several processes may write to at once."""
    folder = (user_folder("cache") or nowhere(_VARIABLE)) / "services"
    path = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:16]}.sqlite"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        kept = sqlite3.connect(path, timeout=30)
        with kept:
            kept.execute(
                "create table if not exists answers (picture text primary key, answer blob not null)"
            )
        return kept
    except (OSError, sqlite3.Error) as error:
        raise RunError(
            f"The answers of {name} cannot be kept in {path} ({error}); nothing was sent."
        ) from error
