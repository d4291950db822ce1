"""Designs for one person each: learned from three photos, judged on three others.

    python benchmarks/personal.py OUT faces.root=PATH recognizers=[A,B,C] [jobs=2] [people=5] [every=3]
        [part=held_out] [arm=NAME] [overrides of `advmask train`]

Takes everybody with six photos or more, in the order of names (or each `every=`-th, or the first `people=` of
those). Each design is trained as a user would: with a folder that holds nothing but three photos of the
person, and recognizers whose thresholds (FMR 1e-2, all people at hand) are next to their weights. With
`part=held_out` one recognizer is left out of each training, the first for the first person, the next for the
next, and so on in turn. Designs are judged on the three photos held back, against the person's five other
photos, under `effects=indoor` in draws no training saw; so are plain masks. Trainings that stand in OUT are
not made again; `arm=` keeps those of other overrides apart. Prints how many photos match, per recognizer and
alignment, those of recognizers left out for themselves, and what a person costs.
"""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch
import yaml
from _common import again, own_options, settings_of, words_of
from _transfer_runs import COST, train_one

from advmask.commands.settings import EvaluateCommand
from advmask.evaluation.enrolled import build_galleries
from advmask.evaluation.probe_scores import Stage, every_setup, score
from advmask.evaluation.results import PLAIN_MASKS
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.recognizers.aligners.aligner_names import build_aligners
from advmask.recognizers.preparation import Prepared, prepare_all, rows_of
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.textures.texel_files import load_texels
from advmask.wearing.artwork import shipped_design
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded
from advmask.wearing.worn_photos import wear_masks

PHOTOS = 6
LEFT_OUT = "all left out *"
COMMON = (
    "texture=pyramid",
    "objective=through_alignment",
    "objective.displacement=1",
    "surrogates.aligners=[bare,mtcnn-box]",
    "effects=indoor",
    "trainer.steps=250",
    "trainer.batch=6",
    "trainer.placements=16",
    "trainer.preview_every=0",
    "trainer.progress=false",
)


