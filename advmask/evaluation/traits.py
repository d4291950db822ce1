"""What may make a photo easy or hard, and rates broken down by it: yaw, size of the face, light."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from advmask.colour.srgb import LUMINANCE
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import accepted, rate_over_people
from advmask.evaluation.probe_scores import Scores
from advmask.photos.crops import FaceCrop
from advmask.render.mask_fitting import find_pose

FEWEST_PROBES = 10  # with fewer, one photo more or less turns any comparison round
_BINS = 3


@dataclass(frozen=True)
class Trait:
    """One property of all probes.

    Attributes:
        name: What it is.
        unit: Of the values.
        values: (n,) one per probe.
    """

    name: str
    unit: str
    values: Float[np.ndarray, " n"]


@dataclass(frozen=True)
class Bin:
    """Rates on those probes on which a trait lies in one range.

    Attributes:
        recognizer: Label; with `aligner` and `gallery` it names the scores.
        aligner: See above.
        gallery: See above.
        trait: Its name.
        unit: Of the ends.
        low: Smallest value in it.
        high: Largest.
        probes: How many were compared.
        people: Of how many people.
        tar: For each condition.
    """

    recognizer: str
    aligner: str
    gallery: str
    trait: str
    unit: str
    low: float
    high: float
    probes: int
    people: int
    tar: dict[str, Estimate]


def photo_traits(crops: Sequence[FaceCrop], probed: Sequence[int]) -> list[Trait]:
    """Yaw, size and light of the bare photos behind probes.

    Args:
        crops: The photos.
        probed: Which photo each probe is of.
    """
    yaw = [abs(math.degrees(find_pose(crop.landmarks, crop.dense).yaw)) for crop in crops]
    size = [crop.face_px for crop in crops]
    rows = list(probed)
    return [
        Trait("turn of the head", "degrees", np.array(yaw)[rows]),
        Trait("distance between the eyes", "px of the photo", np.array(size)[rows]),
        Trait("light on the face", "% of white", np.array([_light(crop) for crop in crops])[rows]),
    ]


def break_down(
    scores: Scores, traits: Sequence[Trait], conditions: Sequence[str], *, threshold: float, seed: int
) -> list[Bin]:
    """TAR in three bins of equally many probes for each trait; a bin with fewer than ten probes is left out.

    Args:
        scores: Of one recognizer.
        traits: Of their probes.
        conditions: Whose rates are given.
        threshold: Similarity at which a probe matches.
        seed: Of the bootstrap.
    """
    kept = scores.detected()
    found = []
    for trait in traits:
        edges = np.quantile(trait.values[kept], np.linspace(0, 1, _BINS + 1)[1:-1]) if kept.any() else []
        place = np.searchsorted(edges, trait.values, side="left")
        for number in range(_BINS):
            chosen = np.flatnonzero(kept & (place == number))
            if len(chosen) < FEWEST_PROBES:
                continue
            people = [scores.people[i] for i in chosen]
            within = trait.values[chosen]
            rates = {
                name: rate_over_people(
                    accepted(scores.similarity[name][chosen], threshold), people, seed=seed
                )
                for name in conditions
            }
            found.append(
                Bin(
                    scores.recognizer,
                    scores.aligner,
                    scores.gallery,
                    trait.name,
                    trait.unit,
                    float(within.min()),
                    float(within.max()),
                    len(chosen),
                    len(set(people)),
                    rates,
                )
            )
    return found


def _light(crop: FaceCrop) -> float:
    """Mean luma between the eyes and the mouth, and as much to the sides."""
    points = crop.landmarks.numpy()
    side = crop.picture.shape[-1]
    left, top = np.clip(points.min(axis=0).astype(int), 0, side - 1)
    right, bottom = np.clip(np.ceil(points.max(axis=0)).astype(int), (left + 1, top + 1), side)
    face = crop.picture[:, top:bottom, left:right].double().mean(dim=(1, 2)).numpy()
    return float(100 * face @ np.array(LUMINANCE) / 255)
