"""Photos wearing masks: where photos, masks, draws and renderer meet, for training and evaluation alike."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float32
from torch import Tensor
from tqdm import tqdm

from advmask.core.errors import PhotoError
from advmask.core.workers import Workers, cores, rank
from advmask.effects.settings import WearSettings
from advmask.masks.surface import MaskSurface
from advmask.photos.crops import FaceCrop
from advmask.photos.loading import Omission
from advmask.render.batching import PackedBatch, collate
from advmask.render.mask_fitting import find_pose
from advmask.render.packing import PackedPlacement
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import PlacementCache
from advmask.wearing.placing import Laid, Placements, Placer

WAYS_SEED = 0
"""Of the ways in which masks are worn in training and validation, the same for all runs: a run of another
seed chooses other photos and ways in each step, and lays no mask anew."""

_FITTED = 500  # photos whose poses are fitted for a sentence, 5 ms each
_WORTH_A_PROCESS = 250  # placements, which take several times as long as a process takes to start


@dataclass(frozen=True, eq=False)
class WornPhotos:
    """Bare photos, and for each of them several ways of wearing the mask.

    Pictures and placements are fetched when a batch needs them: where they are cached they stay in their
    files, so that the number of photos is bounded by the disk and not by memory.

    Attributes:
        crops: The n photos that a mask could be placed on.
        ways: Placements of each photo.
        omissions: Photos that no mask could be placed on, and why.
        placements: Where placements come from.
    """

    crops: tuple[FaceCrop, ...]
    ways: int
    omissions: tuple[Omission, ...]
    placements: Placements

    @property
    def names(self) -> tuple[str, ...]:
        """The person on each photo."""
        return tuple(crop.person for crop in self.crops)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the pictures, px."""
        height, width = self.crops[0].picture.shape[-2:]
        return height, width

    @cached_property
    def texels(self) -> tuple[int, int]:
        """Height and width of the textures worn."""
        pyramid = self.placements.get(0, 0).pyramid
        return pyramid.height, pyramid.width

    def fit(self) -> str:
        """How well head poses fit the landmarks, in a sentence for the user; of many photos some tell."""
        some = self.crops[:: max(1, len(self.crops) // _FITTED)]
        off = sorted(find_pose(crop.landmarks, crop.dense).residual for crop in some)
        if len(off) == 1:
            return f"Landmarks lie {100 * off[0]:.1f} % of the eye distance from the head fitted to them."
        return (
            f"Landmarks lie {100 * off[len(off) // 2]:.1f} % of the eye distance from the heads fitted to "
            f"them in the median of {len(off)} photos, {100 * off[-1]:.1f} % at most."
        )

    def pictures(self, photos: Sequence[int]) -> Float32[Tensor, "n 3 size size"]:
        """Bare pictures of some photos, sRGB in [0, 1], laid out in memory with the channels last."""
        stacked = torch.stack([self.crops[photo].picture for photo in photos])
        return stacked.contiguous(memory_format=torch.channels_last).float().div_(255)

    def landmarks(self, photos: Sequence[int]) -> Float32[Tensor, "n 5 2"]:
        """Landmarks on the bare pictures of some photos, px."""
        return torch.stack([self.crops[photo].landmarks for photo in photos])

    def packed(self, photos: Sequence[int], ways: Sequence[int]) -> PackedBatch:
        """Placements of some photos, each worn in the way given, laid end to end."""
        height, width = self.size
        items = [self.placements.get(photo, way) for photo, way in zip(photos, ways, strict=True)]
        return collate(items, height=height, width=width)


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
    cache: PlacementCache | None = None,
    progress: bool = False,
    processes: int | None = None,
) -> WornPhotos:
    """Place a mask on every photo in several drawn ways.

    An interrupted call that is made again goes on where it stopped, if there is a cache. Where there is much
    to do it is shared among processes; placements are the same, however many there are. Other runs and ranks
    may lay masks for the same cache at the same time: each takes what another was first with.

    Args:
        crops: Photos; one that no mask can be placed on is left out and named.
        surface: The mask.
        wear: Ranges of how it sits.
        ways: Draws per photo.
        texels_per_mm: Of the textures that will be worn.
        render: How masks are drawn.
        seed: Of the draws.
        stream: Name of the draws; evaluation uses another than training and so sees other draws.
        cache: Where placements are kept, and looked up; None holds them in memory.
        progress: Show a progress bar.
        processes: That share the work; None takes one for each core, or fewer where there is little to do.

    Raises:
        PhotoError: No photo is left.
    """
    cache = cache or PlacementCache(None)
    placer = Placer(
        surface, wear=wear, ways=ways, texels_per_mm=texels_per_mm, render=render, seed=seed, stream=stream
    )
    keys = [placer.key(crop) for crop in crops]
    missing = [number for number, key in enumerate(keys) if not cache.holds(key, ways)]
    # Ranks begin in different places, so that each finds laid what the others were first with.
    own, ranks = rank()
    first = len(missing) * own // ranks
    missing = missing[first:] + missing[:first]
    if processes is None:
        processes = min(cores(), ways * len(missing) // _WORTH_A_PROCESS // ranks)
    refused: dict[int, PhotoError] = {}
    in_memory: dict[int, tuple[PackedPlacement, ...]] = {}
    with ExitStack() as stack:
        wanted = (None if cache.holds(keys[number], ways) else crops[number] for number in missing)
        laid: Iterator[Laid] = map(placer.try_to_place, wanted)
        if processes > 1:
            laid = stack.enter_context(Workers(placer.try_to_place, processes)).map(wanted)
        before = len(crops) - len(missing)
        bar = tqdm(missing, "masks", len(crops), unit="photo", initial=before, disable=not progress)
        if before:
            bar.set_postfix_str(f"{before} from the cache", refresh=False)
        for number, packed in zip(bar, laid, strict=True):
            if isinstance(packed, PhotoError):
                refused[number] = packed
            elif packed is not None and not cache.put(keys[number], packed):
                in_memory[number] = packed
    omissions = [Omission(crops[number].source, str(refused[number])) for number in sorted(refused)]
    placements, kept = Placements(placer, cache), []
    for number, (crop, key) in enumerate(zip(crops, keys, strict=True)):
        if number not in refused:
            placements.add(crop, key, in_memory.get(number))
            kept.append(crop)
    cache.prune()
    if not kept:
        reasons = "; ".join(f"{one.source.name}: {one.reason}" for one in omissions[:3])
        raise PhotoError(f"A mask could be placed on none of the photos ({reasons}).")
    return WornPhotos(tuple(kept), ways, tuple(omissions), placements)
