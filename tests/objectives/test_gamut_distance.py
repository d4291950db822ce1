"""What is asked against what is printed, with scikit-image for the colours."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab
from torch import Tensor

from advmask.colour.lab import lab_from_linear
from advmask.colour.srgb import linear_from_srgb
from advmask.objectives.gamut import GamutDistance

WHITE = torch.tensor([0.82, 0.80, 0.71])


def dull(asked: Tensor) -> Tensor:
    """A printer of three inks: yellowish paper, a black that is grey, colours drawn to their mean."""
    linear = linear_from_srgb(asked)
    linear = 0.7 * linear + 0.3 * linear.mean(dim=1, keepdim=True)
    return (0.04 + 0.96 * linear) * WHITE.to(asked)


def linear_of(srgb: np.ndarray) -> np.ndarray:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def srgb_of(linear: np.ndarray) -> np.ndarray:
    return np.where(
        linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 1e-9) ** (1 / 2.4) - 0.055
    )


def test_lab_agrees_with_scikit_image() -> None:
    values = torch.cartesian_prod(*[torch.tensor([0.0, 0.002, 0.02, 0.2, 0.5, 0.9, 1.0]).double()] * 3)
    expected = rgb2lab(values.numpy())
    found = lab_from_linear(torch.from_numpy(linear_of(values.numpy())))
    np.testing.assert_allclose(found.numpy(), expected, atol=0.03)  # its white is rounded to four places
    np.testing.assert_allclose(lab_from_linear(torch.ones(3)).numpy(), [100, 0, 0], atol=1e-4)


def test_it_agrees_with_scikit_image_in_value() -> None:
    texture = torch.rand(3, 12, 14, dtype=torch.float64)
    asked = texture.flatten(1).T
    printed = srgb_of(dull(asked).numpy() / WHITE.numpy())
    apart = np.linalg.norm(rgb2lab(asked.numpy()) - rgb2lab(printed), axis=1)
    expected = float((np.sqrt(apart**2 + 2.3**2) - 2.3).mean())
    assert float(GamutDistance(dull)(texture)) == pytest.approx(expected, rel=2e-3)
    assert expected > 3


def test_paper_white_and_a_perfect_printer_cost_nothing() -> None:
    # White where the paper is as it should be: the printer of the test adds a grey black, so that its own
    # white is (0.04 + 0.96) times the paper.
    white = torch.ones(3, 20, 20, requires_grad=True)
    cost = GamutDistance(dull)(white)
    cost.backward()
    assert float(cost.detach()) == pytest.approx(0, abs=1e-6)
    assert white.grad is not None
    assert bool(torch.isfinite(white.grad).all())
    perfect = GamutDistance(linear_from_srgb)
    assert float(perfect(torch.rand(3, 20, 20))) == pytest.approx(0, abs=1e-6)


def test_black_and_pure_colours_cost_and_still_learn() -> None:
    term = GamutDistance(dull)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    for corner in corners[:-1]:
        texture = corner[:, None, None].repeat(1, 4, 4).requires_grad_()
        cost = term(texture)
        (gradient,) = torch.autograd.grad(cost, texture)
        assert float(cost.detach()) > 3
        assert bool(torch.isfinite(gradient).all())
        assert float(gradient.abs().amax(dim=0).min()) > 0
        # A step against it, back into the range, lowers the cost.
        better = (texture.detach() - 0.02 * gradient / gradient.abs().max()).clamp(0, 1)
        assert float(term(better)) < float(cost.detach())


def test_the_gradient_is_true() -> None:
    texture = (0.02 + 0.96 * torch.rand(3, 3, 4, dtype=torch.float64)).requires_grad_()
    assert torch.autograd.gradcheck(GamutDistance(dull), texture, eps=1e-7, atol=1e-5)


def test_every_texel_is_looked_at_in_turn() -> None:
    texture = torch.rand(3, 40, 60, dtype=torch.float64)
    whole = float(GamutDistance(dull)(texture))
    few = GamutDistance(dull, samples=150)  # every fourth along both axes
    parts = [float(few(texture, step=step)) for step in range(16)]
    assert float(np.mean(parts)) == pytest.approx(whole, rel=1e-9)
    assert len(set(parts)) == 16
    seen = torch.zeros(40, 60)
    for step in range(16):
        asked = texture.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(few(asked, step=step), asked)
        seen += (gradient.abs().sum(dim=0) > 0).float()
    assert bool((seen == 1).all())


def test_learning_brings_a_texture_into_the_gamut() -> None:
    texture = torch.rand(3, 30, 30, requires_grad=True)
    term = GamutDistance(dull, samples=100)
    before = float(GamutDistance(dull)(texture.detach()))
    optimiser = torch.optim.Adam([texture], lr=0.02)
    for step in range(150):
        optimiser.zero_grad()
        term(texture, step=step).backward()
        optimiser.step()
        with torch.no_grad():
            texture.clamp_(0, 1)
    assert float(GamutDistance(dull)(texture.detach())) < 0.5 * before
