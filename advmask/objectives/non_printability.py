"""The non-printability score of earlier work, for comparison with it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.srgb import srgb_from_linear
from advmask.objectives.gamut import Colours
from advmask.objectives.sampling import strided

_TINY = 1e-6


class NonPrintability(nn.Module):
    """Mean over texels of the product of the distances to every printable colour (NPS); 0 is printable.

    As first defined, but for the mean in place of the sum, so that it does not grow with the texture. The
    distances are Euclidean in sRGB, each softened by 0.001 so that the slope is bounded. The product is
    taken as the exponential of a sum of logarithms. It shrinks with every further colour (by about the mean
    distance, one half), so that figures compare only for the same colours; about thirty are usual.

    A gamut is a solid and this a set of points: what lies between two printable colours costs although it
    prints. `GamutDistance` has no such fault; this one is here because papers report it.

    Args:
        colours: Printable colours (K, 3), sRGB in [0, 1].
        samples: How many texels to look at in a step.

    Raises:
        ValueError: There is no colour, or more than 100, whose product vanishes in single precision.

    Source:
        Sharif, Bhagavatula, Bauer and Reiter, "Accessorize to a Crime", 2016, equation 6.
    """

    colours: Tensor

    def __init__(self, colours: Float[Tensor, "k 3"], *, samples: int = 5_000) -> None:
        super().__init__()
        if not 1 <= len(colours) <= 100:
            raise ValueError(
                f"NonPrintability takes 1 to 100 printable colours, not {len(colours)}; choose about thirty"
            )
        self.register_buffer("colours", colours.detach().clone(), persistent=False)
        self._samples = samples

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """The mean.

        Args:
            texture: sRGB in [0, 1].
            step: Of training; says which texels are looked at.
        """
        asked = strided(texture, about=self._samples, step=step).flatten(1)
        red, green, blue = (
            (band - colour[:, None]).square()
            for band, colour in zip(asked, self.colours.to(asked).T, strict=True)
        )
        squared = red + green + blue
        products: Tensor = (0.5 * (squared + _TINY).log().sum(dim=0)).exp()
        return products.mean()


def printable_colours(colours: Colours, *, each: int = 3) -> Float[Tensor, "k 3"]:
    """What a printer makes of a grid of colours, as sRGB: `each` values of red, green and blue, so 27 for 3.

    Args:
        colours: Answer of the printer.
        each: Values of each channel, from 0 to 1.
    """
    values = torch.linspace(0, 1, each)
    with torch.no_grad():
        return srgb_from_linear(colours(torch.cartesian_prod(values, values, values)).clamp(0, 1))
