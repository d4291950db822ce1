"""A print whose inks differ, for a printer of which only the colours are known and not the inks."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.printers.colour_table import ColourTable
from advmask.printers.halftone import gained, more_ink

_YULE_NIELSEN = 1.7
_DARKEST = 1e-4


def varied_table(mean: ColourTable, *, dot_gain: float, ink: Float[Tensor, "3"]) -> ColourTable:
    """Let dots grow and densities change, each channel by itself.

    Red stands for cyan, green for magenta and blue for yellow. The coverage of an ink is read off its channel
    between the lightest and the darkest node as Murray and Davies do, with the Yule-Nielsen exponent usual
    for paper. Neutral colours stay neutral if all inks change alike; what a black ink would keep is not known
    here.

    Args:
        mean: The printer's usual answer.
        dot_gain: Change of the coverage at half coverage.
        ink: Relative change of the amount of cyan, magenta and yellow, as in `printed_table`.
    """
    nodes = mean.nodes
    roots = nodes.clamp(min=_DARKEST).pow(1 / _YULE_NIELSEN)
    white = roots[-1, -1, -1]
    black = torch.minimum(roots[0, 0, 0], roots.amin(dim=(0, 1, 2)))
    coverage = (white - roots) / (white - black).clamp(min=1e-3)
    inside = coverage.clamp(0, 1)
    # Brighter than white stays so.
    coverage = coverage + gained(more_ink(inside, ink), dot_gain) - inside
    relative = ((white - coverage * (white - black)) / white).clamp(min=1e-3)
    changed = relative.pow(_YULE_NIELSEN * (1 + ink.to(nodes)))
    return ColourTable(white.pow(_YULE_NIELSEN) * changed)
