"""What probes are compared with: everybody at hand, enrolled bare, masked, or both."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import CalibrationError
from advmask.photos.loading import FaceSet
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.enrolment import Comparisons, Enrolment, bare_comparisons
from advmask.recognizers.galleries import Gallery
from advmask.recognizers.preparation import Prepared
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.settings import GalleryName


@dataclass(frozen=True)
class Unsupported:
    """A false match rate that was asked for and cannot be supported by the people at hand, and why."""

    recognizer: str
    gallery: GalleryName
    fmr: float
    reason: str


@dataclass(frozen=True, eq=False)
class JudgedGallery:
    """A gallery with all that probes are judged by.

    Attributes:
        gallery: The templates of each photo's own person.
        people: (P) names, and for each kind of photo enrolled their (P, D) templates: everybody at hand,
            those who are not probed among them.
        templates: See above.
        comparisons: Of bare photos: behind the thresholds.
        thresholds: At the first false match rate, then at those of the others that are supported.
        unsupported: The others.
    """

    gallery: Gallery
    people: tuple[str, ...]
    templates: tuple[Float[Tensor, "people dim"], ...]
    comparisons: Comparisons
    thresholds: tuple[Calibration, ...]
    unsupported: tuple[Unsupported, ...]

    def similarity_to_others(
        self, recognizer: Recognizer, embeddings: Float[Tensor, "m dim"], names: Sequence[str]
    ) -> Float[Tensor, "m people"]:
        """Similarity of probes to everybody: minus infinity to their own person.

        Args:
            recognizer: That made the embeddings.
            embeddings: Of the probes.
            names: The person on each probe.
        """
        each = [recognizer.similarity_matrix(embeddings, templates) for templates in self.templates]
        similarity = torch.stack(each).amax(dim=0).double().nan_to_num(nan=-torch.inf)
        similarity[range(len(names)), [self.people.index(name) for name in names]] = -torch.inf
        return similarity


def build_galleries(
    names: Sequence[GalleryName],
    faces: FaceSet,
    prepared: Sequence[Prepared],
    masked: Sequence[Enrolment] | None,
    *,
    fmrs: Sequence[float],
) -> list[list[JudgedGallery]]:
    """For each recognizer, its galleries, each with its own thresholds.

    Args:
        names: Which galleries.
        faces: Everybody at hand.
        prepared: Recognizers made ready on these photos.
        masked: For each recognizer, everybody enrolled under a plain mask; needed for all but `bare`.
        fmrs: False match rates of the thresholds. Where the photos do not support the first, the
            recognizer's stored threshold is used instead.
    """
    galleries: list[list[JudgedGallery]] = []
    for number, item in enumerate(prepared):
        enrolments = {"bare": [item.enrolment]}
        if masked is not None:
            enrolments["masked"] = [masked[number]]
            enrolments["pooled"] = [item.enrolment, masked[number]]
        galleries.append([_build(name, faces, item, enrolments[name], fmrs) for name in names])
    return galleries


def _build(
    name: GalleryName, faces: FaceSet, item: Prepared, enrolments: Sequence[Enrolment], fmrs: Sequence[float]
) -> JudgedGallery:
    source = f"{len(faces.crops)} bare photos of {len(faces.people)} people at hand"
    source += "" if name == "bare" else f" against the {name} gallery"
    compared = bare_comparisons(item.recognizer, item.embeddings, *enrolments, fmr=min(fmrs))
    thresholds, unsupported = [], []
    for fmr in fmrs:
        try:
            thresholds.append(compared.calibrated(fmr=fmr, source=source))
        except CalibrationError as error:
            unsupported.append(Unsupported(item.recognizer.label, name, fmr, str(error)))
            if fmr == fmrs[0]:
                thresholds.append(item.recognizer.calibrated)
    return JudgedGallery(
        Gallery(name, tuple(one.own for one in enrolments)),
        item.enrolment.people,
        tuple(one.gallery for one in enrolments),
        compared,
        tuple({one.fmr: one for one in thresholds}.values()),
        tuple(unsupported),
    )
