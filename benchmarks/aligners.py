"""How aligners see bare and masked faces, and what they cost.

    python benchmarks/aligners.py --faces ../shared/faces --photos 60
    ADVMASK_FACE_MESH=mediapipe.whl python benchmarks/aligners.py --faces ../shared/faces mesh468 mesh468-box

Prints for each aligner: the share of faces found, bare and under a plain white mask; the distance of its
landmarks from those of the bare photo (by MTCNN on the original photo), and how far the mask moves them, as
the median over photos of the mean over the landmarks, in % of the eye distance; CPU time (one thread, median)
of eight photos, forward and backward to the picture. The last line is dlib's recognition network, to compare
with.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from advmask.core.errors import AdvmaskError, PhotoError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import ALIGNER_NAMES, build_aligner
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.render.batching import collate
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

TEXELS_PER_MM = 1.0
BATCH = 8
ROUNDS = 5


def under_white_masks(crops: list[FaceCrop]) -> tuple[Tensor, Tensor, Tensor]:
    """Bare pictures, masked ones and landmarks of the photos that a mask could be placed on."""
    surface = build_mask(MaskSettings())
    white = torch.ones(3, *surface.texture_size(TEXELS_PER_MM))
    kept, placements = [], []
    for crop in crops:
        try:
            face = PosedFace(crop.as_float(), find_pose(crop.landmarks, crop.dense), inside=crop.inside())
            placements += fit_masks(
                face, surface, wears=[None], texels_per_mm=TEXELS_PER_MM, settings=RenderSettings()
            )
        except PhotoError as error:
            print(f"left out: {crop.source.name}: {error}")
            continue
        kept.append(crop)
    bare = torch.stack([crop.as_float() for crop in kept])
    packed = collate(placements, height=bare.shape[2], width=bare.shape[3])
    return bare, MaskRenderer()(white, bare, packed), torch.stack([crop.landmarks for crop in kept])


def found_points(aligner: Aligner, pictures: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        parts = [
            aligner.landmarks(pictures[i : i + BATCH], hint[i : i + BATCH])
            for i in range(0, len(hint), BATCH)
        ]
    points, found = zip(*parts, strict=True)
    return torch.cat(points), torch.cat(found)


def cost(work: Callable[[Tensor], Tensor], pictures: Tensor) -> str:
    """CPU milliseconds forward and backward."""
    forward, backward = [], []
    for _ in range(ROUNDS):
        fresh = pictures.clone().requires_grad_()
        start = time.process_time()
        answer = work(fresh)
        forward.append(time.process_time() - start)
        if answer.requires_grad:
            start = time.process_time()
            answer.sum().backward()
            backward.append(time.process_time() - start)
    back = f"{1000 * statistics.median(backward):8.1f}" if backward else f"{'-':>8}"
    return f"{1000 * statistics.median(forward):8.1f} {back}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("aligners", nargs="*", default=[name for name in ALIGNER_NAMES if name != "bare"])
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--photos", type=int, default=60)
    parser.add_argument("--size", type=int, default=FacesSettings().size)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    crops = list(load_faces(FacesSettings(root=arguments.faces, size=arguments.size)).crops)
    chosen = [crops[i * len(crops) // arguments.photos] for i in range(min(arguments.photos, len(crops)))]
    bare, masked, landmarks = under_white_masks(chosen)
    eyes = (landmarks[:, 1] - landmarks[:, 0]).norm(dim=1)

    def apart(one: Tensor, other: Tensor, where: Tensor) -> float:
        if not bool(where.any()):
            return float("nan")
        return float((100 * (one - other).norm(dim=-1).mean(dim=1) / eyes)[where].median())

    print(f"{len(bare)} photos of {arguments.size} px")
    heads = (("found %", 14), ("off the bare ones, %", 21), ("moved, %", 9), (f"ms per {BATCH} photos", 17))
    print(" " * 12, *(f"{text:>{width}}" for text, width in heads))
    names = (("bare", 6), ("masked", 7), ("bare", 12), ("masked", 8), ("by mask", 9), ("fwd", 8), ("bwd", 8))
    print(f"{'aligner':12}", *(f"{text:>{width}}" for text, width in names))
    for name in arguments.aligners:
        try:
            aligner = build_aligner(name)
        except AdvmaskError as error:
            print(f"{name:12} {error}")
            continue
        plain, seen = found_points(aligner, bare, landmarks)
        worn, seen_masked = found_points(aligner, masked, landmarks)
        print(
            f"{name:12} {100 * seen.float().mean():6.1f} {100 * seen_masked.float().mean():7.1f} "
            f"{apart(plain, landmarks, seen):12.2f} {apart(worn, landmarks, seen_masked):8.2f} "
            f"{apart(plain, worn, seen & seen_masked):9.2f} "
            + cost(lambda x, it=aligner: it.landmarks(x, landmarks[:BATCH])[0], masked[:BATCH])
        )
    recognizer = build_recognizer("dlib")
    print(f"{'(dlib net)':12} {'':46} " + cost(lambda x: recognizer(x, landmarks[:BATCH]), masked[:BATCH]))


if __name__ == "__main__":
    main()
