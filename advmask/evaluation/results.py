"""What an evaluation found, as records that become `results.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from advmask.evaluation.metrics import Estimate, accepted, mean_over_people
from advmask.evaluation.scoring import Scores
from advmask.files import write_text
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

SCHEMA = 2
PLAIN_MASKS = ("white", "surgical_blue", "black")


@dataclass(frozen=True)
class ConditionResult:
    """One condition under one recognizer and aligner.

    Attributes:
        similarity: Mean similarity to the wearer's own template.
        match_confidence: Mean match confidence.
        tar: Share of probes that match at the FMR.
        undetected: Probes on which the aligner found no face in this condition.
        drop: TAR below the strongest plain mask, paired over the same probes; None without a plain mask.
    """

    similarity: float
    match_confidence: Estimate
    tar: Estimate
    undetected: int
    drop: Estimate | None = None


@dataclass(frozen=True)
class RecognizerResult:
    """All conditions under one recognizer and aligner.

    Attributes:
        recognizer: Its label.
        aligner: Its name.
        gallery: `bare`, `masked` or `pooled`.
        fmr: Of the threshold.
        threshold: Similarity at which a probe matches.
        threshold_interval: Of the threshold, 95 % over people; None where it is not known.
        threshold_source: Where the threshold comes from.
        probes: Compared: detected in every condition.
        left_out: Not detected in at least one condition, and left out of all.
        strongest_plain: The plain mask that leaves the lowest TAR.
        conditions: By name.
        measure: `similarity` (cosine), or `distance` where similarities are minus a distance.
    """

    recognizer: str
    aligner: str
    gallery: str
    fmr: float
    threshold: float
    threshold_interval: tuple[float, float] | None
    threshold_source: str
    probes: int
    left_out: int
    strongest_plain: str | None
    conditions: dict[str, ConditionResult]
    measure: str = "similarity"


def summarise(
    scores: Scores, recognizer: Recognizer, threshold: Calibration, *, seed: int = 0
) -> RecognizerResult:
    """Turn similarities into rates with intervals.

    Args:
        scores: Of this recognizer.
        recognizer: That made them.
        threshold: Gives TAR and match confidence: from the people at hand where there are enough.
        seed: Of the bootstrap.
    """
    kept = scores.detected()
    people = [name for name, keep in zip(scores.people, kept, strict=True) if keep]
    similarity = {name: values[kept] for name, values in scores.similarity.items()}
    matched = {name: accepted(values, threshold.threshold) for name, values in similarity.items()}
    plain = [name for name in PLAIN_MASKS if name in matched and len(people)]
    strongest = min(plain, key=lambda name: (matched[name].mean(), similarity[name].mean()), default=None)
    conditions = {}
    for name, values in similarity.items():
        confidence = threshold.confidence(torch.from_numpy(values)).numpy()
        drop = None
        if strongest is not None and name != "bare" and name not in PLAIN_MASKS:
            drop = mean_over_people(matched[strongest] - matched[name], people, seed=seed)
        conditions[name] = ConditionResult(
            similarity=float(values.mean()) if len(values) else float("nan"),
            match_confidence=mean_over_people(confidence, people, seed=seed),
            tar=mean_over_people(matched[name], people, seed=seed),
            undetected=int(np.isnan(scores.similarity[name]).sum()),
            drop=drop,
        )
    return RecognizerResult(
        recognizer=scores.recognizer,
        aligner=scores.aligner,
        gallery=scores.gallery,
        fmr=threshold.fmr,
        threshold=threshold.threshold,
        threshold_interval=threshold.interval,
        threshold_source=threshold.source,
        probes=int(kept.sum()),
        left_out=int((~kept).sum()),
        strongest_plain=strongest,
        conditions=conditions,
        measure="distance" if recognizer.distance == "euclidean" else "similarity",
    )


def write_results(path: Path, results: Sequence[RecognizerResult], facts: Mapping[str, Any]) -> None:
    """Write `results.json`; an earlier file of other content is kept beside it under a number.

    Args:
        path: The file.
        results: Of every recognizer and aligner.
        facts: What else is to be recorded: design, people, draws, seed, settings, checksums.
    """
    record = {"schema": SCHEMA} | dict(facts) | {"results": [_plain(asdict(result)) for result in results]}
    text = json.dumps(record, indent=2, allow_nan=False) + "\n"
    if path.exists() and path.read_bytes() != text.encode():
        number = 1
        while (kept := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
            number += 1
        path.rename(kept)
    write_text(path, text)


def _plain(value: Any) -> Any:
    """JSON has no NaN; what could not be computed is null."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value
