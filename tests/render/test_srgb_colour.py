"""sRGB decoding and encoding against scikit-image and the standard's constants."""

import numpy as np
import pytest
import torch
from skimage.color import rgb2gray, rgb2xyz
from supersampled_reference import to_linear

from advmask.colour.srgb import linear_from_srgb, luminance, srgb_from_linear

CODES = torch.arange(256, dtype=torch.float64) / 255


def test_decoding_agrees_with_scikit_image():
    # For a grey, the Y of XYZ is the linear value.
    grey = np.repeat(CODES.numpy()[:, None], 3, axis=1)[None]
    np.testing.assert_allclose(linear_from_srgb(CODES).numpy(), rgb2xyz(grey)[0, :, 1], atol=1e-5)
    np.testing.assert_allclose(
        linear_from_srgb(CODES).numpy(), to_linear(CODES.numpy()), atol=1e-8
    )  # the standard's branches miss by as much


def test_encoding_undoes_decoding_for_every_8_bit_code():
    torch.testing.assert_close(srgb_from_linear(linear_from_srgb(CODES)), CODES, atol=1e-7, rtol=0)
    single = CODES.float()
    back = srgb_from_linear(linear_from_srgb(single))
    assert ((back * 255).round() == (single * 255).round()).all()
    torch.testing.assert_close(back, single, atol=2e-6, rtol=0)


def test_black_and_white_are_kept():
    ends = torch.tensor([0.0, 1.0])
    assert linear_from_srgb(ends).tolist() == pytest.approx([0.0, 1.0], abs=2e-7)
    assert srgb_from_linear(ends).tolist() == pytest.approx([0.0, 1.0], abs=1e-7)


@pytest.mark.parametrize("function", [linear_from_srgb, srgb_from_linear])
def test_gradient_is_finite_and_positive_even_at_zero(function):
    x = torch.tensor(
        [0.0, 1e-8, 0.001, 0.0031308, 0.04045, 0.5, 1.0], dtype=torch.float64, requires_grad=True
    )
    (gradient,) = torch.autograd.grad(function(x).sum(), x)
    assert gradient.isfinite().all()
    assert (gradient > 0).all()


@pytest.mark.parametrize("function", [linear_from_srgb, srgb_from_linear])
def test_gradient_agrees_with_finite_differences(function):
    x = torch.tensor([0.0005, 0.02, 0.1, 0.4, 0.9], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(function, x)


@pytest.mark.parametrize("function", [linear_from_srgb, srgb_from_linear])
def test_curves_rise_without_jumps(function):
    x = torch.linspace(0, 1, 100_001, dtype=torch.float64)
    step = function(x).diff()
    assert (step > 0).all()
    assert step.max() < 2e-4


def test_luminance_agrees_with_scikit_image():
    colours = np.random.default_rng(0).uniform(size=(50, 3))
    expected = rgb2gray(colours)  # BT.709 weights to four digits
    np.testing.assert_allclose(luminance(torch.from_numpy(colours)).numpy(), expected, atol=2e-4)
    assert luminance(torch.ones(3, dtype=torch.float64)).item() == pytest.approx(1)


def test_light_above_one_is_clipped_and_its_gradient_passes():
    """On purpose: an overexposed pixel must still say in which direction it would become darker."""
    x = torch.tensor([1.5, 4.0], dtype=torch.float64, requires_grad=True)
    value = srgb_from_linear(x)
    assert value.tolist() == pytest.approx([1.0, 1.0], abs=1e-12)
    (gradient,) = torch.autograd.grad(value.sum(), x)
    assert gradient.tolist() == pytest.approx([1.055 / 2.4] * 2)  # the slope at one


def test_luminance_keeps_its_precision_under_autocast():
    colours = torch.rand(20, 3)
    with torch.autocast("cpu", torch.bfloat16):
        inside = luminance(colours)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, luminance(colours))
