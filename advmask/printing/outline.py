"""The outline of a mask pattern, as far as printing needs to know it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from advmask.errors import DesignError

_TOLERANCE_MM = 0.1


@dataclass(frozen=True, eq=False)
class PatternOutline:
    """A flat pattern's edge and the texture rectangle around it.

    Convention: the pattern frame is in millimetres, u to the right, v down, origin at the top of the nose
    line. The texture's column 0 and row 0 begin at `origin_mm`.

    Attributes:
        name: Name of the pattern, as in the design made for it.
        points_mm: (N, 2) corners of a closed polygon in the pattern frame, in either direction of turning;
            the first point may be repeated at the end.
        origin_mm: Pattern-frame coordinates of the top left corner of the texture rectangle.
        size_mm: Width and height of the texture rectangle.
        texels_per_mm: Texels to a millimetre, above 0.

    Raises:
        DesignError: The polygon has fewer than three corners or no area, lies outside the rectangle by more
            than 0.1 mm, or a number is not finite or not positive.
    """

    name: str
    points_mm: NDArray[np.float64]
    origin_mm: tuple[float, float]
    size_mm: tuple[float, float]
    texels_per_mm: float

    def __post_init__(self) -> None:
        points = np.array(self.points_mm, dtype=np.float64)
        if points.ndim != 2 or points.shape[1:] != (2,) or len(points) < 3:
            raise DesignError(
                f"Outline {self.name} needs at least 3 points (u, v), got shape {points.shape}."
            )
        numbers = [*points.ravel(), *self.origin_mm, *self.size_mm, self.texels_per_mm]
        if not np.isfinite(numbers).all():
            raise DesignError(f"Outline {self.name} holds a number that is not finite; give millimetres.")
        if min(*self.size_mm, self.texels_per_mm) <= 0:
            raise DesignError(f"Outline {self.name} needs a size and a scale above 0, got {self.size_mm} mm.")
        if np.allclose(points[0], points[-1]):
            points = points[:-1]
        if len(points) < 3 or _area_mm2(points) < _TOLERANCE_MM:
            raise DesignError(f"Outline {self.name} encloses no area; give the corners in order.")
        inside = points - np.asarray(self.origin_mm)
        if (inside < -_TOLERANCE_MM).any() or (inside > np.asarray(self.size_mm) + _TOLERANCE_MM).any():
            raise DesignError(
                f"Outline {self.name} lies outside its texture rectangle of {self.size_mm[0]:g} x "
                f"{self.size_mm[1]:g} mm at {self.origin_mm}; enlarge the rectangle or move its origin."
            )
        points.setflags(write=False)
        object.__setattr__(self, "points_mm", points)

    def points_in_rectangle_mm(self) -> NDArray[np.float64]:
        """(N, 2) corners in millimetres from the top left corner of the texture rectangle."""
        return self.points_mm - np.asarray(self.origin_mm, dtype=np.float64)


def _area_mm2(points: NDArray[np.float64]) -> float:
    following = np.roll(points, -1, axis=0)
    return 0.5 * abs(float(np.sum(points[:, 0] * following[:, 1] - points[:, 1] * following[:, 0])))
