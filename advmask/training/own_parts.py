"""Parts of a run that are given as objects and not by settings, and what the run folder says of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pytorch_lightning.callbacks import Callback
from torch import nn
from torch.optim import Optimizer

from advmask.core.errors import ConfigError
from advmask.effects.own_effects import Effect, check_effects
from advmask.objectives.own_terms import OwnTerms, Term
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.aligners.own_aligner import check_aligner
from advmask.recognizers.own_network import weights_checksum
from advmask.recognizers.recognizer import Recognizer

OptimiserFactory = Callable[[Iterable[nn.Parameter]], Optimizer]
"""Builds the optimiser of the design's parameters."""

Progress = Callable[[int, int, Mapping[str, float]], Any]
"""Called after each step with the steps taken, the steps of the run, and the step's values by name."""

_LONGEST = 300


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnParts:
    """What `train` was given in addition to its settings; see there.

    Attributes:
        terms: Losses.
        effects: Applied after the camera.
        aligners: In place of `surrogates.aligners`, by name or as objects; None keeps those.
        optimiser: In place of `optimiser.kind` and its rate; None keeps those.
        callbacks: Of Lightning.
        progress: In place of the progress bar.
    """

    terms: Sequence[Term] = ()
    effects: Sequence[Effect] = ()
    aligners: Sequence[str | Aligner] | None = None
    optimiser: OptimiserFactory | None = None
    callbacks: Sequence[Callback] = ()
    progress: Progress | None = None

    def __post_init__(self) -> None:
        OwnTerms(self.terms)
        check_effects(self.effects)
        for one in self.aligners or ():
            if not isinstance(one, str):
                check_aligner(one)
        for each in self.callbacks:
            if not isinstance(each, Callback):
                raise ConfigError(f"{type(each).__name__} is not a pytorch_lightning.callbacks.Callback.")
        for name, given in {"optimiser": self.optimiser, "progress": self.progress}.items():
            if given is not None and not callable(given):
                raise ConfigError(f"{name} takes a function, not {type(given).__name__}.")

    def described(self, recognizers: Sequence[str | Recognizer]) -> dict[str, list[str]]:
        """What of a run is not in its settings, in words that are the same whenever the objects are.

        Callbacks and progress are left out: a run may be resumed with others.

        Args:
            recognizers: All of the run; those that are objects are described.
        """
        kinds: dict[str, Sequence[Any]] = {
            "recognizers": [one for one in recognizers if isinstance(one, Recognizer)],
            "terms": self.terms,
            "effects": self.effects,
            "aligners": [one for one in self.aligners or () if not isinstance(one, str)],
            "optimiser": [] if self.optimiser is None else [self.optimiser],
        }
        return {kind: [described(one) for one in objects] for kind, objects in kinds.items() if objects}


def described(one: Any) -> str:
    """An object in one line: its own `repr` where that says more than an address, and its weights if any.

    A function is described by its name: what it does may change unseen.
    """
    if isinstance(one, Recognizer):
        return f"{one.name}, weights {one.weights_sha256}"
    name = getattr(one, "__qualname__", None) or type(one).__qualname__
    module = getattr(one, "__module__", type(one).__module__)
    text = " ".join(repr(one).split())
    if " at 0x" in text:
        text = name
    words = f"{module}: {text[:_LONGEST]}"
    if isinstance(one, nn.Module) and one.state_dict():
        words += f", weights {weights_checksum(one)}"
    return words
