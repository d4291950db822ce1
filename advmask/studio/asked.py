"""A request that was let in, as plain values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from advmask.studio.live import MOST_FRAME_BYTES
from advmask.studio.pictures import MOST_BYTES, Readable
from advmask.studio.videos import MOST_VIDEO_BYTES

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
        part: Which bytes of a file are asked for, as HTTP says it; empty for all.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    given: Mapping[str, Any] = field(default_factory=dict)
    stream: Readable | None = None
    length: int = 0
    part: str = ""

    @property
    def state(self) -> int | None:
        """The step whose design is asked for."""
        text = self.query.get("state", "")
        return int(text) if text.isdecimal() and len(text) < 8 else None

    @property
    def yaw_deg(self) -> float:
        """How far a head is turned that is asked for."""
        text = self.query.get("yaw", "")
        return float(text) if re.fullmatch(r"-?\d{1,3}", text) else 0.0


def is_upload(path: str) -> bool:
    """Whether a request brings a file, and not JSON."""
    return path.startswith(("api/pictures/", "api/frame/", "api/video/"))


def most_bytes(path: str) -> int:
    """What a request may bring."""
    if path.startswith("api/frame/"):
        return MOST_FRAME_BYTES
    if path.startswith("api/video/"):
        return MOST_VIDEO_BYTES
    return MOST_BYTES if is_upload(path) else MOST_JSON_BYTES
