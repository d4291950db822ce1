"""Enrolment of people and the comparisons that calibrate and judge a recognizer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from advmask.recognizers.calibration import Calibration, calibrate, comparisons_needed
from advmask.recognizers.recognizer import Recognizer

IMPOSTORS_AT_MOST = 2_000_000
"""Comparisons behind a threshold; 200 of them are false matches at FMR 1e-4."""

_ROWS = 64  # photos compared at once with people drawn for them


@dataclass(frozen=True)
class Enrolment:
    """A gallery of bare photos, and for each photo the template it is probed against.

    Attributes:
        people: (P) names.
        person: (n) index into `people` of each photo.
        gallery: (P, D) template of each person from all photos.
        own: (n, D) template of each photo's person from the *other* photos; from the same photo where a
            person has no other.
        has_other: (n) whether the person has another photo.
    """

    people: tuple[str, ...]
    person: tuple[int, ...]
    gallery: Float[Tensor, "people dim"]
    own: Float[Tensor, "n dim"]
    has_other: Bool[Tensor, " n"]


def enrol(recognizer: Recognizer, embeddings: Float[Tensor, "n dim"], names: Sequence[str]) -> Enrolment:
    """Enrol people from the embeddings of their bare photos.

    Args:
        recognizer: Says how embeddings are averaged.
        embeddings: One row per photo.
        names: The person on each photo.
    """
    rows: dict[str, list[int]] = {name: [] for name in sorted(set(names))}
    for i, name in enumerate(names):
        rows[name].append(i)
    people = tuple(rows)
    number = {name: i for i, name in enumerate(people)}
    gallery = torch.stack([recognizer.enrol(embeddings[rows[name]]) for name in people])
    own, has_other = [], []
    for i, name in enumerate(names):
        others = [row for row in rows[name] if row != i]
        own.append(recognizer.enrol(embeddings[others or [i]]))
        has_other.append(bool(others))
    return Enrolment(
        people=people,
        person=tuple(number[name] for name in names),
        gallery=gallery,
        own=torch.stack(own),
        has_other=torch.tensor(has_other),
    )


@dataclass(frozen=True, eq=False)
class Comparisons:
    """Similarities of people with themselves and with others.

    Attributes:
        genuine: (g,) of one person.
        impostor: (i,) of different people.
        probe: (i,) number of the person on the probe of each impostor comparison.
        gallery: (i,) number of the person it is compared with.
        drawn_from: How many impostor comparisons there are, of which these were drawn; 0 if these are all.
    """

    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]
    probe: NDArray[np.int64]
    gallery: NDArray[np.int64]
    drawn_from: int = 0

    def calibrated(self, *, fmr: float, source: str) -> Calibration:
        """Calibrate on these comparisons, with an interval over their people.

        Args:
            fmr: False match rate of the threshold.
            source: Where the photos come from, in words.

        Raises:
            CalibrationError: As `calibrate`.
        """
        people = (self.probe, self.gallery)
        if self.drawn_from:
            source += f"; {len(self.impostor)} impostor comparisons drawn from {self.drawn_from}"
        return calibrate(self.genuine, self.impostor, fmr=fmr, source=source, people=people)


def bare_comparisons(
    recognizer: Recognizer,
    embeddings: Float[Tensor, "n dim"],
    *enrolments: Enrolment,
    fmr: float = 1e-2,
    at_most: int = IMPOSTORS_AT_MOST,
) -> Comparisons:
    """Genuine and impostor similarities of bare probes against gallery templates.

    Genuine: each photo against its person's other photos, where there are any. Impostor: each photo
    against the template of every other person, or, where these would be more than `at_most`, of equally many
    that are drawn for each photo, always the same. Of several enrolments the more similar one counts.

    Args:
        recognizer: That made the embeddings.
        embeddings: Of the bare photos.
        enrolments: At least one, of the same photos in the same order.
        fmr: Smallest false match rate that is asked for; it may need more than `at_most`.
        at_most: Impostor comparisons; of more so many are drawn.
    """
    at_most = max(at_most, 2 * comparisons_needed(fmr))
    enrolment = enrolments[0]
    own = torch.stack([recognizer.similarity(embeddings, one.own) for one in enrolments]).amax(dim=0)
    genuine = own[enrolment.has_other & torch.isfinite(own)]
    person, others = torch.tensor(enrolment.person), len(enrolment.people) - 1
    whole = len(embeddings) * others
    if whole > at_most:
        drawn = _drawn_others(person, others, max(1, at_most // len(embeddings)))
        parts = zip(embeddings.split(_ROWS), drawn.split(_ROWS), strict=True)
        scores = [
            [recognizer.similarity(part[:, None], one.gallery[who]) for one in enrolments]
            for part, who in parts
        ]
        matrix = torch.cat([torch.stack(each).amax(dim=0) for each in scores])
        counted = torch.isfinite(matrix)
        probe, gallery = counted.nonzero(as_tuple=True)[0], drawn[counted]
        impostor = matrix[counted]
    else:
        matrix = torch.stack(
            [recognizer.similarity_matrix(embeddings, one.gallery) for one in enrolments]
        ).amax(dim=0)
        same = torch.zeros_like(matrix, dtype=torch.bool)
        same[torch.arange(len(embeddings)), person] = True
        # Services find no face on some photos.
        probe, gallery = (~same & torch.isfinite(matrix)).nonzero(as_tuple=True)
        impostor = matrix[probe, gallery]
    return Comparisons(
        genuine.double().numpy(),
        impostor.double().numpy(),
        person[probe].numpy(),
        gallery.numpy(),
        drawn_from=whole if whole > at_most else 0,
    )


def _drawn_others(person: Int[Tensor, " n"], others: int, each: int) -> Int[Tensor, "n each"]:
    """For each photo the numbers of `each` other people, drawn without putting back."""
    rows = [np.random.default_rng((0, row)).choice(others, each, replace=False) for row in range(len(person))]
    steps = torch.from_numpy(np.stack(rows)) + 1
    return (person[:, None] + steps) % (others + 1)
