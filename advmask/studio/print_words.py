"""What `advmask export` says, for somebody who has never typed a setting: which note it is, and its figures.

The page has the sentences, in its languages. What is not known here is shown as the command says it.
"""

import re
from typing import Any

_KNOWN: tuple[tuple[str, str], ...] = (
    ("sheet", r"To print: (.+)\."),
    ("size", r"Print at 100 %, without fitting to the page, and measure the ruler.*"),
    ("mirrored", r"The artwork is mirrored in the files whose names say so.*"),
    ("one_ink", r"\S+\.png is of one colour, (#\w+)\."),
    ("inks", r"\S+\.png holds (\d+) inks and no other colour: ([#\w, ]+);.*"),
    ("gamut", r"(\S+\.png): (\d+) % of the mask cannot be printed as asked .*"),
    ("duller", r"Those colours, red in the proof, come out as its middle picture shows.*"),
)
NOTES = tuple(name for name, _ in _KNOWN)


def plain_notes(lines: list[str]) -> list[dict[str, Any]]:
    """The notes of an export: their names and figures, or their text.

    Args:
        lines: That it printed, one note in each.
    """
    return [note for note in map(_plain, lines) if note is not None]


def _plain(line: str) -> dict[str, Any] | None:
    if line.startswith("Written to"):
        return None
    for name, pattern in _KNOWN:
        match = re.fullmatch(pattern, line)
        if match and name == "gamut" and match[2] == "0":
            return None
        if match:
            return {"name": name, "values": list(match.groups())}
    return {"text": line}
