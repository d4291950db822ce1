"""Objectives against plain NumPy, in value and gradient."""

from collections.abc import Callable
from typing import get_args

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.objectives.match import MatchObjective
from advmask.objectives.settings import MatchKind, ObjectiveSettings
from advmask.objectives.smoothness import Smoothness


def sigmoid(x: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-x)))


# For each form: its mean, and its gradient in similarity and in margin.
REFERENCE: dict[str, Callable[[np.ndarray, np.ndarray], tuple[float, np.ndarray, np.ndarray]]] = {
    "confidence": lambda s, m: (sigmoid(m).mean(), 0 * s, sigmoid(m) * sigmoid(-m) / m.size),
    "log_confidence": lambda s, m: (-np.log(1 - sigmoid(m)).mean(), 0 * s, sigmoid(m) / m.size),
    "similarity": lambda s, m: (s.mean(), np.ones_like(s) / s.size, 0 * m),
}


def test_every_form_has_a_reference() -> None:
    assert set(REFERENCE) == set(get_args(MatchKind))


@pytest.mark.parametrize("kind", get_args(MatchKind))
def test_match_objective_agrees_with_numpy(kind: MatchKind) -> None:
    similarity = torch.randn(3, 7, dtype=torch.float64, requires_grad=True)
    margin = (4 * torch.randn(3, 7, dtype=torch.float64)).requires_grad_()
    found = MatchObjective(kind)(similarity, margin)
    value, by_similarity, by_margin = REFERENCE[kind](similarity.detach().numpy(), margin.detach().numpy())
    assert found.shape == ()
    assert float(found.detach()) == pytest.approx(value, rel=1e-9)
    gradients = torch.autograd.grad(found, (similarity, margin), allow_unused=True)
    for gradient, expected in zip(gradients, (by_similarity, by_margin), strict=True):
        given = np.zeros_like(expected) if gradient is None else gradient.numpy()
        np.testing.assert_allclose(given, expected, atol=1e-12)


@pytest.mark.parametrize("kind", get_args(MatchKind))
def test_a_better_match_costs_more(kind: MatchKind) -> None:
    similarity = torch.linspace(-1, 1, 9)
    costs = [float(MatchObjective(kind)(s.view(1, 1), 6 * s.view(1, 1))) for s in similarity]
    assert costs == sorted(costs)
    assert len(set(costs)) == 9


@pytest.mark.parametrize("kind", get_args(MatchKind))
def test_sure_matches_stay_finite_in_float32(kind: MatchKind) -> None:
    margin = torch.tensor([[-1e4, -200.0, 200.0, 1e4]], requires_grad=True)
    similarity = torch.tensor([[-1.0, 0, 0.5, 1]], requires_grad=True)
    value = MatchObjective(kind)(similarity, margin)
    value.backward()
    assert bool(torch.isfinite(value))
    for given in (similarity.grad, margin.grad):
        assert given is None or bool(torch.isfinite(given).all())


def test_only_the_log_form_still_pushes_where_the_match_is_sure() -> None:
    slopes = {}
    for kind in get_args(MatchKind):
        margin = torch.tensor([[40.0]], requires_grad=True)
        MatchObjective(kind)(torch.zeros(1, 1) + 0 * margin, margin).backward()
        assert margin.grad is not None
        slopes[kind] = float(margin.grad)
    assert slopes["log_confidence"] == pytest.approx(1)
    assert slopes["confidence"] < 1e-12


def total_variation(texture: np.ndarray, texels_per_mm: float) -> float:
    """Mean of |difference| over distance for all neighbours, written as loops."""
    _, height, width = texture.shape
    across = [
        abs(texture[c, y, x + 1] - texture[c, y, x]) * texels_per_mm
        for c in range(3)
        for y in range(height)
        for x in range(width - 1)
    ]
    along = [
        abs(texture[c, y + 1, x] - texture[c, y, x]) * texels_per_mm
        for c in range(3)
        for y in range(height - 1)
        for x in range(width)
    ]
    return float(np.mean(across) + np.mean(along))


