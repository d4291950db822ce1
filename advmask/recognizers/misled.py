"""Which landmarks of a step a design moved by misleading an aligner."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

from advmask.recognizers.aligners import Aligner, aligned_points


class Misled:
    """Collects the landmarks of a step that carry a gradient, with those of the bare pictures."""

    def __init__(self) -> None:
        self._found: list[Tensor] = []
        self._bare: list[Tensor] = []

    def take(
        self,
        found: Float[Tensor, "batch 5 2"],
        bare: Float[Tensor, "batch 5 2"],
        rows: Bool[Tensor, " batch"],
    ) -> None:
        """Take in the landmarks of some photos.

        Args:
            found: On the masked pictures.
            bare: On the bare pictures.
            rows: Which photos; those on which no face was found are not among them.
        """
        self._found.append(found[rows])
        self._bare.append(bare.to(found)[rows])

    def landmarks(
        self, like: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "n 5 2"], Float[Tensor, "n 5 2"]]:
        """Found and bare landmarks of everything taken in.

        Args:
            like: Says the type and device where nothing was.
        """
        nothing = like[:0]
        return torch.cat([nothing, *self._found]), torch.cat([nothing, *self._bare])

    def carrying(
        self, aligners: Sequence[Aligner], bare: Float[Tensor, "batch 5 2"], *, draws: Generator
    ) -> Bool[Tensor, " batch"]:
        """Which photos `aligned_points` will deal to an aligner with a gradient.

        The photos are dealt once for trial, from the same draws, to stand-ins that do nothing but mark them.

        Args:
            aligners: As they will be dealt to.
            bare: Landmarks of the photos.
            draws: Left as they are.
        """
        again = torch.Generator()
        again.set_state(draws.get_state())
        stand_ins = [_Marker(1.0 if aligner.differentiable else 0.0) for aligner in aligners]
        marks, _ = aligned_points(stand_ins, bare.new_zeros(len(bare), 3, 1, 1), bare * 0, draws=again)
        return marks[:, 0, 0] == 1


class _Marker:
    """Gives every landmark the same number."""

    name = "marker"
    differentiable = False

    def __init__(self, mark: float) -> None:
        self._mark = mark

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Mark the photos."""
        found = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
        return torch.full_like(hint, self._mark), found
