"""How well recognizers tell people apart, bare and under a plain mask, and what they cost.

    python benchmarks/recognizers.py --faces ../shared/faces dlib onnx:../shared/weights/mobileface_v2.onnx

Prints, as tables for a page, for each recognizer and its twin that sees the eye region alone:

- bare photos: AUC, EER, threshold and TAR at FMR 1e-2 and 1e-3, for every pair of photos (*single*) and for
  each photo against the mean of a person's other photos (*template*)
- plain masks, placed ideally, aligned as on the bare picture, by what is enrolled: bare photos, photos under
  the blue mask, or both; thresholds always from bare probes
- time: forward, and forward and backward to the input, in several ways of running the network; CPU time on
  one thread and, where there is a CUDA device, wall clock on it
- what an ensemble costs beyond its networks

`--only` chooses among them. `--store` writes the single-photo calibration of each recognizer.
"""

import argparse
import copy
import json
import statistics
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _common import clocked
from numpy.typing import NDArray
from torch import Tensor, nn

from advmask.core.files import write_text
from advmask.core.memory import keep_freed_memory
from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.calibration import calibrate, threshold_at_fmr
from advmask.recognizers.enrolment import Comparisons, bare_comparisons, enrol
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.labels import EYES
from advmask.recognizers.preparation import embed_crops, rows_of
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.threshold_interval import threshold_interval
from advmask.render.settings import RenderSettings
from advmask.wearing.artwork import shipped_design
from advmask.wearing.masked_gallery import embed_masked
from advmask.wearing.placement_cache import placement_cache
from advmask.wearing.worn_photos import WornPhotos, wear_masks

FMRS = (1e-2, 1e-3)
PLAIN = ("surgical_blue", "white")
ENROLLED = PLAIN[0]
TEXELS_PER_MM = 3.0
BATCH = 8
ROUNDS = 11
PARTS = ("bare", "masks", "time", "ensemble")


def rates(compared: Comparisons) -> tuple[float, float]:
    """Area under the curve, and the error rate where false matches and false non-matches are equally many."""
    genuine, impostor = np.sort(compared.genuine), np.sort(compared.impostor)
    below, reached = (np.searchsorted(impostor, genuine, side=side) for side in ("left", "right"))
    area = float((below + reached).mean()) / 2 / len(impostor)
    thresholds = np.sort(np.concatenate([genuine, impostor]))
    misses = np.searchsorted(genuine, thresholds) / len(genuine)
    false_matches = 1 - np.searchsorted(impostor, thresholds) / len(impostor)
    nearest = int(np.argmin(np.abs(misses - false_matches)))
    return area, float(misses[nearest] + false_matches[nearest]) / 2


def single_pairs(recognizer: Recognizer, embeddings: Tensor, names: Sequence[str]) -> Comparisons:
    """Every pair of photos."""
    person = np.unique(names, return_inverse=True)[1]
    one, other = np.triu_indices(len(names), 1)
    scores = recognizer.similarity_matrix(embeddings, embeddings).double().numpy()[one, other]
    apart = person[one] != person[other]
    return Comparisons(scores[~apart], scores[apart], person[one[apart]], person[other[apart]])


def share(similarities: NDArray[Any], threshold: float, *, digits: int = 1) -> str:
    return f"{100 * (similarities >= threshold).mean():.{digits}f}"


def row(*cells: object) -> None:
    print("| " + " | ".join(str(cell) for cell in cells) + " |", flush=True)


def head(*cells: str) -> None:
    print()
    row(*cells)
    print("|" + "---|" * len(cells))


