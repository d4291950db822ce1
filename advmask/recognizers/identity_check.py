"""A short test whether a recognizer tells people apart as it is fed, and how it should be fed if not."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from advmask.core.errors import WeightsError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.recognizer import Recognizer, embed_all

LEAST_AUC = 0.9
"""Below this share of correctly ordered pairs a recognizer is not taken to tell people apart: on photos of
Labeled Faces in the Wild sound networks have 0.99 and more, and 0.5 to 0.7 in a wrong range."""

SOUND_AUC = 0.95
"""A way of feeding is proposed only if a recognizer has at least this share with it: among some twenty ways
that are tried a little more than before comes about by chance, with random weights too."""

_PEOPLE, _PHOTOS = 8, 3
_FEEDINGS: tuple[Mapping[str, Any], ...] = (
    {"range": (0.0, 1.0), "mean": (0.5,) * 3, "std": (0.5,) * 3},
    {"range": (0.0, 1.0), "mean": (0.0,) * 3, "std": (1.0,) * 3},
    {"range": (0.0, 255.0), "mean": (0.0,) * 3, "std": (1.0,) * 3},
    {"range": (0.0, 255.0), "mean": (127.5,) * 3, "std": (128.0,) * 3},
    {"range": (0.0, 1.0), "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
)
_TEMPLATES = ("arcface", "facenet", "dlib")


@dataclass(frozen=True)
class Separation:
    """How well a recognizer tells the people at hand apart.

    Attributes:
        label: Of the recognizer.
        auc: Share of (same person, two people) pairs of comparisons in the right order; None where the photos
            cannot tell: there must be two people with two photos each.
        photos: How many were compared.
        proposal: Keys of the specification with values under which it is sound; empty if none is known.
        proposed_auc: The share under the proposal.
    """

    label: str
    auc: float | None
    photos: int = 0
    proposal: Mapping[str, Any] = field(default_factory=dict)
    proposed_auc: float | None = None

    @property
    def warning(self) -> str | None:
        """What the user should be told, or None if all is well."""
        if self.auc is None or self.auc >= LEAST_AUC:
            return None
        found = (
            f"{self.label} does not tell people apart as it is fed (AUC {self.auc:.2f} on {self.photos} "
            "photos; 0.5 is guessing, and a sound recognizer has 0.99)"
        )
        if not self.proposal:
            return f"{found}; no usual way of feeding mends it, so its weights may be wrong."
        lines = "; ".join(f"{key}: {_yaml(value)}" for key, value in self.proposal.items())
        return f"{found}; with {lines} in its specification it has AUC {self.proposed_auc:.2f}."


def check_separation(recognizer: Recognizer, crops: Sequence[FaceCrop]) -> Separation:
    """Test whether embeddings of one person are more alike than those of two, on a few bare photos.

    If they are not, the usual channel orders, ranges, normalisations and then alignment templates are tried
    in its place; the recognizer itself is not changed. Swapped channels alone hardly ever show: networks tell
    people apart nearly as well with them.

    Args:
        recognizer: As it will be used.
        crops: Bare photos; at most 24 are used, three each of eight people.
    """
    chosen = _chosen(crops)
    if not chosen:
        return Separation(recognizer.label, None)
    auc = _auc(recognizer, chosen)
    if auc >= LEAST_AUC:
        return Separation(recognizer.label, auc, len(chosen))
    best, best_auc = recognizer, auc
    for ways in (_feedings, _templates):
        start = best
        for changes in ways(start):
            other = _fed_otherwise(start, changes)
            found = _auc(other, chosen)
            if found > best_auc:
                best, best_auc = other, found
    if best_auc < SOUND_AUC:
        return Separation(recognizer.label, auc, len(chosen))
    before, after = (dict(each.specification) for each in (recognizer, best))
    proposal = {key: value for key, value in after.items() if value != before[key]}
    return Separation(recognizer.label, auc, len(chosen), proposal, best_auc)


def _chosen(crops: Sequence[FaceCrop]) -> list[FaceCrop]:
    """Photos of people who have at least two, spread evenly over people; none if there are fewer than two."""
    by_person: dict[str, list[FaceCrop]] = {}
    for crop in crops:
        by_person.setdefault(crop.person, []).append(crop)
    several = [photos for _, photos in sorted(by_person.items()) if len(photos) >= 2]
    if len(several) < 2:
        return []
    step = max(1, len(several) // _PEOPLE)
    return [crop for photos in several[::step][:_PEOPLE] for crop in photos[:_PHOTOS]]


def _auc(recognizer: Recognizer, crops: Sequence[FaceCrop]) -> float:
    """Share of genuine comparisons above impostor ones; 0 where embeddings are undefined."""
    pictures = torch.stack([crop.as_float() for crop in crops])
    landmarks = torch.stack([crop.landmarks for crop in crops])
    try:
        embeddings = embed_all(recognizer, pictures, landmarks)
    except WeightsError:
        return 0.0
    names = np.array([crop.person for crop in crops])
    pairs = np.triu_indices(len(crops), 1)
    scores = recognizer.similarity_matrix(embeddings, embeddings).double().numpy()[pairs]
    if not np.isfinite(scores).all():
        return 0.0
    same = names[pairs[0]] == names[pairs[1]]
    impostor = np.sort(scores[~same])
    below, upto = (np.searchsorted(impostor, scores[same], side) for side in ("left", "right"))
    return float((below + upto).mean()) / (2 * len(impostor))  # of equal ones half count


def _feedings(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    own = {key: getattr(recognizer.specification, key) for key in ("range", "mean", "std")}
    for feeding in (own, *_FEEDINGS):
        for channels in ("rgb", "bgr"):
            ordered = {
                key: value[::-1] if key != "range" and feeding is not own and channels == "bgr" else value
                for key, value in feeding.items()
            }
            yield {"channels": channels, **ordered}


def _templates(recognizer: Recognizer) -> Iterator[dict[str, Any]]:
    yield from ({"template": name} for name in _TEMPLATES if name != recognizer.specification.template)


def _fed_otherwise(recognizer: Recognizer, changes: Mapping[str, Any]) -> Recognizer:
    specification = recognizer.specification.model_copy(update=dict(changes))
    other = Recognizer(recognizer.name, recognizer.network, specification, eyes_only=recognizer.eyes_only)
    other.template = other.template.to(recognizer.template.device)
    return other


def _yaml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(f"{each:g}" for each in value) + "]"
    return str(value)
