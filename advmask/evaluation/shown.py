"""What a mask shows besides who wears it: whether a face is found, and whether it is seen to be masked."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.maker_setup import MAKER
from advmask.evaluation.metrics import rate_over_people
from advmask.evaluation.probe_scores import BARE, PROBES_AT_ONCE, Stage
from advmask.evaluation.protocol import JudgedScores, Judgement
from advmask.recognizers.mask_detector import MASKED, MaskDetector


@dataclass(frozen=True)
class Shown:
    """What one condition shows.

    Attributes:
        condition: The mask: `bare`, a control, or the design.
        probes: All of them, found or not.
        found: For each aligner that looks for faces, the share of probes on which it finds this one.
        called_masked: Share of probes that the mask detector calls masked; None without one.
    """

    condition: str
    probes: int
    found: dict[str, Estimate]
    called_masked: Estimate | None


def shown(judgement: Judgement, detector: MaskDetector | None, *, seed: int = 0) -> list[Shown]:
    """What every condition shows.

    Args:
        judgement: With the probes.
        detector: Of masks; it is shown every probe as it was scored, at the landmarks of the bare picture.
        seed: Of the bootstrap.

    Raises:
        ConfigError: The detector's answers do not fit.
    """
    stage = judgement.stage
    people = [stage.photos.names[photo] for photo, _ in stage.probes]
    aligners = {
        _called(one): one.scores
        for one in reversed(judgement.judged)
        if one.scores.aligner != BARE and not one.recognizer.asked  # services find faces by themselves
    }
    return [
        Shown(
            name,
            len(stage.probes),
            {
                aligner: rate_over_people(
                    np.isfinite(aligners[aligner].similarity[name]).astype(np.float64), people, seed=seed
                )
                for aligner in reversed(aligners)
            },
            None if detector is None else rate_over_people(_masked(stage, name, detector), people, seed=seed),
        )
        for name in stage.conditions
    ]


def _called(one: JudgedScores) -> str:
    """An aligner; makers' own are told apart by whose they are."""
    if one.scores.aligner == MAKER:
        return f"{MAKER} of {one.scores.recognizer}"
    return one.scores.aligner


def _masked(stage: Stage, name: str, detector: MaskDetector) -> NDArray[np.float64]:
    """One for every probe that is called masked."""
    called = []
    for start in range(0, len(stage.probes), PROBES_AT_ONCE):
        chosen = [photo for photo, _ in stage.probes[start : start + PROBES_AT_ONCE]]
        with torch.no_grad():
            pictures = stage.pictures(name, start)
        called.append(detector(pictures, stage.photos.landmarks(chosen)) >= MASKED)
    return np.asarray(torch.cat(called).double().numpy())
