"""Exposure, colours and noise against the sRGB standard and arithmetic."""

import math

import pytest
import torch
from skimage.color import rgb2xyz
from torch import Tensor

from advmask.effects.camera.developing import develop
from advmask.effects.camera.light_values import TOE, light_from_srgb
from advmask.effects.camera.sensor import SensorDraw, draw_sensor
from advmask.effects.camera.settings import CameraToneSettings, SensorSettings
from advmask.effects.camera.tone import CameraToneDraw, draw_tone
from advmask.effects.draws import LevelDraws, draws


def colours(settings: CameraToneSettings) -> CameraToneDraw:
    drawn = draw_tone(settings, batch=4000, draws=draws(0, 0, "tone"))
    assert drawn is not None
    return drawn


def toned(gain: float = 1.0, contrast: float = 1.0, curve: float = 0.0) -> CameraToneDraw:
    return CameraToneDraw(
        gain=torch.full((1, 3), gain), contrast=torch.tensor([contrast]), curve=torch.tensor([curve])
    )


def shot(values: Tensor, tone: CameraToneDraw, sensor: SensorDraw | None = None) -> Tensor:
    return develop(light_from_srgb(values), tone, sensor)


def ramp() -> Tensor:
    return torch.linspace(0, 1, 101, dtype=torch.float64).expand(1, 3, 1, 101).contiguous()


def test_no_change_is_the_same_picture() -> None:
    torch.testing.assert_close(shot(ramp(), toned()), ramp())


def test_the_mean_of_black_and_white_light_is_near_that_of_srgb() -> None:
    half = (light_from_srgb(torch.zeros(1)) + light_from_srgb(torch.ones(1))) / 2
    assert float(half.sqrt() - TOE) == pytest.approx(0.735, abs=0.04)


@pytest.mark.parametrize("stops", [-1.0, -0.5, 0.5, 1.0])
def test_a_stop_is_a_factor_of_two_in_light(stops: float) -> None:
    """Against the sRGB standard, as scikit-image has it; approximate, being a power of 2.2 here."""
    values = ramp()[..., 15:65]
    found = shot(values, toned(gain=2**stops))
    linear = [torch.from_numpy(rgb2xyz(one[0].permute(1, 2, 0).numpy())[..., 1]) for one in (values, found)]
    assert float(found.max()) < 1
    ratio = linear[1] / linear[0]
    torch.testing.assert_close(ratio, torch.full_like(ratio, 2**stops), rtol=0.12, atol=0)
    torch.testing.assert_close(
        found, values * 2 ** (stops / 2.2), rtol=0, atol=0.01 * abs(2 ** (stops / 2.2) - 1) * 5
    )


def test_contrast_and_curve_are_what_they_say() -> None:
    values = ramp()[..., 5:95]
    torch.testing.assert_close(
        shot(values, toned(contrast=0.8)), 0.5 + 0.8 * (values - 0.5), atol=1e-6, rtol=0
    )
    bent = values + 0.3 * values * (1 - values)
    torch.testing.assert_close(shot(values, toned(curve=0.3)), bent, atol=1e-6, rtol=0)


def test_gradients_are_true_where_nothing_is_clipped() -> None:
    values = (0.3 + 0.3 * torch.rand(1, 3, 4, 5, dtype=torch.float64)).requires_grad_()
    tone = CameraToneDraw(
        gain=torch.tensor([[1.2, 0.9, 1.1]]), contrast=torch.tensor([1.2]), curve=torch.tensor([-0.4])
    )
    assert torch.autograd.gradcheck(lambda v: shot(v, tone), values, fast_mode=False)


@pytest.mark.parametrize("value", [0.0, 1.0])
@pytest.mark.parametrize("curve", [-0.6, 0.6])
def test_saturated_texels_keep_their_gradient(value: float, curve: float) -> None:
    values = torch.full((1, 3, 4, 4), value, requires_grad=True)
    for gain in (0.5, 2.0):
        (slope,) = torch.autograd.grad(shot(values, toned(gain, 1.4, curve)).sum(), values)
        assert 0.1 < float(slope.min()) <= float(slope.max()) < 6


def test_colours_are_drawn_in_stops() -> None:
    settings = CameraToneSettings(exposure_ev=1.0, temperature_ev=0.4)
    gain = colours(settings).gain.log2()
    assert float(gain[:, 1].abs().max()) <= 1
    assert float(gain[:, 1].std()) == pytest.approx(1 / math.sqrt(3), abs=0.03)
    torch.testing.assert_close(gain[:, 0] - gain[:, 1], gain[:, 1] - gain[:, 2], atol=1e-5, rtol=0)
    assert float((gain[:, 0] - gain[:, 1]).abs().max()) == pytest.approx(0.4, abs=0.01)
    each = colours(CameraToneSettings(colour_ev=0.3)).gain.log2()
    assert float((torch.corrcoef(each.T) - torch.eye(3)).abs().max()) < 0.08
    rest = colours(CameraToneSettings(contrast=0.5, curve=0.3))
    assert float(rest.contrast.min()) == pytest.approx(0.5, abs=0.01)
    assert float(rest.curve.abs().max()) == pytest.approx(0.3, abs=0.01)
    assert draw_tone(CameraToneSettings(), batch=2, draws=draws(0, 0, "tone")) is None
    assert draw_tone(CameraToneSettings(contrast=0.5, curve=0.3), batch=2, draws=LevelDraws(0)) is None


@pytest.mark.parametrize("read_share", [0.0, 0.1])
def test_the_variance_of_light_grows_with_brightness(read_share: float) -> None:
    """In linear light (of the square that stands for sRGB) the variance is a line over brightness."""
    greys = torch.tensor([0.15, 0.3, 0.5, 0.7, 0.9])
    values = greys[:, None, None, None].expand(5, 3, 100, 100)
    sensor = draw_sensor(SensorSettings(noise=0.04, read_share=read_share), batch=5, draws=LevelDraws(0.5))
    tone = CameraToneDraw(gain=torch.ones(5, 3), contrast=torch.ones(5), curve=torch.zeros(5))
    found = develop(light_from_srgb(values), tone, sensor)
    assert float(found[2].std()) == pytest.approx(0.02, rel=0.02)
    variance = light_from_srgb(found).flatten(1).var(dim=1)
    light = light_from_srgb(greys) - light_from_srgb(torch.zeros(()))
    expected = variance[2] * (read_share + (1 - read_share) * light / light[2])
    torch.testing.assert_close(variance, expected, rtol=0.05, atol=0)


def test_noise_is_drawn_for_each_photo_and_value() -> None:
    sensor = draw_sensor(SensorSettings(noise=0.1), batch=400, draws=draws(0, 0, "sensor"))
    assert sensor is not None
    assert float(sensor.strength.mean()) == pytest.approx(0.05, abs=0.008)
    assert float(sensor.strength.max()) <= 0.1
    noise = sensor.normal(torch.zeros(400, 3, 8, 8))
    assert float(noise.std()) == pytest.approx(1, abs=0.01)
    assert draw_sensor(SensorSettings(), batch=4, draws=draws(0, 0, "s")) is None


def test_the_gradient_passes_noise_as_if_there_were_none() -> None:
    values = torch.rand(1, 3, 20, 20)
    noisy = draw_sensor(SensorSettings(noise=0.2), batch=1, draws=LevelDraws(1.0))
    slopes = []
    for sensor in (None, noisy):
        given = values.clone().requires_grad_()
        slopes += torch.autograd.grad(shot(given, toned(1.1, 1.1), sensor).sum(), given)
    torch.testing.assert_close(*slopes)
