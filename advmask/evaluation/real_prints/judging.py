"""From a folder of pictures to rates: everything between the settings and the files."""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from advmask.core.errors import CalibrationError, PhotoError
from advmask.core.files import sha256
from advmask.evaluation.real_prints.condition_folders import CaptureSet, read_folders
from advmask.evaluation.real_prints.embedded_pictures import Seen, look_at_all, only_enrolled
from advmask.evaluation.real_prints.face_search import Looker
from advmask.evaluation.real_prints.persistence import VideoScore, video_scores
from advmask.evaluation.real_prints.rates import Rates, rates_of
from advmask.evaluation.real_prints.template_scores import PictureScores, score_pictures
from advmask.evaluation.settings import JudgeProtocol
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.aligners.picture_detector import OnWholePictures, picture_detector
from advmask.recognizers.calibration import comparisons_needed
from advmask.recognizers.recognizer import Recognizer

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class RecognizerVerdict:
    """One recognizer's scores and rates.

    Attributes:
        scored: Its opinion of every picture.
        videos: Of every video.
        rates: Of everybody.
        by_person: Of each person.
    """

    scored: PictureScores
    videos: tuple[VideoScore, ...]
    rates: Rates
    by_person: Mapping[str, Rates]


@dataclass(frozen=True, eq=False)
class PhysicalVerdict:
    """Everything that was found.

    Attributes:
        seen: All pictures of the people who could be judged.
        people: Their names.
        others: Number of other people who helped to calibrate.
        verdicts: One for each recognizer.
        notices: Sentences for the user.
        aligner: What found and aligned the faces.
    """

    seen: Seen
    people: tuple[str, ...]
    others: int
    verdicts: tuple[RecognizerVerdict, ...]
    notices: tuple[str, ...]
    aligner: str = "mtcnn"


def judge_folder(
    photos: Path,
    recognizers: Sequence[Recognizer],
    *,
    faces: FacesSettings,
    protocol: JudgeProtocol,
    enrolment: Path | None = None,
) -> PhysicalVerdict:
    """Judge pictures of people who wear a real mask.

    Args:
        photos: A folder per person with `bare`, `plain` and `design` in it, or these three.
        recognizers: Frozen; those without calibration are calibrated here.
        faces: How faces are found and cut; its `root`, if given, holds other people for the threshold.
        protocol: How to judge.
        enrolment: Folder of other bare photos by person; None enrols with `bare`.

    Raises:
        PhotoError: The folders are laid out otherwise, or nobody can be judged.
        CalibrationError: A recognizer has no stored threshold, and the people are too few for one.
        MissingPackageError: There are videos, and PyAV is not installed.
    """
    notices: list[str] = []

    def note(sentences: Sequence[str]) -> None:
        for sentence in sentences:
            notices.append(sentence)
            _log.info(sentence)

    detector = picture_detector(
        protocol.aligner,
        min_face_px=faces.min_face_px,
        min_probability=faces.min_probability,
        largest_only=True,
    )
    captures = read_folders(photos, enrolment)
    note(captures.notices)
    others: tuple[FaceCrop, ...] = ()
    if faces.root is not None:
        others, said = _others(faces, captures, progress=protocol.progress)
        note(said)
    _check_thresholds(recognizers, captures, others, fmr=protocol.fmr)
    looker = Looker(detector, size=faces.size, every_s=protocol.every_s)
    everything = look_at_all(captures.captures, looker, recognizers, progress=protocol.progress)
    seen = only_enrolled(everything, captures.enrolled_by)
    note(seen.notices)
    people = tuple(
        sorted({one.capture.person for one in seen.pictures if one.capture.condition in ("plain", "design")})
    )
    if not people:
        raise PhotoError(
            "No picture of a mask could be read of anybody who is enrolled; the reasons stand above."
        )
    scores = score_pictures(
        seen,
        recognizers,
        enrolled_by=captures.enrolled_by,
        others=others,
        aligner=detector.aligner if isinstance(detector, OnWholePictures) else None,
        fmr=protocol.fmr,
    )
    verdicts = []
    for scored in scores:
        videos = tuple(
            one for one in video_scores(seen, scored, every_s=protocol.every_s) if one.person in people
        )
        verdicts.append(
            RecognizerVerdict(
                scored,
                videos,
                rates_of(seen, scored, videos, people, seed=protocol.seed),
                {name: rates_of(seen, scored, videos, [name], seed=protocol.seed) for name in people},
            )
        )
    note(_doubts(verdicts, people))
    return PhysicalVerdict(
        seen,
        people,
        len({crop.person for crop in others}),
        tuple(verdicts),
        tuple(notices),
        protocol.aligner,
    )


def _check_thresholds(
    recognizers: Sequence[Recognizer], captures: CaptureSet, others: Sequence[FaceCrop], *, fmr: float
) -> None:
    """Refuse at once what would be refused when all pictures have been looked at."""
    files = sum(capture.condition == captures.enrolled_by for capture in captures.captures) + len(others)
    people = len(captures.people) + len({crop.person for crop in others})
    needed = comparisons_needed(fmr)
    if files * (people - 1) >= needed:
        return
    for recognizer in recognizers:
        if recognizer.calibration is None:
            raise CalibrationError(
                f"{recognizer.name} has no stored threshold, and these {files} bare files of {people} people "
                f"allow {files * (people - 1)} comparisons of strangers, where FMR {fmr:g} needs {needed}; "
                "name a folder of other people's photos with faces.root=FOLDER, or write 'calibration: {fmr: "
                "..., threshold: ..., scale: ...}' into the YAML next to its weights."
            )


def _others(
    faces: FacesSettings, captures: CaptureSet, *, progress: bool
) -> tuple[tuple[FaceCrop, ...], list[str]]:
    """Bare photos of people who are not among those judged, by name and by file."""
    found = load_faces(faces, progress=progress)
    judged = {capture.person for capture in captures.captures}
    files = {sha256(one.path) for one in captures.captures if one.condition in ("bare", "enrolment")}
    same = judged & set(found.people)
    same |= {crop.person for crop in found.crops if crop.sha256 in files}
    said = [*map(str, found.omissions), *(one for one in found.notices if one.startswith("Passed over"))]
    said += [f"{name} of faces.root is judged, and so no stranger; left out there." for name in sorted(same)]
    return tuple(crop for crop in found.crops if crop.person not in same), said


def _doubts(verdicts: Sequence[RecognizerVerdict], people: Sequence[str]) -> list[str]:
    """What most recognizers find odd: people not known even bare, and strangers who may be no strangers."""
    doubts = []
    for name in people:
        bare = [verdict.by_person[name].conditions["bare"] for verdict in verdicts]
        low = [one for one in bare if one is not None and one.matched.value < 0.5]
        if 2 * len(low) > len(verdicts):
            doubts.append(
                f"{name} is matched in less than half of the bare pictures: is somebody else among them? "
                "What is said of the masks means little then."
            )
    alike = Counter(pair for verdict in verdicts for pair in verdict.scored.lookalikes)
    doubts += [
        f"{one} and {other} of faces.root look like one person; if they are, remove {other} there, or the "
        "threshold is too high and flatters every mask."
        for (one, other), number in sorted(alike.items())
        if 2 * number > len(verdicts)
    ]
    return doubts
