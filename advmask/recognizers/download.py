"""Downloading one file: with progress, resumed where it stopped, and checked before it bears its name."""

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from advmask.core.errors import RunError, WeightsError
from advmask.core.files import sha256

Opener = Callable[..., Any]
_PIECE = 2**18
_TIMEOUT_S = 30


def download(
    url: str,
    target: Path,
    *,
    checksum: str | None = None,
    progress: bool = True,
    opener: Opener = urllib.request.urlopen,
) -> str:
    """Download a file; a download that was cut off goes on where it stopped.

    What has come so far stands in `TARGET.part`. It is renamed when it is whole and its checksum is right.

    Args:
        url: Where from.
        target: Where to; its folder is made if need be.
        checksum: Hexadecimal SHA-256 that is expected; None if it is not known.
        progress: Show a bar.
        opener: Opens a `urllib.request.Request`; to be replaced in tests.

    Returns:
        The SHA-256 of the file.

    Raises:
        WeightsError: There is no connection, it broke, or the checksum is another one.
        RunError: The folder cannot be written to.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.touch()
    except OSError as error:
        raise RunError(
            f"Cannot write to {target.parent}: {error.strerror}. Choose another folder."
        ) from error
    try:
        total = _fetch(url, part, opener=opener, progress=progress)
    except (urllib.error.URLError, OSError, http.client.HTTPException, ValueError) as error:
        if part.stat().st_size == 0:
            part.unlink()
        reason = getattr(error, "reason", None) or error
        raise WeightsError(f"Cannot download {url} ({reason}).") from error
    if total is not None and part.stat().st_size < total:
        raise WeightsError(
            f"The connection broke after {part.stat().st_size} of {total} bytes of {url}; repeat the command "
            "to go on from there."
        )
    found = sha256(part)
    if (total is not None and part.stat().st_size > total) or checksum not in (None, found):
        part.unlink()
        raise WeightsError(
            f"What came from {url} has SHA-256 {found}; {checksum or f'{total} bytes'} was expected. It is "
            "deleted; try again, and if this repeats, do not trust that address."
        )
    part.replace(target)
    return found


def _fetch(url: str, part: Path, *, opener: Opener, progress: bool) -> int | None:
    """Append what is missing to `part`; returns the size of the whole, if the server told."""
    have = part.stat().st_size
    request = urllib.request.Request(url, headers={"User-Agent": "advmask"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = opener(request, timeout=_TIMEOUT_S)
    except urllib.error.HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or not have:
            raise
        whole = _number(str(error.headers.get("Content-Range", "")).rpartition("/")[2])
        error.close()
        if whole == have:
            return whole
        part.write_bytes(b"")  # longer than the file: something else, or it changed
        return _fetch(url, part, opener=opener, progress=progress)
    with response:
        resumed = have > 0 and response.status == http.client.PARTIAL_CONTENT
        if resumed and not str(response.headers.get("Content-Range", "")).startswith(f"bytes {have}-"):
            raise ValueError("the server went on at another place than asked")
        have = have if resumed else 0
        length = _number(response.headers.get("Content-Length"))
        total = None if length is None else have + length
        _copy(response, part, have=have, total=total, progress=progress)
    return total


def _copy(response: Any, part: Path, *, have: int, total: int | None, progress: bool) -> None:
    from tqdm import tqdm

    bar = tqdm(
        total=total,
        initial=have,
        unit="B",
        unit_scale=True,
        desc=part.stem,
        disable=not progress,
        leave=False,
    )
    with bar, part.open("ab" if have else "wb") as stream:
        while piece := response.read(_PIECE):
            stream.write(piece)
            bar.update(len(piece))


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.strip().isdigit() else None
