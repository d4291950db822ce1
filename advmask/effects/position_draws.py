"""Where a thing lies, as against how strong it is."""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.effects.draws import Draws


def anywhere(draws: Draws, shape: tuple[int, ...]) -> Float[Tensor, "..."]:
    """Numbers spread evenly over [0, 1], for places, phases and directions.

    They have no level from low to high: in a picture of an effect at several levels things stay where they
    are and grow stronger.
    """
    return 0.5 + 0.5 * torch.erf(draws.normal(shape) / math.sqrt(2))
