"""Several frozen recognizers fed from the same pictures."""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from advmask.core.errors import ConfigError
from advmask.recognizers.aligners.aligner import Aligner, BareAligner, finds_all
from advmask.recognizers.aligners.aligner_names import build_aligner, build_aligners
from advmask.recognizers.aligners.assignment import Assignment, assigned_points
from advmask.recognizers.eager_gradients import EagerGradients
from advmask.recognizers.ensemble_draw import EnsembleDraw, EnsembleDrawer, MemberDraw, channels_of
from advmask.recognizers.exact_beginning import exact_beginning
from advmask.recognizers.intermediate_layer import intermediate_layer, watched
from advmask.recognizers.misled import Misled
from advmask.recognizers.perturbation import moved_landmarks, perturbed
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.settings import SurrogateSettings

_log = logging.getLogger(__name__)

Judge = Callable[[int, Float[Tensor, "batch dim"]], Float[Tensor, ""]]
"""The term of the recognizer with this number, from its embeddings."""

Intermediate = Callable[[int, Tensor, Tensor], Float[Tensor, ""]]
"""A term of the recognizer with this number, from its feature maps of masked and of bare photos."""

Mislead = Callable[[Float[Tensor, "n 5 2"], Float[Tensor, "n 5 2"]], Float[Tensor, ""]]
"""A term of aligners: from landmarks found on masked pictures and those of the bare pictures."""


