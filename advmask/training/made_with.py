"""How two runs differ in what they were made with, in plain words."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advmask.core.errors import RunError
from advmask.core.files import sha256
from advmask.training.run_folder import RunFolder

_NAMED = 6  # packages and photos told one by one
_MACHINE = {
    "device": "Kind of device",
    "name": "Processor",
    "instructions": "Instructions of the processor that torch uses",
    "threads": "Threads",
    "processes": "Processes",
}


def differences(before: RunFolder, now: RunFolder) -> list[str]:
    """What two finished runs were made with that is not the same, a sentence each.

    Args:
        before: The run that was to be made again.
        now: The run made again.
    """
    one, other = before.read_record(), now.read_record()
    return [
        *_packages(one.get("packages") or {}, other.get("packages") or {}),
        *_code(one, other),
        *_machine(one, other),
        *_photos(before.photos, now.photos, one.get("photos"), other.get("photos")),
        *_recognizers(one.get("recognizers") or [], other.get("recognizers") or []),
        *_files(one.get("files"), other.get("files")),
        *_rest(one, other),
    ]


def check_readable(run: RunFolder) -> None:
    """Make sure, before hours are spent on it, that a run can be compared with.

    Raises:
        RunError: What it recorded is damaged.
    """
    try:
        differences(run, run)
        not_recorded(run)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RunError(
            f"What {run.path} recorded cannot be read ({run.record.name} or {run.photos.name} is damaged); "
            "restore it, or train again."
        ) from error


def not_recorded(run: RunFolder) -> list[str]:
    """What could not be compared, for the run does not tell, a sentence each."""
    record = run.read_record()
    told = []
    if "package_sha256" not in record:
        told.append(
            "The run was made by a version that recorded neither the state of the code nor its machine, "
            "and a few of the packages alone."
        )
    if not run.photos.exists():
        told.append("It recorded no checksums of its photos: that they are the same is taken on trust.")
    for sitting in (record.get("sittings") or [])[1:]:
        told.append(
            f"From step {sitting.get('step')} on it was made with other versions or on another machine than "
            f"before (`sittings` in {run.record.name}); the last of them are compared here."
        )
    if earlier := record.get("earlier_photos"):
        told.append(
            f"It was resumed on other photos than it began with ({', '.join(earlier)}); those of its last "
            "part are compared here."
        )
    if run.read_stops():
        told.append(
            f"It stopped at a step that was not finite ({run.stops.name}) and may have gone on with another "
            "learning rate, which its settings do not tell."
        )
    return told


def _packages(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    told = [
        f"{name} was {version} and is {now[name]} here"
        if name in now
        else f"{name} was {version} and is not installed here"
        for name, version in before.items()
        if now.get(name) != version
    ]
    told.sort(key=lambda one: one.split()[0] not in ("advmask", "torch", "numpy"))
    if len(told) > _NAMED:
        told = [*told[:_NAMED], f"{len(told) - _NAMED} more packages differ (`packages` in run.json)"]
    return [f"{one}." for one in told]


def _code(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    told = []
    if before.get("package_sha256", now.get("package_sha256")) != now.get("package_sha256"):
        told.append(f"advmask's own files are others{_commits(before.get('commit'), now.get('commit'))}.")
    for key, what in (("python", "Python"), ("system", "The operating system")):
        if before.get(key, now.get(key)) != now.get(key):
            told.append(f"{what} was {before[key]} and is {now.get(key)} here.")
    return told


def _commits(before: Mapping[str, Any] | None, now: Mapping[str, Any] | None) -> str:
    def said(one: Mapping[str, Any] | None) -> str:
        if not one:
            return "no commit"
        return f"commit {str(one.get('id'))[:12]}" + (" with changes" if one.get("changed") else "")

    return f": {said(before)} then, {said(now)} now" if before or now else ""


def _machine(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    one, other = before.get("machine") or {}, now.get("machine") or {}
    return [
        f"{what}: {one[key]} then, {other.get(key)} here."
        for key, what in _MACHINE.items()
        if key in one and one[key] != other.get(key)
    ]


def _photos(before: Path, now: Path, counted: Any, counted_now: Any) -> list[str]:
    if not (before.exists() and now.exists()):
        return [] if counted == counted_now else [f"The photos were {counted} and are {counted_now} here."]
    one, other = (_rows(path) for path in (before, now))
    if [row[1:] for row in one] == [row[1:] for row in other]:
        return []
    had, have = Counter(row[1:] for row in one), Counter(row[1:] for row in other)
    gone = [row for row in one if row[1:] not in have]
    new = [row for row in other if row[1:] not in had]
    if not gone and not new:
        return [
            "The photos are the same, by their content, but in another order or number: they are called "
            "otherwise, or lie otherwise."
        ]
    return [
        f"{len(rows)} photo{'s' * (len(rows) > 1)}, by content, {is_} of {whole}: "
        + ", ".join(row[0] for row in rows[:_NAMED])
        + ("." if len(rows) <= _NAMED else ", ...")
        for rows, is_, whole in (
            (gone, "not here", f"the {len(one)} there were"),
            (new, "new", f"the {len(other)} here"),
        )
        if rows
    ]


def _rows(path: Path) -> list[tuple[str, ...]]:
    """Name, person, checksum and checksum of what lies beside, of each photo."""
    rows = csv.DictReader(io.StringIO(path.read_text("utf-8")))
    return [(row["photo"], row["person"], row["sha256"], row["beside"]) for row in rows]


def _recognizers(before: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[str]:
    if len(before) != len(now):
        return [f"There were {len(before)} recognizers and are {len(now)} here."]
    told = []
    for one, other in zip(before, now, strict=True):
        name = str(one.get("name"))
        if one.get("weights_sha256") != other.get("weights_sha256"):
            told.append(f"The weights of {name} are others (SHA-256).")
        if one.get("calibration") != other.get("calibration"):
            told.append(f"The threshold of {name} is another, or comes from elsewhere.")
    return told


def _files(before: Mapping[str, str] | None, now: Mapping[str, str] | None) -> list[str]:
    return [
        f"The picture of {key} is another (SHA-256)."
        for key, checksum in (before or {}).items()
        if (now or {}).get(key) != checksum
    ]


def _rest(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    what = {
        "mask_sha256": "The shape of the mask is another",
        "split": "Other people are trained on",
        "steps": "The number of steps is another",
    }
    return [f"{text}." for key, text in what.items() if key in before and before[key] != now.get(key)]


def same_file(one: Path, other: Path) -> bool:
    """Whether two files hold the same, or both are not there."""
    if not (one.exists() and other.exists()):
        return one.exists() == other.exists()
    return sha256(one) == sha256(other)
