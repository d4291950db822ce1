"""How the figures came about, and how to get them again."""

import json
import re
import shlex
from collections.abc import Mapping
from operator import itemgetter
from typing import Any

from advmask.evaluation.report.pieces import Columns, Table

_REPEATED = ("faces.root", "recognizers", "protocol.")  # settings that the command line shows
_PLAIN = re.compile(r"[\w./-]+")  # what the command line takes without quotation marks
_NOT_REPEATED = ("protocol.progress", "protocol.processes")  # change no figure


def provenance(record: Mapping[str, Any], *, show_people: bool) -> dict[str, Any]:
    """Date, command, checksums, versions and settings.

    Args:
        record: Of `results.json`.
        show_people: Without, what might name people (paths of photos and of the design) is left out.
    """
    sums = record.get("weights_sha256") or {}
    networks: Columns = [
        ("label", lambda each: each[0]),
        ("name", lambda each: each[1]["name"] if show_people else each[0]),
        ("family", lambda each: each[1]["family"]),
        ("licence", lambda each: each[1]["licence"] or "-"),
        ("SHA-256 of the weights", lambda each: sums.get(each[0]) or "-"),
    ]
    settings = record.get("settings") or {}
    design = record.get("design") or {}
    facts = [
        ("date", record.get("date", "-")),
        ("design", design.get("name", "-")),
        ("SHA-256 of the design's texels", design.get("texels_sha256", "-")),
        ("seed of the draws", (settings.get("protocol") or {}).get("seed", "-")),
        ("schema of results.json", record["schema"]),
    ]
    shown = {key: value for key, value in settings.items() if show_people or key not in {"faces", "design"}}
    about = (record.get("recognizers") or {}).items()
    packages = (record.get("packages") or {}).items()
    return {
        "command": _command(settings, show_people=show_people),
        "facts": Table("What was measured", _pairs("fact", "value"), facts, numbers_from=1),
        "networks": Table("Networks", networks, about, numbers_from=len(networks)),
        "packages": Table("Packages", _pairs("package", "version"), packages, numbers_from=1),
        "settings": "\n".join(_flat(shown)),
    }


def _pairs(first: str, second: str) -> Columns:
    return [(first, itemgetter(0)), (second, itemgetter(1))]


def _flat(value: Any, name: str = "") -> list[str]:
    """One line for each setting, as it would be given on the command line."""
    if isinstance(value, Mapping) and value:
        return [line for key, item in value.items() for line in _flat(item, f"{name}.{key}" if name else key)]
    return [f"{name}={json.dumps(value)}"]


def _command(settings: Mapping[str, Any], *, show_people: bool) -> str:
    """The command line, as a shell takes it."""
    lines = [
        line
        for line in _flat(settings)
        if line.startswith(_REPEATED)
        and not line.startswith(_NOT_REPEATED)
        and (show_people or not line.startswith("faces"))
    ]
    design = str(settings.get("design") or "") if show_people else ""
    named = design if _PLAIN.fullmatch(design) else json.dumps(design)
    given = shlex.quote(f"design={named}") if design else "design=DESIGN"
    return " \\\n  ".join([f"advmask evaluate {given}", *map(shlex.quote, lines)])
