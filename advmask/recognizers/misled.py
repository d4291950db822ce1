"""Which landmarks of a step a design displaced, by an aligner with a gradient."""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


class Misled:
    """Collects the landmarks of a step that carry a gradient, with those of the bare pictures."""

    def __init__(self) -> None:
        self._found: list[Tensor] = []
        self._bare: list[Tensor] = []

    def take(
        self,
        found: Float[Tensor, "batch 5 2"],
        bare: Float[Tensor, "batch 5 2"],
        rows: Bool[Tensor, " batch"] | Int[Tensor, " rows"],
    ) -> None:
        """Take in the landmarks of some photos.

        Args:
            found: On the masked pictures.
            bare: On the bare pictures.
            rows: Which photos, or their numbers; those on which no face was found are not among them.
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
