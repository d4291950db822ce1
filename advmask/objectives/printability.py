"""All that is asked of a texture itself: smooth, printable, no finer than the printer."""

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.srgb import linear_from_srgb
from advmask.objectives.gamut import Colours, GamutDistance
from advmask.objectives.minimum_feature import MinimumFeature
from advmask.objectives.non_printability import NonPrintability, printable_colours
from advmask.objectives.settings import ObjectiveSettings
from advmask.objectives.smoothness import Smoothness


class Printability(nn.Module):
    """The terms of a texture by name, and their weighted sum.

    A term without weight is not computed; only smoothness always is, for the log, without gradient.

    Args:
        settings: Weights and parameters.
        texels_per_mm: Texture resolution.
        colours: Answer of the printer; None prints everything as asked.
        finest_mm: Narrowest line of the printer, where the settings name none.
    """

    def __init__(
        self,
        settings: ObjectiveSettings,
        *,
        texels_per_mm: float,
        colours: Colours | None = None,
        finest_mm: float = 0.0,
    ) -> None:
        super().__init__()
        finest = finest_mm if settings.finest_mm is None else settings.finest_mm
        self.weights: dict[str, float] = {"smoothness": settings.smoothness}
        self.smoothness = Smoothness(texels_per_mm=texels_per_mm, distance_m=settings.distance_m)
        self.sampled = nn.ModuleDict()
        if settings.gamut and colours is not None:
            self._take("gamut", settings.gamut, GamutDistance(colours))
        if settings.feature and finest * texels_per_mm > 1:
            self._take(
                "feature", settings.feature, MinimumFeature(texels_per_mm=texels_per_mm, finest_mm=finest)
            )
        if settings.nps:
            given = settings.nps_colours
            points = printable_colours(colours or linear_from_srgb) if given is None else torch.tensor(given)
            self._take("nps", settings.nps, NonPrintability(points))

    def _take(self, name: str, weight: float, term: nn.Module) -> None:
        self.weights[name] = weight
        self.sampled[name] = term

    def forward(self, texture: Float[Tensor, "3 height width"], *, step: int = 0) -> dict[str, Tensor]:
        """Compute each term, without its weight.

        Args:
            texture: sRGB in [0, 1].
            step: Of training; says which texels the terms look at.

        Returns:
            `smoothness` (sRGB per mm) always; `gamut` (Delta E), `feature` (sRGB) and `nps` where they have a
            weight and the printer has something to say.
        """
        smooth = self.smoothness(texture if self.weights["smoothness"] else texture.detach(), step=step)
        return {"smoothness": smooth} | {
            name: term(texture, step=step) for name, term in self.sampled.items()
        }

    def cost(self, terms: Mapping[str, Tensor]) -> Float[Tensor, ""]:
        """Weighted sum of what `forward` gave."""
        return torch.stack([self.weights[name] * term for name, term in terms.items()]).sum()
