"""Real plain masks as a control: photos of people who wear one, next to the masks that are drawn."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.evaluation.enrolled import JudgedGallery
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import FloatArray, accepted, difference_over_people, rate_over_people
from advmask.evaluation.probe_scores import BARE, Setup
from advmask.evaluation.protocol import JudgedScores, Judgement
from advmask.evaluation.summary import PLAIN_MASKS
from advmask.photos.loading import FaceSet
from advmask.recognizers.preparation import aligned_crops
from advmask.recognizers.recognizer import embed_all


@dataclass(frozen=True)
class WornResult:
    """Real plain masks under one recognizer, aligner and gallery, at its first threshold.

    Attributes:
        recognizer: Its label.
        aligner: Its name.
        gallery: `bare`, `masked` or `pooled`.
        fmr: Of the threshold.
        photos: On which the aligner found the face.
        not_found: On which it, or whoever cut them, found none.
        people: On these photos.
        tar: Share of the photos that match.
        drawn: The same of each plain mask drawn onto bare photos of those who have several.
        drawn_lower_by: TAR of the worn masks less that of the drawn ones, by person; None without any.
    """

    recognizer: str
    aligner: str
    gallery: str
    fmr: float
    photos: int
    not_found: int
    people: int
    tar: Estimate
    drawn: dict[str, Estimate]
    drawn_lower_by: Estimate | None


def worn_results(judgement: Judgement, worn: FaceSet, *, seed: int = 0) -> list[WornResult]:
    """Match photos of real plain masks, in every set-up that finds landmarks by itself.

    Landmarks of a bare picture there are none: the set-up `bare` is passed over.

    Args:
        judgement: With the drawn masks.
        worn: Of people who are probed.
        seed: Of the bootstrap.
    """
    found = []
    for setup, judged in judgement.by_setup():
        if setup.aligner.name != BARE:
            embeddings, seen = _embedded(setup, worn)
            found += [_result(setup, one, worn, embeddings, seen, seed) for one in judged]
    return found


def _embedded(setup: Setup, worn: FaceSet) -> tuple[Float[Tensor, "n dim"], Bool[Tensor, " n"]]:
    """Embeddings of the photos as the set-up aligns them, and on which it found a face."""
    device = setup.recognizer.template.device
    embeddings, seen = [], []
    for pictures, landmarks, found in aligned_crops(worn.crops, setup.aligner, device=device):
        own = embed_all(setup.recognizer, pictures, landmarks)
        embeddings.append(own)
        seen.append(found.cpu() & torch.isfinite(own).all(dim=1))
    return torch.cat(embeddings), torch.cat(seen)


def _result(
    setup: Setup,
    judged: JudgedScores,
    worn: FaceSet,
    embeddings: Float[Tensor, "n dim"],
    seen: Bool[Tensor, " n"],
    seed: int,
) -> WornResult:
    names = [crop.person for crop, found in zip(worn.crops, seen.tolist(), strict=True) if found]
    matched = _matched(setup, judged.gallery, embeddings[seen], names, judged.threshold.threshold)
    # A single photo is enrolled itself, and a mask drawn onto it is matched with that very photo.
    photos = Counter(name for name, _ in set(zip(judged.scores.people, judged.scores.photos, strict=True)))
    several = [name for name in names if photos[name] > 1]
    kept = judged.scores.detected() & np.isin(np.asarray(judged.scores.people), several)
    people = [name for name, keep in zip(judged.scores.people, kept, strict=True) if keep]
    drawn = {
        name: accepted(values[kept], judged.threshold.threshold)
        for name, values in judged.scores.similarity.items()
        if name in PLAIN_MASKS and people
    }
    lower = None
    both = sorted(set(names) & set(people))
    if drawn and both:
        of_drawn = _by_person(np.mean(list(drawn.values()), axis=0), people, both)
        lower = difference_over_people(_by_person(matched, names, both), of_drawn, both, seed=seed)
    return WornResult(
        judged.scores.recognizer,
        judged.scores.aligner,
        judged.scores.gallery,
        judged.threshold.fmr,
        len(names),
        len(worn.crops) - len(names) + len(worn.omissions),
        len(set(names)),
        rate_over_people(matched, names, seed=seed),
        {name: rate_over_people(values, people, seed=seed) for name, values in drawn.items()},
        lower,
    )


def _matched(
    setup: Setup, gallery: JudgedGallery, embeddings: Tensor, names: Sequence[str], threshold: float
) -> FloatArray:
    """Whether each photo matches its person, enrolled with all bare photos."""
    rows = [gallery.people.index(name) for name in names]
    each = [setup.recognizer.similarity(embeddings, templates[rows]) for templates in gallery.templates]
    return accepted(torch.stack(each).amax(dim=0).double().numpy(), threshold)


def _by_person(values: FloatArray, people: Sequence[str], names: Sequence[str]) -> FloatArray:
    """Mean of each person's photos."""
    whose = np.asarray(people)
    return np.array([values[whose == name].mean() for name in names])
