"""Light besides that of the photo: a side, another colour, cast shadows; on mask and face alike."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.colour.kelvin import D65_K
from advmask.colour.temperature import light_gain
from advmask.core.constants import constant
from advmask.effects.draws import Draws
from advmask.effects.settings import LightSettings

# Working crops hold a face at one size: the width is four eye distances, the eyes lie at 0.39 of the height.
_EYES_IN_WIDTH = 4.0
_FACE_ROW = 0.55  # between nose and mouth
_NODES = 45  # of the field along each axis: 11 to an eye distance
_GAMMA = 2.2
_FROM_ABOVE_DEG = 75.0  # standard deviation of the light's direction about straight down


@dataclass(frozen=True, eq=False)
class LightDraw:
    """The light drawn for each photo; None for what does not change.

    Attributes:
        field: (B, 45, 45) gains of linear light at nodes spread evenly over the picture, its rims included.
        colour: (B, 3) gains of linear light.
    """

    field: Float[Tensor, "batch nodes nodes"] | None = None
    colour: Float[Tensor, "batch 3"] | None = None


def draw_light(settings: LightSettings, *, batch: int, size: tuple[int, int], draws: Draws) -> LightDraw:
    """Draw the light on each photo.

    Args:
        settings: Ranges.
        batch: Photos.
        size: Height and width of the pictures, working crops or of their proportions.
        draws: Of this step.
    """
    field, colour = None, None
    x, y = _places(size)
    if settings.direction > 0:
        field = _from_a_side(settings, batch, x, y, draws=draws)
    if settings.shadow > 0 and settings.shadow_share > 0:
        shadow = _cast_shadow(settings, batch, x, y, draws=draws)
        field = shadow if field is None else field * shadow
    if settings.temperature_k != (D65_K, D65_K):
        low, high = settings.temperature_k
        colour = light_gain(1e6 / draws.uniform((batch,), 1e6 / low, 1e6 / high))
    return LightDraw(field, colour)


def relight(
    pictures: Float[Tensor, "batch 3 rows columns"], drawn: LightDraw
) -> Float[Tensor, "batch 3 rows columns"]:
    """Pictures in the drawn light: sRGB that may exceed 1, for the camera to clip.

    A gain g of linear light is taken as a gain g^(1/2.2) of the sRGB value, which is off by no more than 0.03
    for gains up to 2. Returns the same tensor object if nothing was drawn.
    """
    gain = _encoded_gain(pictures, drawn)
    return pictures if gain is None else pictures * gain


def _encoded_gain(pictures: Tensor, drawn: LightDraw) -> Tensor | None:
    """Gains (B, 3, H, W) or such that they broadcast, laid out in memory as the pictures are."""
    batch, _, rows, columns = pictures.shape
    colour = None if drawn.colour is None else drawn.colour.to(pictures.dtype).pow(1 / _GAMMA)
    if drawn.field is None:
        return None if colour is None else colour[:, :, None, None]
    nodes = drawn.field.to(pictures.dtype).pow(1 / _GAMMA)
    down, across = (_between(nodes, length, nodes.shape[-1]) for length in (rows, columns))
    field = down @ nodes @ across.T
    if colour is None:
        colour = torch.ones((batch, 3), dtype=field.dtype, device=field.device)
    if pictures.is_contiguous(memory_format=torch.channels_last):
        product = torch.bmm(field.view(batch, -1, 1), colour[:, None])
        return product.view(batch, rows, columns, 3).permute(0, 3, 1, 2)
    return torch.bmm(colour[:, :, None], field.view(batch, 1, -1)).view(batch, 3, rows, columns)


def _places(size: tuple[int, int]) -> tuple[Tensor, Tensor]:
    """Places of the nodes from the middle of the face, x (1, 1, n) and y (1, n, 1), eye distances, y down."""
    rows, columns = size
    share = torch.linspace(0, 1, _NODES)
    x = (share - 0.5) * _EYES_IN_WIDTH
    y = (share - _FACE_ROW) * _EYES_IN_WIDTH * rows / columns
    return x[None, None], y[None, :, None]


def _from_a_side(settings: LightSettings, batch: int, x: Tensor, y: Tensor, *, draws: Draws) -> Tensor:
    shape = (batch, 1, 1)
    strength = draws.uniform(shape, 0.0, settings.direction)
    width = draws.uniform(shape, *settings.softness)
    angle = draws.normal(shape) * math.radians(_FROM_ABOVE_DEG)
    offset = 0.8 * (draws.even(shape) - 0.5)
    towards = torch.sin(angle) * x - torch.cos(angle) * y
    return 1 + strength * torch.tanh((towards - offset) / (0.5 * width))


def _cast_shadow(settings: LightSettings, batch: int, x: Tensor, y: Tensor, *, draws: Draws) -> Tensor:
    """Light that a brim, a bar or a branch leaves: everything beyond an edge, or a band, is darker."""
    shape = (batch, 1, 1)
    depth = draws.chance(shape, settings.shadow_share) * draws.uniform(shape, 0.0, settings.shadow)
    width = draws.uniform(shape, *settings.shadow_softness)
    places = draws.even((*shape, 6))
    field = torch.ones(batch, y.shape[1], x.shape[2])
    chosen = depth[:, 0, 0].nonzero()[:, 0]
    depth, width = depth[chosen], width[chosen]
    # The edge runs through the cloth's part of the face, bent by up to a radius of two eye distances.
    turn, middle_x, middle_y, bend, band, kind = places[chosen].unbind(dim=-1)
    angle = 2 * math.pi * turn
    dx, dy = x - 1.6 * (middle_x - 0.5), y - 1.4 * (middle_y - 0.4)
    across = torch.cos(angle) * dx + torch.sin(angle) * dy
    along = torch.cos(angle) * dy - torch.sin(angle) * dx
    beyond = across + 0.5 * (bend - 0.5) * along**2
    # A logistic edge rises from 12 to 88 % over one `width`.
    dark = torch.sigmoid(4 * beyond / width)
    breadth = 0.25 + 0.75 * band
    bar = dark * torch.sigmoid(4 * (breadth - beyond) / width)
    field[chosen] -= depth * torch.where(kind < 0.5, bar, dark)
    return field


@constant
def _between(length: int, nodes: int) -> Tensor:
    """(length, nodes) weights of linear interpolation at pixel centres, between nodes from rim to rim."""
    place = (torch.arange(length, dtype=torch.float64) + 0.5) * (nodes - 1) / length
    return (1 - (place[:, None] - torch.arange(nodes)).abs()).clamp(min=0)
