"""How far a design has gone from its motif."""

from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.lab import lab_from_linear
from advmask.colour.srgb import linear_from_srgb
from advmask.objectives.sampling import strided


class Fidelity(nn.Module):
    """Mean colour difference between a texture and what it started from, in Delta E; 0 is the motif itself.

    Each difference d (Delta E*ab, 1976) is taken as sqrt(d^2 + j^2) - j with j = 2.3, the difference that is
    just noticed: below it the cost is small, beyond it it grows like d. Only about `samples` texels are
    looked at in one step, other ones in the next.

    Args:
        motif: What to stay close to, sRGB in [0, 1].
        samples: How many texels to look at in a step.

    Source:
        CIE 15:2018; Mahy, van Eycken and Oosterlinck, "Evaluation of uniform color spaces", 1994, for 2.3.
    """

    just_noticed = 2.3
    motif: Tensor

    def __init__(self, motif: Float[Tensor, "3 height width"], *, samples: int = 10_000) -> None:
        super().__init__()
        self.register_buffer("motif", motif.detach().clone(), persistent=False)
        self._samples = samples

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> Float[Tensor, ""]:
        """The mean, Delta E.

        Args:
            texture: sRGB in [0, 1], as large as the motif.
            step: Of training; says which texels are looked at.
        """
        now, then = (
            lab_from_linear(linear_from_srgb(strided(each, about=self._samples, step=step).movedim(0, -1)))
            for each in (texture, self.motif)
        )
        apart = (now - then).square().sum(dim=-1)
        return ((apart + self.just_noticed**2).sqrt() - self.just_noticed).mean()
