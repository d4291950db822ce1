"""What a printer cannot print."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.colour.difference import difference
from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
from advmask.printers.printer import Printer


def gamut_loss(texels: Float[Tensor, "3 H W"], printer: Printer) -> Float[Tensor, "H W"]:
    """How far a printer misses the colours of a design, Delta E 2000, for a gamut warning.

    What is asked for is seen relative to the paper, as eyes that are used to it do; the print is not spread,
    since fine lines are no matter of colours. A black that is not deep counts.

    Args:
        texels: sRGB in [0, 1].
        printer: Its mean print is taken.
    """
    with torch.no_grad():
        texels = texels.detach().cpu().float()
        colours = texels.permute(1, 2, 0)
        printed = printer.colours(colours).clamp(0, 1)
        white = printer.colours(torch.ones(3)).clamp(0.01, 1)
        asked = linear_from_srgb(colours) * white
        return difference(*(srgb_from_linear(each).permute(2, 0, 1) for each in (asked, printed)))
