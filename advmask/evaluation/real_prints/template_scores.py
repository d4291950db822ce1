"""Similarity of every picture to its person's template, and whether that is a match."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor

from advmask.evaluation.metrics import accepted
from advmask.evaluation.real_prints.condition_folders import Capture, Condition
from advmask.evaluation.real_prints.embedded_pictures import Seen
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.calibration import CONFIDENCE_OF_MEDIAN_GENUINE, Calibration
from advmask.recognizers.enrolment import Enrolment
from advmask.recognizers.preparation import Prepared, embed_crops, prepare
from advmask.recognizers.recognizer import Recognizer

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class PictureScores:
    """One recognizer's opinion of every picture.

    Attributes:
        recognizer: Whose.
        threshold: By which it says "same person": from the people at hand where there are enough.
        similarity: (n,) to the own template; NaN without a face, or without anything to compare with.
        confidence: (n,) match confidence, NaN where similarity is.
        matched: (n,) one or zero, NaN where similarity is.
        lookalikes: Pairs of somebody judged and a supposed stranger who are as alike as one person is.
    """

    recognizer: Recognizer
    threshold: Calibration
    similarity: FloatArray
    confidence: FloatArray
    matched: FloatArray
    lookalikes: frozenset[tuple[str, str]] = frozenset()


def score_pictures(
    seen: Seen,
    recognizers: Sequence[Recognizer],
    *,
    enrolled_by: Condition,
    others: Sequence[FaceCrop] = (),
    aligner: Aligner | None = None,
    fmr: float = 1e-2,
) -> list[PictureScores]:
    """Enrol everybody, calibrate, and compare every picture with its own person.

    Each file counts once in a template: a video's frames are averaged first. Bare pictures that people are
    enrolled with are compared with the template of the person's other files, and with nothing where there is
    no other.

    Args:
        seen: All pictures.
        recognizers: In the order of `seen.embeddings`.
        enrolled_by: Condition of the files that people are enrolled with.
        others: Bare photos of people who are not judged, for the threshold; none is called as one of these.
        aligner: Finds the landmarks of these, as it found those of the pictures; None takes them as they are.
        fmr: False match rate of the threshold.

    Raises:
        CalibrationError: A recognizer has no stored threshold, and the people are too few for one.
    """
    files = _enrolled_files(seen, enrolled_by)
    of_others = embed_crops(recognizers, others, aligner=aligner) if others else [None] * len(recognizers)
    return [
        _score(seen, recognizer, embeddings, files, (more, [crop.person for crop in others]), fmr)
        for recognizer, embeddings, more in zip(recognizers, seen.embeddings, of_others, strict=True)
    ]


def _enrolled_files(seen: Seen, enrolled_by: Condition) -> dict[Capture, list[int]]:
    """Rows of the faces of each file that is enrolled; files without any are left out."""
    files: dict[Capture, list[int]] = {}
    for picture in seen.pictures:
        if picture.capture.condition == enrolled_by and picture.row is not None:
            files.setdefault(picture.capture, []).append(picture.row)
    return files


def _score(
    seen: Seen,
    recognizer: Recognizer,
    embeddings: Float[Tensor, "rows dim"],
    files: dict[Capture, list[int]],
    others: tuple[Float[Tensor, "n dim"] | None, list[str]],
    fmr: float,
) -> PictureScores:
    enrolled = torch.stack([recognizer.enrol(embeddings[rows]) for rows in files.values()])
    more, names_of_others = others
    prepared = prepare(
        recognizer,
        enrolled if more is None else torch.cat([enrolled, more]),
        [*(capture.person for capture in files), *names_of_others],
        fmr=fmr,
    )
    threshold = prepared.at_hand or recognizer.calibrated
    similarity = np.full(len(seen.pictures), np.nan)
    compared = _compared(seen, prepared.enrolment, list(files))
    if compared:
        places, rows, which = (list(column) for column in zip(*compared, strict=True))
        templates = torch.cat([prepared.enrolment.own, prepared.enrolment.gallery])[which]
        similarity[places] = recognizer.similarity(embeddings[rows], templates).double().numpy()
    known = np.isfinite(similarity)
    return PictureScores(
        prepared.recognizer,
        threshold,
        similarity,
        threshold.confidence(torch.from_numpy(similarity)).numpy(),
        np.where(known, accepted(similarity, threshold.threshold), np.nan),
        _lookalikes(prepared, threshold, set(names_of_others)),
    )


def _lookalikes(prepared: Prepared, threshold: Calibration, others: set[str]) -> frozenset[tuple[str, str]]:
    """Strangers who match like the median genuine pair, and so may be no strangers."""
    enrolment = prepared.enrolment
    matrix = prepared.recognizer.similarity_matrix(enrolment.gallery, enrolment.gallery)
    alike = threshold.confidence(matrix) >= CONFIDENCE_OF_MEDIAN_GENUINE
    return frozenset(
        (one, other)
        for row, one in enumerate(enrolment.people)
        for column, other in enumerate(enrolment.people)
        if one not in others and other in others and bool(alike[row, column])
    )


def _compared(seen: Seen, enrolment: Enrolment, files: list[Capture]) -> list[tuple[int, int, int]]:
    """Place and row of each picture to compare, and its template among `own` of files and then the gallery.

    An enrolled file that is the person's only one has none.
    """
    of_file = {capture: row for row, capture in enumerate(files)}
    of_person = {name: len(enrolment.own) + row for row, name in enumerate(enrolment.people)}
    return [
        (place, picture.row, of_file.get(picture.capture, of_person[picture.capture.person]))
        for place, picture in enumerate(seen.pictures)
        if picture.row is not None
        and (picture.capture not in of_file or enrolment.has_other[of_file[picture.capture]])
    ]
