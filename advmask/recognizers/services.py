"""Recognizers that are asked: a service on the net, a program without a gradient.

It gives the embedding of a picture, or compares two pictures; `asked_answers` says what is sent, and when.
"""

import hashlib
import io
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.recognizers.asked_answers import Answers

_HALVES = 16  # numbers of two bytes each, which float32 holds exactly: a checksum as an embedding


@runtime_checkable
class Service(Protocol):
    """What a user's function gives for `service:FILE.py:FUNCTION`, where a service gives embeddings.

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


@runtime_checkable
class ComparingService(Protocol):
    """What it gives where a service compares pictures and shows no embedding.

    Attributes:
        name: Of the service and its version: answers are kept under it.
    """

    name: str

    def compare(self, enrolled: bytes, probe: bytes) -> float | None:
        """How alike the faces on two pictures are, larger for more; None if one of them shows none.

        Whatever it raises counts as a failed try, as for `Service.embed`.

        Args:
            enrolled: A photo of a person, as a PNG file.
            probe: The picture that is compared with it.
        """


class AskedNetwork(nn.Module):
    """Embeddings that a service gives, as a network: whole pictures in, rows out; NaN where it finds no face.

    Args:
        service: The user's object.
        label: Of the recognizer, for errors.
        pause: Waits a number of seconds; to be replaced in tests.
    """

    def __init__(self, service: Service, *, label: str, pause: Callable[[float], None] = time.sleep) -> None:
        super().__init__()
        self._service, self.embedding = service, service.embedding
        expected = f"{service.embedding} finite numbers were"
        self.answers = Answers(
            service.name, length=service.embedding, expected=expected, label=label, pause=pause
        )

    def forward(self, pictures: Float[Tensor, "batch 3 rows columns"]) -> Float[Tensor, "batch dim"]:
        """Ask for each picture that has not been answered yet.

        Raises:
            ConfigError: Nothing may be sent, or no more.
            WeightsError: The service fails again and again, or answers nonsense.
        """
        with closing(self.answers.opened()) as kept:
            rows = [
                self.answers.answer(_checksum(png), partial(self._service.embed, png), kept)
                for png in _pngs(pictures)
            ]
        return torch.tensor(np.array(rows), dtype=torch.float32).to(pictures.device)


class ComparingNetwork(nn.Module):
    """A service that compares pictures, as a network: its embeddings are the pictures' checksums.

    Pictures are held, and sent in pairs when their similarity is asked for. A person is enrolled by the first
    photo, for nobody knows how a service would put several together.

    Args:
        service: The user's object.
        label: Of the recognizer, for errors.
        pause: Waits a number of seconds; to be replaced in tests.
    """

    embedding = _HALVES

    def __init__(
        self, service: ComparingService, *, label: str, pause: Callable[[float], None] = time.sleep
    ) -> None:
        super().__init__()
        self._service = service
        self._pictures: dict[str, bytes] = {}
        self.answers = Answers(
            service.name, length=1, expected="a finite number was", label=label, pause=pause
        )

    def forward(self, pictures: Float[Tensor, "batch 3 rows columns"]) -> Float[Tensor, "batch 16"]:
        """Hold each picture, and give its checksum in numbers."""
        rows = []
        for png in _pngs(pictures):
            key = _checksum(png)
            self._pictures[key] = png
            rows.append(np.frombuffer(bytes.fromhex(key), dtype="<u2"))
        return torch.tensor(np.array(rows, dtype=np.float32)).to(pictures.device)

    def similarity(
        self, probes: Float[Tensor, "*batch 16"], enrolled: Float[Tensor, "*batch 16"]
    ) -> Float[Tensor, "*batch"]:
        """Ask for each pair that has not been answered yet; NaN where a picture shows no face.

        Raises:
            ConfigError: Nothing may be sent, or no more.
            WeightsError: The service fails again and again, or answers nonsense.
        """
        first, second = torch.broadcast_tensors(enrolled, probes)
        shape = first.shape[:-1]
        keys = [_keys(each) for each in (first, second)]
        with closing(self.answers.opened()) as kept:
            found = [self._compared(one, other, kept) for one, other in zip(*keys, strict=True)]
        return torch.tensor(found, dtype=torch.float32).to(probes.device).reshape(shape)

    def _compared(self, enrolled: str, probe: str, kept: Any) -> float:
        def ask() -> list[float] | None:
            score = self._service.compare(self._pictures[enrolled], self._pictures[probe])
            return None if score is None else [score]

        (score,) = self.answers.answer(f"{enrolled} {probe}", ask, kept)
        return score


def network_of_service(built: Any, *, name: str) -> AskedNetwork | ComparingNetwork:
    """An object of a user's as a network, if it is a service.

    Raises:
        ConfigError: It is none.
    """
    if isinstance(getattr(built, "name", None), str):
        if isinstance(built, Service) and isinstance(built.embedding, int) and 2 <= built.embedding <= 65536:
            return AskedNetwork(built, label=name)
        if isinstance(built, ComparingService) and not hasattr(built, "embed"):
            return ComparingNetwork(built, label=name)
    raise ConfigError(
        f"{name} gives {type(built).__name__}, which is no service: `name`, `embedding` (how many numbers) "
        "and `embed(png)` were expected, or `name` and `compare(enrolled, probe)`."
    )


def _keys(rows: Float[Tensor, "*batch 16"]) -> list[str]:
    array = rows.detach().reshape(-1, _HALVES).cpu().numpy().astype("<u2")
    return [row.tobytes().hex() for row in array]


def _checksum(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()


def _pngs(pictures: Float[Tensor, "batch 3 rows columns"]) -> list[bytes]:
    arrays = (pictures.detach().clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    return [_png(array) for array in arrays]


def _png(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(array).save(stream, format="PNG", compress_level=1)
    return stream.getvalue()
