"""The colour of light by its temperature, against standards and an integral of Planck's law."""

import math

import numpy as np
import pytest
import torch

from advmask.colour.temperature import chromaticity, light_gain
from advmask.effects.draws import draws
from advmask.effects.light import draw_light, relight
from advmask.effects.settings import LightSettings

TWO_DEGREE = {  # CIE 1931 observer as sums of Gaussians (Wyman, Sloan and Shirley, 2013): height, nm, widths
    "x": ((1.056, 599.8, 37.9, 31.0), (0.362, 442.0, 16.0, 26.7), (-0.065, 501.1, 20.4, 26.2)),
    "y": ((0.821, 568.8, 46.9, 40.5), (0.286, 530.9, 16.3, 31.1)),
    "z": ((1.217, 437.0, 11.8, 36.0), (0.681, 459.0, 26.0, 13.8)),
}


def xy(temperature: float) -> tuple[float, float]:
    x, y = chromaticity(torch.tensor(temperature, dtype=torch.float64)).tolist()
    return x, y


@pytest.mark.parametrize(
    ("temperature", "expected", "tolerance"),
    [
        (2855.5, (0.4476, 0.4074), 4e-4),  # illuminant A
        (6504, (0.3127, 0.3290), 2e-4),  # D65
        (5003, (0.3457, 0.3585), 2e-4),  # D50
        (7504, (0.2990, 0.3149), 2e-4),  # D75
    ],
)
def test_standard_illuminants(temperature: float, expected: tuple[float, float], tolerance: float) -> None:
    assert xy(temperature) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("temperature", [2000, 2400, 3000, 3500, 3999])
def test_lamps_are_black_bodies(temperature: float) -> None:
    wavelength = np.arange(360.0, 831.0)
    spectrum = wavelength**-5 / np.expm1(1.4387769e7 / (wavelength * temperature))
    total = {}
    for name, parts in TWO_DEGREE.items():
        curve = sum(
            height * np.exp(-0.5 * ((wavelength - peak) / np.where(wavelength < peak, below, above)) ** 2)
            for height, peak, below, above in parts
        )
        total[name] = float((curve * spectrum).sum())
    expected = (total["x"] / sum(total.values()), total["y"] / sum(total.values()))
    assert xy(temperature) == pytest.approx(expected, abs=3e-3)  # what the sums of Gaussians are good for


def test_the_locus_has_no_jumps() -> None:
    temperatures = torch.arange(2000.0, 15000.0, 10, dtype=torch.float64)
    steps = chromaticity(temperatures).diff(dim=0)
    assert float(steps.norm(dim=1).max()) < 2e-3
    assert bool((steps[:, 0] < 0).all())  # ever bluer


def test_the_light_of_the_photo_changes_nothing() -> None:
    assert light_gain(torch.tensor(6504.0)).tolist() == pytest.approx([1, 1, 1], abs=1e-6)


def test_gains_keep_the_luminance_and_run_from_red_to_blue() -> None:
    gains = light_gain(torch.tensor([2856.0, 4500.0, 6504.0, 9000.0, 15000.0]))
    luminance = gains @ torch.tensor([0.2126, 0.7152, 0.0722])
    torch.testing.assert_close(luminance, torch.ones(5), rtol=1e-5, atol=0)
    assert gains[:, 0].tolist() == sorted(gains[:, 0].tolist(), reverse=True)
    assert gains[:, 2].tolist() == sorted(gains[:, 2].tolist())
    # Illuminant A in linear sRGB, from its chromaticity and the matrix of IEC 61966-2-1 by hand.
    x, y = 0.4476, 0.4074
    big_x, big_z = x / y, (1 - x - y) / y
    red = 3.2406 * big_x - 1.5372 - 0.4986 * big_z
    blue = 0.0557 * big_x - 0.2040 + 1.0570 * big_z
    assert float(gains[0, 0] / gains[0, 2]) == pytest.approx(red / blue, rel=0.01)


def test_temperatures_are_even_in_mireds_and_colour_whole_photos() -> None:
    settings = LightSettings(temperature_k=(4000, 8000))
    drawn = draw_light(settings, batch=2000, size=(176, 176), draws=draws(0, 0, "light"))
    assert drawn.field is None
    found = relight(torch.full((2000, 3, 2, 2), 0.5), drawn)
    assert torch.equal(found[..., :1, :1].expand_as(found), found)
    ends = light_gain(torch.tensor([8000.0, 4000.0]))
    ratio = (found[:, 0, 0, 0] / found[:, 2, 0, 0]) ** 2.2
    low, high = (ends[:, 0] / ends[:, 2]).tolist()
    assert low * 0.999 <= float(ratio.min()) < low * 1.02
    assert high * 0.98 < float(ratio.max()) <= high * 1.001
    middle = light_gain(torch.tensor(2 / (1 / 4000 + 1 / 8000)))
    below = float((ratio < middle[0] / middle[2]).float().mean())
    assert below == pytest.approx(0.5, abs=5 * 0.5 / math.sqrt(2000))
