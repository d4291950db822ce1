"""How different colours look, and what a printer cannot print."""

import numpy as np
import torch
from jaxtyping import Float
from skimage.color import deltaE_ciede2000, rgb2lab
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
from advmask.printers.printer import Printer


def difference(one: Float[Tensor, "3 H W"], other: Float[Tensor, "3 H W"]) -> Float[Tensor, "H W"]:
    """Colour difference of two sRGB pictures, texel by texel, Delta E 2000.

    About 1 can just be seen side by side; 10 is another shade, 50 another colour.

    Source: CIEDE2000, G. Sharma, W. Wu and E. N. Dalal, The CIEDE2000 color-difference formula (2005).
    """
    first, second = (
        rgb2lab(picture.detach().cpu().double().permute(1, 2, 0).numpy()) for picture in (one, other)
    )
    return torch.from_numpy(np.asarray(deltaE_ciede2000(first, second), dtype=np.float32))


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
