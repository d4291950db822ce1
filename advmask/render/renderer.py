"""The differentiable mask renderer: textures on the mask regions of a batch of photos."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.colour.srgb import linear_from_srgb, luminance, srgb_from_linear
from advmask.render.batching import PackedBatch
from advmask.render.texel_taps import read_taps


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
    """Renders textures on photos, differentiably in textures, tone and photos.

    The mip pyramid is built in linear light and read through each placement's taps, which hold the footprints
    of all covered pixels; the cloth takes the photo's light and colours and is laid over the photo in linear
    light; the result is sRGB. Geometry comes packed and carries no gradient: see `direct_rendering` for a
    gradient in placement and light.
    """

    def forward(
        self,
        texture: Float[Tensor, "3 height width"] | Sequence[Float[Tensor, "3 height width"]],
        pictures: Float[Tensor, "batch 3 rows columns"],
        packed: PackedBatch,
        tone: Tone | None = None,
        *,
        linear: bool = False,
    ) -> Float[Tensor, "batch 3 rows columns"]:
        """Lay textures over the photos.

        Args:
            texture: sRGB in [0, 1]; several where the placements of the batch show several.
            pictures: Photos in [0, 1], sRGB; the i-th has the i-th placement of `packed`. Fastest in the
                channels-last memory format.
            packed: From `batching.collate`, for pictures of this size.
            tone: Black and white of the print on each photo; None leaves the texture's own.
            linear: The textures are given in linear light, as a printer prints them, not as sRGB.

        Raises:
            ValueError: The placements were packed for textures of other sizes or another number of them.
        """
        textures = [texture] if isinstance(texture, Tensor) else list(texture)
        if len(textures) != len(packed.pyramids):
            raise ValueError(
                f"the placements show {len(packed.pyramids)} textures, and {len(textures)} are given"
            )
        pairs = zip(packed.pyramids, textures, strict=True)
        lists = []
        for pyramid, one in pairs:
            texels = one.to(packed.weight.dtype)
            lists.append(pyramid.build(texels if linear else linear_from_srgb(texels)))
        listed = lists[0] if len(lists) == 1 else torch.cat(lists)
        cloth = read_taps(listed, packed.start, packed.texel, packed.weight)
        covered = srgb_from_linear(_laid_over(cloth, packed, tone))

        batch, channels, rows, columns = pictures.shape
        flat = pictures.permute(0, 2, 3, 1).reshape(-1, channels)
        drawn = flat.index_copy(0, packed.pixel, covered.to(pictures.dtype))
        return drawn.view(batch, rows, columns, channels).permute(0, 3, 1, 2)


def _laid_over(cloth: Tensor, packed: PackedBatch, tone: Tone | None) -> Tensor:
    """Linear light (M, 3) of the covered pixels: cloth under each photo's print, light and saturation."""
    gain = packed.gain[:, None]
    if packed.saturation is None:
        # The cloth is scaled and shifted once; both factors are small and made before it is touched.
        factor, offset = packed.tint, None
        if tone is not None:
            offset = tone.black.to(factor) * factor
            factor = (tone.white - tone.black).to(factor) * factor
        under = packed.under if offset is None else torch.addcmul(packed.under, gain, offset[packed.photo])
        return torch.addcmul(under, cloth, gain * factor[packed.photo])
    printed = cloth
    if tone is not None:
        white, black = tone.white.to(cloth)[packed.photo], tone.black.to(cloth)[packed.photo]
        printed = torch.lerp(black, white, cloth)
    lit = printed * packed.tint[packed.photo]
    coloured = torch.lerp(luminance(lit)[:, None], lit, packed.saturation[packed.photo][:, None])
    return torch.addcmul(packed.under, gain, coloured)
