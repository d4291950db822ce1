"""Recognizers made ready for a set of bare photos: embedded, enrolled and calibrated."""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.errors import CalibrationError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.calibration import Calibration
from advmask.recognizers.enrolment import Enrolment, bare_comparisons, enrol
from advmask.recognizers.identity_check import check_separation
from advmask.recognizers.own_module import MODULE
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.strangers import doubtful_photos

_log = logging.getLogger(__name__)

_AT_ONCE = 64  # crops

Embed = Callable[[Sequence[Recognizer], Sequence[FaceCrop]], list[Tensor]]
"""Gives embeddings (n, D) of bare crops by each recognizer."""


@dataclass(frozen=True)
class Prepared:
    """A recognizer with its gallery of bare photos.

    Attributes:
        recognizer: Calibrated: with its stored calibration, else with the one at hand; without one only where
            none was needed.
        embeddings: (n, D) of the bare photos.
        enrolment: Gallery and own templates.
        at_hand: Calibration from these very bare photos, where there are enough of them.
    """

    recognizer: Recognizer
    embeddings: Float[Tensor, "n dim"]
    enrolment: Enrolment
    at_hand: Calibration | None

    def __repr__(self) -> str:
        """One line."""
        people = len(self.enrolment.people)
        return f"Prepared({self.recognizer!r}, {len(self.embeddings)} photos of {people} people)"


def own_templates(
    prepared: Sequence[Prepared], faces: Sequence[FaceCrop], probes: Sequence[FaceCrop]
) -> list[Float[Tensor, "m dim"]]:
    """For each recognizer, the template that each probe is matched against.

    Args:
        prepared: On `faces`.
        faces: The bare photos, in the order of preparation.
        probes: Some of them.
    """
    rows = rows_of(probes, faces)
    return [item.enrolment.own[rows] for item in prepared]


def rows_of(some: Sequence[FaceCrop], everybody: Sequence[FaceCrop]) -> list[int]:
    """Where each of some photos stands among all photos."""
    row = {(crop.person, crop.source): i for i, crop in enumerate(everybody)}
    return [row[crop.person, crop.source] for crop in some]


def prepare(
    recognizer: Recognizer,
    embeddings: Float[Tensor, "n dim"],
    names: Sequence[str],
    *,
    fmr: float = 1e-2,
    needs_threshold: bool = True,
) -> Prepared:
    """Enrol bare photos, and calibrate the recognizer if no calibration is stored for it.

    The recognizer itself stays as it is, so that each set of photos gives its own threshold. Calibrating on
    the people at hand is sound because a design cannot touch bare photos.

    Args:
        recognizer: With or without a calibration.
        embeddings: Of the bare photos.
        names: The person on each.
        fmr: False match rate of the threshold at hand.
        needs_threshold: False leaves a recognizer without one where there is none to be had.

    Raises:
        CalibrationError: A threshold is needed, none is stored and the photos cannot support one.
    """
    enrolment = enrol(recognizer, embeddings, names)
    compared = bare_comparisons(recognizer, embeddings, enrolment, fmr=fmr)
    try:
        source = f"{len(names)} bare photos of {len(enrolment.people)} people at hand"
        at_hand = compared.calibrated(fmr=fmr, source=source)
    except CalibrationError as error:
        at_hand = None
        if recognizer.calibration is None and needs_threshold:
            or_else = (
                " Or write 'calibration: {fmr: ..., threshold: ..., scale: ...}' into the YAML next to its "
                "weights."
            )
            if recognizer.name.startswith(f"{MODULE}:"):
                or_else = (
                    " Or give Recognizer.from_module calibration=dict(fmr=..., threshold=..., scale=...)."
                )
            or_else = "" if recognizer.eyes_only else or_else
            raise CalibrationError(
                f"{recognizer.name} has no stored threshold and cannot be calibrated here: {error}{or_else}"
            ) from error
    if recognizer.calibration is None and at_hand is not None:
        recognizer = recognizer.with_calibration(at_hand)
    return Prepared(recognizer, embeddings, enrolment, at_hand)


def prepare_all(
    recognizers: Sequence[Recognizer],
    crops: Sequence[FaceCrop],
    *,
    fmr: float = 1e-2,
    needs_threshold: bool = True,
    embed: Embed | None = None,
) -> list[Prepared]:
    """Prepare several recognizers on the same bare crops.

    For each network of the user's that does not tell people apart as it is fed, a warning is logged, with the
    way of feeding that would; and one for each person whose photos seem to show somebody else.

    Args:
        recognizers: For those without calibration the result holds a calibrated copy.
        crops: Bare photos.
        fmr: False match rate of the thresholds at hand.
        needs_threshold: False leaves recognizers without one where there is none to be had.
        embed: In place of `embed_crops`.
    """
    for recognizer in recognizers:
        if recognizer.family == "user" and not recognizer.eyes_only:
            warning = check_separation(recognizer, crops).warning
            if warning is not None:
                _log.warning(warning)
    names = [crop.person for crop in crops]
    embeddings = (embed or embed_crops)(recognizers, crops)
    prepared = [
        prepare(recognizer, of_it, names, fmr=fmr, needs_threshold=needs_threshold)
        for recognizer, of_it in zip(recognizers, embeddings, strict=True)
    ]
    for sentence in doubtful_photos([one.recognizer for one in prepared], embeddings, crops):
        _log.warning(sentence)
    return prepared


def embed_crops(
    recognizers: Sequence[Recognizer], crops: Sequence[FaceCrop], *, aligner: Aligner | None = None
) -> list[Float[Tensor, "n dim"]]:
    """Embeddings of bare crops by each recognizer; only a few crops are in memory at a time.

    Args:
        recognizers: Frozen.
        crops: Bare photos.
        aligner: Finds their landmarks once more; where it finds no face, and without one, those of the crops
            are taken.
    """
    pieces: list[list[Tensor]] = [[] for _ in recognizers]
    missed = 0
    at_once = _AT_ONCE if all(one.template.device.type == "cpu" for one in recognizers) else 4 * _AT_ONCE
    for pictures, landmarks, found in aligned_crops(crops, aligner, at_once=at_once):
        missed += int((~found).sum())
        for recognizer, own in zip(recognizers, pieces, strict=True):
            own.append(embed_all(recognizer, pictures, landmarks))
    if aligner is not None and missed:
        _log.warning(
            f"{aligner.name} finds no face on {missed} of {len(crops)} bare photos; they are enrolled by the "
            "landmarks at hand."
        )
    return [torch.cat(own) for own in pieces]


def aligned_crops(
    crops: Sequence[FaceCrop],
    aligner: Aligner | None,
    *,
    at_once: int = _AT_ONCE,
    device: torch.device | str = "cpu",
) -> Iterator[
    tuple[Float[Tensor, "batch 3 rows columns"], Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]
]:
    """Crops a few at a time, as an aligner sees them.

    Args:
        crops: Their landmarks hint at which face is meant, and stand in where none is found.
        aligner: None takes those landmarks.
        at_once: Crops in memory.
        device: Where the aligner works.

    Yields:
        Pictures, landmarks, and on which the face was found.
    """
    for start in range(0, len(crops), at_once):
        part = crops[start : start + at_once]
        pictures = torch.stack([crop.as_float() for crop in part]).to(device)
        landmarks = torch.stack([crop.landmarks for crop in part]).to(device)
        found = torch.ones(len(part), dtype=torch.bool, device=device)
        if aligner is not None:
            with torch.no_grad():
                points, found = aligner.landmarks(pictures, landmarks)
            landmarks = torch.where(found[:, None, None], points, landmarks)
        yield pictures, landmarks, found
