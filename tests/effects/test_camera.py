"""The camera against SciPy and arithmetic, its gradient, and its limits."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter
from torch import Tensor

from advmask.effects import CameraSettings, EffectsSettings, generator, photograph
from advmask.errors import ConfigError

STRONG = CameraSettings(brightness=0.5, contrast=0.5, colour=0.3, blur_px=2.0, noise=0.1)


def shot(pictures: Tensor, settings: CameraSettings, *, step: int = 0) -> Tensor:
    return photograph(pictures, settings, draws=generator(0, step, "camera"))


def test_a_perfect_camera_returns_the_picture() -> None:
    pictures = torch.rand(3, 3, 21, 17)
    pictures[0, 0, 0, :2] = torch.tensor([0.0, 1.0])
    assert torch.equal(shot(pictures, CameraSettings()), pictures)
    assert EffectsSettings().camera == CameraSettings()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_stay_in_range_and_keep_their_kind(dtype: torch.dtype) -> None:
    pictures = torch.rand(40, 3, 16, 12, dtype=dtype)
    pictures[:20] = pictures[:20].round()
    most = CameraSettings(brightness=0.8, contrast=0.8, colour=0.5, blur_px=1, noise=0.5)
    found = shot(pictures, most)
    assert found.dtype == dtype
    assert found.shape == pictures.shape
    assert float(found.min()) == 0
    assert float(found.max()) == 1


def test_a_photo_is_replayed_from_seed_step_and_stream() -> None:
    pictures = torch.rand(4, 3, 20, 20)
    first = shot(pictures, STRONG)
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert torch.equal(shot(pictures, STRONG), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(shot(pictures, STRONG, step=1), first)


def test_each_picture_is_photographed_alone() -> None:
    pictures = torch.rand(4, 3, 20, 24)
    first = shot(pictures, STRONG)
    others = torch.rand_like(pictures)
    others[2] = pictures[2]
    found = shot(others, STRONG)
    torch.testing.assert_close(found[2], first[2], rtol=0, atol=1e-6)
    assert not torch.allclose(found[1], first[1])
    # Equal pictures in one batch get different draws.
    same = shot(pictures[:1].expand(4, -1, -1, -1), STRONG)
    assert all(not torch.allclose(same[0], other) for other in same[1:])


def probe(settings: CameraSettings, *, count: int = 4000) -> Tensor:
    """What becomes of a dark and a bright grey, neither ever clipped: (count, 3, 2)."""
    pictures = torch.tensor([0.3, 0.5]).expand(count, 3, 1, 2)
    return shot(pictures, settings)[:, :, 0].double()


def fills(values: Tensor, low: float, high: float) -> None:
    width, count = high - low, len(values)
    assert low - 1e-6 <= float(values.min()) < low + 0.01 * width
    assert high - 0.01 * width < float(values.max()) <= high + 1e-6
    assert float(values.mean()) == pytest.approx((low + high) / 2, abs=5 * width / math.sqrt(12 * count))


def test_brightness_is_one_gain_for_all_channels() -> None:
    found = probe(CameraSettings(brightness=0.4))
    gain = found / torch.tensor([0.3, 0.5], dtype=torch.float64)
    torch.testing.assert_close(gain, gain[:, :1, :1].expand_as(gain), rtol=1e-5, atol=0)
    fills(gain[:, 0, 0], 0.6, 1.4)


def test_colour_is_a_gain_for_each_channel() -> None:
    found = probe(CameraSettings(colour=0.2))
    gain = found / torch.tensor([0.3, 0.5], dtype=torch.float64)
    torch.testing.assert_close(gain[..., 0], gain[..., 1], rtol=1e-5, atol=0)
    for channel in range(3):
        fills(gain[:, channel, 0], 0.8, 1.2)
    mixed = torch.corrcoef(gain[:, :, 0].T) - torch.eye(3)
    assert float(mixed.abs().max()) < 5 / math.sqrt(4000)


def test_contrast_turns_about_mid_grey() -> None:
    found = probe(CameraSettings(contrast=0.5))
    torch.testing.assert_close(
        found[..., 1], torch.full((4000, 3), 0.5, dtype=torch.float64), rtol=0, atol=1e-6
    )
    fills((0.5 - found[:, 0, 0]) / 0.2, 0.5, 1.5)


def test_noise_has_the_strength_drawn_for_its_photo() -> None:
    found = shot(torch.full((400, 3, 24, 24), 0.5), CameraSettings(noise=0.1)).double()
    strength = found.flatten(1).std(dim=1)
    # 1728 samples give a photo's strength to 1.7 %.
    assert float(strength.max()) == pytest.approx(0.1, rel=0.06)
    assert float(strength.min()) < 0.002
    assert float(strength.mean()) == pytest.approx(0.05, abs=5 * 0.1 / math.sqrt(12 * 400))
    assert abs(float(found.mean()) - 0.5) < 5 * 0.06 / math.sqrt(found.numel())
    standard = ((found - 0.5) / strength[:, None, None, None])[strength > 0.01]
    assert float((standard**4).mean()) == pytest.approx(3, abs=0.05)  # a normal distribution's
    for shifted in (standard.roll(1, 3), standard.roll(1, 2), standard.roll(1, 1)):
        assert abs(float((standard * shifted).mean())) < 0.01


def smooth_noise() -> np.ndarray:
    draw = np.random.default_rng(0)
    return np.asarray(gaussian_filter(draw.random((3, 40, 40)), (0, 1, 1)), dtype=np.float64)


def test_blur_is_a_gaussian_of_a_width_within_the_range() -> None:
    """The width is not given away, so it is found by matching SciPy's filter to each photo."""
    picture = smooth_noise()
    most = 2.0
    found = shot(torch.from_numpy(picture).expand(60, -1, -1, -1), CameraSettings(blur_px=most)).numpy()
    radius = round(2.5 * most)
    widths = np.linspace(0.05, most, 400)
    filtered = np.stack(
        [gaussian_filter(picture, (0, w, w), mode="nearest", radius=(0, radius, radius)) for w in widths]
    )
    chosen = []
    for one in found:
        errors = np.abs(filtered - one).max(axis=(1, 2, 3))
        assert errors.min() < 2e-3  # half a step of the widths
        chosen.append(widths[errors.argmin()])
    assert min(chosen) < 0.2
    assert max(chosen) > most - 0.2
    assert np.mean(chosen) == pytest.approx(most / 2, abs=5 * most / math.sqrt(12 * 60))


