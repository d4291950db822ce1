"""`results.json` and what lies next to it: written whole, with what was there before kept under a number."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from advmask.core.data_files import read_json
from advmask.core.errors import RunError
from advmask.core.files import write_text
from advmask.core.shown_names import shown
from advmask.evaluation.result_schema import KNOWN, SCHEMA, problems
from advmask.evaluation.summary import PLAIN_MASKS, ConditionResult, RecognizerResult, summarise

__all__ = [
    "BESIDE",
    "PLAIN_MASKS",
    "ConditionResult",
    "RecognizerResult",
    "json_text",
    "keep_earlier",
    "load_results",
    "result_record",
    "summarise",
    "write_record",
    "write_results",
]

BESIDE = (
    *("scores.csv.gz", "comparisons.csv.gz", "pairs.csv.gz"),
    *("results.csv", "results.md", "results.tex", "report.html"),
    *("card.png", "card.svg"),
)
_FIELDS_OF_3 = ("rank1", "others_fmr", "displacement")


def result_record(results: Sequence[RecognizerResult], facts: Mapping[str, Any]) -> dict[str, Any]:
    """What `results.json` holds, as docs/results.md describes it.

    Args:
        results: Of every recognizer, aligner, gallery and false match rate.
        facts: What else is to be recorded: design, people, draws, seed, settings, checksums.
    """
    record = {"schema": SCHEMA} | dict(facts) | {"results": list(results)}
    plain: dict[str, Any] = _plain(record)
    return plain


def write_record(path: Path, record: Mapping[str, Any]) -> None:
    """Write `results.json`; an earlier one of other content is kept under a number, as is what lies by it.

    Args:
        path: The file.
        record: From `result_record`.
    """
    keep_earlier(path, record, beside=BESIDE)
    write_text(path, json_text(record))


def keep_earlier(path: Path, record: Mapping[str, Any], *, beside: Sequence[str]) -> None:
    """Rename an earlier record of other content, and the files that lie next to it, by one free number.

    The record goes last: after a kill it still stands for those that were not renamed.

    Args:
        path: Of the record.
        record: The new one.
        beside: Names of those files.
    """
    if not path.exists() or path.read_bytes() == json_text(record).encode():
        return
    number = 1
    while _numbered(path, number).exists():
        number += 1
    for one in (*map(path.with_name, beside), path):
        if one.exists():
            one.rename(_numbered(one, number))


def write_results(path: Path, results: Sequence[RecognizerResult], facts: Mapping[str, Any]) -> None:
    """Write `results.json` from results; see `result_record` and `write_record`."""
    write_record(path, result_record(results, facts))


def json_text(record: Mapping[str, Any]) -> str:
    """A record as JSON, with null for what could not be computed."""
    return json.dumps(_plain(record), indent=2, allow_nan=False) + "\n"


def load_results(path: Path) -> dict[str, Any]:
    """Read `results.json` of this or an earlier schema, as a record of this schema.

    What an earlier version did not measure or record is null.

    Raises:
        RunError: It cannot be read, is of a schema this version does not know, or does not fit its schema.
    """
    try:
        record = read_json(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); evaluate the design again.") from error
    schema = record.get("schema") if isinstance(record, dict) else None
    if not isinstance(record, dict) or schema not in KNOWN:
        known = " and ".join([", ".join(map(str, KNOWN[:-1])), str(KNOWN[-1])])
        raise RunError(f"{path} has schema {schema!r}; known are {known}. Evaluate the design again.")
    wrong = problems(record)
    if wrong:
        raise RunError(f"{path} does not fit schema {schema}: {wrong[0]}. Evaluate the design again.")
    for result in record["results"]:
        for condition in result["conditions"].values():
            for name in _FIELDS_OF_3:
                condition.setdefault(name, None)
            _with_method(condition.values())
    for one in record.get("breakdown", ()):
        _with_method(one["tar"].values())
    return record | {"schema": SCHEMA}


def _with_method(estimates: Iterable[Any]) -> None:
    """Before schema 4 nobody wrote down how an interval was made."""
    for one in estimates:
        if isinstance(one, dict):
            one.setdefault("method", None)


def _numbered(path: Path, number: int) -> Path:
    stem, _, rest = path.name.partition(".")
    return path.with_name(f"{stem}-{number}.{rest}")


def _plain(value: Any) -> Any:
    """JSON has no NaN; what could not be computed is null."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return shown(value) if isinstance(value, str) else value
