"""Rates with intervals from the scores of one recognizer behind one aligner."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import (
    accepted,
    comparisons_over_people,
    difference_over_people,
    rate_over_people,
)
from advmask.evaluation.probe_scores import Scores
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer

_log = logging.getLogger(__name__)

# Less match confidence than this says "somebody else".
_KNOWN = 0.5

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
        rank1: Share of probes more similar to their own person than to anybody else at hand; None where there
            is nobody else.
        others_fmr: Share of comparisons with other people that match: the FMR of these probes as impostors.
        displacement: Median distance of the landmarks found from those of the bare picture, in eye distances.
    """

    similarity: float
    match_confidence: Estimate
    tar: Estimate
    undetected: int
    drop: Estimate | None = None
    rank1: Estimate | None = None
    others_fmr: Estimate | None = None
    displacement: float | None = None


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
            drop = difference_over_people(matched[strongest], matched[name], people, seed=seed)
        conditions[name] = ConditionResult(
            similarity=float(values.mean()) if len(values) else float("nan"),
            match_confidence=rate_over_people(confidence, people, seed=seed),
            tar=rate_over_people(matched[name], people, seed=seed),
            undetected=int(np.isnan(scores.similarity[name]).sum()),
            drop=drop,
            rank1=_rank1(scores, name, seed=seed),
            others_fmr=_others_fmr(scores, name, threshold.fmr, seed=seed),
            displacement=_displacement(scores, name),
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
        measure=measure_of(recognizer),
    )


def measure_of(recognizer: Recognizer) -> str:
    """`distance` where similarities of the recognizer are minus a distance, else `similarity`."""
    return "distance" if recognizer.distance == "euclidean" else "similarity"


def _kept_people(scores: Scores) -> list[str]:
    return [name for name, keep in zip(scores.people, scores.detected(), strict=True) if keep]


def _rank1(scores: Scores, name: str, *, seed: int) -> Estimate | None:
    if name not in scores.best_other or not scores.others:
        return None
    kept = scores.detected()
    # A tie is no identification.
    first = scores.similarity[name][kept] > scores.best_other[name][kept]
    return rate_over_people(first.astype(np.float64), _kept_people(scores), seed=seed)


def _others_fmr(scores: Scores, name: str, fmr: float, *, seed: int) -> Estimate | None:
    if fmr not in scores.false_matches or not scores.others:
        return None
    share = scores.false_matches[fmr][name][scores.detected()] / scores.others
    return comparisons_over_people(share, _kept_people(scores), gallery=scores.others + 1, seed=seed)


def _displacement(scores: Scores, name: str) -> float | None:
    kept = scores.detected()
    if name not in scores.displacement or not kept.any():
        return None
    return float(np.median(scores.displacement[name][kept]))


def say_bare_doubts(results: Sequence[RecognizerResult]) -> None:
    """Log a warning for each recognizer that does not even find or know the people probed without a mask."""
    for one in results:
        bare = one.conditions.get("bare")
        probes = one.probes + one.left_out
        if one.gallery == "bare" and bare is not None and bare.undetected == probes > 0:
            _log.warning(
                f"{one.recognizer}, aligner {one.aligner}, finds no face on any of {probes} bare pictures: "
                "is it the right detector for such pictures? Nothing is measured behind it."
            )
        if one.gallery == "bare" and bare is not None and bare.match_confidence.value < _KNOWN:
            _log.warning(
                f"{one.recognizer}, aligner {one.aligner}, matches the bare faces with confidence "
                f"{bare.match_confidence.value:.3f} only: are photos of other people among them, or are the "
                "effects too strong? What is measured of masks, and of the design, says little then."
            )
