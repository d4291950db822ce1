"""Preprocessing against the formulas of the networks' makers, written out in numpy."""

import numpy as np
import pytest
import torch

from advmask.recognizers.preprocessing import preprocess


def _insightface(x: np.ndarray) -> np.ndarray:
    return (x - 0.5) / 0.5


def _insightface_in_bytes(x: np.ndarray) -> np.ndarray:
    return (x * 255 - 127.5) / 127.5


def _magface(x: np.ndarray) -> np.ndarray:
    return x[:, [2, 1, 0]]


def _facenet(x: np.ndarray) -> np.ndarray:
    return (x * 255 - 127.5) / 128


def _dlib(x: np.ndarray) -> np.ndarray:
    red, green, blue = x[:, 0] * 255, x[:, 1] * 255, x[:, 2] * 255
    return np.stack([(red - 122.782) / 256, (green - 117.001) / 256, (blue - 104.298) / 256], axis=1)


def _caffe(x: np.ndarray) -> np.ndarray:
    """BGR in 0..255 with means in that order, as VGGFace has it."""
    return np.stack([x[:, 2] * 255 - 93.6, x[:, 1] * 255 - 104.8, x[:, 0] * 255 - 129.2], axis=1)


HALF, NONE, ONE = (0.5,) * 3, (0.0,) * 3, (1.0,) * 3
CASES = {
    "insightface": (_insightface, "rgb", (0, 1), HALF, HALF),
    "insightface in bytes": (_insightface_in_bytes, "rgb", (0, 255), (127.5,) * 3, (127.5,) * 3),
    "insightface by range": (_insightface, "rgb", (-1, 1), NONE, ONE),
    "magface": (_magface, "bgr", (0, 1), NONE, ONE),
    "facenet": (_facenet, "rgb", (0, 255), (127.5,) * 3, (128.0,) * 3),
    "dlib": (_dlib, "rgb", (0, 255), (122.782, 117.001, 104.298), (256.0,) * 3),
    "caffe": (_caffe, "bgr", (0, 255), (93.6, 104.8, 129.2), ONE),
}


def _chips() -> np.ndarray:
    chips = np.random.default_rng(1).random((3, 3, 5, 7))
    chips[0, :, 0, 0], chips[0, :, 0, 1] = 0, 1
    return chips


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_is_the_makers_formula_value_and_gradient(case: str, dtype: torch.dtype):
    formula, channels, value_range, mean, std = CASES[case]
    chips = torch.tensor(_chips(), dtype=dtype, requires_grad=True)
    out = preprocess(chips, channels=channels, value_range=value_range, mean=mean, std=std)
    expected = formula(_chips())
    span = np.abs(expected).max()
    assert out.dtype == dtype
    assert np.abs(out.detach().numpy() - expected).max() < span * (1e-6 if dtype == torch.float32 else 1e-12)
    # Linear: the gradient of a weighted sum is what one chip value moves.
    weights = np.random.default_rng(2).random(expected.shape)
    (gradient,) = torch.autograd.grad((out * torch.tensor(weights, dtype=dtype)).sum(), chips)
    for place in [(0, 0, 1, 2), (1, 1, 4, 6), (2, 2, 0, 3)]:
        moved = _chips()
        moved[place] += 1
        slope = ((formula(moved) - expected) * weights).sum()
        assert float(gradient[place]) == pytest.approx(slope, rel=1e-5)


@pytest.mark.parametrize("case", CASES)
def test_a_wrong_channel_order_or_range_would_show(case: str):
    formula, channels, value_range, mean, std = CASES[case]
    chips, expected = torch.tensor(_chips()), formula(_chips())
    other = "bgr" if channels == "rgb" else "rgb"
    other_range = (0, 1) if value_range == (0, 255) else (0, 255)
    for wrong_channels, wrong_range in ((other, value_range), (channels, other_range)):
        out = preprocess(chips, channels=wrong_channels, value_range=wrong_range, mean=mean, std=std)
        assert np.abs(out.numpy() - expected).max() > 0.1


def test_leaves_the_chips_alone():
    chips = torch.rand(2, 3, 4, 4)
    kept = chips.clone()
    preprocess(chips, channels="bgr", value_range=(0, 255), mean=HALF, std=HALF)
    assert torch.equal(chips, kept)
