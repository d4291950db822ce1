"""The mip pyramid against plain numpy and plain autograd."""

import itertools

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.render.pyramid import TRIM_LINEAR, MipPyramid


def levels_of(texture: np.ndarray, levels: int) -> list[np.ndarray]:
    """Levels (H, W, C) by plain 2 x 2 means of the texture padded by its edge."""
    unit = 2 ** (levels - 1)
    height, width = texture.shape[:2]
    level = np.pad(texture, ((0, -height % unit), (0, -width % unit), (0, 0)), mode="edge")
    out = [level]
    for _ in range(1, levels):
        rows, columns = level.shape[0] // 2, level.shape[1] // 2
        means = np.zeros((rows, columns, level.shape[2]))
        for row, column in itertools.product(range(rows), range(columns)):
            means[row, column] = level[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].mean(axis=(0, 1))
        level = means
        out.append(level)
    return out


@pytest.mark.parametrize(
    ("height", "width", "levels"), [(64, 96, 6), (37, 51, 6), (33, 1, 4), (1, 1, 6), (8, 8, 1), (6, 4, 2)]
)
def test_levels_are_exact_means(height, width, levels):
    texture = np.random.default_rng(0).uniform(size=(height, width, 3))
    pyramid = MipPyramid(height, width, levels)
    listed = pyramid.build(torch.from_numpy(texture).permute(2, 0, 1)).numpy()
    expected = levels_of(texture, levels)
    assert listed.shape == (sum(level[..., 0].size for level in expected) + 1, 3)
    assert pyramid.padded == expected[0].shape[:2]
    for number, level in enumerate(expected):
        assert pyramid.stored(number) == level.shape[:2]
        start = pyramid.offset(number)
        found = listed[start : start + level[..., 0].size].reshape(level.shape)
        np.testing.assert_allclose(found, level, atol=1e-12)


@given(
    st.integers(1, 70), st.integers(1, 70), st.integers(1, 6), st.sampled_from([torch.float32, torch.float64])
)
@settings(max_examples=25, deadline=None)
def test_levels_fill_the_list_without_gap_or_overlap(height, width, levels, dtype):
    pyramid = MipPyramid(height, width, levels)
    sizes = [rows * columns for rows, columns in map(pyramid.stored, range(levels))]
    assert [pyramid.offset(level) for level in range(levels + 1)] == [
        sum(sizes[:n]) for n in range(levels + 1)
    ]
    assert pyramid.trim == sum(sizes) == pyramid.texels - 1
    listed = pyramid.build(torch.full((2, height, width), 0.37, dtype=dtype))
    assert listed.dtype == dtype
    torch.testing.assert_close(listed[:-1], torch.full_like(listed[:-1], 0.37))


def test_the_last_texel_is_white_elastic_whatever_the_texture():
    pyramid = MipPyramid(9, 13)
    black = torch.zeros(3, 9, 13, dtype=torch.float64, requires_grad=True)
    listed = pyramid.build(black)
    assert listed[pyramid.trim].tolist() == pytest.approx([TRIM_LINEAR] * 3)
    (gradient,) = torch.autograd.grad(listed[pyramid.trim].sum(), black)
    assert not gradient.any()


@pytest.mark.parametrize(
    ("height", "width", "levels"), [(5, 7, 3), (8, 8, 4), (1, 1, 3), (3, 1, 2), (6, 5, 1)]
)
def test_gradient_in_the_texture(height, width, levels):
    pyramid = MipPyramid(height, width, levels)
    texture = torch.rand(2, height, width, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(pyramid.build, texture)


def test_the_gradient_is_that_of_autograd_on_the_plain_formula():
    pyramid = MipPyramid(37, 51)
    texture = torch.rand(3, 37, 51, dtype=torch.float64, requires_grad=True)
    weight = torch.randn(pyramid.texels, 3, dtype=torch.float64)
    rows, columns = pyramid.padded
    level = F.pad(texture[None], (0, columns - 51, 0, rows - 37), mode="replicate")
    plain = []
    for _ in range(pyramid.levels):
        plain.append(level[0].flatten(1).T)
        level = F.avg_pool2d(level, 2)
    (expected,) = torch.autograd.grad((torch.cat(plain) * weight[:-1]).sum(), texture)
    (found,) = torch.autograd.grad((pyramid.build(texture) * weight).sum(), texture)
    torch.testing.assert_close(found, expected)


def test_a_texture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="8 x 9 texels"):
        MipPyramid(8, 9).build(torch.zeros(3, 9, 8))


@pytest.mark.parametrize("size", [(0, 4, 1), (4, 0, 1), (4, 4, 0)])
def test_an_empty_pyramid_is_refused(size):
    with pytest.raises(ValueError, match="at least one"):
        MipPyramid(*size)
