"""Distance and focus against Pillow, SciPy and arithmetic."""

import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import gaussian_filter1d

from advmask.effects.camera.optics import OpticsDraw, apply_optics, draw_optics, enlarge
from advmask.effects.camera.settings import OpticsSettings
from advmask.effects.draws import LevelDraws, draws


def lens(eyes_px: float | list[float] = math.inf, focus_px: float | list[float] = 0.0) -> OpticsDraw:
    eyes = torch.tensor(eyes_px, dtype=torch.float32).reshape(-1)
    focus = torch.tensor(focus_px, dtype=torch.float32).reshape(-1)
    count = max(len(eyes), len(focus))
    return OpticsDraw(
        eyes_px=eyes.expand(count),
        focus_px=focus.expand(count),
        far_px=float(eyes.min()),
        near_px=float(eyes.max()),
        most_focus_px=float(focus.max()),
    )


@pytest.mark.parametrize("eyes_px", [10.0, 15.5, 22.0, 31.25, 43.75])
def test_a_distant_sensor_averages_areas_as_pillow_does(eyes_px: float) -> None:
    picture = torch.rand(1, 1, 176, 176)
    found = apply_optics(picture, lens(eyes_px))
    side = round(4 * eyes_px)
    image = Image.fromarray(picture[0, 0].numpy()).resize((side, side), Image.Resampling.BOX)
    # Pillow takes whole pixels into its boxes where the box is not a whole number of pixels wide.
    exact = (176 / side).is_integer()
    assert found.shape == (1, 1, side, side)
    if exact:
        np.testing.assert_allclose(found[0, 0].numpy(), np.asarray(image), atol=2e-5)
    # Areas by brute force: every pixel cut in `side` strips, of which `176` make one of the sensor.
    fine = picture[0, 0].repeat_interleave(side, dim=1).view(176, side, 176).mean(dim=2)
    areas = fine.T.repeat_interleave(side, dim=1).view(side, side, 176).mean(dim=2).T
    torch.testing.assert_close(found[0, 0], areas, atol=2e-5, rtol=0)


def test_half_the_pixels_is_what_torch_calls_area() -> None:
    picture = torch.rand(2, 3, 176, 176)
    halved = torch.nn.functional.interpolate(picture, size=(88, 88), mode="area")
    torch.testing.assert_close(apply_optics(picture, lens([22.0, 22.0])), halved, atol=2e-5, rtol=0)


@pytest.mark.parametrize(("eyes_px", "focus_px"), [(math.inf, 1.5), (22.0, 0.8), (30.0, 1.2)])
def test_a_blurred_edge_spreads_as_lens_and_pixels_say(eyes_px: float, focus_px: float) -> None:
    """The slope of an edge is the blur: its variance is the lens's and a twelfth of each square's."""
    picture = (torch.arange(176) >= 88).float().expand(1, 1, 176, 176)
    row = apply_optics(picture, lens(eyes_px, focus_px))[0, 0, 0].double()
    pitch = 176 / len(row)
    slope = row.diff()
    places = (torch.arange(1, len(row)) * pitch).double()
    centre = float((slope * places).sum())
    spread = float((slope * (places - centre) ** 2).sum())
    # The edge itself is sharp; the sensor's pixels and the steps between them have their squares.
    assert float(slope.sum()) == pytest.approx(1, abs=1e-5)
    assert centre == pytest.approx(88, abs=1e-2)
    assert spread == pytest.approx((focus_px * pitch) ** 2 + 2 * pitch**2 / 12, rel=0.02)


def test_focus_is_scipys_gaussian_of_squares() -> None:
    """SciPy on pixels cut in 16, then averaged over each pixel."""
    picture = torch.rand(1, 1, 40, 40, dtype=torch.float64)
    fine = picture[0, 0].numpy().repeat(16, axis=0).repeat(16, axis=1)
    for axis in (0, 1):
        fine = gaussian_filter1d(fine, 16 * 0.9, axis=axis, mode="nearest", truncate=6)
    expected = fine.reshape(40, 16, 40, 16).mean(axis=(1, 3))
    found = apply_optics(picture, lens(math.inf, 0.9))
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=2e-4)


