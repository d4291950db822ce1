"""Light on whole pictures: its fields against arithmetic, its error against exact light, its gradient."""

import math

import pytest
import torch
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
from advmask.core.errors import ConfigError
from advmask.effects.draws import Draws, LevelDraws, draws
from advmask.effects.light import LightDraw, draw_light, relight
from advmask.effects.settings import LightSettings

ALL = LightSettings(direction=0.6, temperature_k=(4500, 8000), shadow=0.7, shadow_share=0.5)
SIZE = (176, 176)


def lit(settings: LightSettings, *, batch: int = 4, source: Draws | None = None) -> LightDraw:
    return draw_light(settings, batch=batch, size=SIZE, draws=source or draws(0, 0, "light"))


def gains(drawn: LightDraw, *, batch: int, rows: int = 176, columns: int = 176) -> Tensor:
    """Gains of linear light (B, 3, H, W), read off a white picture."""
    return relight(torch.ones(batch, 3, rows, columns), drawn) ** 2.2


def test_no_light_returns_the_very_pictures() -> None:
    pictures = torch.rand(4, 3, 20, 20)
    nothing = lit(LightSettings())
    assert relight(pictures, nothing) is pictures
    for idle in (LightSettings(shadow=0.5), LightSettings(shadow_share=0.5)):
        assert relight(pictures, lit(idle)) is pictures


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_pictures_keep_their_kind_and_layout(layout: torch.memory_format) -> None:
    pictures = torch.rand(4, 3, 40, 30).contiguous(memory_format=layout)
    for settings in (ALL, LightSettings(direction=0.5), LightSettings(temperature_k=(4000, 5000))):
        found = relight(pictures, lit(settings))
        assert found.dtype == pictures.dtype
        assert found.is_contiguous(memory_format=layout)
        other = relight(pictures.contiguous(), lit(settings))
        torch.testing.assert_close(found, other, rtol=0, atol=1e-6)
    assert relight(pictures.double(), lit(ALL)).dtype == torch.float64


def test_light_is_replayed_and_differs_from_photo_to_photo() -> None:
    pictures = torch.rand(1, 3, 176, 176).expand(5, -1, -1, -1)
    first, again, other = (
        relight(pictures, lit(ALL, batch=5, source=draws(3, step, "light"))) for step in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)
    assert all(not torch.allclose(first[0], one) for one in first[1:])


@pytest.mark.parametrize("gain", [0.1, 0.3, 0.7, 1.0, 1.5, 2.0])
def test_a_gain_of_encoded_values_is_near_a_gain_of_light(gain: float) -> None:
    values = torch.linspace(0, 1, 256, dtype=torch.float64).view(1, 1, 16, 16).expand(1, 3, -1, -1)
    found = relight(values, LightDraw(field=torch.full((1, 45, 45), gain, dtype=torch.float64)))
    linear = linear_from_srgb(values) * gain
    exact = srgb_from_linear(linear)
    assert float((found.clamp(max=1) - exact).abs().max()) < 0.03
    # What exceeds 1 is left for the camera to clip.
    assert (float(found.max()) > 1) is (gain > 1)


def test_gradient_passes_pixels_that_become_brighter_than_white() -> None:
    pictures = torch.ones(2, 3, 30, 30, requires_grad=True)
    drawn = lit(ALL, batch=2)
    found = relight(pictures, drawn)
    (gradient,) = torch.autograd.grad(found.sum(), pictures)
    found = found.detach()
    torch.testing.assert_close(gradient, found)
    assert float(found.max()) > 1
    assert float(gradient.min()) > 0.1


def test_the_worst_light_leaves_some_everywhere() -> None:
    worst = LightSettings(direction=0.9, temperature_k=(2000, 15000), shadow=0.9, shadow_share=1)
    found = gains(lit(worst, batch=100), batch=100)
    assert bool(found.isfinite().all())
    assert float(found.min()) >= 0.1 * 0.1 * 0.02 * 0.99


def test_light_from_a_side_has_the_strength_and_the_direction_drawn() -> None:
    """One side gains what the other loses; directions cover the circle, above and the sides before below."""
    found = gains(lit(LightSettings(direction=0.5), batch=1500), batch=1500, rows=44, columns=44)[:, 0]
    away = found - 1
    assert 0.48 < float(away.max()) <= 0.5 + 1e-4
    assert -0.5 - 1e-4 <= float(away.min()) < -0.48
    assert float(found.mean()) == pytest.approx(1, abs=0.02)
    place = (torch.arange(44) + 0.5) / 44 - 0.5
    right = (away * place).mean(dim=(1, 2))
    up = -(away * place[:, None]).mean(dim=(1, 2))
    angle = torch.rad2deg(torch.atan2(right, up))  # 0 from above, 90 from the right
    shares = torch.histc(angle, 8, -180, 180) / 1500
    assert float(shares.min()) > 0.02
    below, above = float((angle.abs() > 135).float().mean()), float((angle.abs() < 45).float().mean())
    assert above > 3 * below
    assert float((right > 0).float().mean()) == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(1500))


