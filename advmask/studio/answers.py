"""Answers to a browser, as plain values."""

import io
import json
import mimetypes
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

_JPEG_QUALITY = 90
# A report is a page of its own: nothing in it runs or loads anything.
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        body: Content.
        kind: Its media type.
        status: Of HTTP.
        headers: Further ones, in place of those that all answers have.
    """

    body: bytes
    kind: str = "application/json"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def values(found: Any, *, status: int = 200) -> Answer:
    """Plain values, as JSON."""
    return Answer(json.dumps(found, ensure_ascii=False).encode(), status=status)


def trouble(sentence: str, *, status: int) -> Answer:
    """What went wrong, for the page to show."""
    return values({"error": sentence}, status=status)


def picture(image: Image.Image, *, kind: str = "jpeg") -> Answer:
    """A picture that was just made."""
    stream = io.BytesIO()
    image.save(stream, kind.upper(), **({"quality": _JPEG_QUALITY} if kind == "jpeg" else {}))
    return Answer(stream.getvalue(), f"image/{kind}")


def file(path: Path, *, download: str | None = None) -> Answer:
    """A file, to be shown or, with a name, to be kept."""
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if kind == "image/svg+xml" and download is None:  # a drawing may hold scripts
        kind = "text/plain; charset=utf-8"
    if kind.startswith("text/html"):
        return Answer(path.read_bytes(), kind, headers={"Content-Security-Policy": REPORT_POLICY})
    return Answer(path.read_bytes(), kind, headers=attached(download))


def attached(name: str | None) -> dict[str, str]:
    """The header that has a browser keep an answer as a file."""
    return {} if name is None else {"Content-Disposition": f'attachment; filename="{name}"'}
