"""MTCNN's landmark network on a given face box, differentiable in the picture."""

import warnings

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.photos.detection import TRUNCATION_PX

# Side of what the network sees, px.
_SIDE_PX = 48


class LandmarkHead(nn.Module):
    """The third network of MTCNN (O-Net), frozen, with the weights in facenet-pytorch's wheel.

    Only the landmarks are used. It sees the box squeezed to 48 px by the mean over the pixels under each of
    its own, as in facenet-pytorch; the box's edges are cut off to whole pixels, so no gradient reaches the
    box, but the picture gets its full one.

    Source:
        Zhang et al., Joint Face Detection and Alignment Using Multitask Cascaded CNNs, 2016.
    """

    def __init__(self) -> None:
        super().__init__()
        with warnings.catch_warnings():
            # Older torch versions warn about the way in which the wheel stores its weights.
            warnings.simplefilter("ignore")
            from facenet_pytorch.models.mtcnn import ONet

            self.network: nn.Module = ONet()
        self.requires_grad_(False)
        self.eval()
        self.to(memory_format=torch.channels_last)  # 2.7 times as fast forward on a CPU

    def forward(
        self, pictures: Float[Tensor, "batch 3 rows columns"], boxes: Float[Tensor, "batch 4"]
    ) -> Float[Tensor, "batch 5 2"]:
        """Find the landmarks in one box of each picture.

        Args:
            pictures: In [0, 1], RGB, of the network's own floating type.
            boxes: As facenet-pytorch gives them to this network: left, top, right, bottom, with the first
                pixel counted as 1.

        Returns:
            Points (x, y) in pixels of the picture, pixel centres at +0.5.
        """
        seen = (squeeze_boxes(pictures, boxes, side=_SIDE_PX) * 255 - 127.5) * 0.0078125
        seen = seen.contiguous(memory_format=torch.channels_last)
        shares = self.network(seen)[1].view(-1, 2, 5).transpose(1, 2)
        boxes = boxes.to(pictures)
        extent = boxes[:, None, 2:] - boxes[:, None, :2] + 1
        points: Tensor = extent * shares + boxes[:, None, :2] - 1 - TRUNCATION_PX
        return points


def squeeze_boxes(
    pictures: Float[Tensor, "batch 3 rows columns"], boxes: Float[Tensor, "batch 4"], *, side: int
) -> Float[Tensor, "batch 3 side side"]:
    """Cut a box out of each picture at whole pixels and squeeze it to a square by area means.

    Equal to facenet-pytorch's cutting followed by `torch.nn.functional.interpolate(mode="area")`, but for the
    whole batch at once: means over rows and columns are two small matrix products.

    Args:
        pictures: Any range.
        boxes: Left, top, right, bottom, with the first pixel counted as 1; truncated to whole pixels and
            limited to the picture. At least one pixel is cut out.
        side: Of the result, px.
    """
    rows, columns = pictures.shape[2:]
    edges = boxes.detach().trunc().long().to(pictures.device)
    down = _area_means(edges[:, 1], edges[:, 3], side=side, extent=rows).to(pictures.dtype)
    across = _area_means(edges[:, 0], edges[:, 2], side=side, extent=columns).to(pictures.dtype)
    return down[:, None] @ pictures @ across[:, None].transpose(2, 3)


def _area_means(first: Tensor, last: Tensor, *, side: int, extent: int) -> Tensor:
    """Weights (B, side, extent) of the pixels `first` to `last`, counted from 1, in each of `side` means."""
    low = first.clamp(1, extent)[:, None] - 1
    length = last[:, None].clamp(max=extent).maximum(low + 1) - low
    steps = torch.arange(side, device=first.device)
    begin = low + steps * length // side
    end = low - (-(steps + 1) * length // side)
    pixels = torch.arange(extent, device=first.device)
    covered = (pixels >= begin[..., None]) & (pixels < end[..., None])
    return covered / (end - begin)[..., None]
