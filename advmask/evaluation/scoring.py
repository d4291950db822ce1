"""Similarity of every probe to its wearer's template, per condition, aligner and recognizer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from advmask.effects import EffectsSettings, draw_tone, generator, photograph
from advmask.recognizers.aligners import MtcnnAligner
from advmask.recognizers.recognizer import Recognizer
from advmask.render import MaskRenderer, PackedBatch, collate
from advmask.worn import WornPhotos

BARE = "bare"
_CHUNK = 16


@dataclass(frozen=True)
class Scores:
    """Similarities of one recognizer behind one aligner.

    Attributes:
        recognizer: Its label.
        aligner: `mtcnn` (run afresh on every picture) or `bare` (landmarks of the bare picture).
        similarity: For each condition (n,), NaN where no face was found.
        people: (n) the person on each probe.
    """

    recognizer: str
    aligner: str
    similarity: dict[str, NDArray[np.float64]]
    people: tuple[str, ...]

    def detected(self) -> NDArray[np.bool_]:
        """(n,) whether the face was found in every condition; only these are compared."""
        return np.asarray(np.isfinite(np.stack(list(self.similarity.values()))).all(axis=0))


def score(
    photos: WornPhotos,
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    recognizers: Sequence[Recognizer],
    templates: Sequence[Float[Tensor, "n dim"]],
    *,
    renderer: MaskRenderer,
    effects: EffectsSettings,
    seed: int,
    aligners: Sequence[str],
    progress: bool = False,
) -> list[Scores]:
    """Score bare probes and every design on the same photos, placements and draws.

    Args:
        photos: With one placement per draw.
        designs: Name and texels; `bare` is added.
        recognizers: Frozen.
        templates: For each recognizer, the template of each photo.
        renderer: Lays designs over photos.
        effects: Ranges; draws are a function of the seed and the probe's place in the list, and the same in
            every condition.
        seed: Of the draws.
        aligners: Of `mtcnn` and `bare`.
        progress: Show a progress bar.
    """
    ways = len(photos.placements[0])
    probes = [(photo, way) for way in range(ways) for photo in range(len(photos.crops))]
    names: list[str] = [BARE, *designs]
    mtcnn = MtcnnAligner() if "mtcnn" in aligners else None
    columns: dict[tuple[int, str, str], list[Tensor]] = {}
    starts = range(0, len(probes), _CHUNK)
    with torch.no_grad():
        for start in tqdm(starts, desc="probes", unit=f"x{_CHUNK}", disable=not progress):
            chunk = probes[start : start + _CHUNK]
            rows = [photo for photo, _ in chunk]
            bare = photos.pictures[rows].float() / 255
            landmarks = photos.landmarks[rows]
            height, width = bare.shape[-2:]
            packed = collate(
                [photos.placements[photo][way] for photo, way in chunk], height=height, width=width
            )
            for name in names:
                pictures = _condition(
                    bare, designs.get(name), packed, renderer, effects, seed=seed, step=start
                )
                for aligner in aligners:
                    points, found = landmarks, torch.ones(len(chunk), dtype=torch.bool)
                    if aligner == "mtcnn" and mtcnn is not None:
                        points, found = mtcnn.landmarks(pictures, landmarks)
                        points = torch.where(found[:, None, None], points, landmarks)
                    for i, recognizer in enumerate(recognizers):
                        similarity = recognizer.similarity(
                            recognizer(pictures, points), templates[i][rows]
                        ).double()
                        similarity[~found] = torch.nan
                        columns.setdefault((i, aligner, name), []).append(similarity)
    people = tuple(photos.names[photo] for photo, _ in probes)
    return [
        Scores(
            recognizer.label,
            aligner,
            {name: torch.cat(columns[i, aligner, name]).numpy() for name in names},
            people,
        )
        for i, recognizer in enumerate(recognizers)
        for aligner in aligners
    ]


def _condition(
    bare: Tensor,
    design: Tensor | None,
    packed: PackedBatch,
    renderer: MaskRenderer,
    effects: EffectsSettings,
    *,
    seed: int,
    step: int,
) -> Tensor:
    pictures = bare
    if design is not None:
        tone = draw_tone(effects.tone, batch=len(bare), draws=generator(seed, step, "evaluate tone"))
        pictures = renderer(design, bare, packed, tone)
    return photograph(pictures, effects.camera, draws=generator(seed, step, "evaluate camera"))
