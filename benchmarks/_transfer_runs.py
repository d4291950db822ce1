"""The two jobs of `transfer.py`, each a process of its own with one thread: train a design; judge designs."""

import json
import resource
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import settings_of

from advmask.commands.design_names import open_design
from advmask.commands.settings import EvaluateCommand, TrainCommand
from advmask.core.files import write_text
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.protocol import JudgedScores, judge_designs
from advmask.evaluation.results import PLAIN_MASKS
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.run import train
from advmask.wearing.artwork import shipped_design

_SHARED = ("faces", "recognizers", "printer", "mask")  # settings of a training that a judgement takes over
COST = "cost.json"


def train_one(folder: Path, words: Sequence[str]) -> None:
    """Train, or go on training, into a run folder; what it took stands next to the run."""
    torch.set_num_threads(1)
    keep_freed_memory()
    settings = settings_of(TrainCommand, "train", words)
    start = time.time()
    train(settings, folder=folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    cost = {"wall_s": time.time() - start, "cpu_s": used.ru_utime + used.ru_stime}
    write_text(folder / COST, json.dumps(cost | {"steps": settings.trainer.steps}))


def judge_one(folder: Path, asked: dict[str, Any]) -> None:
    """Judge runs that were not judged before; similarities of each design go into a file of its name.

    Args:
        folder: Where similarities are kept; plain masks and bare faces are judged with the first runs.
        asked: `runs`: folder of each design's run, by name; `words` of the training; `aligners`, `effects`,
            `people`.
    """
    torch.set_num_threads(1)
    keep_freed_memory()
    runs = {name: path for name, path in asked["runs"].items() if not (folder / f"{name}.npz").exists()}
    first = not (folder / "about.json").exists()
    if not runs and not first:
        return
    folder.mkdir(parents=True, exist_ok=True)
    words = [word for word in asked["words"] if word.split("=")[0].split(".")[0] in _SHARED]
    words += ["design=none", f"effects={asked['effects']}", "protocol.progress=false"]
    words += [f"protocol.people={asked['people']}"]
    words += [f"protocol.aligners=[{','.join(asked['aligners'])}]"]
    settings = settings_of(EvaluateCommand, "evaluate", words)
    faces = load_faces(settings.faces)
    per_mm = settings.texels_per_mm
    designs = {
        name: open_design(path, mask=settings.mask, texels_per_mm=per_mm).texels
        for name, path in runs.items()
    }
    surface = build_mask(settings.mask)
    if first:
        designs |= {name: shipped_design(name, surface, texels_per_mm=per_mm) for name in PLAIN_MASKS}
    recognizers = build_recognizers(settings.recognizers)
    judged = judge_designs(
        designs,
        faces,
        prepare_all(recognizers, faces.crops, fmr=settings.protocol.fmr),
        conditions=conditions_of(settings),
        protocol=settings.protocol,
    ).judged
    for name in ("bare", *designs) if first else designs:
        columns = {_key(one): one.scores.similarity[name] for one in judged}
        np.savez(folder / f"{name}.npz", **columns)
    if first:
        write_text(folder / "about.json", json.dumps(_about(judged)))


def _key(one: JudgedScores) -> str:
    return f"{one.recognizer.label}|{one.scores.aligner}"


def _about(judged: Sequence[JudgedScores]) -> dict[str, Any]:
    return {
        "people": list(judged[0].scores.people),
        "thresholds": {
            _key(one): [[each.fmr, each.threshold, each.scale] for each in one.gallery.thresholds]
            for one in judged
        },
    }
