"""The pairs that `protocol.pairs` lists: found among the photos at hand, said, and scored in every set-up."""

import logging
from collections.abc import Sequence
from pathlib import Path

from advmask.evaluation.pairs import PairScores, score_pairs
from advmask.evaluation.protocol import Judgement, people_of
from advmask.evaluation.settings import ProtocolSettings
from advmask.photos.loading import FaceSet, people_at_hand
from advmask.photos.pairs_list import PhotoPair, read_pairs
from advmask.photos.people_folders import PersonPhotos
from advmask.photos.settings import FacesSettings
from advmask.recognizers.calibration import Calibration

_log = logging.getLogger(__name__)


def pairs_of(path: Path | None, settings: FacesSettings, faces: FaceSet | None) -> list[PhotoPair]:
    """The pairs of a list, found among the photos at hand by their names alone.

    Args:
        path: The list; None names no pairs.
        settings: Say which photos are at hand.
        faces: These, where they were loaded before.

    Raises:
        PhotoError: As `read_pairs`.
    """
    if path is None:
        return []
    if faces is None:
        return read_pairs(path, people_at_hand(settings)[1])
    photos: dict[str, list[Path]] = {}
    for crop in faces.crops:
        photos.setdefault(crop.person, []).append(crop.source)
    for omission in faces.omissions:
        photos.setdefault(omission.source.parent.name, []).append(omission.source)
    return read_pairs(path, [PersonPhotos(name, tuple(theirs)) for name, theirs in photos.items()])


def say_left_out(pairs: Sequence[PhotoPair], faces: FaceSet, protocol: ProtocolSettings) -> None:
    """Log how many pairs cannot be judged, and why."""
    here = {crop.source for crop in faces.crops}
    probed = {crop.source for crop in faces.of(people_of(faces, protocol.people))}
    lacking = sum(not {pair.first, pair.second} <= here for pair in pairs)
    if lacking:
        _log.warning(
            f"{lacking:,} of {len(pairs):,} pairs are left out: one of their photos shows no usable face."
        )
    others = sum(pair.second in here - probed for pair in pairs)
    if others:
        _log.warning(
            f"{others:,} of {len(pairs):,} pairs are left out: the mask is worn on their second photo, of "
            f"somebody who is not of protocol.people={protocol.people}; protocol.people=all takes all pairs, "
            "if the design was trained on other people."
        )


def scored_pairs(
    pairs: Sequence[PhotoPair], faces: FaceSet, judgement: Judgement
) -> list[tuple[PairScores, Calibration]]:
    """For each set-up its scores of the pairs, and the threshold where they give none."""
    probed = judgement.stage.photos.crops
    return [
        (
            score_pairs(pairs, one.scores, setup.recognizer, setup.references, faces.crops, probed),
            one.threshold,
        )
        for setup, (one, *_) in judgement.by_setup()
        if pairs
    ]
