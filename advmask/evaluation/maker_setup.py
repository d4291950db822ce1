"""A recognizer run end to end as its maker runs it: its own detector and landmarks, enrolment included."""

from collections.abc import Sequence

from advmask.evaluation.enrolled import build_galleries
from advmask.evaluation.probe_scores import Setup
from advmask.photos.loading import FaceSet
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.preparation import Prepared, embed_crops, prepare
from advmask.recognizers.recognizer import Recognizer

MAKER = "maker"
"""What its aligner is called in results, whichever it is."""


def maker_setup(item: Prepared, faces: FaceSet, *, fmrs: Sequence[float]) -> Setup | None:
    """The set-up of a recognizer whose specification names its maker's aligner; None where it names none.

    A bare photo on which that aligner finds no face is enrolled by the landmarks at hand.

    Args:
        item: The recognizer, made ready on these photos by the landmarks at hand.
        faces: Everybody at hand.
        fmrs: False match rates of the thresholds.

    Raises:
        ConfigError: There is no such aligner.
        WeightsError: Its file is missing or damaged.
    """
    name = item.recognizer.specification.aligner
    if name is None:
        return None
    recognizer = item.recognizer.as_its_maker_crops()
    return setup_behind(build_aligner(name), recognizer, faces, fmrs=fmrs, called=MAKER)


def setup_behind(
    aligner: Aligner, recognizer: Recognizer, faces: FaceSet, *, fmrs: Sequence[float], called: str
) -> Setup:
    """A recognizer behind an aligner by which people are enrolled as well.

    Args:
        aligner: Where it finds no face on a bare photo, the landmarks at hand are taken.
        recognizer: As it is fed behind it.
        faces: Everybody at hand.
        fmrs: False match rates of the thresholds.
        called: What the aligner is called in results.
    """
    (embeddings,) = embed_crops([recognizer], faces.crops, aligner=aligner)
    people = [crop.person for crop in faces.crops]
    enrolled = prepare(recognizer, embeddings, people, fmr=fmrs[0], needs_threshold=False)
    (galleries,) = build_galleries(["bare"], faces, [enrolled], None, fmrs=fmrs)
    return Setup(recognizer, aligner, tuple(galleries), called, embeddings)
