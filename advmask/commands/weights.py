"""`advmask weights list | get | verify | add`: the weights of recognizers that are kept on this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig

from advmask.commands.given_settings import as_mapping
from advmask.commands.settings import WeightsCommand
from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.installed import installed, torch_hub_file
from advmask.recognizers.weights_folder import (
    SUMS,
    VARIABLE,
    Held,
    expected_sums,
    held,
    same_files,
    weight_folders,
)
from advmask.recognizers.zoo import ZooEntry, zoo

if TYPE_CHECKING:
    from advmask.recognizers.recognizer import Recognizer

ACTIONS = ("list", "get", "verify", "add")
_ROW = "{:<29}{:<5}{:>7}  {:<14}{:<32}{}"
_MB = 1e6


def run(config: DictConfig) -> None:
    """List, download, check or add weights."""
    settings = WeightsCommand.build(as_mapping(config))
    if settings.action not in ACTIONS:
        raise ConfigError(f"advmask weights cannot {settings.action!r}; write {', '.join(ACTIONS)}.")
    if settings.action in ("get", "add") and settings.what is None:
        wanted = "a NAME of advmask weights list" if settings.action == "get" else "a FILE"
        raise ConfigError(f"advmask weights {settings.action} needs {wanted} behind it.")
    with _folder(settings.folder):
        if settings.action == "list":
            print(_table())
        else:
            from advmask.recognizers import weights_store  # loads torch, which a list does not need

            if settings.action == "get":
                found = weights_store.get(str(settings.what), progress=settings.progress)
                print(f"{found.name} is here: {_place(found)}\n{_use(found)}")
            elif settings.action == "add":
                file = Path(str(settings.what)).expanduser()
                _tell_added(*weights_store.add(file, name=settings.name, adapter=settings.adapter))
            else:
                _tell_verified(weights_store.verify())


def _tell_added(found: Held, recognizer: "Recognizer") -> None:
    size = "embedding of " + str(recognizer.specification.embedding)
    how = size if recognizer.differentiable else f"{size}, without gradient"
    print(f"{found.name} is here: {_place(found)} ({how})\n{_use(found)}")
    for names in _names_of_same_files(held()):
        if found.name in names:
            others = " and ".join(name for name in names if name != found.name)
            print(f"The same file is here as {others} already; keep one, or it counts twice in present.")


@contextmanager
def _folder(folder: str | None) -> Iterator[None]:
    """Let `folder=` stand for the environment variable while the command runs."""
    before = os.environ.get(VARIABLE)
    if folder is not None:
        os.environ[VARIABLE] = folder
    try:
        yield
    finally:
        if folder is not None:
            os.environ.pop(VARIABLE)
            if before is not None:
                os.environ[VARIABLE] = before


def _table() -> str:
    here = held()
    by_name = {each.name: each for each in here if each.entry is not None}
    rows = [_ROW.format("name", "here", "MB", "SHA-256", "licence", "where from")]
    for name, entry in zoo().items():
        found = by_name.get(name) or _in_torch_hub(entry)
        rows.append(
            _ROW.format(
                name,
                "yes" if found else "no",
                _megabytes(found) if found else f"~{entry.bytes / _MB:.0f}" if entry.bytes else "",
                _sum(found) if found else (entry.sha256 or "not recorded")[:12],
                _short(entry.licence, 30),
                entry.source,
            )
        )
    for each in here:
        if each.entry is None:
            rows.append(
                _ROW.format(each.name, "yes", _megabytes(each), _sum(each), "", f"yours: {each.path}")
            )
    elsewhere = installed()
    rows += [
        _ROW.format(
            each.name,
            "yes",
            f"{each.path.stat().st_size / _MB:.1f}",
            "not recorded",
            _short(str(each.feeding.get("licence", "")), 30),
            f"installed: {each.path}",
        )
        for each in elsewhere
        if not each.problem
    ]
    folders = weight_folders()
    rows += [
        "",
        f"Weights folder: {folders[0]}" + "".join(f", then {folder}" for folder in folders[1:]),
        f"Another one is named by the environment variable {VARIABLE} or by folder=DIR.",
        "In train and evaluate, recognizers=[present] takes everything that is here, but for what other "
        "programs installed: name those.",
    ]
    rows += [f"Installed, and not to be used: {each.problem}" for each in elsewhere if each.problem]
    unused = sorted(str(path.name) for path in _unused(folders, here))
    if unused:
        rows.append(f"Not used, because no YAML next to it says how to feed it: {', '.join(unused)}.")
    for names in _names_of_same_files(here):
        rows.append(f"One file by SHA-256: {' and '.join(names)}; keep one, or it counts twice in present.")
    return "\n".join(rows)


def _in_torch_hub(entry: ZooEntry) -> Held | None:
    path = torch_hub_file(str(entry.file)) if entry.name.startswith("facenet:") else None
    return None if path is None else Held(entry.name, entry.recognizer, path, entry)


def _names_of_same_files(here: list[Held]) -> list[list[str]]:
    return [[each.name for each in group] for group in same_files(here)]


def _unused(folders: list[Path], here: list[Held]) -> Iterator[Path]:
    used = {each.path for each in here}
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else []:
            if path.suffix in (".onnx", ".pth", ".pt", ".ckpt", ".safetensors", ".ts") and path not in used:
                yield path


def _tell_verified(verified: list[tuple[Held, str, str | None]]) -> None:
    wrong = []
    for each, checksum, problem in verified:
        if each.path is None:
            print(f"{each.name}: comes with its package")
        elif problem is not None:
            wrong.append(_what_to_do(each, each.path, problem))
            print(f"{each.name}: NOT what was expected: {problem}")
        else:
            known = "as expected" if any(expected_sums(each.path)) else "not recorded"
            print(f"{each.name}: {checksum} ({known})")
    if wrong:
        raise WeightsError("\n".join(wrong))


def _what_to_do(found: Held, path: Path, problem: str) -> str:
    again = f"advmask weights add FILE name={found.name}"
    if found.entry is not None and found.entry.url is not None:
        again = f"advmask weights get {found.name}"
    return (
        f"{path} is damaged or was changed (SHA-256: {problem}). Delete it and run: {again}. If you changed "
        f"it on purpose, give it another name, or take its line out of {path.parent / SUMS}."
    )


def _place(found: Held) -> str:
    return str(found.path or "in its package")


def _use(found: Held) -> str:
    return f"To use it:   advmask train 'recognizers=[dlib,{found.name}]'"


def _sum(found: Held) -> str:
    if found.path is None:
        return "package"
    return next((checksum for _, checksum in expected_sums(found.path)), "not recorded")[:12]


def _megabytes(found: Held) -> str:
    path = found.path or (dlib_weights_path() if found.name == "dlib" else None)
    return f"{path.stat().st_size / _MB:.1f}" if path is not None and path.is_file() else ""


def _short(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."
