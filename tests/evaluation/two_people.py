"""Two people from one portrait."""

from dataclasses import replace
from pathlib import Path

from advmask.photos.loading import FaceSet


def two_people(portrait: FaceSet, *, photos: int, gain: float = 0.6) -> FaceSet:
    """Ann with so many photos, each the portrait, and bob with as many, darker by a gain."""
    (crop,) = portrait.crops
    crops = tuple(
        replace(crop, person=name, source=Path(f"{name}/{number}.png"), picture=(crop.picture * light).byte())
        for name, light in (("ann", 1.0), ("bob", gain))
        for number in range(photos)
    )
    return replace(portrait, crops=crops, people=("ann", "bob"))
