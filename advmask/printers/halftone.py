"""Reflectance of halftones: what coverages of cyan, magenta, yellow and black look like."""

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.printers.settings import InkSettings

_DARKEST = 1e-4  # of a reflectance, where its density is taken
# Cyan, magenta, yellow in each primary; black follows, alone or over anything.
_PRIMARIES = (
    ("white", 0, 0, 0),
    ("cyan", 1, 0, 0),
    ("magenta", 0, 1, 0),
    ("yellow", 0, 0, 1),
    ("red", 0, 1, 1),
    ("green", 1, 0, 1),
    ("blue", 1, 1, 0),
    ("black", 1, 1, 1),
)


def primaries(inks: InkSettings, ink: Float[Tensor, "3"] | None = None) -> Float[Tensor, "8 3"]:
    """Reflectances of bare white, the solids, their overprints and black, float64.

    Args:
        inks: As set.
        ink: Relative change of the densities of cyan, magenta and yellow. An overprint follows the inks in
            it by their share in its density; black, the mean of the three.
    """
    listed = torch.tensor([getattr(inks, name) for name, *_ in _PRIMARIES], dtype=torch.float64)
    listed = listed.clamp(min=_DARKEST)
    if ink is None:
        return listed
    density = torch.log(listed[:1] / listed)
    used = torch.tensor([row[1:] for row in _PRIMARIES], dtype=torch.float64)
    shares = used[:, :, None] * density[1:4].clamp(min=1e-3)
    shares[-1] = 1
    change = (shares * ink.double()[:, None]).sum(dim=1) / shares.sum(dim=1).clamp(min=1e-9)
    return listed[:1] * torch.exp(-density * (1 + change))


def gained(coverages: Float[Tensor, "*size"], gain: float) -> Float[Tensor, "*size"]:
    """Coverages after dots have grown: a parabola with `gain` at half coverage, clipped to [0, 1]."""
    return (coverages + 4 * gain * coverages * (1 - coverages)).clamp(0, 1)


def more_ink(coverages: Float[Tensor, "*size 3"], ink: Float[Tensor, "3"]) -> Float[Tensor, "*size 3"]:
    """Coverages when more of each ink is laid down, as drops that fall at random do.

    Args:
        coverages: In [0, 1].
        ink: Relative change of the amount of cyan, magenta and yellow.
    """
    return 1 - (1 - coverages).pow(1 + ink.to(coverages))


def reflectance(
    coverages: Float[Tensor, "*size 4"], solids: Float[Tensor, "8 3"], yule_nielsen: float
) -> Float[Tensor, "*size 3"]:
    """Reflectance of halftones of cyan, magenta, yellow and black.

    Dots lie at random (Demichel), so that coverages give the shares of the primaries; whatever lies under
    black is as dark as black. Light that spreads in the paper before it leaves makes halftones darker than
    their shares say, which the exponent of Yule and Nielsen stands for.

    Args:
        coverages: In [0, 1].
        solids: Of `primaries`.
        yule_nielsen: The exponent n.

    Source: H. E. J. Neugebauer, Die theoretischen Grundlagen des Mehrfarbenbuchdrucks (1937); J. A. C. Yule
    and W. J. Nielsen, The penetration of light into paper and its effect on halftone reproduction (1951).
    """
    cyan, magenta, yellow, black = coverages.unbind(dim=-1)
    bare = 1 - black
    left = bare * (1 - cyan)
    over = bare * cyan
    shares = torch.stack(
        [
            left * (1 - magenta) * (1 - yellow),
            over * (1 - magenta) * (1 - yellow),
            left * magenta * (1 - yellow),
            left * (1 - magenta) * yellow,
            left * magenta * yellow,
            over * (1 - magenta) * yellow,
            over * magenta * (1 - yellow),
            over * magenta * yellow + black,
        ],
        dim=-1,
    )
    return (shares @ solids.pow(1 / yule_nielsen)).pow(yule_nielsen)