class Ensemble(nn.Module):
    """Frozen recognizers; pictures are resampled once for each distinct alignment.

    Args:
        recognizers: At least one; they stay in evaluation mode and carry no gradient of their own.
        settings: How they are fed and run.
        aligners: In place of `settings.aligners`, by name or as objects.
        bfloat16: Run the networks in bfloat16; what is before and after them stays as precise as it is given.

    Raises:
        ConfigError: The settings name an unknown aligner or recognizer, or another number of weights.
    """

    weights: Tensor

    def __init__(
        self,
        recognizers: Sequence[Recognizer],
        settings: SurrogateSettings | None = None,
        *,
        aligners: Sequence[str | Aligner] | None = None,
        bfloat16: bool = False,
    ) -> None:
        super().__init__()
        if not recognizers:
            raise ValueError("an ensemble needs at least one recognizer")
        self.settings = settings or SurrogateSettings()
        self._bfloat16 = bfloat16
        if self.settings.compile:
            recognizers = [member.compiled() for member in recognizers]
        self.recognizers = nn.ModuleList(recognizers)
        self.register_buffer("weights", _weights(self.settings.weights, recognizers), persistent=False)
        asked = self.settings.aligners if aligners is None else aligners
        distinct = list(dict.fromkeys(asked))
        built = dict(zip(distinct, build_aligners(distinct), strict=True))
        self._aligners = [built[one] for one in asked]
        self._own = _own_aligners(self.settings.own_aligners, recognizers)
        self._intermediate: dict[int, str] = {}
        self._alignments = [(m.specification.size, *m.template.flatten().tolist()) for m in recognizers]
        self.assert_frozen()

    @property
    def members(self) -> list[Recognizer]:
        """The recognizers, in order."""
        return [member for member in self.recognizers if isinstance(member, Recognizer)]

    @property
    def can_mislead(self) -> bool:
        """Whether any aligner gives landmarks that carry a gradient."""
        return any(aligner.differentiable for aligner in (*self._aligners, *self._own.values()))

    @property
    def drawer(self) -> EnsembleDrawer:
        """What draws for it, in whatever process."""
        owners = [
            self._own[member.label].name if member.label in self._own else "" for member in self.members
        ]
        keys = list(zip(owners, self._alignments, strict=True))
        return EnsembleDrawer(
            0 if all(isinstance(one, BareAligner) for one in self._aligners) else len(self._aligners),
            tuple(
                (
                    owner != "" and owner not in owners[:number],
                    keys[number] not in keys[:number],
                    channels_of(member.network),
                )
                for number, (member, owner) in enumerate(zip(self.members, owners, strict=True))
            ),
            self.settings.perturbation,
        )

    def __repr__(self) -> str:
        """One line; the recognizers themselves are `members`."""
        aligners = ", ".join(one.name for one in self._aligners)
        return f"Ensemble({', '.join(member.label for member in self.members)}; aligned by {aligners})"

    def find_intermediate_layers(self) -> None:
        """Find the layer of each network that `judged` watches for features; otherwise done when needed.

        Raises:
            ConfigError: A network shows no such layer, or networks are compiled, which hides them.
        """
        if self.settings.compile:
            raise ConfigError(
                "objective.features looks into the networks, which surrogates.compile=true closes; set one "
                "of them to false or 0."
            )
        for number, member in enumerate(self.members):
            if number not in self._intermediate:
                self._intermediate[number] = intermediate_layer(member)

    def assert_frozen(self) -> None:
        """Check that no member is in training mode and no parameter would be trained."""
        if any(module.training for member in self.members for module in member.modules()):
            raise AssertionError("a recognizer is in training mode; its statistics would drift")
        if any(parameter.requires_grad for parameter in self.recognizers.parameters()):
            raise AssertionError("a recognizer's parameter requires a gradient; recognizers are frozen")

    def forward(
        self,
        pictures: Float[Tensor, "batch 3 rows columns"],
        landmarks: Float[Tensor, "batch 5 2"],
        *,
        draws: Generator | EnsembleDraw | None = None,
    ) -> list[Tensor]:
        """Embeddings (B, D) of each recognizer, in order; differentiable in the pictures.

        Args:
            pictures: In [0, 1], RGB.
            landmarks: On the bare pictures.
            draws: For assigning photos to aligners and for perturbations, or what was drawn for them.
        """
        drawn = self._drawn(draws, len(pictures))
        return [
            self._embedded(member, chips, places, theirs)
            for member, chips, places, theirs in self._fed(pictures, landmarks, drawn=drawn)
        ]

    def judged(
        self,
        pictures: Float[Tensor, "batch 3 rows columns"],
        landmarks: Float[Tensor, "batch 5 2"],
        judge: Judge,
        *,
        draws: Generator | EnsembleDraw | None = None,
        combine: Callable[[Float[Tensor, " recognizers"]], Float[Tensor, ""]] | None = None,
        mislead: Mislead | None = None,
        intermediate: Intermediate | None = None,
        bare: Float[Tensor, "batch 3 rows columns"] | None = None,
    ) -> Float[Tensor, ""]:
        """What `judge` makes of each recognizer's embeddings, added up; differentiable in the pictures.

        Each network's gradient is taken as soon as its term is known, so that the activations of one network
        at a time are held: the memory of the largest instead of all, and faster, because it is used again
        while it is warm. First derivatives only, and in the precision of the terms: no loss scaling reaches
        the networks.

        Args:
            pictures: In [0, 1], RGB.
            landmarks: On the bare pictures.
            judge: Gives the term of the recognizer with this number from its embeddings (B, D); it may depend
                on nothing else that needs a gradient.
            draws: For assigning photos to aligners and for perturbations, or what was drawn for them.
            combine: Makes one number of the terms of all recognizers, in order; None adds them. Its gradient
                is exact: the networks' gradients are held, in the size of chips, until all terms are known.
            mislead: Gives a further term from the landmarks that aligners with a gradient found in this step
                and those of the bare pictures; there may be none of them.
            intermediate: Gives a term added to that of `judge`, from the maps of an intermediate layer; those
                of the bare photos have no gradient. Needs `bare`, and costs one more forward pass of each
                network.
            bare: The photos without a mask.

        Raises:
            ConfigError: `intermediate` is given and a network shows no intermediate layer.
            ValueError: `intermediate` is given without `bare`.
        """
        drawn = self._drawn(draws, len(pictures))
        if intermediate is not None:
            if bare is None:
                raise ValueError("judging an intermediate layer needs the bare photos")
            self.find_intermediate_layers()
        misled = Misled() if mislead is not None else None
        gradients = EagerGradients(combine)
        fed = self._fed(pictures, landmarks, drawn=drawn, misled=misled)
        for number, (member, chips, places, theirs) in enumerate(fed):
            ready = chips.detach().requires_grad_(chips.requires_grad)
            if intermediate is None or bare is None:
                term = judge(number, self._embedded(member, ready, places, theirs))
            else:
                before = self._features(number, member, bare, landmarks)
                with watched(member.network, self._intermediate[number]) as seen:
                    term = judge(number, self._embedded(member, ready, places, theirs))
                term = term + intermediate(number, torch.cat(seen).to(before), before)
            gradients.take(term, chips, ready)
        total = gradients.total(pictures.new_zeros(()))
        return total if misled is None or mislead is None else total + mislead(*misled.landmarks(landmarks))

    def _drawn(self, draws: Generator | EnsembleDraw | None, photos: int) -> EnsembleDraw:
        if isinstance(draws, EnsembleDraw):
            return draws
        return self.drawer.draw(photos, draws or torch.Generator().manual_seed(0))

    def _fed(
        self, pictures: Tensor, landmarks: Tensor, *, drawn: EnsembleDraw, misled: Misled | None = None
    ) -> Iterator[tuple[Recognizer, Tensor, Tensor | None, MemberDraw]]:
        """Each recognizer with its chips, the same for all of one alignment, and what it is told of them."""
        points = {"": landmarks}
        if drawn.assigned is not None:
            shake = self.settings.box_shake
            points[""] = self._aligned(
                self._aligners, drawn.assigned, pictures, landmarks, misled=misled, shake=shake
            )
        chips: dict[tuple[object, ...], tuple[Tensor, Tensor]] = {}
        for member, alignment, theirs in zip(self.members, self._alignments, drawn.members, strict=True):
            aligner = self._own.get(member.label)
            name = aligner.name if aligner is not None else ""
            if aligner is not None and name not in points:
                assert theirs.own is not None
                points[name] = self._aligned([aligner], theirs.own, pictures, landmarks, misled=misled)
            key = (name, *alignment)
            if key not in chips:
                moved = moved_landmarks(points[name], theirs.moves)
                chips[key] = member.chips(pictures, moved), moved
            cut, by = chips[key]
            yield member, cut, member.places(by), theirs

    def _aligned(
        self,
        aligners: Sequence[Aligner],
        assigned: Assignment,
        pictures: Tensor,
        landmarks: Tensor,
        *,
        misled: Misled | None,
        shake: float = 0.0,
    ) -> Tensor:
        """Landmarks found by aligners, each on its photos; those that carry a gradient go to `misled`."""
        points, found = assigned_points(assigned, aligners, pictures, landmarks, shake=shake)
        carrying = [aligner.differentiable for aligner in aligners]
        if misled is not None and any(carrying):
            rows = assigned.photos_of(carrying).to(found.device)
            if not all(finds_all(one) for one in aligners if one.differentiable):
                rows = rows[found[rows]]
            misled.take(points, landmarks, rows)
        return points

    def _features(self, number: int, member: Recognizer, bare: Tensor, landmarks: Tensor) -> Tensor:
        """Maps of the intermediate layer for the bare photos; without gradient and perturbation."""
        chips = member.chips(bare, landmarks)
        with (
            torch.no_grad(),
            self._precision(member, bare),
            watched(member.network, self._intermediate[number]) as seen,
        ):
            member.embed(chips, member.places(landmarks))
        maps = torch.cat(seen)  # several of a network that runs in groups
        return maps.float() if self._bfloat16 else maps

    @contextmanager
    def _precision(self, member: Recognizer, pictures: Tensor) -> Iterator[None]:
        """That of a network, whatever is in force around it; one that is compiled has no beginning apart."""
        exact = self._bfloat16 and not self.settings.compile
        with (
            torch.autocast(pictures.device.type, torch.bfloat16, enabled=self._bfloat16),
            exact_beginning(member.network) if exact else nullcontext(),
        ):
            yield

    def _embedded(
        self, member: Recognizer, chips: Tensor, places: Tensor | None, drawn: MemberDraw
    ) -> Tensor:
        with perturbed(member.network, drawn.gains), self._precision(member, chips):
            embedding = member.embed(chips, places)
        return embedding.float() if self._bfloat16 else embedding

    def train(self, mode: bool = True) -> "Ensemble":
        """The ensemble stays in evaluation mode."""
        super().train(False)
        return self


