"""Similarity of every probe to its wearer's template, per condition, aligner and recognizer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from advmask.recognizers.aligners import Aligner
from advmask.recognizers.galleries import Gallery, GalleryName
from advmask.recognizers.recognizer import Recognizer
from advmask.scene import Scene
from advmask.worn import WornPhotos

BARE = "bare"
_CHUNK = 16


@dataclass(frozen=True)
class Scores:
    """Similarities of one recognizer behind one aligner to one gallery.

    Attributes:
        recognizer: Its label.
        aligner: Its name: run afresh on every picture, or `bare` (landmarks of the bare picture).
        gallery: Its name.
        similarity: For each condition (n,), NaN where no face was found.
        people: (n) the person on each probe.
    """

    recognizer: str
    aligner: str
    gallery: GalleryName
    similarity: dict[str, NDArray[np.float64]]
    people: tuple[str, ...]

    def detected(self) -> NDArray[np.bool_]:
        """(n,) whether the face was found in every condition; only these are compared."""
        return np.asarray(np.isfinite(np.stack(list(self.similarity.values()))).all(axis=0))


def score(
    photos: WornPhotos,
    designs: Mapping[str, Float[Tensor, "3 height width"]],
    recognizers: Sequence[Recognizer],
    galleries: Sequence[Sequence[Gallery]],
    *,
    scene: Scene,
    aligners: Sequence[Aligner],
    rows: Sequence[int],
    progress: bool = False,
) -> list[Scores]:
    """Score bare probes and every design on the same photos, placements and draws.

    Args:
        photos: With one placement per draw.
        designs: Name and texels; `bare` is added.
        recognizers: Frozen.
        galleries: For each recognizer, what probes are compared with.
        scene: Prints designs, lays them over photos and photographs them; its draws are a function of the
            probe's place in the list, and the same in every condition.
        aligners: Each is run on every picture.
        rows: Which enrolled photo each photo of `photos` is.
        progress: Show a progress bar.
    """
    probes = [(photo, way) for way in range(photos.ways) for photo in range(len(photos.crops))]
    names: list[str] = [BARE, *designs]
    columns: dict[tuple[int, str, str, str], list[Tensor]] = {}
    starts = range(0, len(probes), _CHUNK)
    with torch.no_grad():
        for start in tqdm(starts, desc="probes", unit=f"x{_CHUNK}", disable=not progress):
            chunk = probes[start : start + _CHUNK]
            chosen = [photo for photo, _ in chunk]
            enrolled = [rows[photo] for photo in chosen]
            bare, landmarks = photos.pictures(chosen), photos.landmarks(chosen)
            packed = photos.packed(chosen, [way for _, way in chunk])
            for name in names:
                pictures = scene(designs.get(name), bare, packed, step=start)
                for aligner in aligners:
                    points, found = aligner.landmarks(pictures, landmarks)
                    points = torch.where(found[:, None, None], points, landmarks)
                    for i, recognizer in enumerate(recognizers):
                        embeddings = recognizer(pictures, points)
                        for gallery in galleries[i]:
                            similarity = gallery.similarity(recognizer, embeddings, enrolled).double()
                            similarity[~found] = torch.nan
                            columns.setdefault((i, aligner.name, gallery.name, name), []).append(similarity)
    people = tuple(photos.names[photo] for photo, _ in probes)
    return [
        Scores(
            recognizer.label,
            aligner.name,
            gallery.name,
            {name: torch.cat(columns[i, aligner.name, gallery.name, name]).numpy() for name in names},
            people,
        )
        for i, recognizer in enumerate(recognizers)
        for aligner in aligners
        for gallery in galleries[i]
    ]
