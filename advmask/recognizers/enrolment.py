"""Enrolment of people and the comparisons that calibrate and judge a recognizer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor

from advmask.recognizers.calibration import Calibration, calibrate
from advmask.recognizers.recognizer import Recognizer


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
    people = tuple(sorted(set(names)))
    rows = {name: [i for i, other in enumerate(names) if other == name] for name in people}
    gallery = torch.stack([recognizer.enrol(embeddings[rows[name]]) for name in people])
    own, has_other = [], []
    for i, name in enumerate(names):
        others = [row for row in rows[name] if row != i]
        own.append(recognizer.enrol(embeddings[others or [i]]))
        has_other.append(bool(others))
    return Enrolment(
        people=people,
        person=tuple(people.index(name) for name in names),
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
    """

    genuine: NDArray[np.float64]
    impostor: NDArray[np.float64]
    probe: NDArray[np.int64]
    gallery: NDArray[np.int64]

    def calibrated(self, *, fmr: float, source: str) -> Calibration:
        """Calibrate on these comparisons, with an interval over their people.

        Args:
            fmr: False match rate of the threshold.
            source: Where the photos come from, in words.

        Raises:
            CalibrationError: As `calibrate`.
        """
        people = (self.probe, self.gallery)
        return calibrate(self.genuine, self.impostor, fmr=fmr, source=source, people=people)


def bare_comparisons(
    recognizer: Recognizer, embeddings: Float[Tensor, "n dim"], *enrolments: Enrolment
) -> Comparisons:
    """Genuine and impostor similarities of bare probes against gallery templates.

    Genuine: each photo against its person's other photos, where there are any. Impostor: each photo
    against the template of every other person. Of several enrolments the more similar one counts.

    Args:
        recognizer: That made the embeddings.
        embeddings: Of the bare photos.
        enrolments: At least one, of the same photos in the same order.
    """
    enrolment = enrolments[0]
    own = torch.stack([recognizer.similarity(embeddings, one.own) for one in enrolments]).amax(dim=0)
    genuine = own[enrolment.has_other & torch.isfinite(own)]
    matrix = torch.stack([recognizer.similarity_matrix(embeddings, one.gallery) for one in enrolments]).amax(
        dim=0
    )
    same = torch.zeros_like(matrix, dtype=torch.bool)
    same[torch.arange(len(embeddings)), torch.tensor(enrolment.person)] = True
    # Services find no face on some photos.
    probe, gallery = (~same & torch.isfinite(matrix)).nonzero(as_tuple=True)
    return Comparisons(
        genuine.double().numpy(),
        matrix[probe, gallery].double().numpy(),
        torch.tensor(enrolment.person)[probe].numpy(),
        gallery.numpy(),
    )
