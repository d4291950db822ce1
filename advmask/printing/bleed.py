"""What is printed beyond the finished edges: the design goes on into allowances and bleed."""

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, map_coordinates
from scipy.spatial import cKDTree

from advmask.core.errors import DesignError
from advmask.masks.flat_pattern import FlatPattern
from advmask.printing.coverage import signed_distance_px

_STEP = 0.5  # texels between stations on an outline


def continued(
    values: NDArray[np.float32],
    pattern: FlatPattern,
    *,
    per_mm: float,
    margin: int,
    around: NDArray[np.float32] | None = None,
    exact: bool = False,
) -> NDArray[np.float32]:
    """(C, H + 2 margin, W + 2 margin) texels that go on sensibly outside all panels.

    What a design holds there was never seen in training. A picture that was laid on the mask goes on there
    itself. Anything else is mirrored about the finished edge: what lies as far inside of the nearest point of
    the edge, so that a dot ends as a dot, and no rim of one texel is drawn out to a bar.

    Args:
        values: (C, H, W) texels that cover the pattern's box within one texel.
        pattern: The flat pattern.
        per_mm: Texels per millimetre.
        margin: Texels on each side.
        around: (C, h, w) what goes on outside the panels, with the same middle as `values`; where it ends it
            is mirrored about its edge. None mirrors the design about the panels' edges.
        exact: Take the nearest texel wherever one is sampled, so that no new value comes about; else
            bilinear.

    Raises:
        DesignError: No texel lies on a panel.
    """
    height, width = (side + 2 * margin for side in values.shape[1:])
    rings = [(panel.outline_mm - pattern.box_mm[:2]) * per_mm + margin for panel in pattern.panels]
    outside = np.ones((height, width), dtype=np.bool_)
    for ring in rings:
        # A texel that the outline cuts through is on the mask in part: it keeps its colour.
        outside &= signed_distance_px(ring, height=height, width=width, reach=2.0) > 0.5 - 1e-3
    # The frame is no part of the texture.
    inner = np.zeros_like(outside)
    inner[margin : height - margin, margin : width - margin] = True
    outside |= ~inner
    if outside.all():
        raise DesignError(f"Pattern {pattern.name} holds no texel; it is too small for its scale.")
    padded = np.pad(values, ((0, 0), (margin, margin), (margin, margin)), mode="edge")
    if around is not None:
        padded[:, outside] = _framed(around, height, width)[:, outside]
        return padded
    # In a corner narrower than the bleed the mirror image lies outside too: there the nearest texel goes on.
    away, nearest = distance_transform_edt(outside, return_indices=True)
    known: NDArray[np.float32] = padded[:, nearest[0], nearest[1]]
    rows, columns = np.nonzero(outside & (away <= margin))
    places = (_mirrored(np.stack([columns, rows], axis=1).astype(np.float64) + 0.5, rings) - 0.5)[:, ::-1].T
    if exact:
        row, column = np.rint(places).astype(int)
        known[:, rows, columns] = known[:, row.clip(0, height - 1), column.clip(0, width - 1)]
    else:
        known[:, rows, columns] = [
            map_coordinates(plane, places, order=1, mode="nearest") for plane in known.copy()
        ]
    return known


def _mirrored(points: NDArray[np.float64], rings: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """Points mirrored about the nearest point of an outline, to a hundredth of a texel."""
    stations = [
        shapely.get_coordinates(shapely.segmentize(shapely.LinearRing(ring), _STEP)) for ring in rings
    ]
    along = np.concatenate([np.roll(one[:-1], -1, axis=0) - np.roll(one[:-1], 1, axis=0) for one in stations])
    at = np.concatenate([one[:-1] for one in stations])
    _, best = cKDTree(at).query(points)
    way, chord = points - at[best], along[best]
    share = (way * chord).sum(axis=1) / (chord**2).sum(axis=1).clip(1e-12)
    nearest = at[best] + share.clip(-0.5, 0.5)[:, None] * chord
    mirrored: NDArray[np.float64] = 2 * nearest - points
    return mirrored


def _framed(wide: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Cut or mirrored, evenly on all sides, to a size."""
    for axis, size in ((1, height), (2, width)):
        lack = size - wide.shape[axis]
        if lack > 0:
            before = lack // 2
            pads = [(0, 0)] * 3
            pads[axis] = (before, lack - before)
            wide = np.pad(wide, pads, mode="symmetric")
        elif lack < 0:
            start = -lack // 2
            wide = wide.take(range(start, start + size), axis=axis)
    return wide
