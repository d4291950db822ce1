"""Whole pipelines side by side: recognizers behind aligners, people enrolled and probes found by the same.

    python benchmarks/pipelines.py OUT faces.root=PATH recognizers=[A,B] [aligners=mtcnn,box,maker]
        [part=bare,masks] [trained_on=[A]] [steps=200] [further overrides of `advmask train`]

`part=bare` prints for each recognizer and aligner: bare photos of everybody in which a face is found, and EER
by pairs of photos and by templates (each photo against the mean of its person's others). `part=masks` trains
a design (on `trained_on`, else all; a run that stands in OUT is not made again) on the first 44 people, and
prints for the last 20 TAR at FMR 1 % bare, under the strongest plain mask and under the design, with 95 %
intervals over people, and the match confidence under both. A photo on which an aligner finds nothing is left
out, and counted. Besides the names of aligners, `box:1.2` is MTCNN's box, so many times as large, and no
landmarks; `maker` is what a network's YAML names as `aligner` and `crop`.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import torch
from _common import own_options, settings_of, words_of
from _transfer_runs import COST, train_one
from recognizers import head, rates, row, single_pairs
from torch import Tensor

from advmask.commands.design_names import open_design
from advmask.commands.settings import EvaluateCommand
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.maker_setup import MAKER, setup_behind
from advmask.evaluation.probe_scores import Setup
from advmask.evaluation.protocol import judge_designs
from advmask.evaluation.summary import PLAIN_MASKS
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.enrolment import bare_comparisons, enrol
from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.templates import points_of_a_box
from advmask.wearing.artwork import shipped_design

COMMON = ("faces.split=[44,8,20]", "trainer.batch=12", "trainer.preview_every=0", "trainer.progress=false")
DEFAULTS = {
    "aligners": "mtcnn,mesh468,dlib5,three-point,box",
    "part": "bare,masks",
    "trained_on": "",
    "steps": "200",
}


def pipelines(
    names: list[str], recognizers: list[Recognizer], faces: FaceSet
) -> Iterator[tuple[Recognizer, Aligner, str]]:
    """Every recognizer as it is fed behind every aligner."""
    built: dict[str, Aligner] = {}

    def build(name: str) -> Aligner:
        return built.setdefault(name, built.get(name) or Remembering(build_aligner(name)))

    for name in names:
        kind, _, crop = name.partition(":")
        for one in recognizers:
            spec = one.specification
            if name == MAKER and spec.aligner is not None:
                yield one.as_its_maker_crops(), build(spec.aligner), name
            elif kind == "box" and crop:
                template = points_of_a_box(float(crop), size=spec.size)
                yield one.with_template(template), build(kind), name
            elif name != MAKER:
                yield one, build(name), name


class Remembering:
    """An aligner that looks at the same pictures once, for all recognizers."""

    differentiable = False

    def __init__(self, inner: Aligner) -> None:
        self.name, self._inner = inner.name, inner
        self._seen: dict[bytes, tuple[Tensor, Tensor]] = {}

    def landmarks(self, pictures: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
        """As the aligner itself."""
        key = hashlib.sha256(pictures.numpy().tobytes()).digest()
        if key not in self._seen:
            with torch.no_grad():
                self._seen[key] = self._inner.landmarks(pictures, hint)
        return self._seen[key]


def main() -> None:
    out, *words = words_of(__doc__ or "", at_least=3)
    torch.set_num_threads(1)
    keep_freed_memory()
    asked = own_options(words, DEFAULTS)
    names, parts = asked["aligners"].split(","), asked["part"].split(",")
    run = Path(out).absolute() / "design"
    if "masks" in parts and not (run / COST).exists():
        own = [f"trainer.steps={asked['steps']}"]
        own += [f"recognizers={asked['trained_on']}"] if asked["trained_on"] else []
        train_one(run, [*COMMON, *words, *own])
    given = [word for word in words if word.split("=")[0].split(".")[0] in ("faces", "recognizers", "mask")]
    settings = settings_of(EvaluateCommand, "evaluate", [*COMMON[:1], *given, "design=none"])
    faces = load_faces(settings.faces)
    recognizers = build_recognizers(settings.recognizers)
    if "bare" in parts:
        bare_table(names, recognizers, faces)
    if "masks" in parts:
        masks_table(names, recognizers, faces, settings, run)


def bare_table(names: list[str], recognizers: list[Recognizer], faces: FaceSet) -> None:
    """How bare photos separate behind each aligner."""
    pictures = torch.stack([crop.as_float() for crop in faces.crops])
    hint = torch.stack([crop.landmarks for crop in faces.crops])
    people = [crop.person for crop in faces.crops]
    head("recognizer", "aligner", f"found, of {len(people)}", "AUC", "EER %, pairs", "EER %, templates")
    for one, aligner, name in pipelines(names, recognizers, faces):
        points, seen = aligner.landmarks(pictures, hint)
        shown = [person for person, found in zip(people, seen.tolist(), strict=True) if found]
        embeddings = embed_all(one, pictures[seen], points[seen])
        area, equal = rates(single_pairs(one, embeddings, shown))
        _, template = rates(bare_comparisons(one, embeddings, enrol(one, embeddings, shown)))
        row(one.label, name, int(seen.sum()), f"{area:.5f}", f"{100 * equal:.2f}", f"{100 * template:.2f}")


def masks_table(
    names: list[str], recognizers: list[Recognizer], faces: FaceSet, settings: EvaluateCommand, run: Path
) -> None:
    """TAR of bare faces, the strongest plain mask and the design behind each aligner."""
    fmrs = [settings.protocol.fmr]
    setups: list[Setup] = [
        setup_behind(aligner, one, faces, fmrs=fmrs, called=name)
        for one, aligner, name in pipelines(names, recognizers, faces)
    ]
    surface = build_mask(settings.mask)
    design = open_design(str(run), mask=settings.mask, texels_per_mm=settings.texels_per_mm)
    masks = {
        name: shipped_design(name, surface, texels_per_mm=settings.texels_per_mm) for name in PLAIN_MASKS
    }
    judged = judge_designs(
        masks | {"design": design.texels},
        faces,
        [],
        setups=setups,
        aligners=["bare"],
        conditions=conditions_of(settings),
        protocol=settings.protocol,
    ).judged
    head("recognizer", "aligner", "probes", "bare", "strongest plain", "design", "confidence, plain, design")
    for one in judged:
        (found,) = one.summaries(seed=settings.protocol.seed)
        shown = {name: found.conditions[name] for name in ("bare", found.strongest_plain or "", "design")}
        cells = [each.tar.text(1, factor=100) for each in shown.values()]
        cells[1] += f" ({found.strongest_plain})"
        sure = [f"{each.match_confidence.value:.3f}" for each in shown.values()][1:]
        row(found.recognizer, found.aligner, found.probes, *cells, ", ".join(sure))


if __name__ == "__main__":
    main()
