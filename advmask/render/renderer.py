"""The differentiable mask renderer: a texture on the mask region of a batch of photos."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.render.colour import linear_from_srgb, srgb_from_linear
from advmask.render.packing import PackedBatch
from advmask.render.pyramid import MipPyramid
from advmask.render.taps import read_taps


@dataclass(frozen=True)
class Tone:
    """What black and white texels become on each photo: print and light together, in linear light.

    Attributes:
        black: (B, 3) linear colour of a black texel, relative to white cloth.
        white: (B, 3) linear colour of a white texel.
    """

    black: Float[Tensor, "batch 3"]
    white: Float[Tensor, "batch 3"]

    def to(self, device: torch.device | str) -> "Tone":
        """The same tone on another device."""
        return Tone(black=self.black.to(device), white=self.white.to(device))


class MaskRenderer(nn.Module):
    """Renders one texture on many photos, differentiably in the texture.

    The mip pyramid is built in linear light and read through each placement's taps, which hold the trilinear
    readings of all covered sub-pixels; the cloth is shaded and laid over the photo in linear light; the
    result is sRGB. Geometry comes packed and carries no gradient.

    Args:
        height: Of the texture, texels.
        width: Of the texture, texels.
    """

    def __init__(self, *, height: int, width: int) -> None:
        super().__init__()
        self.pyramid = MipPyramid(height, width)

    def forward(
        self,
        texture: Float[Tensor, "3 height width"],
        pictures: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        tone: Tone | None = None,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Lay the texture over the photos.

        Args:
            texture: sRGB in [0, 1].
            pictures: Photos in [0, 1], sRGB; the i-th has the i-th placement of `packed`.
            packed: From `packing.collate`, for pictures of this size.
            tone: Black and white of the print on each photo; None leaves the texture's own.

        Raises:
            ValueError: The placements were packed for textures of another size.
        """
        if packed.pyramid != self.pyramid:
            raise ValueError("the placements were packed for textures of another size than this renderer's")
        listed = self.pyramid.build(linear_from_srgb(texture))
        cloth = read_taps(listed, packed.start, packed.texel, packed.weight.to(listed.dtype)).T
        if tone is not None:
            black, white = tone.black.T[:, packed.photo], tone.white.T[:, packed.photo]
            cloth = black + (white - black) * cloth

        batch, _, rows, columns = pictures.shape
        flat = pictures.transpose(0, 1).reshape(3, batch * rows * columns)
        behind = linear_from_srgb(flat[:, packed.pixel])
        mixed = torch.lerp(behind, (cloth * packed.shade).clamp(max=1.0), packed.alpha)
        covered = srgb_from_linear(mixed)
        return flat.index_copy(1, packed.pixel, covered).view(3, batch, rows, columns).transpose(0, 1)
