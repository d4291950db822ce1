"""Writing files so that a kill, a full disk or a second process never leaves half of one."""

import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from advmask.core.errors import RunError
from advmask.core.locks import locked
from advmask.core.shown_names import shown

_UNFINISHED = "-unfinished-"  # in the names of files that are being written
_LONGEST_STEM = 40  # of the name it is to have, for a name may be as long as the disk allows
_ABANDONED_S = 3600.0  # where nothing can be locked: after this long nobody is writing a file any more


@contextmanager
def written_aside(path: Path, *, private: bool = False) -> Iterator[Path]:
    """Give a temporary name next to `path`; on success rename it to `path`, on failure remove it.

    What processes that were killed left half written in the folder is removed first, once a process.

    Args:
        path: The file to be written. Its folder is made if need be.
        private: Nobody but its owner may read it.

    Yields:
        A name in the same folder, with the same ending, to write to.

    Raises:
        RunError: The folder cannot be made or written to, or the disk is full.
    """
    temporary: Path | None = None
    handle: int | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_abandoned(path.parent.absolute())
        prefix = f".{path.stem[:_LONGEST_STEM]}{_UNFINISHED}"
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=path.suffix, dir=path.parent)
        temporary = Path(name)
        if locked(handle) is None:  # Windows moves and deletes no open file
            os.close(handle)
            handle = None
        yield temporary
        temporary.chmod(0o600 if private else 0o666 & ~_umask())
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if handle is not None:
            os.close(handle)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`, whole or not at all."""
    with written_aside(path) as aside:
        aside.write_text(shown(text), encoding="utf-8", newline="\n")


def append_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 behind what `path` holds; a kill may leave a last line cut short.

    Raises:
        RunError: The file cannot be written to, or the disk is full.
    """
    try:
        with path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(shown(text))
    except OSError as error:
        raise _unwritable(path, error) from error


def write_with(path: Path, writer: Callable[[Path], object]) -> None:
    """Let `writer` write to a temporary name, then rename it to `path`."""
    with written_aside(path) as aside:
        writer(aside)


def sha256(path: Path) -> str:
    """Hexadecimal SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _unwritable(path: Path, error: OSError) -> RunError:
    reason = error.strerror or str(error)
    return RunError(f"Cannot write {path}: {reason}. Choose another folder or free the disk.")


@cache
def _remove_abandoned(folder: Path) -> None:
    """Delete what killed processes were writing in a folder: files that nobody has locked."""
    for path in folder.glob(f".*{_UNFINISHED}*"):
        with suppress(OSError), path.open("rb") as stream:
            free = locked(stream.fileno())
            old = time.time() - path.stat().st_mtime > _ABANDONED_S
            if free or (free is None and old):
                path.unlink()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def delete(paths: Iterable[Path]) -> int:
    """Delete files; one that is gone already is no error.

    Returns:
        The number of files named.

    Raises:
        RunError: A file cannot be deleted.
    """
    named = list(paths)
    for path in named:
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            reason = error.strerror or str(error)
            raise RunError(f"Cannot delete {path}: {reason}. Change its permissions.") from error
    return len(named)