def _weights(
    asked: Sequence[float] | Mapping[str, float] | None, recognizers: Sequence[Recognizer]
) -> Tensor:
    """Weights with mean one; names of recognizers that are not here are passed over."""
    count = len(recognizers)
    if asked is None:
        return torch.ones(count)
    given = [asked.get(one.label, 1.0) for one in recognizers] if isinstance(asked, Mapping) else asked
    if isinstance(asked, Mapping) and (missing := sorted(asked.keys() - {one.label for one in recognizers})):
        _log.info("surrogates.weights names %s, which is not trained against.", ", ".join(missing))
    if len(given) != count or min(given) < 0 or sum(given) <= 0:
        raise ConfigError(
            f"surrogates.weights needs {count} numbers, one for each recognizer and none below zero, "
            f"not {list(given)}."
        )
    weights = torch.tensor(given, dtype=torch.float32)
    return weights * count / weights.sum()


def _own_aligners(names: Mapping[str, str], recognizers: Sequence[Recognizer]) -> dict[str, Aligner]:
    known = [member.label for member in recognizers]
    for label in names:
        if label not in known:
            raise ConfigError(
                f"surrogates.own_aligners names {label}, which is not a recognizer here; known: "
                f"{', '.join(known)}."
            )
    return {label: build_aligner(name) for label, name in names.items()}
