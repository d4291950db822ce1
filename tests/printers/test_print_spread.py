"""Spread and misregistration against a dense convolution, in millimetres, with gradients."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from torch import Tensor

from advmask.colour.srgb import srgb_from_linear
from advmask.effects.draws import LevelDraws
from advmask.printers.draw import PrintDraw, draw_print
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings, VariationSettings
from advmask.printers.spread import band, spread

NO_SHIFT = torch.zeros(3, 2)


def filtered(texels: Tensor, sigma: float, shifts: Tensor) -> Tensor:
    down, reach_down = band(texels.shape[1], sigma, shifts[:, 1])
    across, reach_across = band(texels.shape[2], sigma, shifts[:, 0])
    return spread(texels, down.to(texels), across.to(texels), reach=max(reach_down, reach_across))


@pytest.mark.parametrize("sigma", [0.7, 1.3, 3.0])
def test_spread_is_that_of_scipy(sigma: float) -> None:
    texels = torch.rand(3, 71, 45, dtype=torch.float64)
    radius = math.ceil(3 * sigma + 0.5)
    for channel, found in zip(texels, filtered(texels, sigma, NO_SHIFT), strict=True):
        wanted = gaussian_filter(channel.numpy(), sigma, mode="nearest", radius=radius)
        torch.testing.assert_close(found, torch.from_numpy(wanted), atol=1e-6, rtol=0)


@settings(max_examples=25, deadline=None)
@given(
    height=st.integers(1, 80),
    width=st.integers(1, 80),
    sigma=st.floats(0, 4),
    reach=st.floats(0, 5),
    seed=st.integers(0, 10**6),
)
def test_blocks_give_what_whole_matrices_give(
    height: int, width: int, sigma: float, reach: float, seed: int
) -> None:
    source = torch.Generator().manual_seed(seed)
    shifts = (torch.rand(3, 2, generator=source) * 2 - 1) * reach
    texels = torch.rand(3, height, width, dtype=torch.float64, generator=source)
    down, _ = band(height, sigma, shifts[:, 1])
    across, _ = band(width, sigma, shifts[:, 0])
    wanted = down.double() @ texels @ across.double().mT
    torch.testing.assert_close(filtered(texels, sigma, shifts), wanted)
    ones = torch.ones_like(texels)
    torch.testing.assert_close(filtered(ones, sigma, shifts), ones, atol=1e-6, rtol=0)


@settings(max_examples=40, deadline=None)
@given(sigma=st.floats(0, 3), shift=st.floats(-4, 4))
def test_taps_have_the_mean_and_spread_they_should(sigma: float, shift: float) -> None:
    matrices, reach = band(61, sigma, torch.tensor([shift]))
    taps = matrices[0, 30].double()
    places = 30 - torch.arange(61)
    mean = float((taps * places).sum())
    deviation = math.sqrt(max(0.0, float((taps * (places - mean) ** 2).sum())))
    part = shift - round(shift)
    least = math.sqrt(abs(part) * (1 - abs(part)))  # linear interpolation
    assert float(taps.sum()) == pytest.approx(1, abs=1e-5)
    assert float(taps.min()) >= -1e-6
    assert mean == pytest.approx(shift, abs=0.03)
    assert deviation == pytest.approx(max(sigma, least if sigma < 0.6 else 0), rel=0.04, abs=0.02)
    assert int(places[taps != 0].abs().max()) <= reach


def test_the_gradient_is_exact() -> None:
    shifts = torch.tensor([[0.4, -1.3], [2.0, 0.0], [-0.6, 0.7]])
    texels = torch.rand(3, 9, 37, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda asked: filtered(asked, 0.8, shifts), (texels,))
    texels = torch.rand(3, 40, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda asked: filtered(asked, 0.3, shifts), (texels,), fast_mode=True)


def step_edge(printer: Printer, texels_per_mm: float, *, drawn: PrintDraw | None = None) -> Tensor:
    """The profile of a printed edge from dark to light along x, as shares of its contrast: (3, width)."""
    width = round(20 * texels_per_mm)
    texels = torch.full((3, 8, width), 0.3)
    texels[:, :, width // 2 :] = 0.7
    # Colours are as asked for, so that undoing the curve of sRGB leaves the spread alone.
    edge = srgb_from_linear(printer(texels, drawn))[:, 4]
    return (edge - 0.3) / 0.4


@pytest.mark.parametrize("texels_per_mm", [3.0, 8.0])
@pytest.mark.parametrize("spread_mm", [0.1, 0.25, 0.6])
def test_spread_is_in_millimetres(texels_per_mm: float, spread_mm: float) -> None:
    printer = Printer(PrinterSettings(spread_mm=spread_mm), texels_per_mm=texels_per_mm)
    line = torch.diff(step_edge(printer, texels_per_mm)[0]).double()
    places = torch.arange(len(line)) / texels_per_mm
    mean = (line * places).sum()
    deviation = float(((line * (places - mean) ** 2).sum()).sqrt())
    assert deviation == pytest.approx(spread_mm, rel=0.05)


@pytest.mark.parametrize("texels_per_mm", [3.0, 8.0])
@pytest.mark.parametrize("spread_mm", [0.0, 0.3])
def test_inks_miss_each_other_by_millimetres(texels_per_mm: float, spread_mm: float) -> None:
    settings = PrinterSettings(
        spread_mm=spread_mm, varies=VariationSettings(misregistration_mm=0.8), name="loose"
    )
    printer = Printer(settings, texels_per_mm=texels_per_mm)
    shifts_mm = torch.tensor([[0.5, 0.0], [-0.37, 0.0], [0.0, 0.0]])
    drawn = PrintDraw(
        dot_gain=0.0,
        ink=torch.zeros(3),
        shifts_texels=shifts_mm * texels_per_mm,
        grain=None,
        banding=0.0,
        banding_phase=0.0,
        banding_across=False,
    )
    moved = step_edge(printer, texels_per_mm, drawn=drawn)
    # An edge that moves to the right leaves that much dark.
    found = (0.5 * moved.shape[1] - moved.sum(dim=1)) / texels_per_mm
    torch.testing.assert_close(found, shifts_mm[:, 0], atol=0.01, rtol=0)


def test_a_negligible_spread_costs_nothing() -> None:
    texels = torch.rand(3, 20, 20)
    printer = Printer(PrinterSettings(spread_mm=0.05), texels_per_mm=3)
    assert torch.equal(printer(texels), Printer(PrinterSettings(), texels_per_mm=3)(texels))
    drawn = draw_print(printer.settings, texels=(20, 20), texels_per_mm=3, draws=LevelDraws(1.0))
    assert torch.equal(printer(texels, drawn), printer(texels))
