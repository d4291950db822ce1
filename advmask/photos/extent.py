"""How much of a face lies inside the photo."""

import numpy as np
from jaxtyping import Float

from advmask.core.errors import PhotoError
from advmask.photos.crops import canonical_points, inside_photo

# The face proper, around the canonical points, in eye distances: to either side of the eyes, above them, and
# below the mouth, which takes in the chin.
_BESIDE, _ABOVE, _BELOW = 0.5, 0.5, 0.8
_GRID = 100
_MIN_SHARE = 0.6


def check_extent(
    transform: Float[np.ndarray, "2 3"],
    landmarks: Float[np.ndarray, "5 2"],
    *,
    size: int,
    photo_size: tuple[int, int],
) -> None:
    """Refuse a face of which too little is in the photo.

    Args:
        transform: Takes points of the photo to points of the crop.
        landmarks: The five landmarks in pixels of the photo.
        size: Side of the crop in pixels.
        photo_size: Width and height of the upright photo in pixels.

    Raises:
        PhotoError: A landmark lies outside the photo, or less than 60 % of the face (the canonical points
            with half an eye distance to the sides and above, and 0.8 below the mouth) lies inside.
    """
    outside = int(((landmarks < 0) | (landmarks > np.array(photo_size))).any(axis=1).sum())
    if outside:
        raise PhotoError(
            f"The face is half outside the photo ({outside} of its 5 landmarks lie beyond the edge); "
            "use a photo that shows the whole face."
        )
    points = canonical_points(size=size)
    unit = points[1, 0] - points[0, 0]
    low = points.min(axis=0) - unit * np.array([_BESIDE, _ABOVE])
    high = points.max(axis=0) + unit * np.array([_BESIDE, _BELOW])
    steps = (np.arange(_GRID) + 0.5) / _GRID
    grid = low + (high - low) * np.stack(np.meshgrid(steps, steps), axis=-1).reshape(-1, 2)
    share = float(inside_photo(transform, grid, photo_size=photo_size).mean())
    if share < _MIN_SHARE:
        raise PhotoError(
            f"The face is half outside the photo ({share:.0%} of it are inside, and {_MIN_SHARE:.0%} are "
            "needed); use a photo that shows the whole face."
        )
