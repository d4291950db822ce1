"""What lies in the weights folder, under which names, and whether it is what it was."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from advmask.core.config_folders import nowhere, user_folder
from advmask.core.errors import WeightsError
from advmask.core.files import sha256, write_text
from advmask.recognizers.onnx_file import data_files
from advmask.recognizers.specification import named_adapter, specification_path
from advmask.recognizers.zoo import ZooEntry, zoo

VARIABLE = "ADVMASK_WEIGHTS"
SUMS = "SHA256SUMS"
_STATE_DICTS = (".pth", ".ckpt", ".safetensors", ".pt")
_SCRIPTS = (".pt", ".ts", ".torchscript")


@dataclass(frozen=True)
class Held:
    """Weights that are here.

    Attributes:
        name: As users write it.
        recognizer: The name by which the registry builds it, with the path where it needs one.
        path: The file; None where a package brings it.
        entry: What is known of it, if anything.
    """

    name: str
    recognizer: str
    path: Path | None
    entry: ZooEntry | None = None


def weight_folders() -> list[Path]:
    """Where weights are looked for; the first folder is the one that is written to.

    The environment variable ADVMASK_WEIGHTS names one folder, or several as PATH does; without it, it is the
    folder `weights` in the user's cache. None of them need exist.
    """
    named = [part for part in os.environ.get(VARIABLE, "").split(os.pathsep) if part.strip()]
    if not named:
        return [(user_folder("cache") or nowhere(VARIABLE)) / "weights"]
    try:
        return [Path(part).expanduser() for part in named]
    except RuntimeError as error:
        raise WeightsError(f"There is no home folder for {VARIABLE}={os.environ[VARIABLE]}.") from error


def held(folders: list[Path] | None = None) -> list[Held]:
    """All weights that are here: those known by name in the order of the table, then the user's own.

    A user's own file counts if it has a YAML next to it that says how to feed it.

    Args:
        folders: Where to look; None for `weight_folders`. Of two files of a name the first is taken.

    Raises:
        ConfigError: A YAML in the folder is not readable.
    """
    folders = weight_folders() if folders is None else folders
    found = [here for entry in zoo().values() if (here := _of_entry(entry, folders))]
    known = {entry.file for entry in zoo().values()}
    taken: set[tuple[str, str]] = set()
    for folder in folders:
        for path in sorted(folder.iterdir()) if folder.is_dir() else []:
            recognizer = None if path.name in known else own_recognizer(path)
            if recognizer is not None and (path.stem, path.suffix) not in taken:
                taken.add((path.stem, path.suffix))
                found.append(Held(path.stem, recognizer, path))
    return found


def held_by_name(name: str) -> list[Held]:
    """The weights of a name that are here; several where files differ in their ending only."""
    return [each for each in held() if each.name == name]


def expected_path(entry: ZooEntry) -> Path:
    """Where the file of a known entry is put."""
    return weight_folders()[0] / str(entry.file)


def own_recognizer(path: Path) -> str | None:
    """How a user's own weight file is named to the registry, or None if there is no YAML next to it.

    Raises:
        ConfigError: The YAML is not readable.
    """
    ending = path.suffix.lower()
    if ending not in (".onnx", *_STATE_DICTS, *_SCRIPTS) or specification_path(path) is None:
        return None
    if ending == ".onnx":
        return f"onnx:{path}"
    adapter = named_adapter(path) if ending in _STATE_DICTS else None
    if adapter is not None:
        return f"{adapter}:{path}"
    return f"torchscript:{path}" if ending in _SCRIPTS else None


def checked_sha256(path: Path) -> str:
    """Checksum of a weight file, compared with the table's and with the one that was recorded next to it.

    Raises:
        WeightsError: They differ.
    """
    for part in (path, *data_files(path)):
        found = sha256(part)
        for where, wanted in expected_sums(part):
            if found != wanted:
                raise WeightsError(
                    f"{part} has SHA-256 {found}, but {where} says {wanted}: it is damaged or another file. "
                    "Delete it and get it again, or, if you changed it on purpose, give it another name."
                )
    return whole_checksum(path)


def whole_checksum(path: Path) -> str:
    """SHA-256 of a weight file; if weights lie in files next to it, of all their checksums."""
    sums = [sha256(part) for part in (path, *data_files(path))]
    return sums[0] if len(sums) == 1 else hashlib.sha256("".join(sums).encode()).hexdigest()


def expected_sums(path: Path) -> Iterator[tuple[str, str]]:
    """Where a checksum for a file of the weights folder stands, and the checksum."""
    for entry in zoo().values():
        if entry.sha256 is not None and entry.file == path.name and path.parent in weight_folders():
            yield "the table of known weights", entry.sha256
    recorded = _recorded(path.parent / SUMS).get(path.name)
    if recorded is not None:
        yield f"{SUMS} next to it", recorded


def same_files(here: Sequence[Held]) -> list[list[Held]]:
    """Groups of those whose files have the same content, byte by byte, under different names.

    Only files of equal size are read.

    Args:
        here: As `held` gives them.
    """
    by_content: dict[tuple[int, str], list[Held]] = {}
    files = [(each, each.path.stat().st_size) for each in here if each.path is not None]
    sizes = [size for _, size in files]
    for each, size in files:
        if each.path is not None and sizes.count(size) > 1:
            by_content.setdefault((size, whole_checksum(each.path)), []).append(each)
    return [group for group in by_content.values() if len(group) > 1]


def record(path: Path, checksum: str) -> None:
    """Write the checksum of a file into the list next to it, in the form `sha256sum -c` reads.

    Those of files next to it that hold its weights are written too.
    """
    parts = {part.name: sha256(part) for part in data_files(path)}
    sums = _recorded(path.parent / SUMS) | {path.name: checksum} | parts
    lines = [f"{value}  {name}\n" for name, value in sorted(sums.items())]
    write_text(path.parent / SUMS, "".join(lines))


def _recorded(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    sums = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        checksum, _, name = line.partition(" ")
        if len(checksum) == 64:
            sums[name.strip().removeprefix("*")] = checksum.lower()
    return sums


def _of_entry(entry: ZooEntry, folders: list[Path]) -> Held | None:
    if entry.package is not None:
        return Held(entry.name, entry.recognizer, None, entry) if find_spec(entry.package) else None
    for folder in folders:
        path = folder / str(entry.file)
        if path.is_file():
            return Held(entry.name, entry.recognizer.replace("FILE", str(path)), path, entry)
    return None
