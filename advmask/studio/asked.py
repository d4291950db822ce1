"""A request that was let in, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from advmask.studio.live import MOST_FRAME_BYTES
from advmask.studio.pictures import MOST_BYTES, Readable

MOST_JSON_BYTES = 64 << 10


@dataclass(frozen=True)
class Asked:
    """A request that was let in.

    Attributes:
        method: GET or POST.
        path: Of its address, without the first slash.
        query: Of its address.
        given: The JSON object that it brings; of an upload nothing.
        stream: Of an upload: where the file is read from.
        length: Its bytes.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    stream: Readable | None = None
    length: int = 0

    @property
    def state(self) -> int | None:
        """The step whose design is asked for."""
        text = self.query.get("state", "")
        return int(text) if text.isdecimal() and len(text) < 8 else None


def is_upload(path: str) -> bool:
    """Whether a request brings a file, and not JSON."""
    return path.startswith(("api/pictures/", "api/frame/"))


def most_bytes(path: str) -> int:
    """What a request may bring."""
    if path.startswith("api/frame/"):
        return MOST_FRAME_BYTES
    return MOST_BYTES if is_upload(path) else MOST_JSON_BYTES
