"""Where the time of one training step goes, as shares of the recognizers' own work.

    python benchmarks/step.py                                         # the default job
    python benchmarks/step.py recognizers=[dlib,onnx:PATH] faces.root=PATH trainer.batch=12

Takes the overrides of `advmask train`. Prints CPU time (process time, one thread, median of several rounds;
after each real step every part runs once by itself, so that a busy machine slows all alike):

- floor: alignment, forward and backward of the recognizers to the picture, alone; below it, each network's
  own forward and backward on ready chips
- texture, print, render, light and camera: each alone, forward and backward
- data: choosing, collating and drawing for the batch
- rest: what a real Lightning step costs beyond these (similarity, objective, optimiser, logging, hooks)
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from _common import clocked, settings_of
from pytorch_lightning.callbacks import Callback

from advmask.commands.settings import TrainCommand
from advmask.core.memory import keep_freed_memory
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import own_templates, prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.building import build_module, build_texture
from advmask.training.csv_log import CsvLog
from advmask.training.data import StepData, StepDataset
from advmask.training.quiet_lightning import quiet_lightning
from advmask.wearing.worn_photos import wear_masks

ROUNDS = 17


class InterleavedTimes(Callback):
    """CPU time of each real step, and between two steps that of each part, so that noise hits all alike."""

    def __init__(self, parts: dict[str, Callable[[], Any]]) -> None:
        self._parts = parts
        self._last: float | None = None
        self.times: dict[str, list[float]] = {name: [] for name in ("step", *parts)}

    def on_train_batch_end(self, *_: Any) -> None:
        """Take the times."""
        if self._last is not None:  # the first step warms up
            self.times["step"].append(time.process_time() - self._last)
            for name, work in self._parts.items():
                self.times[name].append(clocked(work))
        self._last = time.process_time()


def main() -> None:  # noqa: PLR0915 - a benchmark reads best from top to bottom
    torch.set_num_threads(1)
    keep_freed_memory()
    settings = settings_of(TrainCommand, "train", sys.argv[1:])
    faces = load_faces(settings.faces)
    surface = build_mask(settings.mask)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    recognizers = [item.recognizer for item in prepared]
    crops = faces.of(faces.split.train)[: 4 * settings.trainer.batch]
    photos = wear_masks(
        crops,
        surface,
        wear=settings.effects.active().wear,
        ways=settings.trainer.placements or 2,
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=settings.seed,
        stream="benchmark",
    )
    module = build_module(
        settings,
        build_texture(settings, surface),
        recognizers,
        own_templates(prepared, faces.crops, photos.crops),
    )
    dataset = StepDataset(photos, module.scene.drawer, batch=settings.trainer.batch, seed=settings.seed)
    batch = dataset[0]
    size = len(batch.photo)
    texture = module.texture().detach().requires_grad_()
    pictures = batch.pictures.clone().requires_grad_()
    upstream = torch.randn_like(batch.pictures)

    def floor() -> None:
        pictures.grad = None
        module.ensemble.judged(pictures, batch.landmarks, lambda _, embedding: embedding.sum()).backward()

    def on_ready_chips(number: int) -> Callable[[], None]:
        member = recognizers[number]
        with torch.no_grad():
            chips = member.chips(batch.pictures, batch.landmarks)
        ready = chips.clone(memory_format=torch.channels_last).requires_grad_()

        def work() -> None:
            ready.grad = None
            member.embed(ready).sum().backward()

        return work

    scene = module.scene
    with torch.no_grad():
        cloth = scene.printer(texture).clone()
    cloth.requires_grad_()

    def render() -> None:
        cloth.grad = None
        scene.renderer(cloth, batch.pictures, batch.packed, linear=True).backward(upstream)

    def printed() -> None:
        texture.grad = None
        scene.printed(texture, batch.drawn).backward(texture.detach())

    def photographed() -> None:
        pictures.grad = None
        scene.photographed(pictures, batch.drawn).backward(upstream)

    def parametrise() -> None:
        module.texture.zero_grad()
        module.texture().backward(texture.detach())

    parts: dict[str, Callable[[], Any]] = {
        "floor": floor,
        "texture": parametrise,
        "print": printed,
        "render": render,
        "light, camera": photographed,
        "data": lambda: dataset[0],
    }
    parts |= {f"  {r.label}": on_ready_chips(i) for i, r in enumerate(recognizers)}
    for work in parts.values():
        work()
    clock = InterleavedTimes(parts)
    with tempfile.TemporaryDirectory() as folder, quiet_lightning():
        trainer = pl.Trainer(
            max_steps=ROUNDS + 1,
            accelerator="cpu",
            logger=CsvLog(Path(folder) / "metrics.csv"),
            callbacks=[clock],
            log_every_n_steps=1,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            default_root_dir=folder,
        )
        data = StepData(
            photos,
            scene.drawer,
            batch=settings.trainer.batch,
            seed=settings.seed,
            stretch=ROUNDS + 1,
        )
        trainer.fit(module, datamodule=data)
    medians = {name: statistics.median(values) for name, values in clock.times.items()}
    whole = medians["step"]
    named = ("floor", "texture", "print", "render", "light, camera", "data")
    medians["rest"] = whole - sum(medians[name] for name in named)

    covered = len(batch.packed.pixel) / size
    ways = [photos.placements.get(photo, 0) for photo in range(len(photos.crops))]
    kept = sum(way.bytes for way in ways) / len(ways)
    print(
        f"batch {size}, pictures {settings.faces.size} px, {covered:,.0f} covered pixels a photo, "
        f"{kept / 1e3:.0f} kB a placement, texture {ways[0].pyramid.height} x "
        f"{ways[0].pyramid.width} texels, one thread"
    )
    print(f"{'part':24} {'CPU ms':>8} {'of step':>8} {'of floor':>9}")
    order = ("floor", *(name for name in parts if name.startswith("  ")), *named[1:], "rest")
    for name in order:
        value = medians[name]
        print(f"{name:24} {1000 * value:8.1f} {value / whole:8.1%} {value / medians['floor']:9.1%}")
    print(f"{'step':24} {1000 * whole:8.1f} {1:8.1%} {whole / medians['floor']:9.1%}")
    networks = [clock.times[name] for name in parts if name.startswith("  ")]
    own = [sum(each) for each in zip(*networks, strict=True)]
    pairs = zip(clock.times["floor"], own, strict=True)
    beyond = statistics.median(floor / alone - 1 for floor, alone in pairs)
    print(
        f"the ensemble costs {beyond:.1%} (median over the rounds) beyond the networks' own "
        f"{1000 * statistics.median(own):.1f} ms"
    )


if __name__ == "__main__":
    main()
