"""Whether a mask links its wearers: matching among faces that all wear the same one."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import comparisons_over_people, rate_over_people
from advmask.evaluation.probe_scores import Scores
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.recognizer import Recognizer


@dataclass(frozen=True)
class Linked:
    """How a recognizer matches faces under one mask with each other.

    Everybody is enrolled under that mask, with the mean of their other photos, and probed under it; for a
    bare face the mask is none. The threshold is the one of bare faces.

    Attributes:
        recognizer: Its label.
        aligner: Its name.
        condition: The mask: `bare`, a control, or the design.
        fmr: That the threshold gives between bare faces.
        probes: Faces found, of people with another photo on which the face was found.
        same: Share of probes that match the person's other photos: seen twice, the wearer is linked.
        others: Share of comparisons with other wearers that match: they are taken for one person; None where
            one person was probed.
    """

    recognizer: str
    aligner: str
    condition: str
    fmr: float
    probes: int
    same: Estimate
    others: Estimate | None


def linkability(
    scores: Scores,
    recognizer: Recognizer,
    threshold: Calibration,
    conditions: Sequence[str] | None = None,
    *,
    seed: int = 0,
) -> list[Linked]:
    """Match the probes of each mask whose embeddings were kept with each other.

    Args:
        scores: Of this recognizer, with embeddings.
        recognizer: That made them.
        threshold: Of bare faces.
        conditions: Some of those masks; None takes all.
        seed: Of the bootstrap.

    Returns:
        One entry for each mask, in the order of the conditions.
    """
    return [
        _linked(torch.from_numpy(embeddings), name, scores, recognizer, threshold, seed)
        for name, embeddings in scores.embeddings.items()
        if conditions is None or name in conditions
    ]


def _linked(
    embeddings: Float[Tensor, "n dim"],
    condition: str,
    scores: Scores,
    recognizer: Recognizer,
    threshold: Calibration,
    seed: int,
) -> Linked:
    found = torch.isfinite(embeddings).all(dim=1)
    people = np.asarray(scores.people)
    photos = np.asarray(scores.photos)
    templates, rows = [], []
    for row in range(len(embeddings)):
        own = found & torch.from_numpy((people == people[row]) & (photos != photos[row]))
        if found[row] and own.any():
            rows.append(row)
            templates.append(recognizer.enrol(embeddings[own]))
    same = np.zeros(0)
    if rows:
        similarity = recognizer.similarity(embeddings[rows], torch.stack(templates))
        same = (similarity.double() >= threshold.threshold).double().numpy()
    return Linked(
        scores.recognizer,
        scores.aligner,
        condition,
        threshold.fmr,
        len(rows),
        rate_over_people(same, people[rows].tolist(), seed=seed),
        _others(embeddings, found, scores.people, recognizer, threshold.threshold, seed),
    )


def _others(
    embeddings: Float[Tensor, "n dim"],
    found: Bool[Tensor, " n"],
    people: Sequence[str],
    recognizer: Recognizer,
    threshold: float,
    seed: int,
) -> Estimate | None:
    """Every face against the template of every other wearer."""
    rows = found.nonzero()[:, 0].tolist()
    names = sorted({people[row] for row in rows})
    if len(names) < 2:
        return None
    gallery = torch.stack(
        [recognizer.enrol(embeddings[[row for row in rows if people[row] == name]]) for name in names]
    )
    matches = recognizer.similarity_matrix(embeddings[rows], gallery).double() >= threshold
    matches[range(len(rows)), [names.index(people[row]) for row in rows]] = False
    share = matches.sum(dim=1).double().numpy() / (len(names) - 1)
    return comparisons_over_people(share, [people[row] for row in rows], gallery=len(names), seed=seed)
