"""Masks laid on photos in drawn ways, once; afterwards they come from the cache or from memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from advmask.core.errors import PhotoError
from advmask.core.threads import one_thread
from advmask.effects.draws import draws
from advmask.effects.settings import WearSettings
from advmask.effects.wear import draw_wear
from advmask.masks.digest import surface_digest
from advmask.masks.placement import Wear
from advmask.masks.surface import MaskSurface
from advmask.photos.crops import FaceCrop
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.packing import PackedPlacement
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import PlacementCache, placement_key

Laid = tuple[PackedPlacement, ...] | PhotoError | None
"""The placements of a photo, why there are none, or nothing where nothing was asked for."""


@dataclass(frozen=True, eq=False)
class Placer:
    """Lays one mask on photos in drawn ways; the same photo gets the same placements each time.

    Attributes:
        surface: The mask.
        wear: Ranges of how it sits.
        ways: Draws per photo.
        texels_per_mm: Of the textures that will be worn.
        render: How masks are drawn.
        seed: Of the draws.
        stream: Name of the draws.
    """

    surface: MaskSurface
    wear: WearSettings
    ways: int
    texels_per_mm: float
    render: RenderSettings
    seed: int
    stream: str
    _surface_sha256: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_surface_sha256", surface_digest(self.surface))

    def key(self, crop: FaceCrop) -> str:
        """What the placements on a photo are kept under."""
        return placement_key(
            crop,
            surface_sha256=self._surface_sha256,
            wears=self._wears(crop),
            texels_per_mm=self.texels_per_mm,
            render=self.render,
        )

    def place(self, crop: FaceCrop) -> tuple[PackedPlacement, ...]:
        """Lay the mask on a photo.

        Raises:
            PhotoError: It cannot be laid on this photo.
        """
        return place_masks(crop, self.surface, self._wears(crop), self.texels_per_mm, self.render)

    def try_to_place(self, crop: FaceCrop | None) -> Laid:
        """As `place`, with what is raised given back, so that other photos can go on."""
        try:
            return None if crop is None else self.place(crop)
        except PhotoError as error:
            return error

    def _wears(self, crop: FaceCrop) -> list[Wear]:
        # Drawn from the photo's content, so that leaving one photo out does not change the others.
        source = draws(self.seed, 0, f"{self.stream}/{crop.sha256}")
        return [draw_wear(self.wear, draws=source) for _ in range(self.ways)]


def place_masks(
    crop: FaceCrop,
    surface: MaskSurface,
    wears: Sequence[Wear],
    texels_per_mm: float,
    render: RenderSettings,
) -> tuple[PackedPlacement, ...]:
    """Lay a mask on a photo in given ways.

    Raises:
        PhotoError: It cannot be laid on this photo.
    """
    with one_thread():
        face = PosedFace(
            picture=crop.as_float(),
            pose=find_pose(crop.landmarks, crop.dense),
            dense=crop.dense,
            occluder=None if crop.occluder is None else crop.occluder.float() / 255,
            inside=crop.inside(),
        )
        packed = fit_masks(face, surface, wears=wears, texels_per_mm=texels_per_mm, settings=render)
    return tuple(packed)


class Placements:
    """The placements of the photos that were prepared, from the cache, or from memory where it keeps none.

    A file that was deleted or damaged since the photo was prepared is made again.

    Args:
        placer: Lays the masks.
        cache: Where they are kept.
    """

    def __init__(self, placer: Placer, cache: PlacementCache) -> None:
        self._placer = placer
        self._cache = cache
        self._crops: list[tuple[FaceCrop, str]] = []
        self._in_memory: dict[int, tuple[PackedPlacement, ...]] = {}

    def add(self, crop: FaceCrop, key: str, packed: tuple[PackedPlacement, ...] | None) -> None:
        """Add a photo.

        Args:
            crop: The photo.
            key: What its placements are kept under.
            packed: Its placements, to be held in memory; None where the cache holds them.
        """
        if packed is not None:
            self._in_memory[len(self._crops)] = packed
        self._crops.append((crop, key))

    def get(self, photo: int, way: int) -> PackedPlacement:
        """The placement of a photo, by the order of `add`, worn in one of its ways."""
        if photo in self._in_memory:
            return self._in_memory[photo][way]
        crop, key = self._crops[photo]
        found = self._cache.get(key, way)
        if found is None:
            packed = self._placer.place(crop)
            self._keep(photo, packed)
            found = packed[way]
        return found

    def _keep(self, photo: int, packed: tuple[PackedPlacement, ...]) -> None:
        if not self._cache.put(self._crops[photo][1], packed):
            self._in_memory[photo] = packed
