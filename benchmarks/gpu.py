"""What a GPU makes of training and evaluation: one command of at most four minutes, with a table to keep.

    python benchmarks/gpu.py                                  # the default recognizer, dlib
    python benchmarks/gpu.py ensemble=present faces.root=PATH # several, on photos of one's own

Takes the overrides of `advmask train`. Without a GPU it runs whole on the CPU with small numbers, which
checks the script and says nothing about a GPU.

1. The tests marked `gpu`, where there is one.
2. Steps of 8, 64 and 512 photos, in float32 and bfloat16, as they are and compiled: time of a step (wall
   clock, median), what it costs beyond the recognizers' own forward and backward pass on ready chips, the
   share of the time in which the device works, the longest gap in which it waits for the host, and the most
   memory held.
3. A batch of photos and placements: collated by the host and sent, and cut out of those held on the device.
   Placements a second: laid on photos by this machine's cores, and drawn directly on the device.
4. Photos embedded a second, and seconds that an evaluation takes for 1,000 probes, both on the device.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial

import torch
from _common import clocked, settings_of
from torch import Tensor

from advmask.commands.settings import TrainCommand
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.evaluate import evaluate_design
from advmask.evaluation.settings import ScoringSettings
from advmask.masks.mask_building import build_mask
from advmask.photos.loading import FaceSet, load_faces
from advmask.recognizers.exact_beginning import exact_beginning
from advmask.recognizers.preparation import Prepared, own_templates, prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.worn_masks import wear_mask
from advmask.textures.design_files import Design
from advmask.training.building import build_module, build_texture
from advmask.training.data import Batch, StepDataset
from advmask.training.module import DesignModule
from advmask.wearing.held_photos import hold
from advmask.wearing.worn_photos import WornPhotos, wear_masks

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
BATCHES = (8, 64, 512) if DEVICE == "cuda" else (2, 4)
ROUNDS = 12 if DEVICE == "cuda" else 2
WHOLE_S = 240.0
PHOTOS, WAYS, PROBES = 32, 4, 64
_ROW = "{:>5} {:>10} {:>9} {:>9} {:>9} {:>8} {:>9} {:>8}"


def tests() -> None:
    """Run the tests marked `gpu`."""
    if DEVICE == "cpu":
        print("no GPU here: its tests are left out, and what follows says nothing about one")
        return
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-m", "gpu"], check=False, capture_output=True
    )
    print("gpu tests:", done.stdout.decode().strip().splitlines()[-1])


def step_of(module: DesignModule, batch: Batch) -> Callable[[], None]:
    """One whole step on a batch that is on the device: loss, gradients, optimiser."""
    optimiser = module.configure_optimizers()["optimizer"]

    def work() -> None:
        optimiser.zero_grad()
        loss, _ = module.loss(batch)
        loss.backward()
        optimiser.step()

    return work


def floor_of(
    module: DesignModule, batch: Batch, *, precision: torch.dtype, compiled: bool
) -> Callable[[], None]:
    """The recognizers alone, forward and backward, on chips that are ready."""
    chips: list[Tensor] = []
    with torch.no_grad():
        for member in module.ensemble.members:
            chips.append(
                member.chips(batch.pictures, batch.landmarks).contiguous(memory_format=torch.channels_last)
            )

    def work() -> None:
        for member, ready in zip(module.ensemble.members, chips, strict=True):
            half = precision != torch.float32
            # As a step runs them: with their first layers in single precision, unless compiled.
            exact = exact_beginning(member.network) if half and not compiled else nullcontext()
            with torch.autocast(DEVICE, dtype=precision, enabled=half), exact:
                embedding = member.embed(ready.requires_grad_())
            embedding.sum().backward()
            ready.grad = None

    return work


def device_share(work: Callable[[], None]) -> tuple[float, float]:
    """Share of the time in which the device works, and the longest gap between two of its kernels, ms."""
    if DEVICE == "cpu":
        return float("nan"), float("nan")
    from torch.profiler import ProfilerActivity, profile

    with profile(activities=[ProfilerActivity.CUDA, ProfilerActivity.CPU]) as told:
        for _ in range(3):
            work()
        torch.cuda.synchronize()
    kernels = sorted(
        (event.time_range.start, event.time_range.end)
        for event in told.events()
        if event.device_type == torch.autograd.DeviceType.CUDA
    )
    busy, longest, end = 0.0, 0.0, kernels[0][0]
    for start, stop in kernels:
        longest = max(longest, start - end)
        busy += max(0.0, stop - max(start, end))
        end = max(end, stop)
    return busy / (end - kernels[0][0]), longest / 1e3


def steps(
    build: Callable[[str, bool], DesignModule], data: Callable[[int], StepDataset], deadline: float
) -> None:
    """The table of steps; what the time does not suffice for is said."""
    print(_ROW.format("batch", "precision", "compiled", "step ms", "floor ms", "beyond", "at work", "GB"))
    kinds = [("32-true", False), ("bf16-mixed", False), ("bf16-mixed", True)]
    for name, compiled in kinds if DEVICE == "cuda" else kinds[:2]:
        for size in BATCHES:
            if time.monotonic() > deadline:
                print(f"{size:>5} {name:>10}: left out, the four minutes are over")
                continue
            module = build(name, compiled).to(DEVICE)
            batch = data(size).part(0, first=0, count=size).to(DEVICE)
            half = torch.bfloat16 if name == "bf16-mixed" else torch.float32
            step, floor = step_of(module, batch), floor_of(module, batch, precision=half, compiled=compiled)
            if DEVICE == "cuda":
                torch.cuda.reset_peak_memory_stats()
            for work in (step, floor, step, floor):
                work()
            pairs = [(clocked(step, DEVICE), clocked(floor, DEVICE)) for _ in range(ROUNDS)]
            whole, alone = (statistics.median(each) for each in zip(*pairs, strict=True))
            beyond = statistics.median(one / other - 1 for one, other in pairs)
            share, gap = device_share(step)
            held = torch.cuda.max_memory_allocated() / 1e9 if DEVICE == "cuda" else float("nan")
            row = (size, name, "yes" if compiled else "no", f"{1000 * whole:.1f}", f"{1000 * alone:.1f}")
            print(
                _ROW.format(*row, f"{beyond:.1%}", f"{share:.0%}", f"{held:.2f}"),
                f" gap {gap:.2f} ms",
                flush=True,
            )


def batches(data: StepDataset, photos: WornPhotos, size: int) -> None:
    """What it takes to bring a batch to the device, whose draws are made already, and to cut it out there."""
    held = hold(photos, torch.device(DEVICE), budget_bytes=8e9)
    if held is None:
        print("placements take more than 8 GB and are not held")
        return
    order = data.order(0, first=0, count=size)

    def sent() -> None:
        order.filled(photos).to(DEVICE)

    def cut() -> None:
        order.to(DEVICE).filled(held)

    cut()
    ways = (1000 * statistics.median(clocked(work, DEVICE) for _ in range(ROUNDS)) for work in (sent, cut))
    print(
        "a batch of {}: {:.1f} ms collated and sent, {:.1f} ms cut out on the device ({:.0f} MB held)".format(
            size, *ways, held.taken / 1e6
        )
    )


def evaluation(settings: TrainCommand, faces: FaceSet, prepared: list[Prepared]) -> None:
    """Seconds for 1,000 probes, beyond what an evaluation of few and of many both begin with."""
    surface = build_mask(settings.mask)
    per_mm = settings.texture.texels_per_mm
    design = Design(
        torch.full((3, *surface.texture_size(per_mm)), 0.5),
        pattern=settings.mask.pattern,
        size=settings.mask.size,
        texels_per_mm=per_mm,
    )

    def took(draws: int) -> float:
        protocol = {
            "draws": draws,
            "people": "all",
            "progress": False,
            "aligners": ["bare"],
            "linkability": False,
        }
        scoring = ScoringSettings.build({"effects": settings.effects, "protocol": protocol})
        start = time.perf_counter()
        evaluate_design(design, scoring, faces=faces, recognizers=[one.recognizer for one in prepared])
        return time.perf_counter() - start

    few = max(1, PROBES // 4 // len(faces.crops))
    more = 4 * few
    seconds = (took(more) - took(few)) / (3 * few * len(faces.crops)) * 1000
    print(f"evaluation: {seconds:.0f} s for 1,000 probes under 7 conditions, {len(prepared)} recognizers")


def main() -> None:
    start = time.monotonic()
    keep_freed_memory()
    name = torch.cuda.get_device_name() if DEVICE == "cuda" else "CPU"
    print(f"{name}, torch {torch.__version__}, {torch.get_num_threads()} threads")
    tests()
    settings = settings_of(TrainCommand, "train", sys.argv[1:])
    faces = load_faces(settings.faces)
    surface = build_mask(settings.mask)
    built = [one.to(DEVICE) for one in build_recognizers(settings.recognizers, differentiable=True)]
    began = time.perf_counter()
    prepared = prepare_all(built, faces.crops)
    print(f"embedding: {len(faces.crops) / (time.perf_counter() - began):.0f} photos a second")
    crops = faces.of(faces.split.train)[:PHOTOS]
    lay: Callable[..., WornPhotos] = partial(
        wear_masks,
        crops,
        surface,
        wear=settings.effects.active().wear,
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=settings.seed,
    )
    began = time.perf_counter()
    photos = lay(ways=WAYS, stream=f"benchmark {time.time()}")  # of a stream of its own, which no cache knows
    laid = len(photos.crops) * WAYS / (time.perf_counter() - began)
    texels = torch.rand(3, *surface.texture_size(settings.texture.texels_per_mm), device=DEVICE)
    pictures = torch.stack([crop.as_float() for crop in crops[:8]]).to(DEVICE)
    landmarks = torch.stack([crop.landmarks for crop in crops[:8]]).to(DEVICE)
    draw = partial(wear_mask, texels, pictures, landmarks, mask=surface, direct=True)
    draw()
    drawn = len(pictures) / statistics.median(clocked(draw, DEVICE) for _ in range(ROUNDS))
    print(
        f"placements: {laid:.1f} a second by this machine's cores; {drawn:.1f} drawn directly on the device"
    )

    def build(precision: str, compiled: bool) -> DesignModule:
        surrogates = settings.surrogates.model_copy(update={"compile": compiled})
        trainer = settings.trainer.model_copy(update={"precision": precision})
        return build_module(
            settings.model_copy(update={"surrogates": surrogates, "trainer": trainer}),
            build_texture(settings, surface),
            [one.recognizer for one in prepared],
            own_templates(prepared, faces.crops, photos.crops),
        )

    like = build("32-true", False)

    def data_of(size: int) -> StepDataset:
        return StepDataset(photos, like.scene.drawer, feeder=like.feeder, batch=size, seed=settings.seed)

    steps(build, data_of, start + WHOLE_S - 60)
    batches(data_of(BATCHES[-1]), photos, BATCHES[-1])
    evaluation(settings, faces, prepared)
    print(f"{time.monotonic() - start:.0f} s in all")


if __name__ == "__main__":
    main()
