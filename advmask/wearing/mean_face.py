"""The lower half of a mean face, larger than life: a start that transfers to other recognizers."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.colour.srgb import srgb_from_linear
from advmask.core.errors import ConfigError
from advmask.render.rim import gaussian_blur
from advmask.render.unwrapping import unwrapped
from advmask.wearing.worn_photos import WornPhotos

MEAN_FACE = "mean_face"  # what `texture.start` calls it
FEWEST_PEOPLE = 8  # of fewer, a mean is still somebody's face
_LARGER = 1.5
_BLUR_MM, _DEEPER = 4.0, 1.5
_AROUND_MM = 6.0
_MOST_PHOTOS, _AT_ONCE = 240, 16
_LEAST_SHOWN = 0.02  # weight of a texel against the best shown one, below which its neighbours decide


def mean_face(photos: WornPhotos, *, texels_per_mm: float) -> Float[Tensor, "3 height width"]:
    """A texture that shows the mean lower face of everybody, 1.5 times as large, on the worn mask.

    Each photo is enlarged about the middle between nose and mouth, what then lies under the mask is taken off
    it with its light, all photos are averaged in linear light, and the mean, which is soft, is deepened.

    Args:
        photos: With the mask placed; the first way of wearing counts.
        texels_per_mm: Of the texture.

    Returns:
        sRGB in [0, 1].

    Raises:
        ConfigError: The photos are of fewer than `FEWEST_PEOPLE` people.
    """
    people = len(set(photos.names))
    if people < FEWEST_PEOPLE:
        raise ConfigError(
            f"texture.start={MEAN_FACE} takes the mean of at least {FEWEST_PEOPLE} people, so that it is "
            f"nobody's face, and there are {people} to train on; use another start, such as large_face."
        )
    # Of many photos, evenly many of everybody, since they are in the order of people.
    count = min(len(photos.crops), _MOST_PHOTOS)
    chosen = [number * len(photos.crops) // count for number in range(count)]
    sums = weights = torch.zeros(())
    for start in range(0, len(chosen), _AT_ONCE):
        part = chosen[start : start + _AT_ONCE]
        larger = enlarged(photos.pictures(part), photos.landmarks(part), factor=_LARGER)
        light, weight = unwrapped(larger, photos.packed(part, [0] * len(part)))
        sums, weights = sums + light, weights + weight
    shown = weights > _LEAST_SHOWN * weights.max()
    sums, weights = sums * shown, weights * shown
    # Where no photo shows anything, what is around it goes on, and far from everything the mean of all.
    around, far = _blurred(weights, _AROUND_MM * texels_per_mm), 1e-6 * weights.max()
    overall = sums.sum(dim=(1, 2), keepdim=True) / weights.sum(dim=(1, 2), keepdim=True)
    beside = (_blurred(sums, _AROUND_MM * texels_per_mm) + far * overall) / (around + far)
    light = torch.where(shown, sums / weights.clamp(min=1e-12), beside)
    face = srgb_from_linear(light.clamp(0, 1))
    return (face + _DEEPER * (face - _blurred(face, _BLUR_MM * texels_per_mm))).clamp(0, 1)


def enlarged(
    pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"], *, factor: float
) -> Float[Tensor, "batch 3 rows columns"]:
    """Pictures enlarged about the middle between the tip of the nose and the mouth, in their own frame.

    Args:
        pictures: Any values.
        landmarks: Eyes, nose, corners of the mouth; px, the centre of the first pixel at 0.5.
        factor: How much larger.
    """
    rows, columns = pictures.shape[-2:]
    middle = (landmarks[:, 2] + landmarks[:, 3:5].mean(dim=1)) / 2
    size = torch.tensor([columns, rows], dtype=pictures.dtype)
    centre = middle * 2 / size - 1  # in the units of `affine_grid`, -1 to 1 from edge to edge
    scale = torch.eye(2).expand(len(pictures), 2, 2) / factor
    moves = torch.cat([scale, (centre * (1 - 1 / factor))[:, :, None]], dim=2)
    grid = F.affine_grid(moves.to(pictures), list(pictures.shape), align_corners=False)
    return F.grid_sample(pictures, grid, padding_mode="border", align_corners=False)


def _blurred(picture: Float[Tensor, "3 rows columns"], sigma: float) -> Float[Tensor, "3 rows columns"]:
    return torch.stack([gaussian_blur(channel, sigma) for channel in picture])
