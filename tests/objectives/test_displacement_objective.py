"""Displacement of landmarks against loops, its bound, and its gradient."""

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from advmask.objectives.displacement import Displacement

FIVE = torch.tensor([(60.0, 70.0), (100.0, 72.0), (81.0, 95.0), (64.0, 113.0), (97.0, 114.0)]).double()


def by_loops(found: Tensor, bare: Tensor, reach: float) -> float:
    each = []
    for moved, still in zip(found.tolist(), bare.tolist(), strict=True):
        eyes = math.dist(still[0], still[1])
        each += [reach * math.tanh(math.dist(a, b) / eyes / reach) for a, b in zip(moved, still, strict=True)]
    return sum(each) / len(each)


@given(photos=st.integers(1, 6), reach=st.floats(0.05, 5), far=st.floats(0.5, 1000), seed=st.integers(0, 99))
def test_it_agrees_with_loops_and_stays_within_its_reach(
    photos: int, reach: float, far: float, seed: int
) -> None:
    draws = torch.Generator().manual_seed(seed)
    bare = FIVE + 5 * torch.randn(photos, 5, 2, generator=draws, dtype=torch.float64)
    found = bare + far * torch.randn(photos, 5, 2, generator=draws, dtype=torch.float64)
    value = float(Displacement(reach)(found, bare))
    assert value == pytest.approx(by_loops(found, bare, reach), abs=1.1e-3)  # the distances are softened
    assert 0 <= value <= reach


def test_small_displacements_count_as_they_are_whatever_the_size_of_the_face() -> None:
    for size in (0.5, 1.0, 7.0):
        bare = size * FIVE[None]
        eyes = float((bare[0, 1] - bare[0, 0]).norm())
        value = Displacement()(bare + torch.tensor([0.03, 0.04]) * eyes, bare)
        assert float(value) == pytest.approx(0.05, abs=1.5e-3)


def test_landmarks_far_away_pull_no_further_and_near_ones_do() -> None:
    found = FIVE[None].clone()
    found[0, 2] += 500
    found[0, 3] += 4
    found.requires_grad_()
    (gradient,) = torch.autograd.grad(Displacement()(found, FIVE[None]), found)
    assert float(gradient[0, 2].norm()) < 1e-6 * float(gradient[0, 3].norm())


def test_the_gradient_is_true_and_defined_where_nothing_moved() -> None:
    bare = FIVE.expand(3, 5, 2)
    found = (bare + 6 * torch.randn(3, 5, 2, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(lambda points: Displacement()(points, bare), found)
    still = bare.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(Displacement()(still, bare), still)
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_no_photo_costs_nothing_and_a_reach_must_be_positive() -> None:
    assert float(Displacement()(torch.zeros(0, 5, 2), torch.zeros(0, 5, 2))) == 0
    with pytest.raises(ValueError, match="reach above 0"):
        Displacement(0.0)
