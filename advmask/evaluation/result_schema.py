"""What `results.json` must look like; docs/results.md says what it means."""

from collections.abc import Callable, Mapping
from typing import Any

SCHEMA = 4
KNOWN = (2, 3, 4)

_LARGEST = 1e100  # of the figures in a record

Check = Callable[[Any, str], list[str]]


def problems(record: Any) -> list[str]:
    """Where a record does not fit its schema, as clauses; an empty list if it fits.

    Fields that are not named here are allowed: a later version may add some.
    """
    return _RECORD(record, "the file")


def _kind(*kinds: type, name: str, bounded: bool = False) -> Check:
    def check(value: Any, where: str) -> list[str]:
        # True is an int to Python, and not a number to anybody else.
        right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        if right and bounded:  # JSON in Python knows NaN, infinities and integers beyond all floats
            right = abs(value) < _LARGEST
        return [] if right else [f"{where} should be {name} and is {value!r:.40}"]

    return check


def _or_null(inner: Check) -> Check:
    return lambda value, where: [] if value is None else inner(value, where)


def _list(inner: Check, length: int | None = None) -> Check:
    def check(value: Any, where: str) -> list[str]:
        if not isinstance(value, list) or (length is not None and len(value) != length):
            return [f"{where} should be a list{f' of {length}' if length else ''} and is {value!r:.40}"]
        return [line for number, item in enumerate(value) for line in inner(item, f"{where}[{number}]")]

    return check


def _each(inner: Check) -> Check:
    def check(value: Any, where: str) -> list[str]:
        if not isinstance(value, Mapping):
            return [f"{where} should be an object and is {value!r:.40}"]
        return [line for key, item in value.items() for line in inner(item, f"{where}.{key}")]

    return check


def _object(needed: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    def check(value: Any, where: str) -> list[str]:
        if not isinstance(value, Mapping):
            return [f"{where} should be an object and is {value!r:.40}"]
        lines = [f"{where} lacks {key!r}" for key in needed if key not in value]
        for key, inner in {**needed, **(optional or {})}.items():
            if key in value:
                lines += inner(value[key], f"{where}.{key}")
        return lines

    return check


_TEXT = _kind(str, name="a text")
_COUNT = _kind(int, name="a whole number")
_NUMBER = _kind(int, float, name="a number", bounded=True)
_TRUTH = _kind(bool, name="true or false")
_ESTIMATE = _object(
    {"value": _or_null(_NUMBER), "low": _or_null(_NUMBER), "high": _or_null(_NUMBER)},
    {"method": _or_null(_TEXT)},
)
_CONDITION = _object(
    {
        "similarity": _or_null(_NUMBER),
        "match_confidence": _ESTIMATE,
        "tar": _ESTIMATE,
        "undetected": _COUNT,
        "drop": _or_null(_ESTIMATE),
    },
    {
        "rank1": _or_null(_ESTIMATE),
        "others_fmr": _or_null(_ESTIMATE),
        "displacement": _or_null(_NUMBER),
    },
)
_RESULT = _object(
    {
        "recognizer": _TEXT,
        "aligner": _TEXT,
        "gallery": _TEXT,
        "fmr": _NUMBER,
        "threshold": _or_null(_NUMBER),
        "threshold_interval": _or_null(_list(_NUMBER, 2)),
        "threshold_source": _TEXT,
        "probes": _COUNT,
        "left_out": _COUNT,
        "strongest_plain": _or_null(_TEXT),
        "conditions": _each(_CONDITION),
        "measure": _TEXT,
    }
)


def _result(value: Any, where: str) -> list[str]:
    lines = _RESULT(value, where)
    if lines:
        return lines
    needed = ["bare", *([value["strongest_plain"]] if value["strongest_plain"] is not None else [])]
    return [f"{where}.conditions lacks {name!r}" for name in needed if name not in value["conditions"]]


_BIN = _object(
    {
        "recognizer": _TEXT,
        "aligner": _TEXT,
        "gallery": _TEXT,
        "trait": _TEXT,
        "unit": _TEXT,
        "low": _NUMBER,
        "high": _NUMBER,
        "probes": _COUNT,
        "people": _COUNT,
        "tar": _each(_ESTIMATE),
    }
)
_LINKED = _object(
    {
        "recognizer": _TEXT,
        "aligner": _TEXT,
        "condition": _TEXT,
        "fmr": _NUMBER,
        "probes": _COUNT,
        "same": _ESTIMATE,
        "others": _or_null(_ESTIMATE),
    }
)
_PAIRS = _object(
    {
        "recognizer": _TEXT,
        "aligner": _TEXT,
        "fmr": _NUMBER,
        "threshold": _or_null(_NUMBER),
        "threshold_source": _TEXT,
        "same": _COUNT,
        "different": _COUNT,
        "left_out": _COUNT,
        "strongest_plain": _or_null(_TEXT),
        "conditions": _each(
            _object(
                {"tar": _ESTIMATE, "eer": _ESTIMATE},
                {"others_fmr": _or_null(_ESTIMATE), "drop": _or_null(_ESTIMATE)},
            )
        ),
    }
)
_WORN = _object(
    {
        "recognizer": _TEXT,
        "aligner": _TEXT,
        "gallery": _TEXT,
        "fmr": _NUMBER,
        "photos": _COUNT,
        "not_found": _COUNT,
        "people": _COUNT,
        "tar": _ESTIMATE,
        "drawn": _each(_ESTIMATE),
        "drawn_lower_by": _or_null(_ESTIMATE),
    }
)
_SHOWN = _object(
    {
        "condition": _TEXT,
        "probes": _COUNT,
        "found": _each(_ESTIMATE),
        "called_masked": _or_null(_ESTIMATE),
    }
)
_RECORD = _object(
    {"schema": _COUNT, "results": _list(_result)},
    {
        "date": _TEXT,
        "what": _TEXT,
        "sentence": _TEXT,
        "settings": _each(lambda *_: []),
        "people": _object(
            {"probed": _list(_TEXT), "held_out": _or_null(_TRUTH), "at_hand": _COUNT},
        ),
        "design": _object({"name": _TEXT, "texels_sha256": _TEXT}),
        "recognizers": _each(
            _object({"name": _TEXT, "family": _TEXT, "column": _TEXT, "licence": _or_null(_TEXT)})
        ),
        "unsupported": _list(
            _object({"recognizer": _TEXT, "gallery": _TEXT, "fmr": _NUMBER, "reason": _TEXT})
        ),
        "breakdown": _list(_BIN),
        "linkability": _list(_LINKED),
        "pairs": _list(_PAIRS),
        "worn": _list(_WORN),
        "shown": _list(_SHOWN),
        "weights_sha256": _each(_TEXT),
        "packages": _each(_TEXT),
    },
)