def test_the_widest_blur_loses_little_of_the_bell() -> None:
    """The kernel ends at 2.5 standard deviations; SciPy's ends at 4."""
    picture = np.zeros((3, 61, 61))
    picture[:, 30, 30] = 1
    found = shot(torch.from_numpy(picture).expand(200, -1, -1, -1), CameraSettings(blur_px=3)).numpy()
    row = found[:, 0].sum(axis=1)  # (photos, columns)
    np.testing.assert_allclose(row.sum(axis=1), 1, atol=1e-6)  # nothing is lost or gained
    spread = np.sqrt((row * (np.arange(61) - 30) ** 2).sum(axis=1))
    assert spread.max() == pytest.approx(3, rel=0.08)
    assert spread.max() <= 3 + 1e-6


def test_blur_keeps_a_plain_picture_and_its_edges() -> None:
    plain = torch.full((5, 3, 9, 9), 0.7)
    torch.testing.assert_close(shot(plain, CameraSettings(blur_px=10)), plain, rtol=0, atol=1e-5)


def test_the_gradient_is_true_where_nothing_is_clipped() -> None:
    mild = CameraSettings(brightness=0.1, contrast=0.2, colour=0.05, blur_px=1.0, noise=0.01)
    pictures = (0.4 + 0.2 * torch.rand(2, 3, 5, 6, dtype=torch.float64)).requires_grad_()
    found = shot(pictures.detach(), mild)
    assert float(found.min()) > 0
    assert float(found.max()) < 1
    assert torch.autograd.gradcheck(lambda p: shot(p, mild), pictures)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_saturated_pixels_keep_their_gradient(value: float) -> None:
    settings = CameraSettings(brightness=0.5, noise=0.2)
    pictures = torch.full((30, 3, 8, 8), value, requires_grad=True)
    found = shot(pictures, settings)
    assert float((found == value).float().mean()) > 0.2
    (gradient,) = torch.autograd.grad(found.sum(), pictures)
    # Each pixel's slope is the photo's gain, whether clipped or not.
    assert 0.5 <= float(gradient.min()) <= float(gradient.max()) <= 1.5
    torch.testing.assert_close(gradient, gradient[:, :1, :1, :1].expand_as(gradient))


@pytest.mark.parametrize("key", ["brightness", "contrast", "colour", "blur_px", "noise"])
def test_settings_keep_within_reason(key: str) -> None:
    for value in (-0.01, 11, float("nan")):
        with pytest.raises(ConfigError, match=rf"Setting camera\.{key}="):
            EffectsSettings.build({"camera": {key: value}})
