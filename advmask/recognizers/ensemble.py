"""Several frozen recognizers fed from the same pictures."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from advmask.core.errors import ConfigError
from advmask.recognizers.aligners.aligner import Aligner, BareAligner
from advmask.recognizers.aligners.aligner_names import build_aligner, build_aligners
from advmask.recognizers.aligners.assignment import aligned_points, assign, assigned_points
from advmask.recognizers.eager_gradients import EagerGradients
from advmask.recognizers.intermediate_layer import intermediate_layer, watched
from advmask.recognizers.misled import Misled
from advmask.recognizers.perturbation import moved_landmarks, perturbed
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.settings import SurrogateSettings

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
        self.register_buffer("weights", _weights(self.settings.weights, len(recognizers)), persistent=False)
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
        draws: Generator | None = None,
    ) -> list[Tensor]:
        """Embeddings (B, D) of each recognizer, in order; differentiable in the pictures.

        Args:
            pictures: In [0, 1], RGB.
            landmarks: On the bare pictures.
            draws: For assigning photos to aligners and for perturbations; needed where there are any.
        """
        draws = draws or torch.Generator().manual_seed(0)
        return [
            self._embedded(member, chips, places, draws)
            for member, chips, places in self._fed(pictures, landmarks, draws=draws)
        ]

    def judged(
        self,
        pictures: Float[Tensor, "batch 3 rows columns"],
        landmarks: Float[Tensor, "batch 5 2"],
        judge: Judge,
        *,
        draws: Generator | None = None,
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
            draws: For assigning photos to aligners and for perturbations; needed where there are any.
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
        draws = draws or torch.Generator().manual_seed(0)
        if intermediate is not None:
            if bare is None:
                raise ValueError("judging an intermediate layer needs the bare photos")
            self.find_intermediate_layers()
        misled = Misled() if mislead is not None else None
        gradients = EagerGradients(combine)
        fed = self._fed(pictures, landmarks, draws=draws, misled=misled)
        for number, (member, chips, places) in enumerate(fed):
            ready = chips.detach().requires_grad_(chips.requires_grad)
            if intermediate is None or bare is None:
                term = judge(number, self._embedded(member, ready, places, draws))
            else:
                before = self._features(number, member, bare, landmarks)
                with watched(member.network, self._intermediate[number]) as seen:
                    term = judge(number, self._embedded(member, ready, places, draws))
                term = term + intermediate(number, torch.cat(seen).to(before), before)
            gradients.take(term, chips, ready)
        total = gradients.total(pictures.new_zeros(()))
        return total if misled is None or mislead is None else total + mislead(*misled.landmarks(landmarks))

    def _fed(
        self, pictures: Tensor, landmarks: Tensor, *, draws: Generator, misled: Misled | None = None
    ) -> Iterator[tuple[Recognizer, Tensor, Tensor | None]]:
        """Each recognizer with its chips, the same for all of one alignment, and what it is told of them."""
        points = {"": self._assigned(pictures, landmarks, draws, misled)}
        chips: dict[tuple[object, ...], tuple[Tensor, Tensor]] = {}
        for member, alignment in zip(self.members, self._alignments, strict=True):
            aligner = self._own.get(member.label)
            name = aligner.name if aligner is not None else ""
            if aligner is not None and name not in points:
                points[name], found = aligned_points([aligner], pictures, landmarks, draws=draws)
                if misled is not None and aligner.differentiable:
                    misled.take(points[name], landmarks, found)
            key = (name, *alignment)
            if key not in chips:
                moved = moved_landmarks(points[name], self.settings.perturbation.alignment, draws=draws)
                chips[key] = member.chips(pictures, moved), moved
            cut, by = chips[key]
            yield member, cut, member.places(by)

    def _assigned(
        self, pictures: Tensor, landmarks: Tensor, draws: Generator, misled: Misled | None
    ) -> Tensor:
        if all(isinstance(aligner, BareAligner) for aligner in self._aligners):
            return landmarks
        assigned = assign(len(self._aligners), len(pictures), draws=draws)
        shake = self.settings.box_shake
        points, found = assigned_points(assigned, self._aligners, pictures, landmarks, shake=shake)
        if misled is not None:
            carrying = assigned.photos_of([aligner.differentiable for aligner in self._aligners])
            misled.take(points, landmarks, found & carrying.to(found.device))
        return points

    def _features(self, number: int, member: Recognizer, bare: Tensor, landmarks: Tensor) -> Tensor:
        """Maps of the intermediate layer for the bare photos; without gradient and perturbation."""
        chips = member.chips(bare, landmarks)
        with (
            torch.no_grad(),
            self._precision(bare),
            watched(member.network, self._intermediate[number]) as seen,
        ):
            member.embed(chips, member.places(landmarks))
        maps = torch.cat(seen)  # several of a network that runs in groups
        return maps.float() if self._bfloat16 else maps

    def _precision(self, pictures: Tensor) -> torch.autocast:
        """That of the networks, whatever is in force around them."""
        return torch.autocast(pictures.device.type, torch.bfloat16, enabled=self._bfloat16)

    def _embedded(self, member: Recognizer, chips: Tensor, places: Tensor | None, draws: Generator) -> Tensor:
        settings = self.settings
        changed = (
            perturbed(member.network, settings.perturbation, draws=draws)
            if settings.perturbation.of_networks
            else nullcontext()
        )
        with changed, self._precision(chips):
            embedding = member.embed(chips, places)
        return embedding.float() if self._bfloat16 else embedding

    def train(self, mode: bool = True) -> "Ensemble":
        """The ensemble stays in evaluation mode."""
        super().train(False)
        return self


def _weights(given: Sequence[float] | None, count: int) -> Tensor:
    """Weights with mean one."""
    if given is None:
        return torch.ones(count)
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
