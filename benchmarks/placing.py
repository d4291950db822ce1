"""What laying a mask on a photo costs, against the networks that will look at it, all in one run.

    python benchmarks/placing.py                                     # the default job
    python benchmarks/placing.py recognizers=[dlib,onnx:PATH] faces.root=PATH

Takes the overrides of `advmask train`. *placing*: a photo in 8 ways, `effects.wear` as drawn in training,
CPU seconds of one thread; *networks*: forward and backward of all recognizers for a batch of 8 ready chips.
After each photo the networks run once, so that a busy machine slows both alike; medians. Then the same photos
by `wear_masks` on all cores: photos a second, by the wall clock, and the CPU seconds of a photo.
"""

import os
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial

import torch
from _common import clocked, settings_of

from advmask.commands.settings import TrainCommand
from advmask.core.memory import keep_freed_memory
from advmask.core.workers import cores
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.batching import collate
from advmask.render.renderer import MaskRenderer
from advmask.render.worn_masks import wear_mask
from advmask.wearing.placing import Placer
from advmask.wearing.worn_photos import wear_masks

WAYS, BATCH, PHOTOS = 8, 8, 24


def network_step(recognizer: Recognizer) -> Callable[[], None]:
    """One forward and backward pass to ready chips."""
    size = recognizer.specification.size[0]
    chips = torch.rand(BATCH, 3, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()

    def work() -> None:
        chips.grad = None
        recognizer.embed(chips).sum().backward()

    return work


def main() -> None:
    torch.set_num_threads(1)
    keep_freed_memory()
    settings = settings_of(TrainCommand, "train", sys.argv[1:])
    surface = build_mask(settings.mask)
    crops = load_faces(settings.faces).crops[:PHOTOS]
    networks = [network_step(one) for one in build_recognizers(settings.recognizers)]
    how = {
        "wear": settings.effects.active().wear,
        "ways": WAYS,
        "texels_per_mm": settings.texture.texels_per_mm,
        "render": settings.render,
        "seed": settings.seed,
        "stream": "benchmark",
    }
    placer = Placer(surface, **how)
    placer.place(crops[0])
    times: dict[str, list[float]] = {"placing": [], "networks": []}
    packed = []
    for crop in crops:
        times["placing"].append(clocked(lambda crop=crop: packed.extend(placer.place(crop))))
        times["networks"].append(sum(clocked(network) for network in networks))
    placing, floor = (statistics.median(values) for values in times.values())
    side = crops[0].picture.shape[-1]
    print(f"{surface.name}, {side} px, {settings.texture.texels_per_mm:g} texels per mm, {len(crops)} photos")
    print(f"a photo in {WAYS} ways {placing:.3f} CPU-s, networks {floor:.3f}: ratio {placing / floor:.2f}")
    pixels = sum(len(item.pixel) for item in packed)
    taps = sum(len(item.taps.texel) for item in packed)
    size = sum(item.bytes for item in packed) / len(packed)
    print(f"{pixels / len(packed):.0f} pixels, {taps / pixels:.1f} taps a pixel, {size / 1000:.0f} kB a way")
    batch = collate(packed[::WAYS][:BATCH], height=side, width=side)
    texture = torch.rand(3, *surface.texture_size(settings.texture.texels_per_mm)).requires_grad_()
    pictures = torch.stack([crop.as_float() for crop in crops[: batch.tint.shape[0]]])
    render = partial(MaskRenderer(), texture, pictures, batch)
    taken = statistics.median(clocked(lambda: render().sum().backward()) for _ in range(9))
    print(f"rendering them, forward and backward, batch {BATCH}: {1000 * taken:.1f} CPU ms")

    landmarks = torch.stack([crop.landmarks for crop in crops[: len(pictures)]])
    straight = partial(wear_mask, texture, pictures, landmarks, mask=surface, direct=True)
    taken = statistics.median(clocked(lambda: straight().sum().backward()) for _ in range(5))
    print(f"drawing them directly, nothing placed before: {1000 * taken:.0f} CPU ms")

    before, start = sum(os.times()[:4]), time.perf_counter()
    wear_masks(crops, surface, **how, processes=cores())
    wall, cpu = time.perf_counter() - start, sum(os.times()[:4]) - before
    print(
        f"wear_masks: {len(crops) / wall:.1f} photos/s on {cores()} cores, {cpu / len(crops):.3f} CPU-s each"
    )


if __name__ == "__main__":
    main()