def bare_table(recognizers: Sequence[Recognizer], embeddings: Sequence[Tensor], names: Sequence[str]) -> None:
    """How bare photos separate."""
    limits = (cell for fmr in FMRS for cell in (f"threshold at FMR {fmr:g} [95 %]", "TAR %"))
    head("recognizer", "enrolment", "AUC", "EER %", *limits)
    for recognizer, own in zip(recognizers, embeddings, strict=True):
        template = bare_comparisons(recognizer, own, enrol(recognizer, own, names))
        for label, compared in (("single", single_pairs(recognizer, own, names)), ("template", template)):
            area, equal = rates(compared)
            cells = []
            for fmr in FMRS:
                at = threshold_at_fmr(compared.impostor, fmr)
                ends = threshold_interval(compared.impostor, compared.probe, compared.gallery, fmr=fmr)
                interval = f" [{ends[0]:.3f}, {ends[1]:.3f}]" if ends else ""
                cells += [f"{at:.3f}{interval}", share(compared.genuine, at)]
            first = recognizer.label if label == "single" else ""
            row(first, label, f"{area:.5f}", f"{100 * equal:.2f}", *cells)


def mask_tables(recognizers: Sequence[Recognizer], bare: Sequence[Tensor], photos: WornPhotos) -> None:
    """Plain masks against bare enrolment, then TAR by what is enrolled."""
    surface = build_mask(MaskSettings())
    worn = {
        name: embed_masked(recognizers, photos, shipped_design(name, surface, texels_per_mm=TEXELS_PER_MM))
        for name in PLAIN
    }
    probes: dict[str, Sequence[Tensor]] = {"bare": bare, **worn}
    enrolled: dict[str, list[Sequence[Tensor]]] = {
        "bare": [bare],
        "masked": [worn[ENROLLED]],
        "pooled": [bare, worn[ENROLLED]],
    }
    found: dict[tuple[int, str, str], tuple[Comparisons, list[float]]] = {}
    for number, recognizer in enumerate(recognizers):
        for gallery, photographed in enrolled.items():
            enrolments = [enrol(recognizer, each[number], photos.names) for each in photographed]
            compared = {
                probe: bare_comparisons(recognizer, shown[number], *enrolments)
                for probe, shown in probes.items()
            }
            limits = [threshold_at_fmr(compared["bare"].impostor, fmr) for fmr in FMRS]
            found |= {(number, gallery, probe): (each, limits) for probe, each in compared.items()}
    columns = [cell for fmr in FMRS for cell in (f"TAR % at {fmr:g}", "FMR % then")]
    head("recognizer", "probes", "AUC", "EER %", *columns)
    for number, recognizer in enumerate(recognizers):
        for probe in probes:
            own, at = found[number, "bare", probe]
            area, equal = rates(own)
            name = recognizer.label if probe == "bare" else ""
            cells = []
            for limit in at:
                cells += [share(own.genuine, limit), share(own.impostor, limit, digits=3)]
            row(name, probe, f"{area:.5f}", f"{100 * equal:.2f}", *cells)
    head("recognizer", "enrolled", *(f"{probe}, {fmr:g}" for probe in probes for fmr in FMRS))
    for number, recognizer in enumerate(recognizers):
        for gallery in enrolled:
            shown = [found[number, gallery, probe] for probe in probes]
            cells = [share(each.genuine, limit) for each, at in shown for limit in at]
            row(recognizer.label if gallery == "bare" else "", gallery, *cells)


def fed_to(recognizer: Recognizer, pictures: Tensor, landmarks: Tensor) -> Tensor:
    """What enters the network for these pictures."""
    seen: list[Tensor] = []
    hook = recognizer.network.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    with torch.no_grad():
        recognizer(pictures, landmarks)
    hook.remove()
    return seen[0].detach()


def interleaved(parts: dict[str, Callable[[], Any]], device: str) -> dict[str, list[float]]:
    """Milliseconds of each part in each round, so that a busy machine slows all alike."""
    times: dict[str, list[float]] = {name: [] for name in parts}
    for turn in range(ROUNDS + 2):
        for name, work in parts.items():
            spent = 1000 * clocked(work, device)
            if turn >= 2:  # the first ones warm up
                times[name].append(spent)
    return times


def forward(network: nn.Module, fed: Tensor) -> None:
    with torch.no_grad():
        network(fed)


