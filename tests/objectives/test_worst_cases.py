"""Tails and smooth maxima against their definitions."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import logsumexp, softmax

from advmask.objectives.impostor import Impostor
from advmask.objectives.match import MatchObjective
from advmask.objectives.worst import smooth_max, worst_share

Values = st.lists(st.floats(-50, 50), min_size=1, max_size=12)


def by_minimum(values: np.ndarray, share: float) -> float:
    """Rockafellar and Uryasev: the least of t + mean((x - t)+) / share, which is reached at a value."""
    return min(t + np.maximum(values - t, 0).mean() / share for t in values)


@given(values=Values, share=st.floats(0.01, 1))
def test_the_tail_is_the_least_of_its_variational_form(values: list[float], share: float) -> None:
    found = worst_share(torch.tensor(values, dtype=torch.float64), share)
    assert float(found) == pytest.approx(by_minimum(np.array(values), share), abs=1e-7)


def test_the_tail_of_one_is_the_mean_to_the_bit_and_shares_outside_are_refused() -> None:
    values = torch.randn(3, 9)
    assert torch.equal(worst_share(values, 1.0), values.mean(dim=-1))
    for share in (0.0, 1.1, -0.5):
        with pytest.raises(ValueError, match="above 0 and up to 1"):
            worst_share(values, share)


@pytest.mark.parametrize("kind", ["confidence", "log_confidence", "similarity"])
def test_a_tail_is_taken_for_each_recognizer(kind) -> None:
    similarity, margin = torch.randn(2, 8, dtype=torch.float64), 3 * torch.randn(2, 8, dtype=torch.float64)
    each = {
        "confidence": 1 / (1 + np.exp(-margin.numpy())),
        "log_confidence": np.log1p(np.exp(margin.numpy())),
        "similarity": similarity.numpy(),
    }[kind]
    expected = np.sort(each, axis=1)[:, -2:].mean()
    assert float(MatchObjective(kind, tail=0.25)(similarity, margin)) == pytest.approx(expected)


def test_only_the_worst_photos_are_pushed() -> None:
    margin = torch.tensor([[3.0, -1.0, 2.0, -4.0]], requires_grad=True)
    (gradient,) = torch.autograd.grad(MatchObjective(tail=0.5)(margin, margin), margin)
    assert (gradient[0] != 0).tolist() == [True, False, True, False]


@given(values=Values, temperature=st.floats(0.05, 20), seed=st.integers(0, 99))
def test_the_smooth_maximum_agrees_with_scipy(values: list[float], temperature: float, seed: int) -> None:
    array = np.array(values)
    weights = np.random.default_rng(seed).dirichlet(np.ones(len(values)))
    given_values = torch.tensor(values, dtype=torch.float64, requires_grad=True)
    found = smooth_max(given_values, temperature=temperature, weights=torch.from_numpy(weights))
    expected = temperature * logsumexp(array / temperature, b=weights)
    assert float(found.detach()) == pytest.approx(expected, abs=1e-9)
    assert weights @ array - 1e-9 <= float(found.detach()) <= array.max() + 1e-9
    (gradient,) = torch.autograd.grad(found, given_values)
    np.testing.assert_allclose(gradient.numpy(), softmax(array / temperature + np.log(weights)), atol=1e-9)


def test_it_runs_from_the_mean_to_the_maximum() -> None:
    values = torch.tensor([0.2, 3.0, 1.0], dtype=torch.float64)
    assert float(smooth_max(values, temperature=1e-3)) == pytest.approx(3, abs=2e-3)
    assert float(smooth_max(values, temperature=1e4)) == pytest.approx(4.2 / 3, abs=1e-3)
    one = smooth_max(values, temperature=0.1, weights=torch.tensor([1.0, 0.0, 0.0]).double())
    assert float(one) == pytest.approx(0.2)
    with pytest.raises(ValueError, match="temperature above 0"):
        smooth_max(values, temperature=0.0)


def test_an_impostor_is_the_nearest_of_the_others() -> None:
    margin = 3 * torch.randn(4, 6, dtype=torch.float64)
    own = torch.nn.functional.one_hot(torch.tensor([2, 0, 5, 2]), 6).bool()
    found = Impostor(0.25)(margin, own)
    rows = [
        np.log1p(np.exp(m[~o] / 0.25).sum() ** 0.25) for m, o in zip(margin.numpy(), own.numpy(), strict=True)
    ]
    assert float(found) == pytest.approx(np.mean(rows))
    more = margin.clone()
    more[own] = 40.0  # the wearer's own template is none of its business
    assert float(Impostor(0.25)(more, own)) == pytest.approx(float(found))


def test_an_impostor_far_below_the_threshold_costs_nothing_and_a_near_one_is_pushed_off() -> None:
    margin = torch.tensor([[-30.0, -25.0, 9.0], [-30.0, 12.0, 1.0]], requires_grad=True)
    own = torch.tensor([[False, False, True], [True, False, False]])
    value = Impostor()(margin, own)
    (gradient,) = torch.autograd.grad(value, margin)
    assert float(value.detach()) == pytest.approx(6, abs=1e-3)  # half of 12
    assert float(gradient[1, 1]) == pytest.approx(0.5, abs=1e-3)
    assert float(gradient.abs().sum()) == pytest.approx(0.5, abs=1e-3)
    assert bool(torch.isfinite(gradient).all())


def test_the_gradients_are_true() -> None:
    margin = (3 * torch.randn(3, 5, dtype=torch.float64)).requires_grad_()
    own = torch.nn.functional.one_hot(torch.tensor([0, 3, 3]), 5).bool()
    assert torch.autograd.gradcheck(lambda m: Impostor()(m, own), margin)
    assert torch.autograd.gradcheck(lambda m: worst_share(m, 0.5), margin)
    assert torch.autograd.gradcheck(lambda m: smooth_max(m, temperature=0.7), margin)
