"""Narrow features against scipy's openings and closings."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import grey_closing, grey_opening

from advmask.objectives.minimum_feature import MinimumFeature


def by_scipy(texture: np.ndarray, side: int) -> float:
    padded = np.pad(texture, ((0, 0), (4 * side,) * 2, (4 * side,) * 2), mode="edge")
    size = (1, side, side)
    between = grey_closing(padded, size=size) - grey_opening(padded, size=size)
    inner = slice(4 * side, -4 * side)
    return float(between[:, inner, inner].mean())


@given(side=st.integers(2, 6), rows=st.integers(6, 20), columns=st.integers(6, 20), seed=st.integers(0, 999))
def test_it_agrees_with_scipy(side: int, rows: int, columns: int, seed: int) -> None:
    texture = np.random.default_rng(seed).random((3, rows, columns))
    found = MinimumFeature(texels_per_mm=2.0, finest_mm=side / 2)(torch.from_numpy(texture))
    assert float(found) == pytest.approx(by_scipy(texture, side), abs=1e-12)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("upright", [False, True])
def test_a_stripe_costs_its_height_if_it_is_too_narrow(dark: bool, upright: bool) -> None:
    term = MinimumFeature(texels_per_mm=3.0, finest_mm=1.0, samples=10_000)
    for width in range(1, 7):
        texture = torch.full((3, 60, 50), 0.2)
        texture[:, 20 : 20 + width] = 0.9
        texture = 1 - texture if dark else texture
        texture = texture.mT if upright else texture
        expected = 0.7 * width / 60 if width < 3 else 0.0
        assert float(term(texture)) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    ("finest_mm", "narrowest"), [(0.5, 2), (0.3, 1), (1.0, 3), (1.01, 4), (0.66, 2), (0.67, 3), (2.0, 6)]
)
def test_lines_of_at_least_the_width_pass_whatever_the_texels(finest_mm: float, narrowest: int) -> None:
    """At 3 texels per mm, the narrowest line that passes is the first of at least `finest_mm`."""
    term = MinimumFeature(texels_per_mm=3.0, finest_mm=finest_mm)
    for width in range(1, 9):
        texture = torch.zeros(3, 40, 40)
        texture[:, 10 : 10 + width] = 1
        assert (float(term(texture)) == 0) == (width >= narrowest)


def test_specks_and_gaps_cost_and_edges_and_ramps_do_not() -> None:
    term = MinimumFeature(texels_per_mm=2.0, finest_mm=1.5)
    plain = torch.full((3, 40, 40), 0.5)
    speck = plain.clone()
    speck[0, 12:14, 20:25] = 1  # two by five texels of red, with three needed
    assert float(term(speck)) == pytest.approx(0.5 * 10 / 4800)
    edge = plain.clone()
    edge[:, :, 17:] = 0
    assert float(term(edge)) == 0
    ramp = torch.linspace(0, 1, 40).expand(3, 40, 40)
    assert float(term(ramp)) == pytest.approx(0, abs=1e-6)


def test_what_the_border_cuts_off_is_forgiven() -> None:
    texture = torch.zeros(3, 30, 30)
    texture[:, :1] = 1
    assert float(MinimumFeature(texels_per_mm=1.0, finest_mm=4.0)(texture)) == 0


def test_saturated_lines_learn_to_go() -> None:
    texture = torch.zeros(3, 30, 30)
    texture[:, 14] = 1
    texture.requires_grad_()
    term = MinimumFeature(texels_per_mm=1.0, finest_mm=3.0)
    (gradient,) = torch.autograd.grad(term(texture), texture)
    assert bool((gradient[:, 14, 3:-3] > 0).all())
    assert bool(
        (gradient.sum(dim=2)[:, 12:17].sum(dim=1).abs() < 1e-6).all()
    )  # or the texels next to it to rise


def test_the_gradient_is_true() -> None:
    texture = torch.rand(3, 7, 8, dtype=torch.float64, requires_grad=True)
    term = MinimumFeature(texels_per_mm=1.0, finest_mm=3.0)
    assert torch.autograd.gradcheck(term, texture, eps=1e-8, atol=1e-5)


def test_the_windows_of_successive_steps_tile_the_texture() -> None:
    texture = torch.rand(3, 41, 62, dtype=torch.float64)
    term = MinimumFeature(texels_per_mm=1.0, finest_mm=2.0, samples=300)  # three by three windows
    seen = torch.zeros(41, 62)
    for step in range(9):
        asked = texture.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(term(asked, step=step), asked)
        rows, columns = gradient.abs().sum(dim=0).nonzero().unbind(dim=1)
        seen[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1] += 1
    assert float((seen == 1).double().mean()) > 0.97  # a texel at a rim may carry no gradient


def test_a_width_within_a_texel_asks_for_nothing() -> None:
    texture = torch.rand(3, 8, 8, requires_grad=True)
    found = MinimumFeature(texels_per_mm=2.0, finest_mm=0.5)(texture)
    found.backward()
    assert float(found.detach()) == 0
