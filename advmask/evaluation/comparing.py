"""Several designs on the same probes: rates of each, and paired differences to the first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import (
    FloatArray,
    accepted,
    difference_over_people,
    rate_over_people,
)
from advmask.evaluation.probe_scores import BARE
from advmask.evaluation.protocol import JudgedScores
from advmask.evaluation.sign_flips import holm, sign_flip_p


@dataclass(frozen=True)
class DesignRates:
    """One design under one recognizer, aligner and gallery.

    Attributes:
        tar: Share of probes that match.
        confidence: Mean match confidence.
        undetected: Probes on which no face was found with this design.
        tar_more: TAR of this design less that of the first one, paired; None for the first.
        confidence_more: The same of the match confidence.
        tar_p: Of `tar_more`: a two-sided sign-flip test over people; None for the first.
        tar_p_holm: The same, corrected for all designs and set-ups that are compared together.
    """

    tar: Estimate
    confidence: Estimate
    undetected: int
    tar_more: Estimate | None = None
    confidence_more: Estimate | None = None
    tar_p: float | None = None
    tar_p_holm: float | None = None


@dataclass(frozen=True)
class SideBySide:
    """All designs under one recognizer, aligner and gallery.

    Attributes:
        recognizer: Label; `aligner` and `gallery`: their names.
        aligner: See above.
        gallery: See above.
        fmr: Of the threshold.
        threshold: Similarity at which a probe matches.
        probes: Compared: with a face found under every design, bare faces and controls included.
        left_out: Photos and draws that lack one.
        people: Of how many people the probes are.
        designs: By name, in the order given; plain masks after them.
    """

    recognizer: str
    aligner: str
    gallery: str
    fmr: float
    threshold: float
    probes: int
    left_out: int
    people: int
    designs: dict[str, DesignRates]


def side_by_side(
    groups: Sequence[Sequence[JudgedScores]], names: Sequence[str], *, seed: int
) -> list[SideBySide]:
    """Pair designs over photos and draws, also where they are of different masks.

    Args:
        groups: Scores of each mask's designs, on the same photos and recognizers in the same order.
        names: Of the designs to compare, the first one first; other conditions of the first group but bare
            faces follow as they are.
        seed: Of the bootstrap.
    """
    found = []
    for alike in zip(*groups, strict=True):
        first = alike[0]
        others = [name for name in first.scores.similarity if name not in names and name != BARE]
        where = {name: one for one in reversed(alike) for name in one.scores.similarity}
        rows, left_out = _paired(alike)
        people = [first.scores.people[i] for i in rows[id(first)]]
        values: dict[str, FloatArray] = {
            name: where[name].scores.similarity[name][rows[id(where[name])]] for name in (*names, *others)
        }
        found.append(
            SideBySide(
                first.scores.recognizer,
                first.scores.aligner,
                first.scores.gallery,
                first.threshold.fmr,
                first.threshold.threshold,
                len(people),
                left_out,
                len(set(people)),
                _rates(values, names, where, people, seed=seed),
            )
        )
    return _corrected(found)


def _corrected(found: Sequence[SideBySide]) -> list[SideBySide]:
    """With every p corrected for how many there are."""
    values = iter(
        holm([p for one in found for rates in one.designs.values() if (p := rates.tar_p) is not None])
    )
    return [
        replace(
            one,
            designs={
                name: rates if rates.tar_p is None else replace(rates, tar_p_holm=next(values))
                for name, rates in one.designs.items()
            },
        )
        for one in found
    ]


def _paired(alike: Sequence[JudgedScores]) -> tuple[dict[int, list[int]], int]:
    """For each of several scores the rows of the probes that all of them found, in one order."""
    kept: list[dict[tuple[str, int], int]] = []
    every: set[tuple[str, int]] = set()
    for one in alike:
        keys = list(zip(one.scores.photos, one.scores.draws, strict=True))
        every |= set(keys)
        kept.append({key: i for i, key in enumerate(keys) if one.scores.detected()[i]})
    common = [key for key in kept[0] if all(key in other for other in kept)]
    rows = {id(one): [own[key] for key in common] for one, own in zip(alike, kept, strict=True)}
    return rows, len(every) - len(common)


def _rates(
    values: Mapping[str, FloatArray],
    names: Sequence[str],
    where: Mapping[str, JudgedScores],
    people: Sequence[str],
    *,
    seed: int,
) -> dict[str, DesignRates]:
    matched = {name: accepted(own, where[name].threshold.threshold) for name, own in values.items()}
    confidence = {
        name: np.asarray(where[name].threshold.confidence(torch.from_numpy(own)).numpy())
        for name, own in values.items()
    }
    first = names[0]
    found = {}
    for name in values:
        tar_more = confidence_more = tar_p = None
        if name != first:
            tar_more = difference_over_people(matched[name], matched[first], people, seed=seed)
            confidence_more = difference_over_people(confidence[name], confidence[first], people, seed=seed)
            tar_p = sign_flip_p(matched[name] - matched[first], people, seed=seed)
        found[name] = DesignRates(
            rate_over_people(matched[name], people, seed=seed),
            rate_over_people(confidence[name], people, seed=seed),
            int(np.isnan(where[name].scores.similarity[name]).sum()),
            tar_more,
            confidence_more,
            tar_p,
        )
    return found
