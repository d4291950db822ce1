"""The parts of a fit by themselves, against other libraries and against numbers that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter1d
from skimage import color

from advmask.colour.difference import delta_e
from advmask.colour.lab import lab_of, light_of
from advmask.colour.srgb import decoded as linear_from_srgb
from advmask.colour.srgb import encoded as srgb_from_linear
from advmask.core.errors import PhotoError
from advmask.printing.chart.chart_layout import HEIGHT_MM, WIDTH_MM, chart_layout
from advmask.printing.chart.colour_map import KINDS, choose_kind, fit_map, grey_curve
from advmask.printing.chart.evenness import light_field
from advmask.printing.chart.ink_spread import ink_spread_mm
from advmask.printing.chart.view import View, fit_view


def test_lab_agrees_with_scikit_image_and_comes_back() -> None:
    srgb = np.random.default_rng(0).random((500, 3))
    linear = linear_from_srgb(srgb)
    lab = lab_of(linear)
    assert lab == pytest.approx(color.rgb2lab(srgb), abs=0.05)  # their matrix is rounded otherwise
    assert light_of(lab) == pytest.approx(linear, abs=1e-9)
    assert srgb_from_linear(linear) == pytest.approx(srgb, abs=1e-9)
    assert lab_of(np.ones(3)) == pytest.approx([100, 0, 0], abs=1e-9)
    beyond = np.array([[-0.01, 0.3, 1.4]])
    assert light_of(lab_of(beyond)) == pytest.approx(beyond, abs=1e-9)


def test_delta_e_of_published_pairs() -> None:
    # Three of the test pairs of Sharma, Wu and Dalal, 2005.
    one = np.array([[50, 2.6772, -79.7751], [50, 2.5, 0], [2.0776, 0.0795, -1.135]])
    other = np.array([[50, 0, -82.7485], [58, 24, 15], [0.9033, -0.0636, -0.5514]])
    assert delta_e(one, other) == pytest.approx([2.0425, 19.4535, 0.9082], abs=1e-4)


@pytest.mark.parametrize("spread", [0.0, 0.05, 0.12, 0.3, 0.6])
def test_ink_spread_from_tones(spread: float) -> None:
    periods = np.repeat([2 * dots * 25.4 / 300 for dots in (1, 2, 3, 4, 6, 8, 12)], 2)

    def curve(values: np.ndarray) -> np.ndarray:
        return 0.04 + 0.96 * values**2.3

    tones = []
    for period in periods:  # blurred step by step on a fine line instead of by its spectrum
        fine = np.where(np.arange(2000) < 1000, 0.0, 1.0)
        blurred = gaussian_filter1d(fine, spread / period * 2000, mode="wrap") if spread else fine
        tones.append(curve(blurred).mean())
    noisy = np.array(tones) + np.random.default_rng(1).normal(0, 0.002, len(tones))
    found, left = ink_spread_mm(periods, noisy, curve=curve)
    assert found == pytest.approx(spread, abs=0.015 + 0.05 * spread)
    assert left < 0.006


def test_lines_of_a_straight_tone_curve_tell_nothing_and_break_nothing() -> None:
    found, _ = ink_spread_mm(np.array([0.2, 1.0]), np.array([0.5, 0.5]), curve=lambda values: values)
    assert 0 <= found <= 1


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 2**32 - 1))
def test_uneven_light_is_found_among_strong_colours(seed: int) -> None:
    random = np.random.default_rng(seed)
    chart = chart_layout(int(random.integers(16)))
    x, y = (chart.centres() / (WIDTH_MM, HEIGHT_MM) * 2 - 1).T
    a, b, c, d = random.uniform(-0.2, 0.2, 4)
    vignetting = 1 - random.uniform(0, 0.25) * (0.6 * x**2 + 0.9 * y**2 + 0.2 * x * y)
    light = np.exp(a * x + b * y + c * x * y + d * y * y)[:, None] * vignetting[:, None]
    light = light * random.uniform(0.4, 0.6, 3)
    reflectance = linear_from_srgb(chart.asked()) * 0.9 + 0.1
    noise = 1 + random.normal(0, 0.004, reflectance.shape)
    found = light_field(light * reflectance * noise, chart)
    assert found / light == pytest.approx(np.ones_like(light), abs=0.02)


def test_one_stained_patch_does_not_bend_the_light_and_is_told() -> None:
    chart = chart_layout(0)
    colours = 0.5 * (linear_from_srgb(chart.asked()) * 0.9 + 0.1)
    stained = chart.of("field")[40]
    colours[stained] *= 0.8
    with pytest.raises(PhotoError, match=r"shadow, a reflection or a stain .*22 %"):
        light_field(colours, chart)


def test_a_smooth_map_is_found_and_predicts_between_its_colours() -> None:
    random = np.random.default_rng(0)

    def truth(srgb: np.ndarray) -> np.ndarray:
        mixed = srgb @ np.array([[0.8, 0.15, 0.05], [0.1, 0.75, 0.15], [0.05, 0.2, 0.75]])
        return lab_of(0.05 + 0.9 * mixed**1.8)

    chart = chart_layout(0)
    asked = chart.asked()[chart.of("fit")]
    seen = truth(asked)
    kind, error = choose_kind(asked, seen + random.normal(0, 0.2, seen.shape))
    assert error < 0.6
    colours = random.random((500, 3))
    assert delta_e(fit_map(asked, seen, kind)(colours), truth(colours)).mean() < 0.5
    plain = fit_map(asked, seen, KINDS[0])(colours)
    assert delta_e(plain, truth(colours)).mean() > 2, "a plane is not enough, and the choice saw it"


def test_the_grey_curve_rises_whatever_the_noise() -> None:
    levels = np.linspace(0, 1, 12)
    heights = levels**2
    heights[5] = heights[7]
    curve = grey_curve(np.repeat(levels[:, None], 3, axis=1), heights)
    assert (np.diff(curve(np.linspace(-0.1, 1.1, 300))) >= -1e-12).all()


def test_perspective_and_bend_come_back() -> None:
    true = View(np.array([[6.0, 0.4, 90.0], [-0.3, 5.5, 60.0], [2e-4, -3e-4, 1.0]]), 0.012, (1600, 1500))
    grid = np.stack(np.meshgrid(np.linspace(5, 175, 6), np.linspace(5, 220, 6)), axis=-1).reshape(-1, 2)
    pixels = true.pixels(grid)
    start = true.perspective * 1.3 + np.array([[0.1, 0, 9], [0, -0.1, -7], [0, 0, 0]])
    found, misses = fit_view(grid, pixels, start=start, size=true.size)
    assert misses.max() < 0.05
    assert found.bend == pytest.approx(0.012, abs=2e-3)
    between = grid[:-1] + 3
    assert np.abs(found.pixels(between) - true.pixels(between)).max() < 0.05
    assert found.pixels_per_mm(grid).min() > 4
