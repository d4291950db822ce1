"""Where on the mask a design acts: how much each texel lowers a recognizer's match confidence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.evaluation.probe_scores import PROBES_AT_ONCE, Setup, Stage
from advmask.evaluation.sweeps.recipe_tests import DESIGN


@dataclass(frozen=True, eq=False)
class Saliency:
    """What the texels of a design do to one recognizer.

    Attributes:
        recognizer: Its label.
        lowers: (H, W) by how much each texel lowers the mean match confidence below that under the plain
            mask; below zero where it raises it. The sum is what the design lowers it by.
        plain: Mean match confidence under the plain mask.
        design: Under the design.
    """

    recognizer: str
    lowers: Float[Tensor, "height width"]
    plain: float
    design: float


def saliency(
    stage: Stage, setups: Sequence[Setup], plain: str, *, probes: int = 32, steps: int = 8
) -> list[Saliency]:
    """Integrate gradients from a plain mask to the design, for every recognizer that has a gradient.

    On the straight way from one texture to the other, the gradient of the match confidence times the change
    of each texel adds up to the whole difference: what stands on a texel is its share. Faces are aligned as
    on the bare picture, so that it is the network that is asked.

    Args:
        stage: With both designs.
        setups: Recognizers with their first galleries; each recognizer counts once.
        plain: Name of the plain mask.
        probes: Looked at, in steps of 16 spread evenly over all.
        steps: On the way.

    Source:
        Sundararajan, Taly and Yan, "Axiomatic attribution for deep networks", 2017.
    """
    judges = {one.recognizer.label: one for one in reversed(setups) if one.recognizer.differentiable}
    first, last = stage.designs[plain], stage.designs[DESIGN]
    sums = {label: torch.zeros(first.shape[-2:], dtype=torch.float64) for label in judges}
    starts = _spread(len(stage.probes), probes)
    ends: dict[tuple[str, str], float] = dict.fromkeys(
        [(label, name) for label in judges for name in (plain, DESIGN)], 0.0
    )
    count = sum(len(stage.probes[start : start + PROBES_AT_ONCE]) for start in starts)
    for start in starts:
        with torch.no_grad():
            for name in (plain, DESIGN):
                for label, found in _confidence(stage, judges, name, start).items():
                    ends[label, name] += float(found)
        for step in range(steps):
            share = (step + 0.5) / steps
            texels = (first + share * (last - first)).detach().requires_grad_()
            between = replace(stage, designs={DESIGN: texels})
            for label, confidence in _confidence(between, judges, DESIGN, start).items():
                (gradient,) = torch.autograd.grad(confidence, texels, retain_graph=True)
                sums[label] -= (gradient * (last - first)).sum(dim=0).double() / steps
    return [
        Saliency(
            label, (sums[label] / count).float(), ends[label, plain] / count, ends[label, DESIGN] / count
        )
        for label in reversed(judges)
    ]


def _spread(probes: int, wanted: int) -> list[int]:
    """Starts of as many groups of probes as are wanted, spread evenly over all."""
    every = range(0, probes, PROBES_AT_ONCE)
    count = min(len(every), max(1, -(-wanted // PROBES_AT_ONCE)))
    return [every[place * len(every) // count] for place in range(count)]


def _confidence(stage: Stage, judges: Mapping[str, Setup], name: str, start: int) -> dict[str, Tensor]:
    """Summed match confidence of the probes from `start` on."""
    chosen = [photo for photo, _ in stage.probes[start : start + PROBES_AT_ONCE]]
    device = next(iter(judges.values())).recognizer.template.device if judges else "cpu"
    if not judges:
        return {}
    pictures = stage.pictures(name, start, device=device)
    landmarks = stage.photos.landmarks(chosen).to(device)
    found = {}
    for label, judge in judges.items():
        gallery = judge.galleries[0]
        embeddings = judge.recognizer(pictures, landmarks)
        similarity = gallery.gallery.similarity(
            judge.recognizer, embeddings, [stage.rows[photo] for photo in chosen]
        )
        found[label] = gallery.thresholds[0].confidence(similarity).sum()
    return found
