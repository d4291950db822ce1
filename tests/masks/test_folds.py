"""Folds laid on a pattern."""

import numpy as np
import pytest

from advmask.masks.folds import Fold, fold_ridges
from advmask.masks.placement import Wear, place
from advmask.masks.pose import HeadPose
from advmask.masks.shipped import shipped_surface

LEFT = Fold(True, 0.3, (0.6, 0.5), 1.2, 3.0)
RIGHT = Fold(False, 0.3, (0.6, 0.5), 1.2, 3.0)


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_a_fold_runs_from_its_side_to_where_it_dies(name):
    pattern = shipped_surface(name).pattern
    left, top, right, bottom = pattern.box_mm
    (ridge,) = fold_ridges(pattern, [LEFT])
    np.testing.assert_allclose(ridge.points_mm[0], [left, top + 0.3 * (bottom - top)])
    np.testing.assert_allclose(
        ridge.points_mm[-1], [left + 0.6 * (right - left) / 2, top + 0.5 * (bottom - top)]
    )
    assert (ridge.height_mm, ridge.width_mm) == (1.2, 3.0)
    assert ridge.fade_mm > 0
    straight = np.linspace(ridge.points_mm[0], ridge.points_mm[-1], len(ridge.points_mm))
    sag = ridge.points_mm - straight
    assert (sag[1:-1, 1] > 0).all()  # it hangs a little
    assert np.abs(sag).max() < 0.05 * (bottom - top)


def test_left_and_right_are_mirror_images():
    pattern = shipped_surface("contour").pattern
    left, _, right, _ = pattern.box_mm
    one, other = fold_ridges(pattern, [LEFT, RIGHT])
    np.testing.assert_allclose(other.points_mm[:, 0], left + right - one.points_mm[:, 0], atol=1e-9)
    np.testing.assert_allclose(other.points_mm[:, 1], one.points_mm[:, 1], atol=1e-9)


def test_no_folds_are_no_ridges():
    assert fold_ridges(shipped_surface("contour").pattern, ()) == ()


@pytest.mark.parametrize("name", ["contour", "pleated"])
def test_a_placement_holds_the_mask_s_own_relief_and_the_folds_in_the_frame_of_the_texture(name):
    surface = shipped_surface(name)
    placement = place(surface, HeadPose(0.0, 0.0, 0.0, 1.0, (0.0, 0.0)), wear=Wear(folds=(LEFT, RIGHT)))
    assert len(placement.relief) == len(surface.relief) + 2
    own = (*surface.relief, *fold_ridges(surface.pattern, (LEFT, RIGHT)))
    for placed, ridge in zip(placement.relief, own, strict=True):
        np.testing.assert_allclose(placed.points_mm + surface.origin_mm, ridge.points_mm, atol=1e-9)
        assert placed.height_mm == ridge.height_mm
    width, height = surface.size_mm
    for ridge in placement.relief:
        assert (ridge.points_mm >= -0.06 * height).all()
        assert (ridge.points_mm <= [1.06 * width, 1.06 * height]).all()
