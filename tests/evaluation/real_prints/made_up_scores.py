"""Made-up scores of made-up pictures."""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

from advmask.evaluation.real_prints.condition_folders import Capture
from advmask.evaluation.real_prints.embedded_pictures import Picture, Seen
from advmask.evaluation.real_prints.template_scores import PictureScores

Row = tuple[str, Any, str, float | None, float | None]  # person, condition, file, time, confidence or no face


def made_up(rows: Sequence[Row]) -> tuple[Seen, PictureScores]:
    """Pictures whose match confidence is given; None is a picture without a face."""
    captures: dict[tuple[str, str, str], Capture] = {}
    pictures = []
    for number, (person, condition, file, time, confidence) in enumerate(rows):
        capture = captures.setdefault(
            (person, condition, file),
            Capture(person, condition, Path(file), f"{person}/{condition}/{file}", time is not None),
        )
        found = confidence is not None
        pictures.append(
            Picture(capture, time, int(found), 40.0 if found else None, number if found else None, None)
        )
    confidence = np.array([np.nan if row[4] is None else row[4] for row in rows], dtype=float)
    matched = np.where(np.isnan(confidence), np.nan, confidence >= 0.5)
    recognizer: Any = SimpleNamespace(label="tiny", distance="cosine")
    threshold: Any = SimpleNamespace(fmr=0.01, threshold=0.0, source="made up", interval=None)
    scored = PictureScores(recognizer, threshold, confidence - 0.5, confidence, matched)
    return Seen(tuple(pictures), (), ()), scored
