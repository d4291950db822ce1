"""Fabric: what it makes of black and white, and its threads and wrinkles against spectra and arithmetic."""

import math

import numpy as np
import pytest
import torch
from scipy import stats
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.effects.draws import Draws, LevelDraws, draws
from advmask.effects.fabric import draw_fabric, fabric_field
from advmask.effects.settings import FabricSettings
from advmask.render.renderer import Tone

ALL = FabricSettings(white=0.3, base=0.1, sheen=0.1, translucency=0.2, shade=0.4, tint=0.1)
WORST = FabricSettings(white=0.5, base=0.3, sheen=0.3, translucency=0.5, shade=0.8, tint=0.5)
SIZE = (385, 622)


def tone(settings: FabricSettings, *, batch: int = 4000, source: Draws | None = None) -> Tone:
    return draw_fabric(settings, batch=batch, draws=source or draws(0, 0, "fabric"))


def field(settings: FabricSettings, *, per_mm: float = 3.0, source: Draws | None = None) -> Tensor:
    size = (round(SIZE[0] * per_mm / 3), round(SIZE[1] * per_mm / 3))
    found = fabric_field(settings, texels=size, texels_per_mm=per_mm, draws=source or draws(0, 0, "weave"))
    assert found is not None
    assert found.shape == size
    assert found.dtype == torch.float32
    return found


def test_no_fabric_leaves_black_and_white() -> None:
    found = tone(FabricSettings(), batch=4)
    assert torch.equal(found.black, torch.zeros(4, 3))
    assert torch.equal(found.white, torch.ones(4, 3))
    assert fabric_field(FabricSettings(), texels=(9, 9), texels_per_mm=3, draws=draws(0, 0, "w")) is None


@pytest.mark.parametrize(
    ("settings", "black", "white"),
    [
        ({"white": 0.3}, (0, 0), (0.7, 1)),
        ({"base": 0.2}, (0, 0), (0.8, 1.2)),
        ({"sheen": 0.2}, (0, 0.2), (1, 1)),
        ({"shade": 0.4}, (0, 0), (0.6, 1.4)),
        ({"tint": 0.25}, (0, 0), (0.75, 1.25)),
    ],
)
def test_each_part_fills_its_range(
    settings: dict[str, float], black: tuple[float, float], white: tuple[float, float]
) -> None:
    found = tone(FabricSettings(**settings))
    for values, (low, high) in ((found.black, black), (found.white, white)):
        assert values.dtype == torch.float32
        if high > low:
            share = (values[:, 1].double().numpy() - low) / (high - low)
            assert stats.kstest(share, "uniform").pvalue > 1e-3
        else:
            torch.testing.assert_close(values, torch.full_like(values, low))
    grey = not settings.keys() & {"tint", "base"}
    assert torch.equal(found.white, found.white[:, :1].expand(-1, 3)) is grey


def test_a_veil_draws_black_and_white_towards_skin() -> None:
    """At share t, white keeps 1 - t of its distance to the skin, and so does black."""
    found = tone(FabricSettings(translucency=0.5), batch=1, source=LevelDraws(1.0))
    torch.testing.assert_close(found.white - found.black, torch.full((1, 3), 0.5))
    red, green, blue = found.black[0].tolist()
    assert 1 > red > green > blue > 0
    half = tone(FabricSettings(translucency=0.5), batch=1, source=LevelDraws(0.5))
    torch.testing.assert_close(half.black * 2, found.black)


def test_light_falls_on_everything_and_dye_on_the_body_only() -> None:
    """Light cancels in the ratio of black to white; gloss keeps the colour of the light."""
    plain = tone(FabricSettings(white=0.3, sheen=0.2, translucency=0.2))
    lit = tone(FabricSettings(white=0.3, sheen=0.2, translucency=0.2, shade=0.5, tint=0.3))
    torch.testing.assert_close(lit.black / lit.white, plain.black / plain.white)
    glossy = tone(FabricSettings(sheen=0.2, base=0.3))
    torch.testing.assert_close(glossy.black, glossy.black[:, :1].expand(-1, 3))


def test_the_worst_fabric_keeps_every_texel_apart() -> None:
    """Colours are compressed, not cut: white stays above black, so that all texels keep a gradient."""
    found = tone(WORST)
    assert float(found.black.min()) >= 0
    least = (
        0.2 * 0.5 * 0.5 * 0.7 * 0.5 * 0.7
    )  # shade, tint, translucency, sheen, white and base at their worst
    assert float((found.white - found.black).min()) > least - 1e-6
    texels = torch.linspace(0, 1, 32)[None, :, None].requires_grad_()
    shown = found.black[:, None] + (found.white - found.black)[:, None] * texels
    (gradient,) = torch.autograd.grad(shown.sum(), texels)
    assert bool((gradient > 0).all())


def test_a_fabric_is_replayed() -> None:
    first, again, other = (tone(ALL, batch=6, source=draws(5, step, "fabric")) for step in (9, 9, 10))
    assert torch.equal(first.black, again.black)
    assert torch.equal(first.white, again.white)
    assert not torch.equal(first.white, other.white)
    woven = FabricSettings(weave=0.1, wrinkles=0.05)
    one, two, three = (field(woven, source=draws(5, step, "weave")) for step in (9, 9, 10))
    assert torch.equal(one, two)
    assert not torch.equal(one, three)


def test_levels_lead_from_nothing_to_the_worst() -> None:
    none = tone(ALL, batch=2, source=LevelDraws(0))
    assert torch.equal(none.black, torch.zeros(2, 3))
    assert torch.equal(none.white, torch.ones(2, 3))
    woven = FabricSettings(weave=0.2, weave_mm=4, wrinkles=0.05)
    away = [field(woven, source=LevelDraws(level)) - 1 for level in (0.0, 0.5, 1.0)]
    assert float(away[0].abs().max()) == 0
    assert float(away[1].std() / away[2].std()) == pytest.approx(0.5, abs=0.01)
    # The same pattern, only stronger.
    assert float(torch.corrcoef(torch.stack([away[1].flatten(), away[2].flatten()]))[0, 1]) > 0.99


