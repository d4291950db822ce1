"""What rendering costs, as a share of the networks it feeds, all in one run.

    python benchmarks/render.py                             # the shipped portrait, dlib, InceptionResnetV1
    python benchmarks/render.py --faces PATH --onnx A B     # other photos; the step of dlib and two more

*render* is everything from the texels to the finished pictures and back to the texels: linear light, mip
pyramid, sampling, shading, compositing, forward and backward, from cached placements; *collate* lays the
placements of a batch end to end. CPU seconds of one thread: after the networks every size is rendered once,
so that a busy machine slows all alike; medians over the rounds. Where there is a CUDA device the same is
measured there by the wall clock, against the bytes that must move.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from _common import clocked
from facenet_pytorch import InceptionResnetV1
from torch import Tensor

from advmask.effects.draws import draws
from advmask.effects.settings import WearSettings
from advmask.effects.wear import draw_wear
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.batching import collate
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.packing import PackedPlacement
from advmask.render.renderer import MaskRenderer, Tone
from advmask.render.settings import RenderSettings

SIZES = (112, 160, 176, 224)
BATCH = 8
ROUNDS = 9
BATCHES = (1, 2, 4, 8, 16, 32, 64)
TEXTURES = (256, 512, 1024, 2048)
WEAR = WearSettings(shift_mm=3, tilt_deg=3, scale=0.03, folds=4, fold_mm=1)


def placements(
    root: Path | None, *, side: int, count: int, pattern: str, texels_per_mm: float
) -> tuple[list[PackedPlacement], Tensor]:
    """Placements on `count` photos of `side` px, and the photos, channels last."""
    crops = load_faces(FacesSettings(root=root)).crops
    surface = build_mask(MaskSettings(pattern=pattern))
    packed, pictures = [], []
    for number in range(count):
        crop = crops[number % len(crops)]
        picture = crop.as_float()
        if side != picture.shape[-1]:
            picture = F.interpolate(picture[None], size=(side, side), mode="area")[0]
        pose = find_pose(crop.landmarks * (side / crop.picture.shape[-1]))
        packed += fit_masks(
            PosedFace(picture, pose),
            surface,
            wears=[draw_wear(WEAR, draws=draws(0, number, "benchmark"))],
            texels_per_mm=texels_per_mm,
            settings=RenderSettings(),
        )
        pictures.append(picture)
    return packed, torch.stack(pictures).contiguous(memory_format=torch.channels_last)


def rendering(
    packed: list[PackedPlacement],
    pictures: Tensor,
    *,
    device: str = "cpu",
    dtype: torch.dtype = torch.float32,
) -> Callable[[], None]:
    """One forward and backward pass of the renderer on a collated batch."""
    side = pictures.shape[-1]
    batch = collate(packed, height=side, width=side).to(device)
    pyramid = packed[0].pyramid
    texture = torch.rand(3, pyramid.height, pyramid.width, device=device).requires_grad_()
    pictures = pictures.to(device, dtype)
    upstream = torch.randn_like(pictures)
    tone = Tone(black=torch.full((len(packed), 3), 0.02), white=torch.full((len(packed), 3), 0.9)).to(device)
    renderer = MaskRenderer()

    def work() -> None:
        texture.grad = None
        renderer(texture, pictures, batch, tone).backward(upstream)

    return work


def network_step(network: Callable[[Tensor], Tensor], size: int) -> Callable[[], None]:
    """One forward and backward pass of a network to its chips."""
    chips = torch.rand(BATCH, 3, size, size).contiguous(memory_format=torch.channels_last).requires_grad_()

    def work() -> None:
        chips.grad = None
        network(chips).sum().backward()

    return work


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=Path, help="photos; the shipped portrait without")
    parser.add_argument("--onnx", nargs="*", default=[], help="networks that make up the step with dlib")
    parser.add_argument("--pattern", default="contour")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    made = {
        side: placements(
            arguments.faces, side=side, count=BATCH, pattern=arguments.pattern, texels_per_mm=3.0
        )
        for side in SIZES
    }
    recognizers = build_recognizers(["dlib", *(f"onnx:{path}" for path in arguments.onnx)])
    facenet = InceptionResnetV1(pretrained=None, classify=False).eval().requires_grad_(False)
    facenet = facenet.to(memory_format=torch.channels_last)
    networks: dict[str, Callable[[], None]] = {
        one.label: network_step(one.embed, one.specification.size[0]) for one in recognizers
    }
    networks["InceptionResnetV1"] = network_step(facenet, 160)
    parts = dict(networks)
    for side, (packed, pictures) in made.items():
        parts[f"render {side} px"] = rendering(packed, pictures)
        parts[f"collate {side} px"] = lambda p=packed, s=side: collate(p, height=s, width=s)
    times: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(ROUNDS + 1):
        for name, work in parts.items():
            taken = clocked(work)
            if turn:
                times[name].append(taken)
    median = {name: statistics.median(values) for name, values in times.items()}
    step = sum(median[one.label] for one in recognizers)

    pyramid = made[224][0][0].pyramid
    print(f"{arguments.pattern}, batch {BATCH}, texture {pyramid.height} x {pyramid.width}, one thread")
    print("networks, forward and backward, CPU ms: ", end="")
    print(", ".join(f"{name} {1000 * median[name]:.0f}" for name in networks))
    together = " + ".join(one.label for one in recognizers)
    print(f"\nrender as a share of: dlib | {together} | InceptionResnetV1")
    print(
        f"{'pictures':>8} {'render ms':>10} {'collate ms':>10} {'dlib':>7} {'step':>7} {'facenet':>8}", end=""
    )
    print(f" {'kB/photo':>9} {'pixels':>7} {'taps/pixel':>10}")
    for side, (packed, _) in made.items():
        whole = median[f"render {side} px"] + median[f"collate {side} px"]
        pixels = sum(len(item.pixel) for item in packed)
        taps = sum(len(item.taps.texel) for item in packed)
        print(
            f"{side:5d} px {1000 * median[f'render {side} px']:10.1f}"
            f" {1000 * median[f'collate {side} px']:10.1f}"
            f" {whole / median['dlib']:7.1%} {whole / step:7.1%} {whole / median['InceptionResnetV1']:8.1%}"
            f" {sum(item.bytes for item in packed) / len(packed) / 1000:9.0f} {pixels / len(packed):7.0f}"
            f" {taps / pixels:10.1f}"
        )

    packed, pictures = made[112]
    print("\nrender against batch (112 px), CPU ms per photo: ", end="")
    cells = []
    for batch in BATCHES:
        rows = [number % BATCH for number in range(batch)]
        work = rendering([packed[row] for row in rows], pictures[rows])
        cells.append(f"{batch}: {1000 * least(work) / batch:.2f}")
    print(", ".join(cells))
    print("render against width of the texture (112 px, batch 8), CPU ms: ", end="")
    width_mm, _ = build_mask(MaskSettings(pattern=arguments.pattern)).size_mm
    cells = []
    for width in TEXTURES:
        wide = placements(
            arguments.faces, side=112, count=BATCH, pattern=arguments.pattern, texels_per_mm=width / width_mm
        )
        cells.append(f"{width}: {1000 * least(rendering(*wide)):.1f}")
    print(", ".join(cells))
    if torch.cuda.is_available():
        on_gpu(made)
    else:
        print("no CUDA device: not measured on one")


def least(work: Callable[[], None], rounds: int = 5) -> float:
    work()
    return min(clocked(work) for _ in range(rounds))


def on_gpu(made: dict[int, tuple[list[PackedPlacement], Tensor]]) -> None:
    """Wall clock on the device, and the bytes that a step cannot avoid reading or writing."""
    print(f"\n{torch.cuda.get_device_name()}: wall ms of a step, and the bandwidth it amounts to")
    for side, (packed, pictures) in made.items():
        for batch in (8, 64):
            rows = [number % BATCH for number in range(batch)]
            for dtype in (torch.float32, torch.bfloat16):
                work = rendering([packed[row] for row in rows], pictures[rows], device="cuda", dtype=dtype)
                for _ in range(5):
                    work()
                torch.cuda.synchronize()
                start = time.perf_counter()
                for _ in range(20):
                    work()
                torch.cuda.synchronize()
                taken = (time.perf_counter() - start) / 20
                taps = sum(len(packed[row].taps.texel) for row in rows)
                pixels = sum(len(packed[row].pixel) for row in rows)
                # Indices and weights twice; per tap three channels read, and three added on the way back;
                # texels through decoding, pyramid and gradient; pictures in, out and back.
                moved = taps * (2 * 8 + 2 * 12) + pixels * 60 + packed[0].pyramid.texels * 3 * 4 * 6
                moved += 3 * pictures[rows].numel() * dtype.itemsize
                print(
                    f"{side} px, batch {batch}, {str(dtype)[6:]}: {1000 * taken:.2f} ms, "
                    f"{moved / 1e6:.0f} MB, {moved / taken / 1e9:.0f} GB/s"
                )


if __name__ == "__main__":
    main()
