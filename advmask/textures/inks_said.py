"""Which inks a palette takes of a picture, and which of its colours none of them comes near."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.textures.colour_names import colour_code
from advmask.textures.colours import lab_of, nearest_ink

_FAR = 20.0  # Delta E of 1976: another colour to anybody
_LEAST = 0.003  # of the picture
_MOST = 4
_FINE = 6  # steps of the colour cube in which colours are told apart


def inks_said(texels: Float[Tensor, "3 height width"], inks: Float[Tensor, "inks 3"]) -> list[str]:
    """Sentences: the inks with their shares of a start, and colours of it that are left out.

    Args:
        texels: What a design starts from, sRGB in [0, 1].
        inks: sRGB in [0, 1].
    """
    nearest = nearest_ink(texels, inks)
    shares = torch.bincount(nearest.flatten(), minlength=len(inks)).double() / nearest.numel()
    listed = ", ".join(
        f"{colour_code(ink.tolist())} ({share:.0%})" for ink, share in zip(inks, shares.tolist(), strict=True)
    )
    said = [f"Inks, with their shares of the start: {listed}."]
    away = (lab_of(texels.movedim(0, -1)) - lab_of(inks)[nearest]).norm(dim=-1)
    # Mixtures along an edge are one or two texels wide, and no colours of the picture.
    far = -F.max_pool2d(-(away > _FAR).float()[None], 3, stride=1, padding=1)[0] > 0.5
    if not far.any():
        return said
    colours = texels[:, far]
    cells = (colours * (_FINE - 1)).round().long()
    code = (cells[0] * _FINE + cells[1]) * _FINE + cells[2]
    count = torch.bincount(code, minlength=_FINE**3)
    for cell in count.argsort(descending=True)[:_MOST].tolist():
        share = float(count[cell]) / nearest.numel()
        if share < _LEAST:
            break
        mean = colours[:, code == cell].mean(dim=1)
        instead = inks[int(nearest[far][code == cell].mode().values)]
        said.append(
            f"Left out: {colour_code(mean.tolist())}, {share:.1%} of the start, which becomes "
            f"{colour_code(instead.tolist())}. To keep it, name it in texture.palette.inks, or allow more "
            "inks."
        )
    return said
