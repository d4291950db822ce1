"""A large picture, searched piece by piece at several scales, and the faces that were found twice."""

import math

# Longest side of what is searched at once. A picture reduced to this size shows all large faces; small ones
# are looked for in tiles at larger scales.
TILE_PX = 1280

# Tiles overlap by so much. A face that fits is whole in one of them.
OVERLAP_PX = 160

# A box that ends so near to the rim of a tile may be of a face that the rim cuts.
_RIM_PX = 4

# Each scale is at most so many times the one before: a face that just fits the overlap of one scale is then
# still 50 px large, as many as the detector sees of it, at the scale before.
_LARGEST_STEP = 3.0

Tile = tuple[int, int, int, int]
Box = tuple[float, float, float, float]


def search_scales(size: tuple[int, int]) -> list[float]:
    """Scales at which a picture is searched, from that at which it is a single tile to its own, which is 1.

    Args:
        size: Width and height in pixels.
    """
    largest = max(size)
    if largest <= TILE_PX:
        return [1.0]
    steps = math.ceil(math.log(largest / TILE_PX, _LARGEST_STEP) - 1e-9)
    return [(TILE_PX / largest) ** (1 - step / steps) for step in range(steps)] + [1.0]


def tiles_of(size: tuple[int, int]) -> list[Tile]:
    """Tiles (left, top, right, bottom) of one size that cover a picture, overlapping by `OVERLAP_PX` or more.

    Args:
        size: Width and height in pixels.
    """
    columns, rows = (_spans(side) for side in size)
    return [(left, top, right, bottom) for top, bottom in rows for left, right in columns]


def _spans(side: int) -> list[tuple[int, int]]:
    if side <= TILE_PX:
        return [(0, side)]
    number = math.ceil((side - OVERLAP_PX) / (TILE_PX - OVERLAP_PX))
    length = math.ceil((side + (number - 1) * OVERLAP_PX) / number)
    starts = [round(i * (side - length) / (number - 1)) for i in range(number)]
    return [(start, start + length) for start in starts]


def is_cut(box: Box, tile: Tile, size: tuple[int, int]) -> bool:
    """Whether a face goes on beyond a tile where the picture does too; another tile or scale shows it whole.

    Args:
        box: In pixels of the picture.
        tile: Where it was found.
        size: Of the picture.
    """
    return any(
        (box[axis] < tile[axis] + _RIM_PX and tile[axis] > 0)
        or (box[axis + 2] > tile[axis + 2] - _RIM_PX and tile[axis + 2] < size[axis])
        for axis in (0, 1)
    )


def overlap(one: Box, other: Box) -> float:
    """Intersection over union of two boxes, in [0, 1]."""
    shared = _intersection(one, other)
    return shared / (area(one) + area(other) - shared) if shared else 0.0


def held(one: Box, other: Box) -> float:
    """Share of the smaller of two boxes that lies in the other, in [0, 1]."""
    shared = _intersection(one, other)
    return shared / min(area(one), area(other)) if shared else 0.0


def _intersection(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return max(width, 0.0) * max(height, 0.0)


def area(box: Box) -> float:
    """Of a box or a tile."""
    return (box[2] - box[0]) * (box[3] - box[1])
