"""Recognizers made ready for a set of bare photos: embedded, enrolled and calibrated."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.errors import CalibrationError
from advmask.photos import FaceCrop
from advmask.recognizers.calibration import Calibration, calibrate
from advmask.recognizers.enrolment import Enrolment, bare_comparisons, enrol
from advmask.recognizers.recognizer import Recognizer, embed_all


@dataclass(frozen=True)
class Prepared:
    """A recognizer with its gallery of bare photos.

    Attributes:
        recognizer: Calibrated: with its stored calibration, else with the one at hand.
        embeddings: (n, D) of the bare photos.
        enrolment: Gallery and own templates.
        at_hand: Calibration from these very bare photos, where there are enough of them.
    """

    recognizer: Recognizer
    embeddings: Float[Tensor, "n dim"]
    enrolment: Enrolment
    at_hand: Calibration | None


def own_templates(
    prepared: Sequence[Prepared], faces: Sequence[FaceCrop], probes: Sequence[FaceCrop]
) -> list[Float[Tensor, "m dim"]]:
    """For each recognizer, the template that each probe is matched against.

    Args:
        prepared: On `faces`.
        faces: The bare photos, in the order of preparation.
        probes: Some of them.
    """
    row = {(crop.person, crop.source): i for i, crop in enumerate(faces)}
    rows = [row[crop.person, crop.source] for crop in probes]
    return [item.enrolment.own[rows] for item in prepared]


def prepare(
    recognizer: Recognizer,
    pictures: Float[Tensor, "n 3 rows columns"],
    landmarks: Float[Tensor, "n 5 2"],
    names: Sequence[str],
    *,
    fmr: float = 1e-2,
) -> Prepared:
    """Embed and enrol bare photos, and calibrate the recognizer if no calibration is stored for it.

    Calibrating on the people at hand is sound because a design cannot touch bare photos.

    Args:
        recognizer: Its `calibration` is set here where it has none.
        pictures: Bare photos.
        landmarks: On them.
        names: The person on each.
        fmr: False match rate of the threshold at hand.

    Raises:
        CalibrationError: Nothing is stored and the photos cannot support the threshold.
    """
    embeddings = embed_all(recognizer, pictures, landmarks)
    enrolment = enrol(recognizer, embeddings, names)
    genuine, impostor = bare_comparisons(recognizer, embeddings, enrolment)
    try:
        source = f"{len(names)} bare photos of {len(enrolment.people)} people at hand"
        at_hand = calibrate(genuine, impostor, fmr=fmr, source=source)
    except CalibrationError as error:
        at_hand = None
        if recognizer.calibration is None:
            raise CalibrationError(
                f"{recognizer.name} has no stored threshold and cannot be calibrated here: {error} Or write "
                "'calibration: {fmr: ..., threshold: ..., scale: ...}' into the YAML beside its weights."
            ) from error
    if recognizer.calibration is None:
        recognizer.calibration = at_hand
    return Prepared(recognizer, embeddings, enrolment, at_hand)


def prepare_all(
    recognizers: Sequence[Recognizer], crops: Sequence[FaceCrop], *, fmr: float = 1e-2
) -> list[Prepared]:
    """Prepare several recognizers on the same bare crops."""
    pictures = torch.stack([crop.as_float() for crop in crops])
    landmarks = torch.stack([crop.landmarks for crop in crops])
    names = [crop.person for crop in crops]
    return [prepare(recognizer, pictures, landmarks, names, fmr=fmr) for recognizer in recognizers]