def test_smoothness_agrees_with_loops_in_value_and_gradient() -> None:
    texture = torch.rand(3, 5, 7, dtype=torch.float64, requires_grad=True)
    term = Smoothness(texels_per_mm=2.5)
    found = term(texture)
    assert found.shape == ()
    values = texture.detach().numpy()
    assert float(found.detach()) == pytest.approx(total_variation(values, 2.5), rel=1e-12)
    (gradient,) = torch.autograd.grad(found, texture)
    for place in [(0, 0, 0), (1, 2, 3), (2, 4, 6), (0, 4, 0)]:
        high, low = values.copy(), values.copy()
        high[place] += 1e-6
        low[place] -= 1e-6
        slope = (total_variation(high, 2.5) - total_variation(low, 2.5)) / 2e-6
        assert float(gradient[place]) == pytest.approx(slope, abs=1e-7)


def test_a_ramp_costs_its_slope_per_millimetre_and_a_plain_colour_nothing() -> None:
    for per_mm in (1.0, 3.0, 8.0):
        x_mm = (torch.arange(60) + 0.5) / per_mm
        ramp = (0.01 * x_mm).expand(3, 40, 60)
        assert float(Smoothness(texels_per_mm=per_mm)(ramp)) == pytest.approx(0.01, rel=1e-3)
        assert float(Smoothness(texels_per_mm=per_mm)(torch.full((3, 40, 60), 0.3))) == 0
        turned = ramp.transpose(1, 2)
        assert float(Smoothness(texels_per_mm=per_mm)(turned)) == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize("factor", [2, 4])
def test_a_design_costs_the_same_at_every_resolution(factor: int) -> None:
    """Equal up to the share of the border: one difference is missing in each row of `width` texels."""
    coarse = torch.rand(3, 50, 80, dtype=torch.float64)
    fine = coarse.repeat_interleave(factor, 1).repeat_interleave(factor, 2)
    cost = float(Smoothness(texels_per_mm=3)(coarse))
    assert float(Smoothness(texels_per_mm=3 * factor)(fine)) == pytest.approx(cost, rel=1.5 / 50)

    # A smooth drawing, sampled finer; its change is resolved at both resolutions.
    def drawn(per_mm: float) -> Tensor:
        y, x = torch.meshgrid(
            (torch.arange(int(50 * per_mm)) + 0.5) / per_mm,
            (torch.arange(int(80 * per_mm)) + 0.5) / per_mm,
            indexing="ij",
        )
        return torch.stack([(x / 5).sin(), (y / 7).cos(), ((x + y) / 9).sin()]) * 0.4 + 0.5

    costs = [float(Smoothness(texels_per_mm=p)(drawn(p))) for p in (2.0, 2.0 * factor)]
    assert costs[1] == pytest.approx(costs[0], rel=0.02)


def test_a_smoothing_step_lowers_the_cost() -> None:
    texture = torch.rand(3, 20, 20)
    blurred = F.avg_pool2d(texture[None], 3, stride=1, padding=1, count_include_pad=False)[0]
    term = Smoothness(texels_per_mm=1)
    assert float(term(blurred)) < 0.6 * float(term(texture))


def test_settings_name_what_does_not_fit() -> None:
    assert ObjectiveSettings.build({}).match == "log_confidence"
    with pytest.raises(ConfigError, match=r"^Setting match='cosine' does not fit:.*'similarity'"):
        ObjectiveSettings.build({"match": "cosine"})
    with pytest.raises(
        ConfigError, match=r"^Setting smoothness=-1 does not fit:.*greater than or equal to 0"
    ):
        ObjectiveSettings.build({"smoothness": -1})
    with pytest.raises(ConfigError, match=r"Unknown setting smoothnes; did you mean smoothness\?"):
        ObjectiveSettings.build({"smoothnes": 1})
