"""Photos wearing masks: where photos, masks, draws and renderer meet, for training and evaluation alike."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, UInt8
from torch import Tensor
from tqdm import tqdm

from advmask.effects import WearSettings, draw_wear, generator
from advmask.errors import PhotoError
from advmask.masks import MaskSurface
from advmask.photos import FaceCrop, Omission
from advmask.render import PackedPlacement, RenderSettings, fit_masks
from advmask.threads import one_thread


@dataclass(frozen=True)
class WornPhotos:
    """Bare photos, and for each of them several ways of wearing the mask.

    Attributes:
        crops: The n photos that a mask could be placed on.
        pictures: (n, 3, S, S) uint8, bare.
        landmarks: (n, 5, 2) on the bare pictures, px.
        placements: For each photo, its packed placements.
        omissions: Photos that no mask could be placed on, and why.
    """

    crops: tuple[FaceCrop, ...]
    pictures: UInt8[Tensor, "n 3 size size"]
    landmarks: Float[Tensor, "n 5 2"]
    placements: tuple[tuple[PackedPlacement, ...], ...]
    omissions: tuple[Omission, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The person on each photo."""
        return tuple(crop.person for crop in self.crops)


def wear_masks(
    crops: Sequence[FaceCrop],
    surface: MaskSurface,
    *,
    wear: WearSettings,
    ways: int,
    texels_per_mm: float,
    render: RenderSettings,
    seed: int,
    stream: str,
    progress: bool = False,
) -> WornPhotos:
    """Place a mask on every photo in several drawn ways.

    Args:
        crops: Photos; one that no mask can be placed on is left out and named.
        surface: The mask.
        wear: Ranges of how it sits.
        ways: Draws per photo.
        texels_per_mm: Of the textures that will be worn.
        render: How masks are drawn.
        seed: Of the draws.
        stream: Name of the draws; evaluation uses another than training and so sees other draws.
        progress: Show a progress bar.

    Raises:
        PhotoError: No photo is left.
    """
    kept: list[FaceCrop] = []
    placements: list[tuple[PackedPlacement, ...]] = []
    omissions: list[Omission] = []
    for crop in tqdm(crops, desc="masks", unit="photo", disable=not progress):
        # Drawn from the photo's content, so that leaving one photo out does not change the others.
        draws = generator(seed, 0, f"{stream}/{crop.sha256}")
        wears = [draw_wear(wear, draws=draws) for _ in range(ways)]
        try:
            with one_thread():
                packed = fit_masks(
                    crop.as_float(),
                    crop.landmarks,
                    surface,
                    wears=wears,
                    texels_per_mm=texels_per_mm,
                    settings=render,
                )
        except PhotoError as error:
            omissions.append(Omission(crop.source, str(error)))
            continue
        kept.append(crop)
        placements.append(tuple(packed))
    if not kept:
        reasons = "; ".join(f"{one.source.name}: {one.reason}" for one in omissions[:3])
        raise PhotoError(f"A mask could be placed on none of the photos ({reasons}).")
    return WornPhotos(
        crops=tuple(kept),
        pictures=torch.stack([crop.picture for crop in kept]),
        landmarks=torch.stack([crop.landmarks for crop in kept]),
        placements=tuple(placements),
        omissions=tuple(omissions),
    )
