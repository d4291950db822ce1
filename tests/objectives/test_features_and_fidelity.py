"""Similarity at an intermediate layer, and distance from a motif."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from advmask.objectives.features import FeatureSimilarity
from advmask.objectives.fidelity import Fidelity


def test_feature_similarity_is_the_mean_cosine_of_whole_maps() -> None:
    masked, bare = torch.randn(3, 4, 5, 6, dtype=torch.float64), torch.randn(3, 4, 5, 6, dtype=torch.float64)
    rows = [
        (a.ravel() @ b.ravel()) / np.sqrt((a**2).sum() * (b**2).sum())
        for a, b in zip(masked.numpy(), bare.numpy(), strict=True)
    ]
    assert float(FeatureSimilarity()(masked, bare)) == pytest.approx(np.mean(rows))
    assert float(FeatureSimilarity()(bare, 3 * bare)) == pytest.approx(1)
    masked.requires_grad_()
    assert torch.autograd.gradcheck(lambda maps: FeatureSimilarity()(maps, bare), masked)


def test_maps_without_any_signal_stay_finite() -> None:
    maps = torch.zeros(2, 3, 4, 4, requires_grad=True)
    value = FeatureSimilarity()(maps, torch.rand(2, 3, 4, 4))
    (gradient,) = torch.autograd.grad(value, maps)
    assert float(value.detach()) == 0
    assert bool(torch.isfinite(gradient).all())


def test_fidelity_agrees_with_scikit_image() -> None:
    motif, texture = torch.rand(3, 14, 18, dtype=torch.float64), torch.rand(3, 14, 18, dtype=torch.float64)
    apart = np.linalg.norm(
        rgb2lab(motif.movedim(0, -1).numpy()) - rgb2lab(texture.movedim(0, -1).numpy()), axis=-1
    )
    expected = float((np.sqrt(apart**2 + 2.3**2) - 2.3).mean())
    assert float(Fidelity(motif)(texture)) == pytest.approx(expected, rel=2e-3)
    assert float(Fidelity(motif)(motif)) == pytest.approx(0, abs=1e-12)


def test_the_motif_stays_as_it_was() -> None:
    texture = torch.rand(3, 8, 8)
    term = Fidelity(texture)
    texture += 0.3
    assert float(term(texture)) > 5


def test_every_texel_has_its_turn_and_the_gradient_is_true() -> None:
    motif, texture = torch.rand(3, 40, 60, dtype=torch.float64), torch.rand(3, 40, 60, dtype=torch.float64)
    whole, few = Fidelity(motif), Fidelity(motif, samples=150)
    parts = [float(few(texture, step=step)) for step in range(16)]
    assert np.mean(parts) == pytest.approx(float(whole(texture)))
    small = texture[:, :4, :5].clone().requires_grad_()
    assert torch.autograd.gradcheck(Fidelity(motif[:, :4, :5]), small, eps=1e-7, atol=1e-4)
    still = motif.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(whole(still), still)
    assert torch.equal(gradient, torch.zeros_like(gradient))
