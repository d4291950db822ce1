"""Packed placements of a batch, laid end to end; photos, patterns and textures may differ."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid


@dataclass(frozen=True, eq=False)
class PackedBatch:
    """Several packed placements laid end to end, in working precision.

    Attributes:
        start: (M + 1) int32, where each pixel's taps begin.
        texel: (nnz) int32, places in the joined lists of all pyramids.
        weight: (nnz).
        pixel: (M,) position in the batch: photo * height * width + y * width + x.
        photo: (M,) which photo of the batch.
        gain: (M,) as in `PackedPlacement`.
        under: (M, 3) as in `PackedPlacement`.
        tint: (B, 3).
        saturation: (B,), or None where every photo shows colours as printed.
        pyramids: Of the textures to be rendered, in order.
    """

    start: Int[Tensor, " m1"]
    texel: Int[Tensor, " nnz"]
    weight: Float[Tensor, " nnz"]
    pixel: Int[Tensor, " m"]
    photo: Int[Tensor, " m"]
    gain: Float[Tensor, " m"]
    under: Float[Tensor, "m 3"]
    tint: Float[Tensor, "batch 3"]
    saturation: Float[Tensor, " batch"] | None
    pyramids: tuple[MipPyramid, ...]

    def to(self, device: torch.device | str, dtype: torch.dtype | None = None) -> "PackedBatch":
        """The same batch on another device, its floating-point fields in another precision if given."""
        moved: dict[str, Any] = {
            name: value.to(device, dtype) if dtype and value.is_floating_point() else value.to(device)
            for name, value in vars(self).items()
            if isinstance(value, Tensor)
        }
        return replace(self, **moved)


def collate(
    packed: Sequence[PackedPlacement],
    *,
    height: int,
    width: int,
    textures: Sequence[int] | None = None,
) -> PackedBatch:
    """Lay packed placements end to end; the i-th belongs to the i-th photo of the batch.

    Args:
        packed: One placement per photo.
        height: Of the photos, px.
        width: Of the photos, px.
        textures: Which texture each placement shows; None shows one texture on all.

    Raises:
        ValueError: Placements that show one texture were packed for textures of different sizes, or a texture
            is shown by none.
    """
    shown = [0] * len(packed) if textures is None else list(textures)
    sizes: dict[int, MipPyramid] = {}
    for which, item in zip(shown, packed, strict=True):
        if sizes.setdefault(which, item.pyramid) != item.pyramid:
            raise ValueError("placements that show one texture must be packed for textures of one size")
    if sorted(sizes) != list(range(len(sizes))):
        raise ValueError(f"textures must be numbered from 0 without gaps, not {sorted(sizes)}")
    pyramids = tuple(sizes[which] for which in range(len(sizes)))
    offsets = [sum(one.texels for one in pyramids[:which]) for which in range(len(pyramids))]

    counts = torch.tensor([len(item.pixel) for item in packed])
    entries = torch.tensor([len(item.taps.texel) for item in packed])
    saturation = torch.tensor([item.saturation for item in packed], dtype=torch.float32)
    return lay(
        packed,
        counts=counts,
        entries=entries,
        tint=torch.stack([item.tint for item in packed]),
        saturation=None if bool((saturation == 1).all()) else saturation,
        size=height * width,
        pyramids=pyramids,
        offsets=[offsets[which] for which in shown],
    )


def lay(
    packed: Sequence[PackedPlacement],
    *,
    counts: Int[Tensor, " batch"],
    entries: Int[Tensor, " batch"],
    tint: Float[Tensor, "batch 3"],
    saturation: Float[Tensor, " batch"] | None,
    size: int,
    pyramids: tuple[MipPyramid, ...],
    offsets: Sequence[int] = (),
) -> PackedBatch:
    """Lay packed placements end to end on their device, which is not asked for any number.

    Args:
        packed: One placement per photo.
        counts: Pixels of each, on their device.
        entries: Taps of each, on their device.
        tint: Of each.
        saturation: Of each; None where every photo shows colours as printed.
        size: Pixels of a photo.
        pyramids: Of the textures.
        offsets: Where the texels of each placement's texture begin in the joined list; none are all zero.
    """
    photo = torch.repeat_interleave(
        torch.arange(len(packed), device=counts.device),
        counts,
        output_size=sum(len(item.pixel) for item in packed),
    )
    before = (entries.cumsum(0) - entries).int()
    start = torch.cat([item.taps.start[1:] for item in packed]) + before[photo]
    texels = [item.taps.texel for item in packed]
    if any(offsets):
        texels = [texel + offset for texel, offset in zip(texels, offsets, strict=True)]
    return PackedBatch(
        start=F.pad(start, (1, 0)),
        texel=torch.cat(texels),
        weight=torch.cat([item.taps.weight for item in packed]).float(),
        pixel=torch.cat([item.pixel for item in packed]).long() + photo * size,
        photo=photo,
        gain=torch.cat([item.gain for item in packed]).float(),
        under=torch.cat([item.under for item in packed]).float(),
        tint=tint,
        saturation=saturation,
        pyramids=pyramids,
    )
