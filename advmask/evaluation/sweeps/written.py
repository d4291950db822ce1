"""The tables of a sweep as files."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from advmask.core.files import write_text
from advmask.evaluation.results import json_text
from advmask.evaluation.sweeps.collected_tables import csv_of, latex, markdown, tables

NAME = "collect"


def write_collected(folder: Path, record: Mapping[str, Any], figures: Sequence[str]) -> list[Path]:
    """Write `collect.json`, `.csv`, `.md` and `.tex`; the same runs give the same bytes.

    Args:
        folder: Where to; those of an earlier call are replaced, as they are made of what lies there.
        record: From `collect`.
        figures: Shown in the tables.

    Raises:
        RunError: The folder cannot be written to.
    """
    plain = json.loads(json_text(record))  # as the others are made from it when it is read again
    texts = {
        "json": json_text(record),
        "csv": csv_of(plain),
        "md": markdown(plain, tables(plain, figures)),
        "tex": latex(plain, tables(plain, figures, intervals=False)),
    }
    paths = [folder / f"{NAME}.{ending}" for ending in texts]
    for path, text in zip(paths, texts.values(), strict=True):
        write_text(path, text)
    return paths
