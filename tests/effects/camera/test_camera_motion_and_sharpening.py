"""Motion and sharpening against SciPy and arithmetic."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from advmask.effects.camera.motion import MotionDraw, apply_motion, draw_motion
from advmask.effects.camera.settings import MotionSettings, SharpeningSettings
from advmask.effects.camera.sharpening import SharpeningDraw, apply_sharpening, draw_sharpening
from advmask.effects.draws import LevelDraws, draws


def moving(length_px: list[float], angle_rad: list[float]) -> MotionDraw:
    return MotionDraw(torch.tensor(length_px), torch.tensor(angle_rad), most_px=max(length_px))


@pytest.mark.parametrize("length", [4.0, 7.5])
@pytest.mark.parametrize("angle", [0.0, math.pi / 2, 0.7, 2.4])
def test_a_point_becomes_a_line_of_that_length_and_direction(length: float, angle: float) -> None:
    point = torch.zeros(1, 1, 41, 41)
    point[0, 0, 20, 20] = 1
    streak = apply_motion(point, moving([length], [angle]))[0, 0].double()
    place = torch.arange(41.0).double() - 20
    assert float(streak.sum()) == pytest.approx(1, abs=1e-5)
    assert float((streak * place).sum()) == pytest.approx(0, abs=1e-5)
    along = place * math.cos(angle) + place[:, None] * math.sin(angle)
    aside = -place * math.sin(angle) + place[:, None] * math.cos(angle)
    # An even line has a variance of a twelfth of its squared length; spreading over pixels adds up to 1/4.
    extra = float((streak * along**2).sum()) - length**2 / 12
    assert 0 <= extra < 0.5
    assert 0 <= float((streak * aside**2).sum()) < 0.26


def test_along_a_row_it_is_the_moving_average() -> None:
    picture = torch.rand(1, 1, 5, 60)
    found = apply_motion(picture, moving([6.0], [0.0]))[0, 0, 2].numpy()
    fine = np.interp(np.linspace(0, 59, 59 * 400 + 1), np.arange(60), picture[0, 0, 2].numpy())
    for column in (10, 30, 45):
        expected = fine[(column - 3) * 400 : (column + 3) * 400].mean()
        assert found[column] == pytest.approx(expected, abs=0.03)


def test_only_what_moves_is_blurred() -> None:
    pictures = torch.rand(3, 3, 20, 24)
    found = apply_motion(pictures, moving([0.0, 5.0, 0.0], [1.0, 1.0, 1.0]))
    assert torch.equal(found[[0, 2]], pictures[[0, 2]])
    assert not torch.allclose(found[1], pictures[1], atol=0.1)
    assert apply_motion(pictures, moving([0.0] * 3, [1.0] * 3)) is pictures
    plain = torch.full((1, 3, 9, 9), 0.4)
    torch.testing.assert_close(apply_motion(plain, moving([8.0], [0.3])), plain)


def test_motion_is_drawn_for_its_share() -> None:
    drawn = draw_motion(MotionSettings(length_px=6, share=0.3), batch=4000, draws=draws(0, 0, "motion"))
    assert drawn is not None
    moved = drawn.length_px > 0
    assert float(moved.float().mean()) == pytest.approx(0.3, abs=0.04)
    assert float(drawn.length_px[moved].mean()) == pytest.approx(3, abs=0.3)
    assert float(drawn.length_px.max()) <= 6
    assert 0 <= float(drawn.angle_rad.min()) < 0.01
    assert 3.13 < float(drawn.angle_rad.max()) < math.pi
    most = draw_motion(MotionSettings(length_px=6, share=0.3), batch=2, draws=LevelDraws(1.0))
    assert most is not None
    assert most.length_px.tolist() == [6, 6]
    assert draw_motion(MotionSettings(length_px=6, share=0.3), batch=2, draws=LevelDraws(0.0)) is None


def test_unsharp_masking_is_scipys() -> None:
    picture = torch.rand(1, 2, 20, 30, dtype=torch.float64) * 0.2 + 0.4
    found = apply_sharpening(picture, SharpeningDraw(amount=torch.tensor([0.8]), radius_px=1.0))
    plain = picture.numpy()
    blurred = gaussian_filter(plain, (0, 0, 1, 1), mode="nearest", radius=(0, 0, 2, 2))
    np.testing.assert_allclose(found.numpy(), plain + 0.8 * (plain - blurred), atol=1e-6)


def test_sharpening_is_drawn_for_its_share_and_leaves_the_others() -> None:
    settings = SharpeningSettings(amount=2, share=0.4)
    drawn = draw_sharpening(settings, batch=4000, draws=draws(0, 0, "sharpening"))
    assert drawn is not None
    sharp = drawn.amount > 0
    assert float(sharp.float().mean()) == pytest.approx(0.4, abs=0.04)
    assert float(drawn.amount[sharp].mean()) == pytest.approx(1, abs=0.1)
    pictures = torch.rand(2, 3, 12, 12)
    found = apply_sharpening(pictures, SharpeningDraw(amount=torch.tensor([0.0, 1.0]), radius_px=1.0))
    assert torch.equal(found[0], pictures[0])
    assert float(found[1].std()) > float(pictures[1].std())
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    none = SharpeningDraw(amount=torch.zeros(2), radius_px=1.0)
    assert apply_sharpening(pictures, none) is pictures


def test_gradients_are_true() -> None:
    pictures = (0.4 + 0.2 * torch.rand(2, 1, 8, 9, dtype=torch.float64)).requires_grad_()
    motion = moving([3.0, 0.0], [0.5, 0.0])
    sharp = SharpeningDraw(amount=torch.tensor([0.0, 0.5]), radius_px=1.0)
    assert torch.autograd.gradcheck(lambda p: apply_motion(p, motion), pictures, fast_mode=True)
    assert torch.autograd.gradcheck(lambda p: apply_sharpening(p, sharp), pictures, fast_mode=True)