@pytest.mark.parametrize("width", [0.3, 1.0])
@pytest.mark.parametrize("pixels", [88, 176])
def test_the_terminator_is_as_wide_as_asked_at_any_resolution(width: float, pixels: int) -> None:
    """The light turns by tanh(1) of its half range over half a width either way: its steepest slope tells."""
    settings = LightSettings(direction=0.5, softness=(width, width))
    drawn = draw_light(settings, batch=8, size=(pixels, pixels), draws=LevelDraws(1.0))
    found = gains(drawn, batch=8, rows=pixels, columns=pixels)[:, 0]
    eye_distance = pixels / 4
    slope = torch.hypot(found.diff(dim=1)[:, :, 1:], found.diff(dim=2)[:, 1:]).amax(dim=(1, 2))
    expected = 0.5 * 2 / (width * eye_distance)
    torch.testing.assert_close(slope, torch.full((8,), expected), rtol=0.1, atol=0)


def test_shadows_are_as_frequent_and_as_deep_as_asked() -> None:
    settings = LightSettings(shadow=0.6, shadow_share=0.3)
    found = gains(lit(settings, batch=2000), batch=2000, rows=44, columns=44)[:, 0]
    darkest = found.amin(dim=(1, 2))
    shaded = darkest < 0.99
    assert float(shaded.float().mean()) == pytest.approx(0.3, abs=0.05)
    assert float(found.max()) <= 1 + 1e-5  # a shadow only takes light
    assert float(darkest.min()) == pytest.approx(0.4, abs=0.02)
    assert float(darkest[shaded].mean()) == pytest.approx(0.7, abs=0.05)
    # Shadows fall on the masked part of the face: 0.45 to 0.8 of the height, the middle half of the width.
    masked = found[:, 20:35, 11:33]
    touched = (masked.amin(dim=(1, 2)) < 1 - 0.5 * (1 - darkest)) & shaded
    crossed = touched & (masked.amax(dim=(1, 2)) > 1 - 0.5 * (1 - darkest))
    assert float(touched.sum() / shaded.sum()) > 0.8
    assert float(crossed.sum() / shaded.sum()) > 0.5


def test_shadows_are_half_planes_and_bars() -> None:
    settings = LightSettings(shadow=0.9, shadow_share=1, shadow_softness=(0.1, 0.1))
    found = gains(lit(settings, batch=600), batch=600, rows=44, columns=44)[:, 0]
    darkest = found.amin(dim=(1, 2), keepdim=True)
    dark = (found < (1 + darkest) / 2).float().mean(dim=(1, 2))
    # A bar of at most one eye distance covers at most about a third of the picture.
    assert 0.3 < float((dark > 0.35).float().mean()) < 0.6
    assert 0.3 < float((dark < 0.35).float().mean()) < 0.7


@pytest.mark.parametrize("width", [0.2, 0.5])
def test_the_shadow_s_edge_is_as_soft_as_asked(width: float) -> None:
    settings = LightSettings(shadow=0.8, shadow_share=1, shadow_softness=(width, width))
    found = gains(lit(settings, batch=300, source=draws(3, 3, "l")), batch=300)[:, 0]
    depth = 1 - found.amin(dim=(1, 2))
    slope = torch.hypot(found.diff(dim=1)[:, :, 1:], found.diff(dim=2)[:, 1:]).amax(dim=(1, 2))
    # Narrow bars do not get as dark as half planes do.
    half_plane = (found < 1 - depth[:, None, None] / 2).float().mean(dim=(1, 2)) > 0.35
    # A logistic edge is steepest by its depth over the width; a bent one is steeper far from its middle.
    steepest = (slope / depth)[half_plane & (depth > 0.3)] * 44 * width
    assert float(steepest.median()) == pytest.approx(1.05, abs=0.12)


def test_levels_lead_from_nothing_to_the_worst() -> None:
    settings = LightSettings(direction=0.6, shadow=0.7, shadow_share=0.2)
    none, half, worst = (
        gains(lit(settings, batch=2, source=LevelDraws(level)), batch=2) for level in (0.0, 0.5, 1.0)
    )
    torch.testing.assert_close(none, torch.ones_like(none))
    assert 0 < float((half - 1).abs().mean()) < float((worst - 1).abs().mean())


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("direction", 1.0, "Setting direction="),
        ("shadow_share", -0.1, "Setting shadow_share="),
        ("softness", (2.0, 1.0), "lower end first"),
        ("softness", (0.0, 1.0), "oftness lies between 0.1 and 10"),
        ("temperature_k", (900, 5000), "emperature_k lies between 2000 and 15000"),
        ("temperature_k", (float("nan"), 5000), "temperature_k"),
    ],
)
def test_ranges_beyond_belief_are_refused(key: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LightSettings.build({key: value})
