"""Relief in torch, for several masks at once, against that of each mask in numpy."""

import numpy as np
import torch

from advmask.masks.folds import Fold, fold_ridges
from advmask.masks.relief import relief
from advmask.masks.shipped import shipped_surface
from advmask.render.relief_of_batch import relief_of_batch

FOLDS = [
    (),
    (Fold(True, 0.3, (0.6, 0.5), 1.2, 3.0),),
    (Fold(False, 0.8, (0.4, 0.4), -0.8, 5.0), Fold(True, 0.1, (0.7, 0.6), 0.5, 2.5)),
]


def test_it_is_the_relief_of_each():
    draw = np.random.default_rng(0)
    for name in ("contour", "pleated"):
        surface = shipped_surface(name)
        left, top, right, bottom = surface.pattern.box_mm
        uv = draw.uniform((left, top), (right, bottom), size=(900, 2))
        photo = draw.integers(3, size=900)
        folds = [fold_ridges(surface.pattern, one) for one in FOLDS]
        slope, light = relief_of_batch(torch.from_numpy(uv), torch.from_numpy(photo), surface.relief, folds)
        for number, own in enumerate(folds):
            here = photo == number
            expected_slope, expected_light = relief(uv[here], (*surface.relief, *own))
            np.testing.assert_allclose(slope[here], expected_slope, atol=2e-3)
            np.testing.assert_allclose(light[here], expected_light, atol=1e-3)
            assert np.abs(expected_slope).max() > 0.05
