"""How the figures came about, and how to get them again."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from advmask.evaluation.report.html import folded, paragraph, section, table, text

_REPEATED = ("faces.root", "recognizers", "protocol.")  # settings that the command line shows
_PLAIN = re.compile(r"[\w./-]+")  # what the command line takes without quotation marks
_NOT_REPEATED = ("protocol.progress", "protocol.processes")  # change no figure


def provenance(record: Mapping[str, Any], *, show_people: bool) -> str:
    """Date, command, checksums, versions and settings.

    Args:
        record: Of `results.json`.
        show_people: Without, what might name people (paths of photos and of the design) is left out.
    """
    about = record.get("recognizers") or {}
    sums = record.get("weights_sha256") or {}
    rows = [
        (
            label,
            one["name"] if show_people else label,
            one["family"],
            one["licence"] or "-",
            sums.get(label) or "-",
        )
        for label, one in about.items()
    ]
    versions = [(name, number) for name, number in (record.get("packages") or {}).items()]
    settings = record.get("settings") or {}
    protocol = settings.get("protocol") or {}
    command = _command(settings, show_people=show_people)
    design = record.get("design") or {}
    facts = [
        ("date", record.get("date", "-")),
        ("design", design.get("name", "-")),
        ("SHA-256 of the design's texels", design.get("texels_sha256", "-")),
        ("seed of the draws", protocol.get("seed", "-")),
        ("schema of results.json", record["schema"]),
    ]
    if not show_people:
        settings = {key: value for key, value in settings.items() if key not in {"faces", "design"}}
    config = "\n".join(_flat(settings))
    return "".join(
        [
            paragraph(
                "With this page were written results.json (all figures), results.csv, results.md and "
                "results.tex (tables), scores.csv.gz (every probe) and comparisons.csv.gz (every comparison "
                "behind the thresholds). If you got the page alone, ask for them whoever gave it to you."
            ),
            paragraph("With the design, the photos and the weights at hand, this measures it again:"),
            f"<pre>{text(command)}</pre>",
            paragraph(
                "What is not given there comes from the design's run, or from the defaults; all settings "
                "stand at the end and can be given in the same way."
            ),
            table("What was measured", ("fact", "value"), facts),
            folded(
                "Networks, packages and all settings",
                table(
                    "Networks",
                    ("label", "name", "family", "licence", "SHA-256 of the weights"),
                    rows,
                    numbers_from=9,
                ),
                table("Packages", ("package", "version"), versions),
                section(3, "Settings", f"<pre>{text(config)}</pre>"),
            ),
        ]
    )


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
