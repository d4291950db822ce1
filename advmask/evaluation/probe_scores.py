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
from advmask.effects.records import moved
from advmask.evaluation.enrolled import JudgedGallery
from advmask.evaluation.scoring_parts import Piece, Shard
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
PROBES_AT_ONCE = 16

Columns = dict[str, NDArray[np.float64]]
_NOWHERE = torch.empty(0, 0)
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

    def pictures(
        self, name: str, start: int, *, device: torch.device | str = "cpu"
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """What recognizers see of the probes from `start` on, as many as belong together, on a device."""
        chunk = self.probes[start : start + PROBES_AT_ONCE]
        bare = self.photos.pictures([photo for photo, _ in chunk])
        packed = self.photos.packed([photo for photo, _ in chunk], [way for _, way in chunk])
        texels = self.designs.get(name)
        size = (bare.shape[-2], bare.shape[-1])
        drawn = self.scene.draw(start, range(len(chunk)), size, texels=texels)
        texels, bare, packed, drawn = moved((texels, bare, packed, drawn), device)
        pictures: Tensor = self.scene.to(device)(texels, bare, packed, drawn)
        return pictures

    def picture(self, name: str, probe: int) -> Float[Tensor, "3 rows columns"]:
        """One probe once more, as it was scored."""
        with torch.no_grad():
            return self.pictures(name, probe - probe % PROBES_AT_ONCE)[probe % PROBES_AT_ONCE]


@dataclass(frozen=True, eq=False)
class Setup:
    """One recognizer behind one aligner, and what its probes are compared with.

    Attributes:
        recognizer: Frozen.
        aligner: Run on every picture.
        galleries: Of people enrolled with this recognizer.
        called: What the aligner is called in results.
        references: (n, D) of the bare photos of everybody at hand, as they are enrolled.
    """

    recognizer: Recognizer
    aligner: Aligner
    galleries: tuple[JudgedGallery, ...]
    called: str
    references: Float[Tensor, "n dim"] = _NOWHERE


def every_setup(
    recognizers: Sequence[Recognizer],
    galleries: Sequence[Sequence[JudgedGallery]],
    aligners: Sequence[Aligner],
    references: Sequence[Float[Tensor, "n dim"]] = (),
) -> list[Setup]:
    """Every recognizer, with its own galleries and embeddings of bare photos, behind every aligner."""
    bares = references or [_NOWHERE] * len(recognizers)
    return [
        Setup(recognizer, aligner, tuple(own), aligner.name, bare)
        for recognizer, own, bare in zip(recognizers, galleries, bares, strict=True)
        for aligner in aligners
    ]


def score(
    stage: Stage,
    setups: Sequence[Setup],
    *,
    progress: bool = False,
    processes: int = 1,
    shard: Shard | None = None,
) -> list[Scores]:
    """Score bare probes and every design on the same photos, placements and draws.

    Args:
        stage: The probes.
        setups: What they are shown to; scores come in their order, and in that of their galleries.
        progress: Show a progress bar.
        processes: With more than one, that many fresh processes of one thread each build recognizers and
            aligners again by their names, and share the probes. The scores are the same.
        shard: The part of the probes that is scored here; what others scored is read.

    Raises:
        ConfigError: A recognizer or aligner cannot be built again as it is, for several processes.
        RunError: One of several processes died.
        PartsAwaitedError: Others have not scored their part yet.
    """
    starts: Sequence[int] = range(0, len(stage.probes), PROBES_AT_ONCE)
    if shard is not None:
        starts = shard.chosen(starts)
    show: partial[tqdm[Any]] = partial(tqdm, desc="probes", unit=f"x{PROBES_AT_ONCE}", disable=not progress)
    if processes == 1 or not starts:
        with torch.no_grad():
            pieces = [_scored(stage, setups, start) for start in show(starts)]
    else:
        _check_named(setups)
        pieces = in_processes(_Job(stage, tuple(map(_named, setups))), starts, processes=processes, show=show)
    if shard is not None:
        pieces = list(shard.whole(dict(zip(starts, pieces, strict=True))).values())
    photos = stage.photos
    everybody = tuple(photos.names[photo] for photo, _ in stage.probes)
    names = stage.names()
    probed = tuple(names[photo] for photo, _ in stage.probes)
    draws = tuple(way for _, way in stage.probes)

    def joined(key: str, i: int, j: int, names: Sequence[str] = stage.conditions) -> dict[str, NDArray[Any]]:
        return {name: np.concatenate([piece[i, j, name][key] for piece in pieces]) for name in names}

    return [
        Scores(
            setup.recognizer.label,
            setup.called,
            gallery.gallery.name,
            joined("similarity", i, j),
            everybody,
            photos=probed,
            draws=draws,
            best_other=joined("best_other", i, j),
            false_matches={one.fmr: joined(f"matches {one.fmr}", i, j) for one in gallery.thresholds},
            others=len(gallery.people) - 1,
            displacement=joined("displacement", i, j),
            embeddings=joined("embeddings", i, j, stage.kept) if j == 0 else {},
        )
        for i, setup in enumerate(setups)
        for j, gallery in enumerate(setup.galleries)
    ]


def _check_named(setups: Sequence[Setup]) -> None:
    recognizers = [one.recognizer for one in setups]
    names = [one.name for one in recognizers if one.asked or one.name.startswith(f"{MODULE}:")]
    aligners = [one.aligner for one in setups]
    names += [
        one.name for one in aligners if isinstance(one, OwnAligner) and not one.name.startswith("python:")
    ]
    if objects := dict.fromkeys(names):
        raise ConfigError(
            f"{', '.join(objects)} was given as an object or is a service, and is not shared by processes; "
            "take protocol.processes=1."
        )


@dataclass(frozen=True)
class _Named:
    """A set-up as it is handed to other processes: the network by name, with its checksum."""

    recognizer: str
    checksum: str
    aligner: str
    galleries: tuple[JudgedGallery, ...]
    template: Float[Tensor, "5 2"]


def _named(setup: Setup) -> _Named:
    galleries = tuple(replace(one, comparisons=_NONE) for one in setup.galleries)
    one = setup.recognizer
    return _Named(one.name, one.weights_sha256, setup.aligner.name, galleries, one.template.cpu())


@dataclass(frozen=True, eq=False)
class _Job:
    """Scoring as it is handed to other processes."""

    stage: Stage
    setups: tuple[_Named, ...]

    def begin(self) -> Callable[[int], Piece]:
        recognizers = {one.recognizer: build_recognizer(one.recognizer) for one in self.setups}
        for one in self.setups:
            if recognizers[one.recognizer].weights_sha256 != one.checksum:
                raise ConfigError(
                    f"{one.recognizer} has other weights each time it is built, so it cannot be shared by "
                    "processes; save its weights, or take protocol.processes=1."
                )
        aligners = {one.aligner: build_aligner(one.aligner) for one in self.setups}
        setups = [
            Setup(
                recognizers[one.recognizer].with_template(one.template),
                aligners[one.aligner],
                one.galleries,
                one.aligner,
            )
            for one in self.setups
        ]
        return partial(_scored, self.stage, setups)


def _scored(stage: Stage, setups: Sequence[Setup], start: int) -> Piece:
    """Scores of the probes from `start` on, as many as belong together."""
    found: Piece = {}
    photos = stage.photos
    chosen = [photo for photo, _ in stage.probes[start : start + PROBES_AT_ONCE]]
    enrolled = [stage.rows[photo] for photo in chosen]
    people = [photos.names[photo] for photo in chosen]
    device = setups[0].recognizer.template.device
    landmarks = photos.landmarks(chosen).to(device)
    told = {one.aligner.name: one.aligner for one in setups}
    for name in stage.conditions:
        pictures = stage.pictures(name, start, device=device)
        aligned = {called: _aligned(one, pictures, landmarks) for called, one in told.items()}
        embedded: dict[tuple[int, str], Tensor] = {}
        for i, setup in enumerate(setups):
            recognizer = setup.recognizer
            points, seen, away = aligned[setup.aligner.name]
            pair = (id(recognizer), setup.aligner.name)
            if pair not in embedded:
                embedded[pair] = recognizer(pictures, points).cpu()  # where those it is compared with lie
            embeddings = embedded[pair]
            seen = seen & torch.isfinite(embeddings).all(dim=1)  # services find faces by themselves
            for j, gallery in enumerate(setup.galleries):
                own = gallery.gallery.similarity(recognizer, embeddings, enrolled).double()
                others = gallery.similarity_to_others(recognizer, embeddings, people)
                columns = {"similarity": own, "displacement": away} | _of_others(others, gallery)
                found[i, j, name] = {key: _blank(values, seen).numpy() for key, values in columns.items()}
            if name in stage.kept:
                kept = torch.where(seen[:, None], embeddings, torch.nan).float()
                found[i, 0, name]["embeddings"] = kept.numpy()
    return found


def _of_others(others: Float[Tensor, "m people"], gallery: JudgedGallery) -> dict[str, Tensor]:
    matches = {f"matches {one.fmr}": (others >= one.threshold).sum(dim=1) for one in gallery.thresholds}
    return {"best_other": others.amax(dim=1), **matches}


def _aligned(aligner: Aligner, pictures: Tensor, bare: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Landmarks, the bare ones where no face was found; and, on the CPU, where one was and how far away."""
    points, seen = aligner.landmarks(pictures, bare)
    moved = _moved(points, bare).cpu()
    return torch.where(seen[:, None, None], points, bare), seen.cpu(), moved


def _moved(points: Float[Tensor, "batch 5 2"], bare: Float[Tensor, "batch 5 2"]) -> Float[Tensor, " batch"]:
    eyes = torch.linalg.vector_norm(bare[:, 1] - bare[:, 0], dim=-1)
    moved: Tensor = torch.linalg.vector_norm(points - bare, dim=-1).mean(dim=1) / eyes
    return moved


def _blank(values: Tensor, seen: Bool[Tensor, " batch"]) -> Float[Tensor, " batch"]:
    """In double precision, NaN where no face was found."""
    return torch.where(seen, values.double(), torch.nan)