def both_ways(network: nn.Module, fed: Tensor) -> None:
    torch.autograd.grad(network(fed).float().sum(), fed)


class InBfloat16(nn.Module):
    """A network under autocast."""

    def __init__(self, network: nn.Module, device: str) -> None:
        super().__init__()
        self.network, self.device = network, device

    def forward(self, fed: Tensor) -> Tensor:
        """Embeddings in whatever precision the network gives."""
        with torch.autocast(self.device, torch.bfloat16):
            answer: Tensor = self.network(fed)
            return answer


def ways_of_running(
    network: nn.Module, fed: Tensor, device: str
) -> Iterator[tuple[str, Callable[[], tuple[Any, Tensor]]]]:
    """Name of each way, and how to get a network and its input ready for it."""
    fed = fed.contiguous()
    last = fed.contiguous(memory_format=torch.channels_last)

    def laid(layout: torch.memory_format) -> nn.Module:
        return copy.deepcopy(network).to(memory_format=layout)

    yield "as is", lambda: (network, fed)
    yield "all contiguous", lambda: (laid(torch.contiguous_format), fed)
    yield "all channels last", lambda: (laid(torch.channels_last), last)
    yield "bf16 autocast", lambda: (InBfloat16(network, device), fed)
    yield "torch.compile", lambda: (torch.compile(copy.deepcopy(network), dynamic=False), fed)


def time_table(recognizers: Sequence[Recognizer], pictures: Tensor, landmarks: Tensor, device: str) -> None:
    """Each way of running each network, against the way the package runs it by default."""
    where = "CPU ms, one thread" if device == "cpu" else f"wall clock ms, {torch.cuda.get_device_name()}"
    print(f"\nBatch {len(pictures)}, {where}; in brackets times the first row's, median of {ROUNDS} rounds")
    head("recognizer", "network", "forward", "forward and backward", "largest change of an embedding, %")
    for recognizer in recognizers:
        recognizer.to(device)
        fed = fed_to(recognizer, pictures.to(device), landmarks.to(device))
        parts: dict[str, Callable[[], Any]] = {}
        off, failed = {}, {}
        with torch.no_grad():
            exact = recognizer.network(fed)
        for name, ready in ways_of_running(recognizer.network, fed, device):
            try:
                network, given = ready()
                given = given.detach().requires_grad_()
                forward(network, given)
                both_ways(network, given)
                with torch.no_grad():
                    gap = (network(given).float() - exact).norm(dim=1) / exact.norm(dim=1)
            except Exception as error:  # a way that does not run here is a finding
                failed[name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:80]}"
                continue
            off[name] = 100 * float(gap.max())
            parts[name] = partial(forward, network, given)
            parts[f"{name} back"] = partial(both_ways, network, given)
        times = interleaved(parts, device)
        for name in (*off, *failed):
            label = recognizer.label if name == "as is" else ""
            if name in failed:
                row(label, name, "does not run here", failed[name], "")
                continue
            cells = []
            for kind in ("", " back"):
                own, first = times[name + kind], times["as is" + kind]
                ratio = statistics.median(a / b for a, b in zip(own, first, strict=True))
                cells.append(f"{statistics.median(own):.1f} ({ratio:.2f})")
            row(label, name, *cells, f"{off[name]:.2g}")
        recognizer.to("cpu")


