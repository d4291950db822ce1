"""`card.json`: what was measured of a design, in a form that programs read."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, NonNegativeInt, ValidationError

from advmask.core.data_files import read_json
from advmask.core.errors import RunError
from advmask.core.shown_names import shown

SCHEMA = 1
_KNOWN_RESULTS = (2, 3, 4)
NOT_TESTED = (
    "a real print: everything is simulated",
    "recognizers that are not listed",
    "cameras, light and angles beyond the simulated effects",
    "liveness checks, thermal and depth cameras",
)

_Share = Annotated[float, Field(ge=-1.0, le=1.0)] | None


class _Checked(BaseModel):
    """What a card is made of, for checking alone: a record may have been written or changed by anybody."""

    model_config = ConfigDict(strict=True, allow_inf_nan=False)


class _Rate(_Checked):
    value: _Share
    low: _Share
    high: _Share


class _Entry(_Checked):
    recognizer: str
    aligner: str
    gallery: str
    fmr: Annotated[float, Field(gt=0.0, le=1.0)]
    threshold: float | None
    probes: NonNegativeInt
    left_out: NonNegativeInt
    bare_tar: _Rate | None
    plain_mask: str | None
    plain_tar: _Rate | None
    design_tar: _Rate | None
    drop: _Rate | None
    faces_not_found: int | None


class _People(_Checked):
    probed: int
    held_out: bool | None
    at_hand: int | None


class _Card(_Checked):
    measured_on: str | None
    people: _People
    draws: int | None
    recognizers: list[_Entry]
    weights_sha256: dict[str, str]


def card(
    results: Mapping[str, Any], *, design: str, pattern: str, size: str, facts: Mapping[str, str]
) -> dict[str, Any]:
    """The card of a design from the record of its evaluation; its fields are described in docs/export.md.

    Args:
        results: `results.json` of the run folder.
        design: What the design is called.
        pattern: Of the mask.
        size: That it was learned in.
        facts: Kept with it.

    Raises:
        RunError: The record is of a kind that this version does not know, or incomplete.
    """
    if results.get("schema") not in _KNOWN_RESULTS:
        known = " or ".join([", ".join(map(str, _KNOWN_RESULTS[:-1])), str(_KNOWN_RESULTS[-1])])
        raise RunError(
            f"results.json has schema {results.get('schema')!r} and not {known}; evaluate the "
            "design again, or move results.json away."
        )
    try:
        people = results.get("people") or {}
        protocol = (results.get("settings") or {}).get("protocol") or {}
        entries = [_entry(one) for one in results["results"]]
        asked = {
            "probed": len(people.get("probed") or ()),
            "held_out": people.get("held_out"),
            "at_hand": people.get("at_hand"),
        }
        draws = protocol.get("draws")
    except (KeyError, TypeError, AttributeError) as error:
        raise RunError(f"results.json is incomplete ({error}); evaluate the design again.") from error
    filled = {
        "schema_version": SCHEMA,
        "design": design,
        "pattern": pattern,
        "size": size,
        "measured_on": results.get("date"),
        "people": asked,
        "draws": draws,
        "recognizers": entries,
        "weights_sha256": results.get("weights_sha256") or {},
        "not_tested": list(NOT_TESTED),
        "says": "A measurement on these photos and recognizers under simulated effects. It is not a promise.",
        "facts": dict(facts),
    }
    try:
        _Card.model_validate(filled)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise RunError(
            f"results.json is incomplete ({where}: {first['msg']}); evaluate the design again."
        ) from error
    return filled


def read_card(folder: Path, *, pattern: str, size: str, facts: Mapping[str, str]) -> dict[str, Any] | None:
    """The card of a run folder, or None where it was never evaluated.

    Raises:
        RunError: Its `results.json` cannot be read.
    """
    path = folder / "results.json"
    if not path.is_file():
        return None
    try:
        results = read_json(path)
    except (OSError, ValueError) as error:
        raise RunError(f"{path} cannot be read ({error}); evaluate the design again.") from error
    if not isinstance(results, dict):
        raise RunError(f"{path} holds no results; evaluate the design again.")
    return card(results, design=shown(folder.absolute().name), pattern=pattern, size=size, facts=facts)


def card_text(filled: Mapping[str, Any]) -> str:
    """A card as JSON."""
    return json.dumps(dict(filled), indent=2, sort_keys=False, ensure_ascii=False, allow_nan=False) + "\n"


def _entry(one: Mapping[str, Any]) -> dict[str, Any]:
    conditions: Mapping[str, Any] = one["conditions"]
    strongest = one.get("strongest_plain")
    return {
        "recognizer": one["recognizer"],
        "aligner": one["aligner"],
        "gallery": one["gallery"],
        "fmr": one["fmr"],
        "threshold": one["threshold"],
        "probes": one["probes"],
        "left_out": one["left_out"],
        "bare_tar": _tar(conditions, "bare"),
        "plain_mask": strongest,
        "plain_tar": _tar(conditions, strongest),
        "design_tar": _tar(conditions, "design"),
        "drop": (conditions.get("design") or {}).get("drop"),
        "faces_not_found": (conditions.get("design") or {}).get("undetected"),
    }


def _tar(conditions: Mapping[str, Any], name: str | None) -> Any:
    return None if name is None or name not in conditions else conditions[name]["tar"]
