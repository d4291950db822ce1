"""The rim: a soft edge that only takes away, and a shadow that stays next to it."""

import numpy as np
import pytest
import torch
from scipy.ndimage import distance_transform_edt, gaussian_filter

from advmask.render.rim import contact_shadow, gaussian_blur, soft_alpha


def disc(side: int = 64, radius: float = 20.0) -> torch.Tensor:
    """Coverage (side, side) of a disc, 8 x 8 sub-samples."""
    place = (torch.arange(side * 8, dtype=torch.float64) + 0.5) / 8 - side / 2
    inside = (place[:, None] ** 2 + place[None] ** 2 < radius**2).double()
    return inside.view(side, 8, side, 8).mean(dim=(1, 3))


@pytest.mark.parametrize("sigma", [0.4, 0.7, 2.5])
def test_the_blur_is_that_of_scipy(sigma):
    picture = torch.rand(20, 31, dtype=torch.float64)
    radius = max(1, round(3 * sigma))
    expected = gaussian_filter(picture.numpy(), sigma, mode="nearest", radius=radius)
    np.testing.assert_allclose(gaussian_blur(picture, sigma).numpy(), expected, atol=1e-12)


def test_no_softness_leaves_the_coverage():
    coverage = disc()
    assert torch.equal(soft_alpha(coverage, edge_px=0.0), coverage)


@pytest.mark.parametrize("edge_px", [0.3, 0.7, 2.0])
def test_a_soft_rim_stays_inside_and_leaves_the_middle_opaque(edge_px):
    coverage = disc()
    alpha = soft_alpha(coverage, edge_px=edge_px)
    assert ((alpha >= 0) & (alpha <= 1)).all()
    assert (alpha[coverage == 0] == 0).all()
    depth = distance_transform_edt((coverage == 1).numpy())
    np.testing.assert_allclose(alpha.numpy()[depth > 3 * edge_px + 2], 1, atol=1e-12)
    assert alpha.sum() == pytest.approx(float(coverage.sum()), rel=0.06)


def test_the_rim_gets_softer_with_the_setting():
    steepest = [soft_alpha(disc(), edge_px=edge).diff(dim=1).abs().max() for edge in (0.3, 0.7, 1.5, 3.0)]
    assert steepest == sorted(steepest, reverse=True)


@pytest.mark.parametrize("px_per_mm", [0.3, 0.55, 1.1, 4.0])
def test_the_shadow_is_light_lost_beside_the_rim_only(px_per_mm):
    side = int(160 * px_per_mm)
    coverage = disc(side, 40 * px_per_mm)
    shadow = contact_shadow(coverage, px_per_mm=px_per_mm)
    assert ((shadow >= 0) & (shadow < 0.6)).all()
    away_mm = distance_transform_edt((coverage == 0).numpy()) / px_per_mm
    far = torch.from_numpy(away_mm > 3 * 1.8 + 0.8 + 2 / px_per_mm)
    assert (shadow[far] == 0).all()
    skin = (coverage == 0) & ~far
    assert shadow[skin].max() > 0.1


def test_the_shadow_falls_downwards():
    coverage = disc(128, 40.0)
    shadow = contact_shadow(coverage, px_per_mm=2.0)
    assert shadow[64 + 42, 64] > shadow[64 - 43, 64] + 0.05


def test_no_mask_casts_no_shadow():
    assert not contact_shadow(torch.zeros(9, 12), px_per_mm=1.0).any()


@pytest.mark.parametrize("px_per_mm", [1e-6, 50.0, 1e4])
def test_any_scale_can_be_drawn(px_per_mm):
    shadow = contact_shadow(torch.ones(12, 9, dtype=torch.float64), px_per_mm=px_per_mm)
    assert shadow.shape == (12, 9)
    assert shadow.isfinite().all()
