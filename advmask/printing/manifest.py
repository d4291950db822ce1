"""`files.json`: which files an export wrote, and what was in them, so that no file of the user's is lost."""

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import advmask
from advmask.core.data_files import read_json
from advmask.core.errors import RunError
from advmask.core.files import sha256
from advmask.core.locks import alone_in
from advmask.printing.exports import write_all

MANIFEST = "files.json"
_SCHEMA = 1
_PATIENCE_S = 60.0  # writing takes a second or two


def write_kept(folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> list[Path]:
    """Write files next to a list of them with their checksums, all or none.

    A file that is there is replaced if it is as this function wrote it, or the same as the new one. The list
    is renamed first and names what is replaced too, so that after a kill all that lies there is known. Two
    processes write one after the other.

    Args:
        folder: Where to; made if need be.
        files: Contents by name.
        overwrite: Replace files that differ, too.

    Returns:
        The paths of the files, without the list.

    Raises:
        RunError: A file was changed since it was written, or is not of this function; or the folder cannot
            be written to. Nothing is written then.
    """
    with suppress(OSError):  # told below, by whoever writes
        folder.mkdir(parents=True, exist_ok=True)
    taken = (
        f"Another advmask is writing to {folder}; wait until it ends, or name another folder with out=DIR."
    )
    with alone_in(folder, wait_s=_PATIENCE_S, taken=taken):
        known = _read(folder)
        there = {name: _sha256_of(folder / name) for name in {*known, *files}}
        new = {name: _sha256(content) for name, content in files.items()}
        foreign = [
            name for name in files if there[name] and there[name] not in {new[name], *known.get(name, ())}
        ]
        if foreign and not overwrite:
            raise RunError(
                f"{', '.join(str(folder / name) for name in foreign)} exists and is not as advmask wrote "
                "it; nothing is written. Choose another folder with out=DIR, or replace it with "
                "overwrite=true."
            )
        kept = {name: sums[0] for name, sums in known.items() if there[name]}
        text = json.dumps(
            {
                "schema_version": _SCHEMA,
                "advmask": advmask.__version__,
                "sha256": dict(sorted((kept | new).items())),
                "replaced": {name: old for name in sorted(new) if (old := there[name]) and old != new[name]},
            },
            indent=2,
            ensure_ascii=False,
        )
        # Its files are renamed from the last to the first.
        return write_all(folder, dict(files) | {MANIFEST: (text + "\n").encode()})[:-1]


def replaced_in(folder: Path) -> set[str]:
    """Names of the files that the last export into a folder found there, with other content."""
    try:
        return set(read_json(folder / MANIFEST)["replaced"])
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _read(folder: Path) -> dict[str, tuple[str, ...]]:
    """Checksums by which a file is known as ours: as it was written last, and as it was before."""
    try:
        record = read_json(folder / MANIFEST)
        replaced = record.get("replaced", {})
        return {
            str(name): (str(value), *([str(replaced[name])] if name in replaced else []))
            for name, value in record["sha256"].items()
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # no list, or not ours: then no file counts as ours


def _sha256_of(path: Path) -> str | None:
    """Of a file that is there, or None; `unreadable`, which is nobody's, for one that cannot be read."""
    if not path.is_file():
        return None
    try:
        return sha256(path)
    except OSError:
        return "unreadable"


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