def main() -> None:
    job, *words = words_of(__doc__ or "", at_least=3)
    if job == "--train":
        train_one(Path(words[0]), words[1:])
        return
    out = Path(job).absolute()
    asked = own_options(words, {"jobs": "1", "people": "", "every": "1", "part": "white", "arm": "runs"})
    root, chosen = (
        next(w for w in words if w.startswith(f"{name}=")) for name in ("faces.root", "recognizers")
    )
    given = [word for word in words if word not in (root, chosen)]
    judged_as = [root, chosen, "design=none", "effects=indoor"]
    settings = settings_of(EvaluateCommand, "evaluate", judged_as)
    faces = load_faces(settings.faces)
    recognizers = build_recognizers(settings.recognizers)
    prepared = prepare_all(recognizers, faces.crops, fmr=settings.protocol.fmr)
    ours = _with_thresholds(out / "recognizers", settings.recognizers, prepared)
    names = [name for name in faces.people if len(faces.of([name])) >= PHOTOS]
    names = names[:: int(asked["every"])][: int(asked["people"] or len(names))]
    in_turn = range(len(names)) if asked["part"] == "held_out" else ()
    left_out = {names[number]: number % len(ours) for number in in_turn}

    def training(name: str) -> None:
        used = [one for number, one in enumerate(ours) if left_out.get(name) != number]
        folder = out / "photos" / name
        folder.mkdir(parents=True, exist_ok=True)
        for crop in faces.of([name])[: PHOTOS // 2]:
            link = folder / crop.source.name
            if not link.exists():
                link.symlink_to(crop.source.resolve())
        run = out / asked["arm"] / name
        if not (run / COST).exists():
            with_these = [f"faces.root={folder}", f"recognizers=[{','.join(used)}]"]
            again(__file__, "--train", str(run), *COMMON, *with_these, *given)

    with ThreadPoolExecutor(int(asked["jobs"])) as pool:
        list(pool.map(training, names))
    report(out / asked["arm"], names, faces, prepared, settings, left_out=left_out)


def _with_thresholds(folder: Path, names: list[str], prepared: list[Prepared]) -> list[str]:
    """Names under which recognizers find their thresholds at hand: in a YAML next to files of the user's."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = []
    for name, item in zip(names, prepared, strict=True):
        kind, _, path = name.partition(":")
        weights = Path(path)
        if not weights.is_file():
            stored.append(name)
            continue
        link = folder / weights.name
        if not link.exists():
            link.symlink_to(weights.resolve())
        about = yaml.safe_load(weights.with_suffix(".yaml").read_text(encoding="utf-8")) or {}
        found = item.recognizer.calibrated
        about["calibration"] = {"fmr": found.fmr, "threshold": found.threshold, "scale": found.scale}
        link.with_suffix(".yaml").write_text(yaml.safe_dump(about), encoding="utf-8")
        stored.append(f"{kind}:{link}")
    return stored


def report(
    runs: Path,
    names: list[str],
    faces: FaceSet,
    prepared: list[Prepared],
    settings: EvaluateCommand,
    *,
    left_out: Mapping[str, int],
) -> None:
    """Score the photos held back, and print how many match."""
    surface, per_mm = build_mask(settings.mask), settings.texels_per_mm
    plain = {name: shipped_design(name, surface, texels_per_mm=per_mm) for name in PLAIN_MASKS}
    galleries = build_galleries(["bare"], faces, prepared, None, fmrs=settings.protocol.fmrs)
    aligners = build_aligners(["mtcnn", "bare"])
    confidences: dict[tuple[str, str, str], list[float]] = {}  # of recognizer, aligner and design
    for name in names:
        held_back = faces.of([name])[PHOTOS // 2 : PHOTOS]
        photos = wear_masks(
            held_back,
            surface,
            wear=settings.effects.wear,
            ways=1,
            texels_per_mm=per_mm,
            render=settings.render,
            seed=settings.protocol.seed,
            stream="evaluate",
        )
        scene = Scene(
            settings.effects,
            settings.printer,
            texels_per_mm=per_mm,
            draws=seeded(settings.protocol.seed, f"evaluate {name}"),
        )
        designs = plain | {"design": load_texels(runs / name / "texture.safetensors")}
        stage = Stage(photos, designs, scene, tuple(rows_of(photos.crops, faces.crops)))
        networks = [item.recognizer for item in prepared]
        for number, one in enumerate(score(stage, every_setup(networks, galleries, aligners))):
            known = galleries[number // len(aligners)][0].thresholds[0]
            unseen = left_out.get(name) == number // len(aligners)
            for design, similarity in one.similarity.items():
                sure = 1 / (1 + np.exp(-known.scale * (similarity - known.threshold)))
                for whose in (f"{one.recognizer}{'*' * unseen}", *([LEFT_OUT] if unseen else [])):
                    confidences.setdefault((whose, one.aligner, design), []).extend(sure)
    print(f"{len(names)} people, {PHOTOS // 2} photos held back of each; photos that match at FMR 1e-2 (mean")
    print("match confidence); *: by a recognizer left out")
    for aligner in (one.name for one in aligners):
        totals = dict.fromkeys(("bare", *plain, "design"), 0.0)
        for whose in dict.fromkeys(recognizer for recognizer, one, _ in confidences if one == aligner):
            row = {}
            for design in totals:
                found = np.array(confidences[whose, aligner, design])
                found = found[np.isfinite(found)]
                matched = int((found >= 0.5).sum())
                row[design] = f"{matched} of {len(found)} ({found.mean():.2f})"
                totals[design] += matched * (not whose.endswith("*"))
            print(f"  {aligner:6} {whose:25} " + "  ".join(f"{k} {v}" for k, v in row.items()))
        trained = {k: v / (len(prepared) - bool(left_out)) for k, v in totals.items()}
        print(
            f"  {aligner:6} {'mean, trained on':25} " + "  ".join(f"{k} {v:.1f}" for k, v in trained.items())
        )
    costs = [json.loads((runs / name / COST).read_text(encoding="utf-8")) for name in names]
    cpu, wall = ([one[key] for one in costs] for key in ("cpu_s", "wall_s"))
    for name, each in (("CPU", cpu), ("wall", wall)):
        print(f"a person: {name} {np.mean(each):.0f} s, at most {max(each):.0f}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
