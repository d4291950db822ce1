"""Similarities against SciPy's distances, and their gradient where embeddings coincide."""

from typing import get_args

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from advmask.recognizers.similarity import Distance, mean_template, similarity, similarity_matrix

DISTANCES = get_args(Distance)


def expected(probes: torch.Tensor, templates: torch.Tensor, distance: Distance) -> np.ndarray:
    far = cdist(probes.double().numpy(), templates.double().numpy(), metric=distance)
    return 1 - far if distance == "cosine" else -far


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("width", [2, 128, 512])
def test_matrix_and_pairs_agree_with_scipy(distance: Distance, width: int) -> None:
    probes, templates = torch.randn(9, width) * 3, torch.randn(9, width) + 0.2
    reference = expected(probes, templates, distance)
    matrix = similarity_matrix(probes, templates[:4], distance=distance)
    assert matrix.shape == (9, 4)
    np.testing.assert_allclose(matrix.numpy(), reference[:, :4], atol=2e-5)
    paired = similarity(probes, templates, distance=distance)
    np.testing.assert_allclose(paired.numpy(), reference.diagonal(), atol=2e-5)


@pytest.mark.parametrize("distance", DISTANCES)
def test_close_embeddings_are_told_apart(distance: Distance) -> None:
    """The quick way to a distance matrix, |p|^2 + |t|^2 - 2 p.t, would lose these in rounding."""
    base = torch.randn(1, 128).expand(3, 128)
    templates = base + torch.tensor([[1e-3], [2e-3], [4e-3]]) * torch.randn(3, 128)
    matrix = similarity_matrix(base[:1], templates, distance=distance)[0]
    np.testing.assert_allclose(matrix.numpy(), expected(base[:1], templates, distance)[0], atol=1e-6)
    if distance == "euclidean":
        assert matrix.tolist() == sorted(matrix.tolist(), reverse=True)


@pytest.mark.parametrize("distance", DISTANCES)
def test_one_template_serves_many_probes(distance: Distance) -> None:
    probes, template = torch.randn(5, 16), torch.randn(16)
    found = similarity(probes, template, distance=distance)
    np.testing.assert_allclose(found.numpy(), expected(probes, template[None], distance)[:, 0], atol=1e-5)


@pytest.mark.parametrize("distance", DISTANCES)
def test_nothing_is_more_alike_than_the_same_embedding(distance: Distance) -> None:
    probes = torch.randn(20, 64)
    own = similarity(probes, probes, distance=distance)
    torch.testing.assert_close(
        own, torch.full((20,), 1.0 if distance == "cosine" else 0.0), atol=1e-5, rtol=0
    )
    others = similarity_matrix(probes, probes, distance=distance)
    assert bool((others <= own[:, None] + 2e-6).all())


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_gradient_is_finite_where_probe_and_template_coincide(distance: Distance) -> None:
    template = torch.randn(3, 32)
    probe = template.clone().requires_grad_()
    similarity(probe, template, distance=distance).sum().backward()
    assert probe.grad is not None
    assert bool(torch.isfinite(probe.grad).all())
    assert float(probe.grad.abs().max()) < 1


@pytest.mark.parametrize("distance", DISTANCES)
def test_the_gradient_is_true(distance: Distance) -> None:
    probes = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    templates = torch.randn(4, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p, t: similarity(p, t, distance=distance), (probes, templates))
    assert torch.autograd.gradcheck(
        lambda p, t: similarity_matrix(p, t, distance=distance), (probes, templates)
    )


def test_cosine_knows_no_length_and_distance_does() -> None:
    probes, templates = torch.randn(6, 8), torch.randn(6, 8)
    cosine = similarity(probes, templates, distance="cosine")
    torch.testing.assert_close(similarity(7 * probes, templates, distance="cosine"), cosine)
    euclidean = similarity(probes, templates, distance="euclidean")
    assert not torch.allclose(similarity(7 * probes, templates, distance="euclidean"), euclidean)


def test_enrolment_averages_directions_for_cosine_and_points_for_distance() -> None:
    embeddings = torch.randn(5, 8) * torch.tensor([1.0, 100, 0.01, 3, 7])[:, None]
    values = embeddings.numpy()
    units = values / np.linalg.norm(values, axis=1, keepdims=True)
    found = mean_template(embeddings, distance="cosine")
    np.testing.assert_allclose(found.numpy(), units.mean(0), atol=1e-6)
    plain = mean_template(embeddings, distance="euclidean")
    np.testing.assert_allclose(plain.numpy(), values.mean(0), atol=1e-5)
