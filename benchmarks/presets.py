"""What effects in training are worth: two designs, judged side by side under every preset.

    python benchmarks/presets.py RUN_WITHOUT RUN_WITH [presets=indoor,cctv] [faces.root=PATH ...]

Both runs must be of the same mask. Takes the overrides of `advmask evaluate` but for the effects and the
printer, which it goes through; faces, split and recognizers come from the second run unless given. Probes are
the same photos, placements, prints, light and camera for both designs. For each preset and recognizer it
prints match confidence and TAR at the FMR of each design, fresh MTCNN alignment and bare, and how much lower
the second design's confidence is, with a 95 % interval over people; then the same over all recognizers.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from _common import settings_of, words_of

from advmask.commands.design_names import open_design
from advmask.commands.settings import EvaluateCommand
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.estimates import Estimate
from advmask.evaluation.metrics import FloatArray, accepted, difference_over_people
from advmask.evaluation.protocol import JudgedScores, judge_designs
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers

PRESETS = (
    "none",
    "screen",
    "indoor",
    "cctv",
    "outdoor",
    "print-inkjet",
    "print-sublimation",
    "print-garment",
    "print-transfer",
)
NAMES = ("without", "with")


def main() -> None:
    torch.set_num_threads(1)
    words = words_of(__doc__ or "", at_least=2)
    runs = [Path(word) for word in words[:2]]
    mask = MaskSettings()
    opened = [open_design(str(run), mask=mask, texels_per_mm=3.0) for run in runs]
    of_run = opened[1].run
    assert of_run is not None, "the second design must be a run"
    common = [
        f"design={runs[1]}",
        f"faces.root={of_run.faces.root}",
        f"faces.split=[{','.join(map(str, of_run.faces.split))}]",
        f"recognizers=[{','.join(of_run.recognizers)}]",
        "protocol.progress=false",
        *(word for word in words[2:] if not word.startswith("presets=")),
    ]
    asked = [word.removeprefix("presets=").split(",") for word in words[2:] if word.startswith("presets=")]
    presets = asked[0] if asked else PRESETS
    chosen = {
        name: settings_of(EvaluateCommand, "evaluate", [*common, f"effects={name}"]) for name in presets
    }
    first = chosen[presets[0]]
    faces = load_faces(first.faces)
    prepared = prepare_all(build_recognizers(first.recognizers), faces.crops, fmr=first.protocol.fmr)
    designs = {name: one.texels for name, one in zip(NAMES, opened, strict=True)}
    print(f"{'preset':18} {'recognizer':20} {'aligned':8} {'confidence':>15} {'TAR %':>13}  with lower by")
    for preset, settings in chosen.items():
        judged = judge_designs(
            designs,
            faces,
            prepared,
            conditions=replace(
                conditions_of(settings), texels_per_mm=opened[1].texels_per_mm, mask=of_run.mask
            ),
            protocol=settings.protocol,
        ).judged
        for aligner in settings.protocol.aligners:
            report(preset, aligner, [one for one in judged if one.scores.aligner == aligner])


def report(preset: str, aligner: str, judged: list[JudgedScores]) -> None:
    people: list[str] = []
    pooled: dict[str, list[FloatArray]] = {name: [] for name in NAMES}
    for one in judged:
        kept = one.scores.detected()
        names = [name for name, keep in zip(one.scores.people, kept, strict=True) if keep]
        similarity = {name: one.scores.similarity[name][kept] for name in NAMES}
        confidence = {
            name: one.threshold.confidence(torch.from_numpy(values)).numpy()
            for name, values in similarity.items()
        }
        tar = [100 * float(accepted(similarity[name], one.threshold.threshold).mean()) for name in NAMES]
        row(
            preset,
            one.recognizer.label,
            aligner,
            [float(confidence[name].mean()) for name in NAMES],
            tar,
            difference_over_people(confidence["without"], confidence["with"], names),
        )
        people += names
        for name in NAMES:
            pooled[name].append(confidence[name])
    both = [np.concatenate(pooled[name]) for name in NAMES]
    means = [float(each.mean()) for each in both]
    row(preset, "all", aligner, means, None, difference_over_people(*both, people))


def row(
    preset: str, label: str, aligner: str, confidence: list[float], tar: list[float] | None, by: Estimate
) -> None:
    rates = "" if tar is None else f"{tar[0]:5.1f} {tar[1]:5.1f}"
    print(
        f"{preset:18} {label:20} {aligner:8} {confidence[0]:7.3f} {confidence[1]:7.3f} {rates:>13}  "
        f"{by.value:+.3f} [{by.low:+.3f}, {by.high:+.3f}]",
        flush=True,
    )


if __name__ == "__main__":
    main()
