"""Pictures of the report: examples of every kind, and the pictures on which a design does worst and best."""

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from advmask.evaluation.protocol import JudgedScores, Judgement
from advmask.evaluation.report.html import paragraph, picture, section
from advmask.evaluation.report.names import ALIGNERS, CONDITIONS, gallery_name

_EXAMPLES = 3
_CASES = 4


def examples(judgement: Judgement, plain: str | None, names: Mapping[str, str]) -> str:
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
    chosen = list(people.values())
    chosen = chosen[:: max(1, len(chosen) // _EXAMPLES)][:_EXAMPLES]
    shown = [name for name in ("bare", plain, "design") if name in stage.conditions and name is not None]
    figures = []
    for probe in chosen:
        person = names[stage.photos.names[stage.probes[probe][0]]]
        for name in shown:
            words = CONDITIONS.get(name, name)
            figures.append(
                picture(
                    stage.picture(name, probe), alt=f"Face of {person}, {words}", caption=f"{person}: {words}"
                )
            )
    note = paragraph(
        "As the recognizers saw them: small, and every mask in the light of the photo, so that a white one "
        "may look beige or grey."
    )
    rows = [figures[i : i + len(shown)] for i in range(0, len(figures), len(shown))]
    return note + "".join(f'<div class="faces">{"".join(row)}</div>' for row in rows)


def worst_and_best(judgement: Judgement, names: Mapping[str, str]) -> str:
    """Pictures on which the design is matched most and least, by mean match confidence; one for a person."""
    aligner = judgement.judged[0].scores.aligner
    judged = [one for one in judgement.judged if one.scores.aligner == aligner]
    if "design" not in judged[0].scores.similarity:
        return ""
    kept = np.all([one.scores.detected() for one in judged], axis=0)
    if not kept.any():
        return paragraph("No picture was compared under all recognizers.")
    confidence = np.array([_confidence(one) for one in judged])
    mean = confidence.mean(axis=0)
    order = [int(i) for i in np.argsort(-mean, kind="stable") if kept[i]]
    worst = _one_each(order, judged[0].scores.people)
    best = _one_each(order[::-1], judged[0].scores.people)
    ways = ALIGNERS.get(aligner, aligner)
    parts = [
        paragraph(
            "Match confidence: 0.5 or more is a match, 1 is certain. Every recognizer here "
            f"{ways}. Pictures are ordered by the mean of the {len(judged)} figures below them, and of each "
            f"person only one is shown, up to {_CASES} people: those missing here stand in the tables of "
            "people."
        )
    ]
    for heading, probes in (("Matched most with the design", worst), ("Matched least", best)):
        figures = []
        for probe in probes:
            person = names[judged[0].scores.people[probe]]
            said = ", ".join(
                f"{one.scores.recognizer} ({gallery_name(one.scores.gallery)}) {confidence[i, probe]:.2f}"
                for i, one in enumerate(judged)
            )
            caption = f"{person}: mean {mean[probe]:.2f}; {said}"
            figures.append(
                picture(
                    judgement.stage.picture("design", probe),
                    alt=f"Face of {person} with the design; {said}",
                    caption=caption,
                )
            )
        parts.append(section(4, heading, f'<div class="faces">{"".join(figures)}</div>'))
    return "".join(parts)


def _confidence(one: JudgedScores) -> np.ndarray:
    similarity = torch.from_numpy(one.scores.similarity["design"])
    return np.asarray(one.threshold.confidence(similarity).numpy())


def _one_each(order: Sequence[int], people: Sequence[str]) -> list[int]:
    seen: dict[str, int] = {}
    for probe in order:
        seen.setdefault(people[probe], probe)
    return list(seen.values())[:_CASES]
