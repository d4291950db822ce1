"""Answers to a browser, as plain values."""

import io
import json
import mimetypes
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from PIL import Image

_JPEG_QUALITY = 90
_MOST_AT_ONCE = 8 << 20  # bytes
_PIECE = 1 << 20  # bytes of a file that are held at a time
# A report is a page of its own: nothing in it runs or loads anything.
REPORT_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; frame-ancestors 'self'"
)


@dataclass(frozen=True)
class OpenFile:
    """A file that is on its way, however long it is.

    Attributes:
        opened: To be closed once it is sent.
        length: Its bytes.
    """

    opened: BinaryIO
    length: int

    def pieces(self) -> Iterator[bytes]:
        """Its content, no more than was promised of it."""
        left = self.length
        while left > 0 and (piece := self.opened.read(min(left, _PIECE))):
            left -= len(piece)
            yield piece


@dataclass(frozen=True)
class Answer:
    """One answer.

    Attributes:
        body: Content.
        kind: Its media type.
        status: Of HTTP.
        headers: Further ones, in place of those that all answers have.
    """

    body: bytes | OpenFile
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
    report = kind.startswith("text/html")
    headers = {"Content-Security-Policy": REPORT_POLICY} if report else attached(download)
    opened = path.open("rb")
    return Answer(OpenFile(opened, os.fstat(opened.fileno()).st_size), kind, headers=headers)


def part_of_file(path: Path, part: str) -> Answer:
    """A long file piece by piece, as players of videos ask for it; all of it where no piece is asked for.

    Args:
        path: The file.
        part: The header `Range`.

    Source:
        RFC 9110, 14: a server may give less than was asked for, and pass over what it does not understand.
    """
    match = re.fullmatch(r"bytes=(\d{1,15})-(\d{0,15})", part)
    size = path.stat().st_size
    if match is None:
        return file(path)
    first = int(match[1])
    last = min(int(match[2] or size), size - 1, first + _MOST_AT_ONCE - 1)
    if first > last:
        return Answer(b"", status=416, headers={"Content-Range": f"bytes */{size}"})
    with path.open("rb") as opened:
        opened.seek(first)
        content = opened.read(last - first + 1)
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Answer(content, kind, 206, {"Content-Range": f"bytes {first}-{last}/{size}"})


def attached(name: str | None) -> dict[str, str]:
    """The header that has a browser keep an answer as a file."""
    return {} if name is None else {"Content-Disposition": f'attachment; filename="{name}"'}
