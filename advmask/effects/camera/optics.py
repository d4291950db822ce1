"""Distance and focus: how many pixels a camera has for a face, and how sharp they are."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from advmask.core.banded import Banded, windows_of
from advmask.effects.camera.settings import OpticsSettings
from advmask.effects.draws import Draws

_BELL = 5.5  # standard deviations in which a float sees the whole of a bell
_CROP_IN_EYES = 4  # a working crop is four times as wide as the eyes are apart


@dataclass(frozen=True)
class OpticsDraw:
    """Distance and focus of each photo.

    Attributes:
        eyes_px: Pixels between the eyes, infinite for as many as the picture has.
        focus_px: Standard deviation of the blur in pixels of the sensor.
        far_px: No photo has fewer pixels between the eyes.
        near_px: None has more; this decides how large sensors are.
        most_focus_px: None is more blurred.
    """

    eyes_px: Float[Tensor, "batch"]
    focus_px: Float[Tensor, "batch"]
    far_px: float
    near_px: float
    most_focus_px: float

    def sizes(self, picture_px: int, *, width_px: int) -> Int64[Tensor, "batch"]:
        """How many pixels a sensor has for a side of a picture.

        Args:
            picture_px: Length of the side in the picture.
            width_px: Width of the picture, which is four times the distance of the eyes.
        """
        shrink = (self.eyes_px * (_CROP_IN_EYES / width_px)).clamp(max=1)
        most = self.largest(picture_px, width_px=width_px)
        return (shrink * picture_px).round().clamp(1, most).long()

    def largest(self, picture_px: int, *, width_px: int) -> int:
        """How many pixels the largest sensor has for a side of a picture; others are laid out on it too."""
        return _pixels(self.near_px, picture_px, width_px)

    def shrinks(self, size: tuple[int, int]) -> bool:
        """Whether photos may lose pixels, of pictures with so many rows and columns."""
        return any(_pixels(self.far_px, side, size[1]) < side for side in size)

    def changes(self, size: tuple[int, int]) -> bool:
        """Whether photos may lose pixels or are blurred."""
        return self.most_focus_px > 0 or self.shrinks(size)


def _pixels(eyes_px: float, picture_px: int, width_px: int) -> int:
    return max(1, round(min(1.0, eyes_px * _CROP_IN_EYES / width_px) * picture_px))


def draw_optics(settings: OpticsSettings, *, batch: int, draws: Draws) -> OpticsDraw:
    """Draw distance and focus; from near to far and from sharp to blurred."""
    far, near = settings.eyes_px or (math.inf, math.inf)
    eyes = torch.full((batch,), math.inf)
    if settings.eyes_px is not None:
        eyes = draws.uniform((batch,), math.log(near), math.log(far)).exp()
    focus = draws.uniform((batch,), 0.0, settings.focus_px)
    return OpticsDraw(eyes, focus, far, near, settings.focus_px)


def apply_optics(
    light: Float[Tensor, "batch channels rows columns"], drawn: OpticsDraw
) -> Float[Tensor, "batch channels sensor_rows sensor_columns"]:
    """Project onto the sensor: blur by the lens, and average over the area of each of its pixels.

    Both are one linear map for rows and one for columns, so that a photo is two products of matrices,
    whatever its blur; the border goes on for ever. Differentiable. Photos with fewer pixels than the largest
    sensor repeat their last row and column; `enlarge` takes no notice of these.

    Pixels of both sides are squares of even light. So no blur and no loss of pixels is the picture itself,
    and a blur of more than about half a pixel has its squared width and a twelfth of that of each square.

    Args:
        light: Values that average as light does; see `light_from_srgb`.
        drawn: For each picture.

    Returns:
        The same tensor if no photo can be blurred or lose pixels.
    """
    rows, columns = light.shape[-2:]
    if not drawn.changes((rows, columns)):
        return light
    across = _projection(drawn, columns, width_px=columns)
    down = across if rows == columns else _projection(drawn, rows, width_px=columns)
    # Rows first, with colours last, as the renderer leaves them: nothing is copied at full resolution.
    batch, channels = light.shape[:2]
    short = down.rows(light.permute(0, 2, 3, 1).reshape(batch, rows, columns * channels))
    planes = short.view(batch, -1, columns, channels).permute(0, 3, 1, 2).reshape(batch, -1, columns)
    return across.columns(planes).view(batch, channels, -1, across.matrix.shape[1])


def enlarge(
    pictures: Float[Tensor, "batch channels sensor_rows sensor_columns"],
    drawn: OpticsDraw,
    *,
    size: tuple[int, int],
) -> Float[Tensor, "batch channels rows columns"]:
    """Bring pictures of the sensor back to the size of the working crop, bilinearly, as aligners do.

    Differentiable; values stay between those of the neighbours, so that nothing needs clipping.

    Args:
        pictures: Of the sensor.
        drawn: What they were projected with.
        size: Rows and columns of the crop.

    Returns:
        The same tensor if no photo can have lost pixels.
    """
    if not drawn.shrinks(size):
        return pictures
    rows, columns = size
    batch, channels, short, narrow = pictures.shape
    # Columns by a product, and rows, which lie together in memory, by taking two of them each.
    across = _interpolation(_places(drawn, columns, width_px=columns), narrow)
    wide = across.columns(pictures.reshape(batch, channels * short, narrow)).view(-1, columns)
    places = _places(drawn, rows, width_px=columns)
    upper = places.long().clamp_(max=short - 2) if short > 1 else places.long()
    planes = torch.arange(batch * channels, device=wide.device).view(batch, channels, 1) * short
    taken = (planes + upper[:, None]).flatten()
    weight = (places - upper).to(wide.dtype)[:, None].expand(-1, channels, -1).reshape(-1, 1)
    high = torch.lerp(wide.index_select(0, taken), wide.index_select(0, taken + min(1, short - 1)), weight)
    return high.view(batch, channels, rows, columns)


def _places(drawn: OpticsDraw, size: int, *, width_px: int) -> Tensor:
    """Where on the sensor each of `size` pixels lies, in its pixels from the centre of the first."""
    numbers = drawn.sizes(size, width_px=width_px)[:, None]
    places = (torch.arange(size, device=numbers.device) + 0.5) * (numbers / size) - 0.5
    return places.clamp(min=0).minimum(numbers - 1)


def _projection(drawn: OpticsDraw, size: int, *, width_px: int) -> Banded:
    """Share of each of `size` pixels in each pixel of the sensor; rows add up to one.

    A pixel of the sensor from u to u' sees, of all that lies right of v, the share
    (H(u' - v) - H(u - v)) / (u' - u), with H the integral of the distribution function of the blur.
    """
    numbers, most = drawn.sizes(size, width_px=width_px), drawn.largest(size, width_px=width_px)
    pixels = torch.arange(most + 1, device=numbers.device)
    pitch = (size / numbers)[:, None]  # pixels of the picture for one of the sensor
    edges = pixels.minimum(numbers[:, None]) * pitch
    integral = (edges[:, :, None] - torch.arange(1, size, device=numbers.device)).clamp_(min=0)
    if drawn.most_focus_px > 0:
        sigma = (drawn.focus_px[:, None] * pitch).clamp(min=1e-3)[:, :, None]
        # Only near an edge is the integral of a blurred one another than that of a sharp one.
        reach = math.ceil(_BELL * drawn.most_focus_px * size / _pixels(drawn.far_px, size, width_px))
        near = edges.floor().long()[:, :, None] + torch.arange(-reach, reach + 2, device=numbers.device)
        near = near.clamp_(1, size - 1)
        integral.scatter_(2, near - 1, _integral(edges[:, :, None] - near, sigma))
    beyond = integral.diff(dim=1) / pitch[:, :, None]
    share = beyond.new_empty(len(numbers), most, size)
    share[:, :, 0] = 1
    share[:, :, 1:] = beyond
    share[:, :, :-1] -= beyond
    last = pixels[:-1].minimum(numbers[:, None] - 1)
    share = share[torch.arange(len(numbers), device=last.device)[:, None], last]
    blur = (_BELL * drawn.focus_px)[:, None]
    windows = windows_of((last - blur) * pitch, (last + 1 + blur) * pitch, columns=size)
    return Banded(share, windows)


def _integral(distance: Tensor, sigma: Tensor) -> Tensor:
    """Integral of the normal distribution function from minus infinity: z P(z) + p(z), times sigma.

    The bell is cut off before its numbers are subnormal, which makes products of matrices several times
    slower.
    """
    most = _BELL / math.sqrt(2)
    standard = (distance / (sigma * math.sqrt(2))).clamp_(-most, most)
    bell = (standard.square().neg_().exp_()).mul_(sigma / math.sqrt(2 * math.pi))
    return bell.add_(standard.erf_().add_(1).mul_(distance).mul_(0.5))


def _interpolation(places: Tensor, count: int) -> Banded:
    """Weights of `count` pixels of the sensor at places between their centres, piecewise linear."""
    weights = (1 - (places[:, :, None] - torch.arange(count, device=places.device)).abs_()).clamp_(min=0)
    return Banded(weights, windows_of(places.floor(), places.floor() + 2, columns=count))