@pytest.mark.parametrize("per_mm", [1.5, 3.0])
def test_ribs_have_the_spacing_and_the_contrast_asked_for(per_mm: float) -> None:
    woven = field(FabricSettings(weave=0.2, weave_mm=6), per_mm=per_mm, source=LevelDraws(1.0))
    assert float(woven.mean()) == pytest.approx(1, abs=1e-4)
    half = float(woven.max() - woven.min()) / 2
    assert half == pytest.approx(0.2, rel=0.25)
    for axis, share in ((0, 2 / 3), (1, 1 / 3)):
        profile = woven.mean(dim=axis).double().numpy() - 1
        spectrum = np.abs(np.fft.rfft(profile * np.hanning(len(profile))))
        per_texel = np.argmax(spectrum) / len(profile)
        assert 1 / (per_texel * per_mm) == pytest.approx(6, rel=0.08)
        assert math.sqrt(2) * profile.std() == pytest.approx(0.2 * share * 0.8, rel=0.15)


@pytest.mark.parametrize("weave_mm", [0.05, 0.21, 0.3, 0.5, 0.66])
def test_threads_finer_than_two_texels_are_left_out(weave_mm: float) -> None:
    woven = field(FabricSettings(weave=0.5, weave_mm=weave_mm), source=LevelDraws(1.0))
    torch.testing.assert_close(woven, torch.ones_like(woven), rtol=0, atol=1e-5)


@pytest.mark.parametrize("weave_mm", [0.7, 0.8, 1.0, 1.4, 2.0, 3.3])
def test_no_weave_turns_into_coarser_stripes(weave_mm: float) -> None:
    """Nearly all energy lies about the waves of the weave, none at the frequencies aliases would have."""
    woven = field(FabricSettings(weave=0.5, weave_mm=weave_mm), source=LevelDraws(1.0))
    for axis in (0, 1):
        profile = woven.mean(dim=axis).double().numpy()
        energy = np.abs(np.fft.rfft((profile - profile.mean()) * np.hanning(len(profile)))) ** 2
        frequency = np.fft.rfftfreq(len(profile)) * 3.0 * weave_mm  # cycles per thread
        assert energy[frequency < 0.8].sum() < 1e-3 * energy.sum()


def test_a_weave_fades_as_its_threads_come_near_the_texels() -> None:
    spread = [
        float(field(FabricSettings(weave=0.3, weave_mm=mm), source=LevelDraws(1.0)).std())
        for mm in (0.6, 0.7, 0.8, 1.0, 1.3, 2.0, 6.0)
    ]
    assert spread == sorted(spread)
    assert spread[0] < 1e-5
    assert spread[1] < 0.02 * spread[-1]


@pytest.mark.parametrize("wrinkle_mm", [6.0, 12.0, 30.0])
def test_wrinkles_have_the_strength_and_the_mean_asked_for(wrinkle_mm: float) -> None:
    settings = FabricSettings(wrinkles=0.1, wrinkle_mm=wrinkle_mm)
    found = field(settings, source=LevelDraws(1.0))
    assert float(found.mean()) == pytest.approx(1, abs=0.02)
    assert float(found.std()) == pytest.approx(0.1, rel=0.2)
    assert float(found.min()) > 0.4
    # Smooth: shading hardly changes from texel to texel.
    assert float(found.diff(dim=0).std()) < 0.1 * 2 * math.pi / wrinkle_mm


def test_the_strongest_wrinkles_leave_light_everywhere() -> None:
    for step in range(10):
        found = fabric_field(
            FabricSettings(wrinkles=0.3, weave=0.5, weave_mm=5),
            texels=(100, 160),
            texels_per_mm=1.0,
            draws=draws(0, step, "w"),
        )
        assert found is not None
        assert float(found.min()) >= 0


def test_a_finer_print_has_the_same_wrinkles() -> None:
    settings = FabricSettings(wrinkles=0.1, wrinkle_mm=10)
    coarse, fine = (
        fabric_field(settings, texels=(n, 2 * n), texels_per_mm=n / 100, draws=draws(0, 0, "w"))
        for n in (100, 300)
    )
    assert coarse is not None
    assert fine is not None
    means = torch.nn.functional.avg_pool2d(fine[None], 3)[0]
    torch.testing.assert_close(means, coarse, rtol=0, atol=0.02)


def test_wrinkles_are_as_far_apart_as_asked() -> None:
    """A ruler of the spacing: the slopes turn with the mean frequency of creases that far apart."""
    counts = []
    for step in range(20):
        found = fabric_field(
            FabricSettings(wrinkles=0.1, wrinkle_mm=10),
            texels=(300, 300),
            texels_per_mm=1.0,
            draws=draws(1, step, "w"),
        )
        assert found is not None
        power = torch.fft.fft2(found.double() - found.double().mean()).abs() ** 2
        frequency = torch.fft.fftfreq(300, dtype=torch.float64)
        radius = torch.hypot(frequency[:, None], frequency[None])
        counts.append(float((power * radius).sum() / power.sum()))
    assert 1 / np.mean(counts) == pytest.approx(10, rel=0.3)


@pytest.mark.parametrize(
    ("key", "value"),
    [("white", -0.1), ("sheen", 0.31), ("weave", float("nan")), ("weave_mm", 0), ("wrinkle_mm", 2)],
)
def test_ranges_beyond_belief_are_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"Setting {key}="):
        FabricSettings.build({key: value})
