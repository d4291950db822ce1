"""What differs from print to print: replay, statistics, levels, grain and bands in millimetres."""

import math

import pytest
import torch
from torch import Tensor

from advmask.effects.draws import LevelDraws, draws
from advmask.printers.draw import PrintDraw, draw_print, print_field
from advmask.printers.settings import PrinterSettings, VariationSettings

WILD = PrinterSettings(
    varies=VariationSettings(
        dot_gain=0.1, ink=0.2, misregistration_mm=0.5, grain=0.1, grain_mm=0.5, banding=0.05, banding_mm=4
    )
)
SIZE = (60, 90)


def drawn(step: int, settings: PrinterSettings = WILD) -> PrintDraw:
    return draw_print(settings, texels=SIZE, texels_per_mm=3.0, draws=draws(7, step, "print"))


def fills(values: Tensor, low: float, high: float) -> None:
    width = high - low
    assert low - 1e-6 <= float(values.min()) < low + 0.02 * width
    assert high - 0.02 * width < float(values.max()) <= high + 1e-6
    assert float(values.mean()) == pytest.approx((low + high) / 2, abs=0.05 * width)


def test_a_print_is_replayed_from_seed_and_step() -> None:
    first, again, other = drawn(3), drawn(3), drawn(4)
    for name in ("dot_gain", "banding", "banding_phase", "banding_across"):
        assert getattr(first, name) == getattr(again, name)
    for name in ("ink", "shifts_texels", "grain"):
        assert torch.equal(getattr(first, name), getattr(again, name))
        assert not torch.equal(getattr(first, name), getattr(other, name))


def test_draws_fill_their_ranges() -> None:
    many = [drawn(step) for step in range(600)]
    fills(torch.tensor([each.dot_gain for each in many]), -0.1, 0.1)
    fills(torch.stack([each.ink for each in many]), -0.2, 0.2)
    fills(torch.stack([each.shifts_texels for each in many]), -1.5, 1.5)
    fills(torch.tensor([each.banding for each in many]), 0, 0.05)
    fills(torch.tensor([each.banding_phase for each in many]), 0, 1)
    assert 240 < sum(each.banding_across for each in many) < 360


def test_a_printer_that_does_not_vary_draws_nothing() -> None:
    same = drawn(0, PrinterSettings())
    assert same.grain is None
    assert same.dot_gain == same.banding == 0
    assert not bool(same.ink.any() or same.shifts_texels.any())
    assert print_field(same, texels=SIZE, texels_per_mm=3.0, banding_mm=5.0) is None


def test_levels_go_from_none_to_all() -> None:
    low, half, high = (
        draw_print(WILD, texels=SIZE, texels_per_mm=3.0, draws=LevelDraws(level)) for level in (0, 0.5, 1)
    )
    assert low.dot_gain == 0
    assert not bool(low.ink.any() or low.shifts_texels.any() or low.grain is None or low.grain.any())
    assert (half.dot_gain, high.dot_gain) == pytest.approx((0.05, 0.1))
    assert high.grain is not None
    torch.testing.assert_close(half.grain, high.grain / 2)
    # All inks at the end of their range still part from each other.
    assert len({tuple(shift) for shift in high.shifts_texels.tolist()}) == 3


def grain(grain_mm: float, *, texels_per_mm: float = 3.0) -> Tensor:
    settings = PrinterSettings(varies=VariationSettings(grain=0.1, grain_mm=grain_mm))
    one = draw_print(settings, texels=(200, 300), texels_per_mm=texels_per_mm, draws=LevelDraws(1.0))
    field = print_field(one, texels=(200, 300), texels_per_mm=texels_per_mm, banding_mm=5.0)
    assert field is not None
    return field


@pytest.mark.parametrize("grain_mm", [1 / 3, 0.5, 1.0, 2.0])
def test_grain_has_its_strength(grain_mm: float) -> None:
    field = grain(grain_mm)
    assert float(field.mean()) == pytest.approx(1, abs=0.01)
    assert float(field.std()) == pytest.approx(0.1, rel=0.08)


def test_grain_finer_than_a_texel_averages_out() -> None:
    assert float(grain(0.1).std()) == pytest.approx(0.1 * 0.3, rel=0.05)


def test_grain_has_its_size() -> None:
    field = grain(2.0) - 1  # six texels
    near, far = ((field[:, :-gap] * field[:, gap:]).mean() / field.var() for gap in (2, 14))
    assert float(near) > 0.7
    assert abs(float(far)) < 0.2


@pytest.mark.parametrize("across", [True, False])
def test_bands_have_their_width_and_depth(across: bool) -> None:
    one = PrintDraw(
        dot_gain=0.0,
        ink=torch.zeros(3),
        shifts_texels=torch.zeros(3, 2),
        grain=None,
        banding=0.05,
        banding_phase=0.25,
        banding_across=across,
    )
    field = print_field(one, texels=(120, 120), texels_per_mm=3.0, banding_mm=4.0)
    assert field is not None
    line = field[:, 0] if across else field[0]
    torch.testing.assert_close(field, (line[:, None] if across else line[None]).expand(120, 120))
    assert int(torch.fft.rfft(line - 1).abs().argmax()) == 120 / (3 * 4)
    assert float(line.max()) == pytest.approx(1.05, abs=3e-3)
    assert float(line.std()) == pytest.approx(0.05 / math.sqrt(2), rel=0.02)
