"""A printer as a model of its inks."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.printers.colour_table import ColourTable
from advmask.printers.halftone import gained, more_ink, primaries, reflectance
from advmask.printers.settings import InkSettings


def printed_table(
    inks: InkSettings,
    coverages: Float[Tensor, "n n n 4"],
    *,
    dot_gain: float,
    ink: Float[Tensor, "3"],
) -> ColourTable:
    """What a printer with these inks prints, one print whose inks differ from the driver's idea included.

    Args:
        inks: Reflectances of the solids and their overprints.
        coverages: What the driver asked of the inks: see `separate`.
        dot_gain: Of this print, on top of that of the settings; coverage at half coverage.
        ink: Relative change of the amount of cyan, magenta and yellow in this print: of the densities of the
            solids, and of the ground that is covered.
    """
    laid = torch.cat([more_ink(coverages[..., :3], ink), coverages[..., 3:]], dim=-1)
    covered = gained(laid, inks.dot_gain + dot_gain)
    return ColourTable(reflectance(covered, primaries(inks, ink), inks.yule_nielsen).float())
