"""From a picture and five landmarks to a network's chip: similarity transform and resampling."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.core.constants import constant


def similarity_to_template(
    landmarks: Float[Tensor, "batch 5 2"], template: Float[Tensor, "5 2"]
) -> Float[Tensor, "batch 2 3"]:
    """Least-squares similarity that takes landmarks to the template; differentiable.

    In the plane the least-squares rotation and scale is one complex number,
    a = sum(conj(q) p) / sum(|q|^2) over the centred landmarks q and template points p; it never mirrors.

    Args:
        landmarks: (x, y) in the picture, px.
        template: (x, y) in the chip, px.

    Returns:
        Rows of [[a, -b, tx], [b, a, ty]]: chip point = matrix times (x, y, 1).

    Source:
        Umeyama, "Least-squares estimation of transformation parameters", 1991, in two dimensions.
    """
    centre = landmarks.mean(dim=1, keepdim=True)
    q, p = landmarks - centre, template - template.mean(dim=0)
    power = (q**2).sum(dim=(1, 2)).clamp(min=1e-12)
    a = (q * p).sum(dim=(1, 2)) / power
    b = (q[..., 0] * p[:, 1] - q[..., 1] * p[:, 0]).sum(dim=1) / power
    turn = torch.stack([torch.stack([a, -b], dim=1), torch.stack([b, a], dim=1)], dim=1)
    # Not a matrix product, which autocast would take in half precision: chips would lie half a pixel off.
    shift = template.mean(dim=0) - (turn * centre).sum(dim=2)
    return torch.cat([turn, shift[..., None]], dim=2)


def cut_chips(
    pictures: Float[Tensor, "batch 3 rows columns"],
    transform: Float[Tensor, "batch 2 3"],
    *,
    size: tuple[int, int],
) -> Float[Tensor, "batch 3 height width"]:
    """Resample pictures into chips, bilinearly, repeating the picture's edge; differentiable in both.

    Convention: pixel centres at +0.5 in picture and chip; the identity transform at equal size returns
    the picture to rounding. There is no low-pass filter, because recognizers in the field have none;
    reduce much larger pictures first.

    Args:
        pictures: Any range; [0, 1] elsewhere in this project.
        transform: Picture to chip, from `similarity_to_template`.
        size: Height and width of the chips.
    """
    turn, shift = transform[:, :, :2], transform[:, :, 2]
    determinant = (turn[:, 0, 0] * turn[:, 1, 1] - turn[:, 0, 1] * turn[:, 1, 0])[:, None, None]
    inverse = torch.stack(
        [
            torch.stack([turn[:, 1, 1], -turn[:, 0, 1]], dim=1),
            torch.stack([-turn[:, 1, 0], turn[:, 0, 0]], dim=1),
        ],
        dim=1,
    )
    # From chip to picture in units of grid_sample. The map is affine, so its grid is a row plus a column: a
    # fraction of the time of a matrix product for every pixel, and out of the reach of autocast.
    scaled = inverse / determinant * _per_pixel(pictures, pictures.shape[3], pictures.shape[2])
    start = -(scaled * shift[:, None]).sum(dim=2, keepdim=True) - 1
    height, width = size
    x, y = _centres(pictures, width), _centres(pictures, height)
    across, down = scaled[:, :, :1] * x, scaled[:, :, 1:] * y + start
    grid = (across[:, :, None] + down[..., None]).permute(0, 2, 3, 1)
    return F.grid_sample(pictures, grid, mode="bilinear", padding_mode="border", align_corners=False)


@constant
def _per_pixel(width: int, height: int) -> Float[Tensor, "2 1"]:
    """Units of grid_sample in a pixel, across and down."""
    return torch.tensor([[2 / width], [2 / height]], dtype=torch.float64)


@constant
def _centres(length: int) -> Float[Tensor, " length"]:
    return torch.arange(length) + 0.5