def test_a_sharp_lens_near_by_is_the_picture_itself() -> None:
    picture = torch.rand(2, 3, 20, 24)
    assert apply_optics(picture, lens([math.inf, 44.0])) is picture
    assert enlarge(picture, lens([math.inf, 44.0]), size=(20, 24)) is picture


@pytest.mark.parametrize("size", [(176, 176), (30, 44)])
def test_even_pictures_stay_even_up_to_the_border(size: tuple[int, int]) -> None:
    picture = torch.full((3, 3, *size), 0.7)
    drawn = lens([5.0, 7.3, 200.0], [0.0, 3.0, 10.0])
    small = apply_optics(picture, drawn)
    torch.testing.assert_close(small, torch.full_like(small, 0.7), atol=1e-5, rtol=0)
    torch.testing.assert_close(enlarge(small, drawn, size=size), picture, atol=1e-5, rtol=0)


def test_enlarging_is_bilinear_and_ignores_what_the_largest_photo_adds() -> None:
    drawn = lens([11.0, 30.0])
    small = torch.rand(2, 3, 120, 120)
    found = enlarge(small, drawn, size=(176, 176))
    for photo, side in enumerate((44, 120)):
        expected = torch.nn.functional.interpolate(
            small[photo : photo + 1, :, :side, :side], size=(176, 176), mode="bilinear", align_corners=False
        )
        torch.testing.assert_close(found[photo : photo + 1], expected, atol=1e-5, rtol=0)


def test_a_smaller_photo_repeats_its_last_row_and_column() -> None:
    picture = torch.rand(2, 3, 176, 176)
    found = apply_optics(picture, lens([11.0, 30.0], [0.5, 0.0]))
    alone = apply_optics(picture[:1], lens(11.0, 0.5))
    assert found.shape[-2:] == (120, 120)
    torch.testing.assert_close(found[:1, :, :44, :44], alone, atol=1e-6, rtol=0)
    assert torch.equal(found[0, :, 44:, :], found[0, :, 43:44, :].expand(3, 76, 120))
    assert torch.equal(found[0, :, :, 44:], found[0, :, :, 43:44].expand(3, 120, 76))


def test_gradients_are_true() -> None:
    pictures = torch.rand(2, 2, 12, 16, dtype=torch.float64, requires_grad=True)
    drawn = lens([2.0, 3.0], [0.6, 0.0])
    assert torch.autograd.gradcheck(
        lambda p: enlarge(apply_optics(p, drawn), drawn, size=(12, 16)), pictures, fast_mode=True
    )


def test_distances_are_drawn_log_uniformly() -> None:
    settings = OpticsSettings(eyes_px=(12, 40), focus_px=2)
    drawn = draw_optics(settings, batch=4000, draws=draws(0, 0, "optics"))
    assert 12 <= float(drawn.eyes_px.min()) < 12.1
    assert 39.8 < float(drawn.eyes_px.max()) <= 40.001
    assert (drawn.far_px, drawn.near_px, drawn.most_focus_px) == (12, 40, 2)
    # As many below the geometric mean as above it.
    assert float((drawn.eyes_px < math.sqrt(12 * 40)).float().mean()) == pytest.approx(0.5, abs=0.04)
    assert float(drawn.focus_px.mean()) == pytest.approx(1, abs=0.05)


def test_levels_go_from_near_and_sharp_to_far_and_blurred() -> None:
    settings = OpticsSettings(eyes_px=(10, 40), focus_px=2)
    levels = [draw_optics(settings, batch=1, draws=LevelDraws(level)) for level in (0.0, 0.5, 1.0)]
    assert [float(one.eyes_px) for one in levels] == pytest.approx([40, 20, 10])
    assert [float(one.focus_px) for one in levels] == pytest.approx([0, 1, 2])
