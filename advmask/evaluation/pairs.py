"""Pairs of photos as verification protocols list them: a bare reference against a probe as it is worn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import (
    accepted,
    comparisons_over_people,
    difference_over_people,
    rate_over_people,
)
from advmask.evaluation.pair_rates import equal_error_over_people
from advmask.evaluation.probe_scores import BARE, Scores
from advmask.evaluation.summary import PLAIN_MASKS
from advmask.photos.crops import FaceCrop
from advmask.photos.pairs_list import PhotoPair
from advmask.recognizers.calibration import Calibration, comparisons_needed, threshold_at_fmr
from advmask.recognizers.recognizer import Recognizer


@dataclass(frozen=True)
class PairCondition:
    """Pairs whose second photo wears one mask.

    Attributes:
        tar: Share of pairs of one person that match.
        eer: Equal error rate of these pairs, whose second photos wear this mask in pairs of strangers too.
        others_fmr: Share of pairs of strangers that match; None where there are none.
        drop: TAR below the strongest plain mask, paired; None for bare faces and plain masks.
    """

    tar: Estimate
    eer: Estimate
    others_fmr: Estimate | None
    drop: Estimate | None


@dataclass(frozen=True)
class PairResult:
    """All pairs under one recognizer behind one aligner.

    Attributes:
        recognizer: Its label.
        aligner: Its name; the bare reference is aligned as photos are that are enrolled.
        fmr: Of the threshold.
        threshold: Similarity at which a pair matches.
        threshold_source: Where it comes from.
        same: Pairs of one person, each under every draw, that were found in every condition.
        different: The same of two people.
        left_out: Pairs whose probe was not found in some condition.
        strongest_plain: The plain mask with the lowest TAR.
        conditions: By name.
    """

    recognizer: str
    aligner: str
    fmr: float
    threshold: float
    threshold_source: str
    same: int
    different: int
    left_out: int
    strongest_plain: str | None
    conditions: dict[str, PairCondition]


@dataclass(frozen=True, eq=False)
class PairScores:
    """Similarities of pairs by one recognizer behind one aligner.

    Attributes:
        recognizer: Its label.
        aligner: Its name.
        people: For each pair the person of the reference, and of the probe.
        photos: The same of their photos.
        draws: Of the effects on the probe.
        similarity: By condition; NaN where no face was found.
    """

    recognizer: str
    aligner: str
    people: tuple[tuple[str, ...], tuple[str, ...]]
    photos: tuple[tuple[str, ...], tuple[str, ...]]
    draws: tuple[int, ...]
    similarity: dict[str, NDArray[np.float64]]

    @property
    def same(self) -> NDArray[np.bool_]:
        """Whether each pair is of one person."""
        return np.array([one == other for one, other in zip(*self.people, strict=True)], dtype=np.bool_)


def score_pairs(
    pairs: Sequence[PhotoPair],
    scores: Scores,
    recognizer: Recognizer,
    references: Float[Tensor, "n dim"],
    enrolled: Sequence[FaceCrop],
    probed: Sequence[FaceCrop],
) -> PairScores:
    """Compare the references of pairs with their probes, under every condition whose embeddings were kept.

    Args:
        pairs: Those with a photo that cannot be used are passed over.
        scores: Of this recognizer, with embeddings of every condition.
        recognizer: That made them.
        references: Embeddings of the bare photos.
        enrolled: Those photos.
        probed: The photos that probes were made from.
    """
    row_of = {crop.source: row for row, crop in enumerate(enrolled)}
    ways = len(scores.people) // max(len(probed), 1)
    probe_of = {crop.source: place for place, crop in enumerate(probed)}
    usable = [pair for pair in pairs if pair.first in row_of and pair.second in probe_of]
    firsts = [row_of[pair.first] for pair in usable] * ways
    seconds = [probe_of[pair.second] + way * len(probed) for way in range(ways) for pair in usable]
    similarity = {
        name: recognizer.similarity(references[firsts], torch.from_numpy(embeddings)[seconds])
        .double()
        .numpy()
        for name, embeddings in scores.embeddings.items()
    }
    names = tuple(f"{enrolled[row].person}/{enrolled[row].source.name}" for row in firsts)
    return PairScores(
        scores.recognizer,
        scores.aligner,
        (tuple(enrolled[row].person for row in firsts), tuple(scores.people[row] for row in seconds)),
        (names, tuple(scores.photos[row] for row in seconds)),
        tuple(scores.draws[row] for row in seconds),
        similarity,
    )


def summarise_pairs(scores: PairScores, threshold: Calibration, *, seed: int = 0) -> PairResult:
    """Turn similarities of pairs into rates with intervals over people.

    The threshold is that of the bare pairs of strangers, where there are enough.

    Args:
        scores: Of the pairs.
        threshold: Taken where they are too few.
        seed: Of the bootstrap.
    """
    kept = np.isfinite(np.stack(list(scores.similarity.values()))).all(axis=0)
    same, different = kept & scores.same, kept & ~scores.same
    first, second = (np.asarray(each) for each in scores.people)
    limit, source = threshold.threshold, threshold.source
    strangers = scores.similarity[BARE][different]
    if len(strangers) >= comparisons_needed(threshold.fmr) * max(
        1, len(set(scores.draws))
    ):  # a draw is no new pair
        limit, source = (
            threshold_at_fmr(strangers, threshold.fmr),
            f"{len(strangers):,} bare pairs of strangers",
        )
    matched = {name: accepted(values, limit) for name, values in scores.similarity.items()}
    plain = [name for name in PLAIN_MASKS if name in matched and same.any()]
    strongest = min(plain, key=lambda name: float(matched[name][same].mean()), default=None)
    own, others = second[same].tolist(), (first[different].tolist(), second[different].tolist())
    conditions = {}
    for name, values in scores.similarity.items():
        drop = others_fmr = None
        if strongest is not None and name != BARE and name not in PLAIN_MASKS:
            drop = difference_over_people(matched[strongest][same], matched[name][same], own, seed=seed)
        if different.any():
            gallery = len({*others[0], *others[1]})
            others_fmr = comparisons_over_people(
                matched[name][different], others[1], gallery=gallery, seed=seed
            )
        conditions[name] = PairCondition(
            tar=rate_over_people(matched[name][same], own, seed=seed),
            eer=equal_error_over_people(values[same], own, values[different], others, seed=seed),
            others_fmr=others_fmr,
            drop=drop,
        )
    return PairResult(
        scores.recognizer,
        scores.aligner,
        threshold.fmr,
        limit,
        source,
        int(same.sum()),
        int(different.sum()),
        int((~kept).sum()),
        strongest,
        conditions,
    )
