"""What each preset of effects costs in a training step, against the recognizers' own work.

    python benchmarks/effects.py
    python benchmarks/effects.py recognizers=[dlib,onnx:PATH,onnx:PATH] faces.root=PATH faces.size=112

Takes the overrides of `advmask train` but for `effects` and `printer`, which it goes through. Every figure is
CPU time (process time, one thread, mean of several rounds, because presets roll dice for each photo); in each
round the floors and all presets are run once, so that a busy machine slows all alike.

- floor: alignment, forward and backward of the recognizers to the picture
- print: printer and fabric, forward and backward, on the texture; beyond decoding the texture from sRGB
- light and camera: forward and backward, on the pictures
"""

import statistics
import sys
from collections.abc import Callable
from typing import Any

import torch
from _common import clocked, settings_of

from advmask.colour.srgb import linear_from_srgb
from advmask.commands.settings import TrainCommand
from advmask.core.memory import keep_freed_memory
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.renderer import MaskRenderer
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import SceneDraw, seeded
from advmask.wearing.worn_photos import wear_masks

ROUNDS = 9
PRESETS = (
    ["effects=none"],
    ["effects=screen"],
    ["effects=indoor"],
    ["effects=cctv"],
    ["effects=outdoor"],
    ["effects=print-inkjet"],
    ["effects=print-sublimation"],
    ["effects=print-garment"],
    ["effects=print-transfer"],
    ["effects=cctv", "printer=sublimation"],
)


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    chosen = {
        " ".join(words): settings_of(TrainCommand, "train", [*sys.argv[1:], *words]) for words in PRESETS
    }
    first = next(iter(chosen.values()))
    per_mm, batch = first.texture.texels_per_mm, first.trainer.batch
    faces = load_faces(first.faces)
    surface = build_mask(first.mask)
    recognizers = build_recognizers(first.recognizers)
    photos = wear_masks(
        [faces.crops[number % len(faces.crops)] for number in range(batch)],
        surface,
        wear=first.effects.wear,
        ways=1,
        texels_per_mm=per_mm,
        render=first.render,
        seed=0,
        stream="benchmark",
    )
    everybody = range(batch)
    bare, packed = photos.pictures(everybody), photos.packed(everybody, [0] * batch)
    landmarks = photos.landmarks(everybody)
    texels = torch.rand(3, *surface.texture_size(per_mm)).requires_grad_()
    renderer = MaskRenderer()
    with torch.no_grad():
        masked = renderer(texels, bare, packed)
    masked.requires_grad_()
    upstream, above = torch.randn_like(masked), torch.randn_like(texels)
    step = 0

    def passes(what: Callable[[torch.Tensor], torch.Tensor], leaf: torch.Tensor) -> Callable[[], None]:
        def work() -> None:
            leaf.grad = None
            result = what(leaf)
            if result is not leaf:
                result.backward(upstream if leaf is masked else above)

        return work

    def floor(members: Any) -> Callable[[], None]:
        ensemble = Ensemble(members, first.surrogates)

        def work() -> None:
            masked.grad = None
            ensemble.judged(masked, landmarks, lambda _, embedding: embedding.sum()).backward()

        return work

    size = (masked.shape[-2], masked.shape[-1])

    def drawn(scene: Scene) -> SceneDraw:
        return scene.draw(step, everybody, size, texels=texels)

    def printed(scene: Scene) -> Callable[[], None]:
        return passes(lambda texture: scene.printed(texture, drawn(scene)), texels)

    def photographed(scene: Scene) -> Callable[[], None]:
        return passes(lambda pictures: scene.photographed(pictures, drawn(scene)), masked)

    scenes = {
        name: Scene(one.effects, one.printer, texels_per_mm=per_mm, draws=seeded(0, "benchmark"))
        for name, one in chosen.items()
    }
    parts: dict[str, Callable[[], None]] = {"decode": passes(linear_from_srgb, texels)}
    parts["floor of all"] = floor(recognizers)
    parts["floor of the first"] = floor(recognizers[:1])
    for name, scene in scenes.items():
        parts[f"{name}/print"] = printed(scene)
        parts[f"{name}/camera"] = photographed(scene)
    times: dict[str, list[float]] = {name: [] for name in parts}
    for step in range(ROUNDS + 1):  # the closures read it
        for name, work in parts.items():
            taken = 1000 * clocked(work)
            if step:  # the first round warms up
                times[name].append(taken)
    report(
        {name: statistics.fmean(values) for name, values in times.items()},
        f"batch {batch}, pictures {first.faces.size} px, texture {texels.shape[1]} x {texels.shape[2]} "
        f"texels, one thread; first: {recognizers[0].label}, all: {len(recognizers)} recognizers",
    )


def report(mean: dict[str, float], title: str) -> None:
    whole, alone = mean["floor of all"], mean["floor of the first"]
    print(f"{title}; floors {alone:.0f} and {whole:.0f} ms")
    print(f"{'preset':30} {'print ms':>9} {'light, camera ms':>17} {'of first':>9} {'of all':>7}")
    for part, taken in mean.items():
        name, slash, kind = part.partition("/")
        if slash and kind == "print":
            print_ms, camera_ms = taken - mean["decode"], mean[f"{name}/camera"]
            both = print_ms + camera_ms
            label = name.replace("effects=", "").replace("printer=", "+ ")
            print(f"{label:30} {print_ms:9.1f} {camera_ms:17.1f} {both / alone:9.1%} {both / whole:7.1%}")


if __name__ == "__main__":
    main()
