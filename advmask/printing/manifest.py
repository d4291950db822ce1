"""`files.json`: which files an export wrote, and what was in them, so that no file of the user's is lost."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import advmask
from advmask.core.errors import RunError
from advmask.printing.exports import write_all

MANIFEST = "files.json"
_SCHEMA = 1


def write_kept(folder: Path, files: Mapping[str, bytes], *, overwrite: bool = False) -> list[Path]:
    """Write files next to a list of them with their checksums, all or none.

    A file that is there is replaced if it is as this function wrote it, or the same as the new one.

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
    before = _read(folder)
    foreign = [
        name
        for name, content in files.items()
        if (folder / name).is_file() and not _may_go(folder / name, content, before.get(name))
    ]
    if foreign and not overwrite:
        raise RunError(
            f"{', '.join(str(folder / name) for name in foreign)} exists and is not as advmask wrote "
            "it; nothing is written. Choose another folder with out=DIR, or replace it with overwrite=true."
        )
    record = before | {name: _sha256(content) for name, content in files.items()}
    record = {
        name: value for name, value in sorted(record.items()) if name in files or (folder / name).is_file()
    }
    text = json.dumps(
        {"schema_version": _SCHEMA, "advmask": advmask.__version__, "sha256": record},
        indent=2,
        ensure_ascii=False,
    )
    paths = write_all(folder, dict(files) | {MANIFEST: (text + "\n").encode()})
    return paths[:-1]


def _read(folder: Path) -> dict[str, str]:
    try:
        record = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return {str(name): str(value) for name, value in record["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}  # no list, or not ours: then no file counts as ours


def _may_go(path: Path, content: bytes, recorded: str | None) -> bool:
    try:
        found = path.read_bytes()
    except OSError:
        return False
    return found == content or _sha256(found) == recorded


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
