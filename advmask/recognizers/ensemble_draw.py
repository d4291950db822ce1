"""What an ensemble draws for the photos of a step: records of plain tensors, made apart from the step."""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from advmask.recognizers.aligners.assignment import Assignment, assign
from advmask.recognizers.perturbation import drawn_gains, drawn_moves
from advmask.recognizers.settings import PerturbationSettings


@dataclass(frozen=True, eq=False)
class MemberDraw:
    """What is drawn for one recognizer.

    Attributes:
        own: For an aligner of its own, where none before it has the same; else None.
        moves: Of its landmarks, where none before it shares its alignment; else None.
        gains: Of its convolutions, where networks are perturbed.
    """

    own: Assignment | None
    moves: tuple[Tensor, Tensor] | None
    gains: tuple[Tensor, ...]


@dataclass(frozen=True, eq=False)
class EnsembleDraw:
    """What is drawn for some photos of a step.

    Attributes:
        assigned: Which photo goes to which aligner; None where all are aligned as on the bare picture.
        members: Of each recognizer, in order.
    """

    assigned: Assignment | None
    members: tuple[MemberDraw, ...]


@dataclass(frozen=True)
class EnsembleDrawer:
    """Draws for an ensemble, on the CPU and in whatever process.

    Attributes:
        aligners: That photos are assigned to; 0 where there is nothing to assign.
        members: For each recognizer whether it draws for an aligner of its own, whether for an alignment, and
            how many channels each of its convolutions gives.
        perturbation: Of alignments and networks.
    """

    aligners: int
    members: tuple[tuple[bool, bool, tuple[int, ...]], ...]
    perturbation: PerturbationSettings

    def draw(self, photos: int, draws: Generator) -> EnsembleDraw:
        """Draw for so many photos."""
        assigned = assign(self.aligners, photos, draws=draws) if self.aligners else None
        found = []
        for own, aligned, channels in self.members:
            theirs = assign(1, photos, draws=draws) if own else None
            reach = self.perturbation.alignment
            moves = drawn_moves(photos, reach, draws=draws) if aligned and reach else None
            gains = drawn_gains(channels, self.perturbation, draws=draws)
            found.append(MemberDraw(theirs, moves, gains))
        return EnsembleDraw(assigned, tuple(found))


def channels_of(network: torch.nn.Module) -> tuple[int, ...]:
    """How many channels each convolution of a network gives, in the order in which `perturbed` finds them."""
    return tuple(layer.out_channels for layer in network.modules() if isinstance(layer, torch.nn.Conv2d))
