"""Photos and how masks lie on them, kept on the device where steps are taken."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float32, Int, UInt8
from torch import Tensor

from advmask.photos.crops import FaceCrop
from advmask.render.batching import PackedBatch
from advmask.render.held_placements import HeldPlacements
from advmask.wearing.worn_photos import WornPhotos

_log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class HeldPhotos:
    """What `WornPhotos` gives of each photo, the same numbers, already on a device.

    Attributes:
        crops: The n photos.
        ways: Placements of each photo.
        shown: (n, S, S, 3) bare pictures, sRGB, 8 bits.
        points: (n, 5, 2) landmarks on them, px.
        placements: Way after way of photo after photo.
    """

    crops: tuple[FaceCrop, ...]
    ways: int
    shown: UInt8[Tensor, "n size size 3"]
    points: Float32[Tensor, "n 5 2"]
    placements: HeldPlacements

    @property
    def names(self) -> tuple[str, ...]:
        """The person on each photo."""
        return tuple(crop.person for crop in self.crops)

    @property
    def taken(self) -> int:
        """Memory of the device, bytes."""
        return self.shown.numel() + self.placements.bytes

    def pictures(self, photos: Sequence[int] | Int[Tensor, " n"]) -> Float32[Tensor, "n 3 size size"]:
        """Bare pictures of some photos, as `WornPhotos.pictures` gives them."""
        return self.shown[self._there(photos)].permute(0, 3, 1, 2).float().div_(255)

    def landmarks(self, photos: Sequence[int] | Int[Tensor, " n"]) -> Float32[Tensor, "n 5 2"]:
        """Landmarks on the bare pictures of some photos, px."""
        return self.points[self._there(photos)]

    def packed(
        self, photos: Sequence[int], ways: Sequence[int], *, which: Int[Tensor, " n"] | None = None
    ) -> PackedBatch:
        """Placements of some photos, each worn in the way given, laid end to end.

        Args:
            photos: Their numbers.
            ways: Of each.
            which: Numbers of these placements, way after way of photo after photo, on the device; None
                sends them there.
        """
        numbers = [photo * self.ways + way for photo, way in zip(photos, ways, strict=True)]
        there = self._there(numbers if which is None else which)
        return self.placements.packed(there, numbers, size=self.shown.shape[1] ** 2)

    def _there(self, numbers: Sequence[int] | Tensor) -> Tensor:
        """Numbers as a tensor on the device."""
        return numbers if isinstance(numbers, Tensor) else torch.tensor(numbers, device=self.shown.device)


def hold(photos: WornPhotos, device: torch.device, *, budget_bytes: float) -> HeldPhotos | None:
    """Keep pictures and placements of photos on a device, if all of them fit.

    Args:
        photos: With masks laid.
        device: Where to.
        budget_bytes: What they may take there.

    Returns:
        The same photos; None where they take more, which is logged.
    """
    pictures = sum(crop.picture.numel() for crop in photos.crops)
    placements = None
    if pictures <= budget_bytes:
        placements = HeldPlacements.hold(
            lambda number: photos.placements.get(*divmod(number, photos.ways)),
            len(photos.crops) * photos.ways,
            device=device,
            budget_bytes=budget_bytes - pictures,
        )
    if placements is None:
        _log.info(
            "Photos and placements take more than %.1f GB of %s and are sent in each step; see "
            "trainer.device_gb.",
            budget_bytes / 1e9,
            device,
        )
        return None
    _log.info(
        "Photos and placements stay on %s, where they take %.1f GB.",
        device,
        (pictures + placements.bytes) / 1e9,
    )
    return HeldPhotos(
        photos.crops,
        photos.ways,
        torch.stack([crop.picture.permute(1, 2, 0) for crop in photos.crops]).to(device),
        photos.landmarks(range(len(photos.crops))).to(device),
        placements,
    )
