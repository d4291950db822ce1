"""Parts of an evaluation's record: rates that are not supported, breakdowns, whether people were held out."""

from typing import Any

from advmask.evaluation.protocol import Judgement
from advmask.evaluation.settings import ScoringSettings
from advmask.evaluation.traits import break_down, photo_traits
from advmask.photos.loading import FaceSet
from advmask.photos.settings import FacesSettings


def unsupported(judgement: Judgement) -> list[dict[str, Any]]:
    """False match rates that the people at hand do not support, and why, each once."""
    lines = {
        (one.recognizer, one.gallery, one.fmr): one.reason
        for each in judgement.judged
        for one in each.gallery.unsupported
    }
    return [
        {"recognizer": recognizer, "gallery": gallery, "fmr": fmr, "reason": reason}
        for (recognizer, gallery, fmr), reason in lines.items()
    ]


def breakdown(judgement: Judgement, *, seed: int) -> list[Any]:
    """TAR in thirds of the probes, in every set-up."""
    stage = judgement.stage
    traits = photo_traits(stage.photos.crops, [photo for photo, _ in stage.probes])
    return [
        found
        for each in judgement.judged
        for found in break_down(
            each.scores, traits, stage.conditions, threshold=each.threshold.threshold, seed=seed
        )
    ]


def held_out(settings: ScoringSettings, trained: FacesSettings, faces: FaceSet) -> bool | None:
    """Whether the people probed are held out from training; None where the settings do not say."""
    roots = [None if root is None else root.absolute() for root in (trained.root, settings.faces.root)]
    if trained.split != settings.faces.split or roots[0] != roots[1]:
        return None
    return faces.split.held_out and settings.protocol.people in {"validate", "test"}
