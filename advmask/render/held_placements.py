"""Packed placements kept on the device that renders them, as a few large tensors."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from advmask.render.batching import PackedBatch, lay
from advmask.render.packing import PackedPlacement
from advmask.render.pyramid import MipPyramid
from advmask.render.texel_taps import Taps


@dataclass(frozen=True, eq=False)
class HeldPlacements:
    """Many packed placements, end to end in the precision in which they are kept, of textures of one size.

    A batch is cut out of them on their device: it is told which placements, and where these begin is known
    to the host, so that nothing is waited for and nothing large is sent.

    Attributes:
        taps: Of all placements; `start` begins anew for each.
        pixel: As in `PackedPlacement`, of all.
        gain: As in `PackedPlacement`, of all.
        under: As in `PackedPlacement`, of all.
        tint: (n, 3).
        saturation: (n,).
        counts: (n,) pixels of each placement.
        entries: (n,) taps of each placement.
        first_pixel: Where the pixels of each begin, and the end of the last.
        first_entry: Where the taps of each begin, and the end of the last.
        as_printed: Whether a placement shows colours as printed.
        pyramid: Of the textures.
    """

    taps: Taps
    pixel: Tensor
    gain: Tensor
    under: Tensor
    tint: Tensor
    saturation: Tensor
    counts: Tensor
    entries: Tensor
    first_pixel: tuple[int, ...]
    first_entry: tuple[int, ...]
    as_printed: tuple[bool, ...]
    pyramid: MipPyramid

    @classmethod
    def hold(
        cls,
        get: Callable[[int], PackedPlacement],
        count: int,
        *,
        device: torch.device | str,
        budget_bytes: float,
    ) -> "HeldPlacements | None":
        """Bring placements onto a device, one after another, if all of them fit.

        Args:
            get: Gives each placement by its number, as often as it is asked.
            count: How many there are.
            device: Where they are to be.
            budget_bytes: What they may take there.

        Returns:
            The placements; None where they take more.
        """
        pixels, entries, taken = [0], [0], 0
        tints, saturations = [], []
        for number in range(count):
            item = get(number)
            tints.append(item.tint)
            saturations.append(item.saturation)
            taken += item.bytes
            if taken > budget_bytes:
                return None
            pixels.append(pixels[-1] + len(item.pixel))
            entries.append(entries[-1] + len(item.taps.texel))
        some = get(0)

        def room(like: Tensor, length: int) -> Tensor:
            return torch.empty(length, *like.shape[1:], dtype=like.dtype, device=device)

        held = cls(
            taps=Taps(
                start=room(some.taps.start, pixels[-1] + count),
                texel=room(some.taps.texel, entries[-1]),
                weight=room(some.taps.weight, entries[-1]),
            ),
            pixel=room(some.pixel, pixels[-1]),
            gain=room(some.gain, pixels[-1]),
            under=room(some.under, pixels[-1]),
            tint=torch.stack(tints).to(device),
            saturation=torch.tensor(saturations, dtype=torch.float32).to(device),
            counts=torch.tensor(pixels).diff().to(device),
            entries=torch.tensor(entries).diff().to(device),
            first_pixel=tuple(pixels),
            first_entry=tuple(entries),
            as_printed=tuple(saturation == 1 for saturation in saturations),
            pyramid=some.pyramid,
        )
        for number in range(count):
            item, own = get(number), held._placement(number)
            for name, value in vars(item.taps).items():
                getattr(own.taps, name).copy_(value)
            for name in ("pixel", "gain", "under"):
                getattr(own, name).copy_(getattr(item, name))
        return held

    @property
    def bytes(self) -> int:
        """Memory that they take."""
        tensors = [
            *vars(self.taps).values(),
            *(one for one in vars(self).values() if isinstance(one, Tensor)),
        ]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)

    def packed(self, which: Int[Tensor, " batch"], numbers: Sequence[int], *, size: int) -> PackedBatch:
        """Lay some of them end to end, as `collate` does.

        Args:
            which: Numbers of the placements, on their device.
            numbers: The same, known to the host.
            size: Pixels of a photo.
        """
        return lay(
            [self._placement(number) for number in numbers],
            counts=self.counts[which],
            entries=self.entries[which],
            tint=self.tint[which],
            saturation=None if all(self.as_printed[number] for number in numbers) else self.saturation[which],
            size=size,
            pyramids=(self.pyramid,),
        )

    def _placement(self, number: int) -> PackedPlacement:
        """One of them, without a copy."""
        pixels = slice(self.first_pixel[number], self.first_pixel[number + 1])
        entries = slice(self.first_entry[number], self.first_entry[number + 1])
        return PackedPlacement(
            taps=Taps(
                start=self.taps.start[pixels.start + number : pixels.stop + number + 1],
                texel=self.taps.texel[entries],
                weight=self.taps.weight[entries],
            ),
            pixel=self.pixel[pixels],
            gain=self.gain[pixels],
            under=self.under[pixels],
            tint=self.tint[number],
            saturation=1.0,  # told for the whole batch
            pyramid=self.pyramid,
        )
