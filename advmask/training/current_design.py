"""The design that a run would leave if it ended now."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.training.module import DesignModule


@torch.no_grad()
def design_now(module: DesignModule) -> Float[Tensor, "3 height width"]:
    """Texels as they would be written if the run ended here, sRGB in [0, 1]; nothing of them is shared.

    The mean of the last steps stands in where there is one already, and a palette is decided for its inks.
    The module stays as it is.
    """
    texture = copy.deepcopy(module.texture)
    module.average.apply_to(texture)
    return texture.finish().clone()
