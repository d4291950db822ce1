"""Pictures of the report: examples of every kind, and the pictures on which a design does worst and best."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from advmask.evaluation.protocol import JudgedScores, Judgement
from advmask.evaluation.report.names import ALIGNERS, CONDITIONS, gallery_name
from advmask.evaluation.report.pieces import Picture, picture

_EXAMPLES = 3
_CASES = 4


def examples(judgement: Judgement, plain: str | None, names: Mapping[str, str]) -> list[list[Picture]]:
    """A few people without a mask, with a plain one and with the design, as recognizers saw them.

    Args:
        judgement: What was scored.
        plain: Which plain mask; None leaves it out.
        names: What people are called.
    """
    stage = judgement.stage
    people: dict[str, int] = {}
    for probe, (photo, _) in enumerate(stage.probes):
        people.setdefault(stage.photos.names[photo], probe)
    chosen = list(people.items())
    chosen = chosen[:: max(1, len(chosen) // _EXAMPLES)][:_EXAMPLES]
    shown = [name for name in ("bare", plain, "design") if name in stage.conditions and name is not None]
    return [
        [
            picture(
                stage.picture(name, probe),
                alt=f"Face of {names[person]}, {CONDITIONS.get(name, name)}",
                caption=f"{names[person]}: {CONDITIONS.get(name, name)}",
            )
            for name in shown
        ]
        for person, probe in chosen
    ]


def worst_and_best(judgement: Judgement, names: Mapping[str, str]) -> dict[str, Any] | None:
    """Pictures on which the design is matched most and least, by mean match confidence; one for a person.

    Returns:
        Pictures in groups, and how they were ordered; None where none was compared under all recognizers.
    """
    aligner = judgement.judged[0].scores.aligner
    judged = [one for one in judgement.judged if one.scores.aligner == aligner]
    kept = np.all([one.scores.detected() for one in judged], axis=0)
    if not kept.any():
        return None
    confidence = np.array([_confidence(one) for one in judged])
    mean = confidence.mean(axis=0)
    order = [int(i) for i in np.argsort(-mean, kind="stable") if kept[i]]
    people = judged[0].scores.people

    def shown(probe: int) -> Picture:
        person = names[people[probe]]
        said = ", ".join(
            f"{one.scores.recognizer} ({gallery_name(one.scores.gallery)}) {confidence[i, probe]:.2f}"
            for i, one in enumerate(judged)
        )
        return picture(
            judgement.stage.picture("design", probe),
            alt=f"Face of {person} with the design; {said}",
            caption=f"{person}: mean {mean[probe]:.2f}; {said}",
        )

    groups = [
        (heading, [shown(probe) for probe in _one_each(probes, people)])
        for heading, probes in (("Matched most with the design", order), ("Matched least", order[::-1]))
    ]
    where = ALIGNERS.get(aligner, aligner)
    return {"aligner": where, "recognizers": len(judged), "at_most": _CASES, "groups": groups}


def _confidence(one: JudgedScores) -> np.ndarray:
    similarity = torch.from_numpy(one.scores.similarity["design"])
    return np.asarray(one.threshold.confidence(similarity).numpy())


def _one_each(order: Sequence[int], people: Sequence[str]) -> list[int]:
    seen: dict[str, int] = {}
    for probe in order:
        seen.setdefault(people[probe], probe)
    return list(seen.values())[:_CASES]
