"""Smoothness as an eye sees it from a distance."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from advmask.objectives.smoothness import Smoothness, resolved_mm


def seen_at(side_mm: float, texels_per_mm: float) -> Smoothness:
    """The term at the distance at which an eye resolves just so much."""
    return Smoothness(texels_per_mm=texels_per_mm, distance_m=side_mm / resolved_mm(1.0))


def test_an_eye_resolves_one_arc_minute() -> None:
    assert resolved_mm(1.0) == pytest.approx(1000 * math.tan(math.pi / 180 / 60), rel=1e-12)
    # The smallest letter of a normal eye at 6 m is 8.7 mm high: five strokes.
    assert 5 * resolved_mm(6.0) == pytest.approx(8.73, abs=0.01)


def by_loops(texture: np.ndarray, *, side: int, start: tuple[int, int], per_mm: float) -> float:
    """Mean change between squares of `side` texels, side by side."""
    _, height, width = texture.shape
    rows = range(start[0], height - side + 1, side)
    columns = range(start[1], width - side + 1, side)
    mean = {
        (y, x, c): texture[c, y : y + side, x : x + side].mean()
        for y in rows
        for x in columns
        for c in range(3)
    }
    total = 0.0
    for dy, dx in ((0, side), (side, 0)):
        beyond = {place: mean.get((place[0] + dy, place[1] + dx, place[2])) for place in mean}
        total += float(np.mean([abs(b - mean[p]) for p, b in beyond.items() if b is not None]))
    return total * per_mm / side


@pytest.mark.parametrize("side", [3, 4, 5])
@pytest.mark.parametrize("step", range(4))
def test_squares_agree_with_loops(side: int, step: int) -> None:
    texture = torch.rand(3, 23, 31, dtype=torch.float64)
    found = float(seen_at(side / 2, 2.0)(texture, step=step))
    twice = texture.repeat_interleave(2, 1).repeat_interleave(2, 2).numpy()  # halves of odd sides are whole
    start = (side * (step // 2), side * (step % 2))
    assert found == pytest.approx(by_loops(twice, side=2 * side, start=start, per_mm=4.0), rel=1e-9)


@given(factor=st.integers(1, 5), side_mm=st.floats(0.6, 9.0), seed=st.integers(0, 99))
def test_resolution_does_not_matter(factor: int, side_mm: float, seed: int) -> None:
    coarse = torch.rand(3, 24, 30, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    fine = coarse.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    cost = float(seen_at(side_mm, 2.0)(coarse, step=seed))
    assert float(seen_at(side_mm, 2.0 * factor)(fine, step=seed)) == pytest.approx(cost, rel=1e-6)


def stripes(width: int, *, phase: int = 0) -> Tensor:
    x = torch.arange(240) + phase
    return ((x // width) % 2).to(torch.float64).expand(3, 90, 240)


def test_stripes_too_fine_to_see_cost_nothing_and_wide_ones_the_same() -> None:
    # One pair of stripes within each square: grey.
    assert float(seen_at(4.0, 3.0)(stripes(6))) == pytest.approx(0, abs=1e-12)
    assert float(seen_at(0.0, 3.0)(stripes(6))) == pytest.approx(39 / 239 * 3, rel=1e-9)
    near, far = (float(seen_at(side, 3.0)(stripes(60))) for side in (0.0, 4.0))
    assert far == pytest.approx(near, rel=0.1)
    costs = [float(seen_at(4.0, 3.0)(stripes(width))) for width in (1, 2, 3)]
    assert max(costs) < 0.02
    assert float(seen_at(0.0, 3.0)(stripes(3))) > 0.5


def test_no_stripe_hides_between_the_squares_for_long() -> None:
    term = seen_at(4.0, 3.0)
    costs = [
        np.mean([float(term(stripes(12, phase=phase), step=step)) for step in range(4)])
        for phase in range(12)
    ]
    assert min(costs) > 0.9 * max(costs) > 0


def test_a_ramp_costs_its_slope_from_every_distance() -> None:
    ramp = (0.01 * (torch.arange(100) + 0.5) / 3).expand(3, 80, 100)
    for distance in (0.0, 0.5, 2.0, 5.0, 9.0):
        found = float(Smoothness(texels_per_mm=3.0, distance_m=distance)(ramp))
        assert found == pytest.approx(0.01, rel=1e-3)


def test_a_square_wider_than_the_texture_sees_one_colour() -> None:
    texture = torch.rand(3, 9, 7, requires_grad=True)
    found = seen_at(30.0, 1.0)(texture)
    found.backward()
    assert float(found.detach()) == 0


def test_the_gradient_is_true() -> None:
    texture = torch.rand(3, 9, 11, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(seen_at(1.3, 2.0), texture, eps=1e-7, atol=1e-5)
