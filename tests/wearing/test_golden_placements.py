"""Placements as they are: when one of these numbers moves, caches of before must not be read any more.

If a formula or the data of a mask was changed on purpose, raise `PLACING_VERSION` in
`advmask/wearing/placement_cache.py` and store the numbers that this test prints.
"""

import pytest
import torch
from placement_samples import SIDE, face

from advmask.masks.dense_pose import mean_face
from advmask.masks.folds import Fold
from advmask.masks.placement import Wear
from advmask.masks.shipped import shipped_surface
from advmask.photos.crops import FaceCrop
from advmask.render.packing import PackedPlacement
from advmask.render.settings import RenderSettings
from advmask.wearing.placement_cache import PLACING_VERSION
from advmask.wearing.placing import place_masks

FOLD = Fold(left=True, start=0.2, end=(0.5, 0.6), height_mm=1.0, width_mm=3.0)
WORN = Wear(shift_mm=(2.0, -3.0), tilt_deg=4.0, scale=1.05, folds=(FOLD,))


def dense_face() -> FaceCrop:
    """The mean head, turned a little, so that the 468-point way is measured as well."""
    turned = torch.tensor([[0.94, 0.0, 0.34], [0.0, 1.0, 0.0], [-0.34, 0.0, 0.94]])
    points = torch.from_numpy(mean_face().points_mm).float() @ turned.T
    x, y, z = (0.45 * points).unbind(dim=1)
    return face(dense=torch.stack([SIDE / 2 + x, 45 - y, -z], dim=1))


def summary(packed: PackedPlacement) -> list[float]:
    """A few numbers that move with everything in a placement."""
    row, column = packed.pixel // SIDE, packed.pixel % SIDE
    taps = packed.taps
    weights = taps.weight.double()
    return [
        float(len(packed.pixel)),
        row.double().mean().item(),
        column.double().mean().item(),
        packed.gain.double().sum().item(),
        packed.under.double().sum().item(),
        weights.sum().item(),
        (weights * taps.texel.double()).sum().item() / weights.sum().item(),
        packed.tint.double().sum().item(),
        packed.saturation,
    ]


GOLDEN = {
    "contour": [2949.0, 73.0763, 55.9712, 1663.41, 244.366, 2688.0, 317729.0, 2.99776, 1.0],
    "panelled": [2990.0, 73.2518, 56.0706, 1676.74, 248.532, 2725.0, 444260.0, 2.99776, 1.0],
    "pleated": [2903.0, 73.7113, 56.2008, 1504.66, 283.874, 2593.99, 379606.0, 2.99776, 1.0],
    "dense": [2791.0, 59.536, 61.0348, 1624.57, 242.735, 2540.0, 311191.0, 2.99776, 1.0],
}


@pytest.mark.parametrize("way", list(GOLDEN))
def test_placements_are_those_of_this_version(way: str):
    crop = dense_face() if way == "dense" else face()
    surface = shipped_surface("contour" if way == "dense" else way)
    (packed,) = place_masks(crop, surface, [WORN], 3.0, RenderSettings())
    found = summary(packed)
    print(f'    "{way}": {[float(f"{value:.6g}") for value in found]},')
    assert PLACING_VERSION == 3
    assert found == pytest.approx(GOLDEN[way], rel=1e-3, abs=1e-4)
