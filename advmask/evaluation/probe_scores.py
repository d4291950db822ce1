"""Similarity of every probe to its wearer and to everybody else, per condition, aligner and recognizer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from advmask.core.errors import ConfigError
from advmask.core.shown_names import shown
from advmask.evaluation.enrolled import JudgedGallery
from advmask.evaluation.shared_scoring import in_processes
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.own_aligner import OwnAligner
from advmask.recognizers.enrolment import Comparisons
from advmask.recognizers.own_module import MODULE
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.settings import GalleryName
from advmask.wearing.scene import Scene
from advmask.wearing.worn_photos import WornPhotos

BARE = "bare"
_CHUNK = 16

Columns = dict[str, NDArray[np.float64]]
_Piece = dict[tuple[int, str, int, str], dict[str, NDArray[Any]]]  # recognizer, aligner, gallery, condition
_NONE = Comparisons(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64))


@dataclass(frozen=True)
class Scores:
    """Similarities of one recognizer behind one aligner to one gallery.

    Attributes:
        recognizer: Its label.
        aligner: Its name: run on every picture, or `bare` (landmarks of the bare picture).
        gallery: Its name.
        similarity: For each condition (n,), NaN where no face was found.
        people: (n) the person on each probe.
        photos: (n) the photo of each probe: the person and the file's name.
        draws: (n) which draw of the effects it is.
        best_other: For each condition (n,) the largest similarity to anybody else at hand.
        false_matches: For each FMR and condition (n,) how many others it matches at that threshold.
        others: How many others each probe is compared with.
        displacement: For each condition (n,) mean distance of the five landmarks from those of the bare
            picture, in eye distances of the latter.
        embeddings: (n, D) of the probes, for the conditions whose embeddings are kept; NaN where no face was
            found.
    """

    recognizer: str
    aligner: str
    gallery: GalleryName
    similarity: Columns
    people: tuple[str, ...]
    photos: tuple[str, ...] = ()
    draws: tuple[int, ...] = ()
    best_other: Columns = field(default_factory=dict)
    false_matches: dict[float, Columns] = field(default_factory=dict)
    others: int = 0
    displacement: Columns = field(default_factory=dict)
    embeddings: dict[str, NDArray[np.float32]] = field(default_factory=dict)

    def detected(self) -> NDArray[np.bool_]:
        """(n,) whether the face was found in every condition; only these are compared."""
        return np.asarray(np.isfinite(np.stack(list(self.similarity.values()))).all(axis=0))


@dataclass(frozen=True, eq=False)
class Stage:
    """Everything that is scored: the same photos, placements and draws in every condition.

    Attributes:
        photos: With one placement per draw.
        designs: Name and texels; `bare` is added.
        scene: Prints designs, lays them over photos and photographs them; its draws are a function of the
            probe's place in the list, and the same in every condition.
        rows: Which enrolled photo each photo of `photos` is.
        kept: Conditions whose embeddings are kept.
    """

    photos: WornPhotos
    designs: Mapping[str, Float[Tensor, "3 height width"]]
    scene: Scene
    rows: tuple[int, ...]
    kept: tuple[str, ...] = ()

    @cached_property
    def probes(self) -> list[tuple[int, int]]:
        """Photo and draw of every probe."""
        return [(photo, way) for way in range(self.photos.ways) for photo in range(len(self.photos.crops))]

    @property
    def conditions(self) -> tuple[str, ...]:
        """Names, bare faces first."""
        return (BARE, *self.designs)

    def names(self) -> tuple[str, ...]:
        """For each photo, the person and the name of the file; a number more where that is not unique."""
        seen: dict[str, int] = {}
        names = []
        for crop in self.photos.crops:
            name = f"{crop.person}/{shown(crop.source.name)}"
            seen[name] = seen.get(name, 0) + 1
            names.append(name if seen[name] == 1 else f"{name}#{seen[name]}")
        return tuple(names)

    def pictures(self, name: str, start: int) -> Float[Tensor, "batch 3 rows columns"]:
        """What recognizers see of the probes from `start` on, as many as belong together."""
        chunk = self.probes[start : start + _CHUNK]
        bare = self.photos.pictures([photo for photo, _ in chunk])
        packed = self.photos.packed([photo for photo, _ in chunk], [way for _, way in chunk])
        texels = self.designs.get(name)
        size = (bare.shape[-2], bare.shape[-1])
        drawn = self.scene.draw(start, range(len(chunk)), size, texels=texels)
        pictures: Tensor = self.scene(texels, bare, packed, drawn)
        return pictures

    def picture(self, name: str, probe: int) -> Float[Tensor, "3 rows columns"]:
        """One probe once more, as it was scored."""
        with torch.no_grad():
            return self.pictures(name, probe - probe % _CHUNK)[probe % _CHUNK]


def score(
    stage: Stage,
    recognizers: Sequence[Recognizer],
    galleries: Sequence[Sequence[JudgedGallery]],
    *,
    aligners: Sequence[Aligner],
    progress: bool = False,
    processes: int = 1,
) -> list[Scores]:
    """Score bare probes and every design on the same photos, placements and draws.

    Args:
        stage: The probes.
        recognizers: Frozen.
        galleries: For each recognizer, what probes are compared with.
        aligners: Each is run on every picture.
        progress: Show a progress bar.
        processes: With more than one, that many fresh processes of one thread each build recognizers and
            aligners again by their names, and share the probes. The scores are the same.

    Raises:
        ConfigError: A recognizer or aligner cannot be built again as it is, for several processes.
        RunError: One of several processes died.
    """
    starts = range(0, len(stage.probes), _CHUNK)
    show: partial[tqdm[Any]] = partial(tqdm, desc="probes", unit=f"x{_CHUNK}", disable=not progress)
    if processes == 1:
        with torch.no_grad():
            pieces = [_scored(stage, recognizers, galleries, aligners, start) for start in show(starts)]
    else:
        _check_named(recognizers, aligners)
        job = _Job(
            stage,
            tuple((one.name, one.weights_sha256) for one in recognizers),
            tuple(tuple(replace(one, comparisons=_NONE) for one in own) for own in galleries),
            tuple(one.name for one in aligners),
        )
        pieces = in_processes(job, starts, processes=processes, show=show)
    photos = stage.photos
    everybody = tuple(photos.names[photo] for photo, _ in stage.probes)
    names = stage.names()
    probed = tuple(names[photo] for photo, _ in stage.probes)
    draws = tuple(way for _, way in stage.probes)

    def joined(
        key: str, i: int, aligner: str, j: int, names: Sequence[str] = stage.conditions
    ) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([piece[i, aligner, j, name][key] for piece in pieces]) for name in names}

    return [
        Scores(
            recognizer.label,
            aligner.name,
            gallery.gallery.name,
            joined("similarity", i, aligner.name, j),
            everybody,
            photos=probed,
            draws=draws,
            best_other=joined("best_other", i, aligner.name, j),
            false_matches={
                one.fmr: joined(f"matches {one.fmr}", i, aligner.name, j) for one in gallery.thresholds
            },
            others=len(gallery.people) - 1,
            displacement=joined("displacement", i, aligner.name, j),
            embeddings=joined("embeddings", i, aligner.name, j, stage.kept) if j == 0 else {},
        )
        for i, recognizer in enumerate(recognizers)
        for aligner in aligners
        for j, gallery in enumerate(galleries[i])
    ]


def _check_named(recognizers: Sequence[Recognizer], aligners: Sequence[Aligner]) -> None:
    objects = [one.name for one in recognizers if one.name.startswith(f"{MODULE}:")]
    objects += [
        one.name for one in aligners if isinstance(one, OwnAligner) and not one.name.startswith("python:")
    ]
    if objects:
        raise ConfigError(
            f"{', '.join(objects)} was given as an object and is not shared by processes; take "
            "protocol.processes=1."
        )


@dataclass(frozen=True, eq=False)
class _Job:
    """Scoring as it is handed to other processes: networks are named, with their checksums."""

    stage: Stage
    recognizers: tuple[tuple[str, str], ...]
    galleries: tuple[tuple[JudgedGallery, ...], ...]
    aligners: tuple[str, ...]

    def begin(self) -> Callable[[int], _Piece]:
        recognizers = []
        for name, checksum in self.recognizers:
            built = build_recognizer(name)
            if built.weights_sha256 != checksum:
                raise ConfigError(
                    f"{name} has other weights each time it is built, so it cannot be shared by processes; "
                    "save its weights, or take protocol.processes=1."
                )
            recognizers.append(built)
        aligners = [build_aligner(name) for name in self.aligners]
        return partial(_scored, self.stage, recognizers, self.galleries, aligners)


def _scored(
    stage: Stage,
    recognizers: Sequence[Recognizer],
    galleries: Sequence[Sequence[JudgedGallery]],
    aligners: Sequence[Aligner],
    start: int,
) -> _Piece:
    """Scores of the probes from `start` on, as many as belong together."""
    found: _Piece = {}
    photos = stage.photos
    chosen = [photo for photo, _ in stage.probes[start : start + _CHUNK]]
    enrolled = [stage.rows[photo] for photo in chosen]
    people = [photos.names[photo] for photo in chosen]
    landmarks = photos.landmarks(chosen)
    for name in stage.conditions:
        pictures = stage.pictures(name, start)
        for aligner in aligners:
            points, seen = aligner.landmarks(pictures, landmarks)
            moved = _moved(points, landmarks)
            points = torch.where(seen[:, None, None], points, landmarks)
            for i, recognizer in enumerate(recognizers):
                embeddings = recognizer(pictures, points)
                for j, gallery in enumerate(galleries[i]):
                    own = gallery.gallery.similarity(recognizer, embeddings, enrolled).double()
                    others = gallery.similarity_to_others(recognizer, embeddings, people)
                    columns = {"similarity": own, "displacement": moved} | _of_others(others, gallery)
                    found[i, aligner.name, j, name] = {
                        key: _blank(values, seen).numpy() for key, values in columns.items()
                    }
                if name in stage.kept:
                    kept = torch.where(seen[:, None], embeddings, torch.nan).float()
                    found[i, aligner.name, 0, name]["embeddings"] = kept.numpy()
    return found


def _of_others(others: Float[Tensor, "m people"], gallery: JudgedGallery) -> dict[str, Tensor]:
    matches = {f"matches {one.fmr}": (others >= one.threshold).sum(dim=1) for one in gallery.thresholds}
    return {"best_other": others.amax(dim=1), **matches}


def _moved(points: Float[Tensor, "batch 5 2"], bare: Float[Tensor, "batch 5 2"]) -> Float[Tensor, " batch"]:
    eyes = torch.linalg.vector_norm(bare[:, 1] - bare[:, 0], dim=-1)
    moved: Tensor = torch.linalg.vector_norm(points - bare, dim=-1).mean(dim=1) / eyes
    return moved


def _blank(values: Tensor, seen: Bool[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """In double precision, NaN where no face was found."""
    return torch.where(seen, values.double(), torch.nan)
