"""The mip pyramid and its trilinear read, against plain numpy."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from supersampled_reference import read_bilinear

from advmask.render.pyramid import MipPyramid
from advmask.render.taps import merge_taps, read_taps


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


def read_trilinear(texture: np.ndarray, texel: np.ndarray, lod: np.ndarray, levels: int) -> np.ndarray:
    """(N, C): bilinear in the two levels around `lod`, positions held inside the unpadded texture."""
    stack, (height, width) = levels_of(texture, levels), texture.shape[:2]
    out = np.zeros((len(texel), texture.shape[2]))
    for n, (position, level) in enumerate(zip(texel, np.clip(lod, 0, levels - 1), strict=True)):
        fine = int(level)
        for number, share in ((fine, 1 - (level - fine)), (min(fine + 1, levels - 1), level - fine)):
            half = 2.0**number
            x = np.clip(position[0] / half, 0.5, max(width / half, 1.0) - 0.5)
            y = np.clip(position[1] / half, 0.5, max(height / half, 1.0) - 0.5)
            out[n] += share * read_bilinear(stack[number], np.array([x]), np.array([y]))[0]
    return out


def sample(texture: np.ndarray, texel, lod, *, levels: int = 6, dtype=torch.float64) -> np.ndarray:
    pyramid = MipPyramid(*texture.shape[:2], levels)
    listed = pyramid.build(torch.as_tensor(texture, dtype=dtype).permute(2, 0, 1))
    places, weights = pyramid.trilinear(
        torch.as_tensor(texel, dtype=dtype), torch.as_tensor(lod, dtype=dtype)
    )
    assert places.min() >= 0
    return (listed[places] * weights[..., None]).sum(dim=1).numpy()


def everywhere(generator, height, width, count=200):
    texel = generator.uniform([-3, -3], [width + 3, height + 3], size=(count, 2))
    return texel, generator.uniform(-1, 7, size=count)


@pytest.mark.parametrize(
    ("height", "width", "levels"), [(64, 96, 6), (37, 51, 6), (33, 1, 4), (1, 1, 6), (8, 8, 1), (6, 4, 2)]
)
def test_levels_are_exact_means(height, width, levels):
    texture = np.random.default_rng(0).uniform(size=(height, width, 3))
    pyramid = MipPyramid(height, width, levels)
    listed = pyramid.build(torch.from_numpy(texture).permute(2, 0, 1)).numpy()
    expected = levels_of(texture, levels)
    assert listed.shape == (pyramid.texels, 3) == (sum(level[..., 0].size for level in expected), 3)
    assert pyramid.padded == expected[0].shape[:2]
    for number, level in enumerate(expected):
        assert pyramid.stored(number) == level.shape[:2]
        start = pyramid.offset(number)
        found = listed[start : start + level[..., 0].size].reshape(level.shape)
        np.testing.assert_allclose(found, level, atol=1e-12)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_sampling_agrees_with_numpy(height, width, levels, seed):
    generator = np.random.default_rng(seed)
    texture = generator.uniform(size=(height, width, 2))
    texel, lod = everywhere(generator, height, width, count=60)
    expected = read_trilinear(texture, texel, lod, levels)
    np.testing.assert_allclose(sample(texture, texel, lod, levels=levels), expected, atol=1e-9)


def test_float32_is_good_to_a_quarter_of_an_8_bit_step():
    generator = np.random.default_rng(0)
    texture = generator.uniform(size=(455, 698, 3))
    texel, lod = everywhere(generator, 455, 698, count=3000)
    exact, single = sample(texture, texel, lod), sample(texture, texel, lod, dtype=torch.float32)
    assert np.abs(exact - single).max() < 1 / 1020


@pytest.mark.parametrize(("height", "width"), [(64, 64), (37, 51), (455, 698), (5, 300)])
def test_a_constant_texture_reads_constant_everywhere(height, width):
    texel, lod = everywhere(np.random.default_rng(0), height, width, count=2000)
    values = sample(np.full((height, width, 1), 0.37), texel, lod)
    np.testing.assert_allclose(values, 0.37, atol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(45, 70), (64, 96), (1, 33), (3, 2)])
def test_nothing_bleeds_in_from_other_levels(height, width):
    # Each level gets its own constant: a reading at a whole level of detail must give just that.
    pyramid = MipPyramid(height, width)
    listed = torch.full((pyramid.texels,), torch.nan, dtype=torch.float64)
    for number in range(6):
        level = listed[pyramid.offset(number) : pyramid.offset(number + 1)]
        assert level.isnan().all()  # levels do not overlap
        level[:] = 10.0**number
    assert not listed.isnan().any()  # nothing lies between them
    texel, _ = everywhere(np.random.default_rng(0), height, width, count=3000)
    for number in range(6):
        lod = torch.full((3000,), float(number), dtype=torch.float64)
        places, weights = pyramid.trilinear(torch.from_numpy(texel), lod)
        read = (listed[places] * weights).sum(dim=1)
        np.testing.assert_allclose(read.numpy(), 10.0**number, rtol=1e-12)


@pytest.mark.parametrize(("height", "width"), [(45, 70), (33, 65), (1, 33), (3, 2)])
def test_texels_that_are_padding_alone_have_no_weight(height, width):
    pyramid = MipPyramid(height, width)
    texel, lod = everywhere(np.random.default_rng(0), height, width, count=5000)
    places, weights = pyramid.trilinear(torch.from_numpy(texel), torch.from_numpy(lod))
    seen = torch.zeros(pyramid.texels, dtype=torch.float64).index_add(0, places.flatten(), weights.flatten())
    for number in range(6):
        rows, columns = pyramid.stored(number)
        level = seen[pyramid.offset(number) : pyramid.offset(number + 1)].view(rows, columns)
        inside = level[: -(-height >> number) or 1, : -(-width >> number) or 1]  # touched by true texels
        assert inside.sum() > 0
        assert level.sum() == pytest.approx(inside.sum().item(), abs=1e-12)


def test_readings_beyond_the_edge_repeat_it():
    generator = np.random.default_rng(0)
    texture = generator.uniform(size=(37, 51, 2))
    texel = generator.uniform([-40, -40], [90, 80], size=(500, 2))
    nearest = np.clip(texel, 0.5, [50.5, 36.5])
    np.testing.assert_allclose(
        sample(texture, texel, np.zeros(500)), sample(texture, nearest, np.zeros(500)), atol=1e-12
    )
    corner = sample(texture, np.array([[-9.0, -9.0], [99.0, -9.0], [-9.0, 99.0], [99.0, 99.0]]), np.zeros(4))
    np.testing.assert_allclose(corner, texture[[0, 0, 36, 36], [0, 50, 0, 50]], atol=1e-12)


@given(st.integers(1, 70), st.integers(1, 70), st.integers(1, 6), st.integers(0, 99))
@settings(max_examples=25, deadline=None)
def test_weights_are_shares_of_one(height, width, levels, seed):
    pyramid = MipPyramid(height, width, levels)
    texel, lod = everywhere(np.random.default_rng(seed), height, width)
    places, weights = pyramid.trilinear(torch.from_numpy(texel), torch.from_numpy(lod))
    assert places.shape == weights.shape == (200, 8)
    assert places.min() >= 0
    assert places.max() < pyramid.texels
    assert weights.min() >= 0
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(200, dtype=torch.float64), atol=1e-12, rtol=0)


def test_values_are_continuous_in_the_level_of_detail():
    generator = np.random.default_rng(0)
    texture = generator.uniform(size=(64, 64, 1))
    texel = generator.uniform(2, 62, size=(50, 2))
    for level in range(6):
        below, above = (sample(texture, texel, np.full(50, level + d)) for d in (-1e-7, 1e-7))
        np.testing.assert_allclose(below, above, atol=1e-6)


@pytest.mark.parametrize("lod", [0.0, 0.5, 1.0, 1.7, 2.0])
def test_a_linear_ramp_is_reproduced(lod):
    column, row = np.meshgrid(np.arange(128) + 0.5, np.arange(96) + 0.5)
    texture = (0.2 + 0.003 * column - 0.001 * row)[..., None]
    texel = np.random.default_rng(0).uniform([8, 8], [120, 88], size=(200, 2))
    expected = 0.2 + 0.003 * texel[:, :1] - 0.001 * texel[:, 1:]
    np.testing.assert_allclose(sample(texture, texel, np.full(200, lod)), expected, atol=1e-12)


def test_levels_beyond_the_pyramid_are_clamped():
    generator = np.random.default_rng(0)
    texture = generator.uniform(size=(64, 64, 1))
    texel = generator.uniform(0, 64, size=(20, 2))
    last, first = sample(texture, texel, np.full(20, 5.0)), sample(texture, texel, np.zeros(20))
    np.testing.assert_array_equal(sample(texture, texel, np.full(20, np.inf)), last)
    np.testing.assert_array_equal(sample(texture, texel, np.full(20, -np.inf)), first)


def test_gradient_in_the_texture():
    pyramid = MipPyramid(5, 7, levels=3)
    generator = torch.Generator().manual_seed(0)
    texel = torch.rand(12, 2, generator=generator, dtype=torch.float64) * torch.tensor([7.0, 5.0])
    lod = 2.5 * torch.rand(12, generator=generator, dtype=torch.float64)
    taps = merge_taps(torch.arange(12) // 3, *pyramid.trilinear(texel, lod), rows=4, texels=pyramid.texels)
    texture = torch.rand(2, 5, 7, generator=generator, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda t: read_taps(pyramid.build(t), taps.start, taps.texel, taps.weight.double()), texture
    )


def test_a_texture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="8 x 9 texels"):
        MipPyramid(8, 9).build(torch.zeros(3, 9, 8))


@pytest.mark.parametrize("size", [(0, 4, 1), (4, 0, 1), (4, 4, 0)])
def test_an_empty_pyramid_is_refused(size):
    with pytest.raises(ValueError, match="at least one"):
        MipPyramid(*size)
