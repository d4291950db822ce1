"""Texels that the mask shows, against its area."""

import numpy as np
import pytest

from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.masks.texels_on_mask import texels_on_mask


@pytest.mark.parametrize("pattern", ["contour", "panelled", "pleated"])
def test_their_number_is_the_area_of_the_surface_in_the_pattern(pattern: str) -> None:
    surface = build_mask(MaskSettings(pattern=pattern))
    shown = texels_on_mask(surface, 2.0)
    assert shown.shape == surface.texture_size(2.0)
    corners = surface.uv_mm[surface.faces]
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    area = 0.5 * np.abs(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0]).sum()
    assert float(shown.sum()) / 4 == pytest.approx(area, rel=0.04)
    assert float(shown.float().mean()) < 1