def ensemble_table(
    recognizers: Sequence[Recognizer], pictures: Tensor, landmarks: Tensor, device: str
) -> None:
    """What an ensemble costs beyond its networks' forward and backward on ready input."""
    ensemble = Ensemble(recognizers).to(device)
    pictures, landmarks = pictures.to(device).requires_grad_(), landmarks.to(device)
    fed = [fed_to(one, pictures, landmarks).requires_grad_() for one in recognizers]

    def whole() -> None:
        torch.autograd.grad(sum(each.sum() for each in ensemble(pictures, landmarks)), pictures)

    def cut(recognizer: Recognizer) -> None:
        torch.autograd.grad(recognizer.chips(pictures, landmarks).sum(), pictures)

    alignments = {
        (one.specification.size, tuple(one.template.flatten().tolist())): one for one in recognizers
    }
    cuts = [f"chips of {one.specification.size[0]} px" for one in alignments.values()]
    networks = [one.label for one in recognizers]
    parts: dict[str, Callable[[], Any]] = {"whole": whole}
    parts |= {one.label: partial(both_ways, one.network, x) for one, x in zip(recognizers, fed, strict=True)}
    parts |= {name: partial(cut, one) for name, one in zip(cuts, alignments.values(), strict=True)}
    times = {name: np.array(spent) for name, spent in interleaved(parts, device).items()}
    alone = sum(times[name] for name in networks)
    clock = "CPU time, one thread" if device == "cpu" else "wall clock"
    print(
        f"\nEnsemble overhead, {clock}, batch {len(pictures)}, pictures of {pictures.shape[3]} px, "
        f"medians of {ROUNDS} rounds:\nensemble {np.median(times['whole']):.1f} ms; networks alone "
        f"{np.median(alone):.1f} ms ("
        + ", ".join(f"{name} {np.median(times[name]):.1f}" for name in networks)
        + f"); overhead {np.median(times['whole'] / alone) - 1:.1%}"
    )
    spent = [f"{name} {np.median(times[name]):.1f} ms, {np.median(times[name] / alone):.1%}" for name in cuts]
    print(f"cutting chips by itself, forward and backward: {'; '.join(spent)}")
    ensemble.to("cpu")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recognizers", nargs="+")
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--only", choices=PARTS, action="append", help="print this alone; may be repeated")
    parser.add_argument("--store", type=Path, help="folder to write calibrations to")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    wanted = arguments.only or PARTS
    settings = FacesSettings(root=arguments.faces)
    faces = load_faces(settings, progress=True)
    names = [crop.person for crop in faces.crops]
    whole = build_recognizers(arguments.recognizers)
    eyes = build_recognizers([f"{EYES}:{each}" for each in arguments.recognizers])
    both = [one for pair in zip(whole, eyes, strict=True) for one in pair]
    print(f"{len(names)} photos of {len(faces.people)} people")
    photos = wear_masks(
        faces.crops if "masks" in wanted else faces.crops[:BATCH],
        build_mask(MaskSettings()),
        wear=WearSettings(),
        ways=1,
        texels_per_mm=TEXELS_PER_MM,
        render=RenderSettings(),
        seed=0,
        stream="enrolment",
        cache=placement_cache(settings),
        progress=True,
    )
    if arguments.store or {"bare", "masks"} & set(wanted):
        embeddings = embed_crops(both, faces.crops)
        if "bare" in wanted:
            bare_table(both, embeddings, names)
        if "masks" in wanted:
            placed = rows_of(photos.crops, faces.crops)
            print(f"\n{len(placed)} photos can wear a mask")
            mask_tables(both, [own[placed] for own in embeddings], photos)
        for one, own in zip(both, embeddings, strict=True) if arguments.store else ():
            pairs = single_pairs(one, own, names)
            stored = calibrate(
                pairs.genuine,
                pairs.impostor,
                fmr=FMRS[0],
                source=f"single-photo pairs of {len(names)} photos of {len(faces.people)} people",
                people=(pairs.probe, pairs.gallery),
            )
            content = json.dumps(stored.model_dump(), indent=2) + "\n"
            write_text(arguments.store / f"{one.label}.json", content)
    first = range(min(BATCH, len(photos.crops)))
    for device in ("cpu", *(["cuda"] if torch.cuda.is_available() else [])):
        if "time" in wanted:
            time_table(whole, photos.pictures(first), photos.landmarks(first), device)
        if "ensemble" in wanted:
            ensemble_table(whole, photos.pictures(first), photos.landmarks(first), device)


if __name__ == "__main__":
    main()
