"""How different two colours look: CIEDE2000."""

import numpy as np
import torch
from jaxtyping import Float, Float64
from torch import Tensor

from advmask.colour.lab import lab_from_linear
from advmask.colour.srgb import linear_from_srgb


def delta_e(
    one: Float64[np.ndarray, "... 3"], other: Float64[np.ndarray, "... 3"]
) -> Float64[np.ndarray, "..."]:
    """CIEDE2000 difference of colours in L*a*b*: about 1 is just seen, above 10 a different colour.

    Source: CIE 142-2001, as scikit-image computes it.
    """
    from skimage.color import deltaE_ciede2000

    result: Float64[np.ndarray, "..."] = np.asarray(deltaE_ciede2000(one, other), dtype=np.float64)
    return result


def difference(one: Float[Tensor, "3 H W"], other: Float[Tensor, "3 H W"]) -> Float[Tensor, "H W"]:
    """Colour difference of two sRGB pictures, texel by texel, Delta E 2000.

    About 1 can just be seen side by side; 10 is another shade, 50 another colour.

    Source: CIEDE2000, G. Sharma, W. Wu and E. N. Dalal, The CIEDE2000 color-difference formula (2005).
    """
    first, second = (
        lab_from_linear(linear_from_srgb(each.detach().cpu().double().movedim(0, -1))).numpy()
        for each in (one, other)
    )
    return torch.from_numpy(delta_e(first, second).astype(np.float32))
