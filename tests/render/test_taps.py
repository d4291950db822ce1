"""Taps against dense matrices: merging, values, gradients, and the branch for devices without scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.render.taps import Taps, gathered_product, merge_taps, read_taps, scattered_product

TOLERANCE = {torch.float32: 2e-6, torch.float64: 1e-14}


def dense(taps: Taps, texels: int) -> np.ndarray:
    """(M, T) float64, entry by entry."""
    out = np.zeros((len(taps.start) - 1, texels))
    for row in range(len(out)):
        for entry in range(int(taps.start[row]), int(taps.start[row + 1])):
            out[row, int(taps.texel[entry])] += float(taps.weight[entry])
    return out


def some_taps(*, rows: int = 9, texels: int = 14, seed: int = 0) -> Taps:
    """Rows of 0 to 6 entries in no order of their own; the first and the last are empty."""
    draw = np.random.default_rng(seed)
    counts = draw.integers(0, 7, size=rows)
    counts[[0, -1]] = 0
    texel = np.concatenate([draw.permutation(texels)[:count] for count in counts])
    return Taps(
        start=torch.from_numpy(np.concatenate([[0], counts.cumsum()]).astype(np.int32)),
        texel=torch.from_numpy(texel.astype(np.int32)),
        weight=torch.from_numpy(draw.uniform(-1, 1, size=len(texel))).half(),
    )


def by_scipy(listed, gradient, taps, weight):
    listed = listed.clone().requires_grad_()
    value = read_taps(listed, taps.start, taps.texel, weight)
    (slope,) = torch.autograd.grad(value, listed, gradient)
    return value.detach(), slope


def by_index_add(listed, gradient, taps, weight):
    value = gathered_product(listed, taps.start, taps.texel, weight)
    slope = scattered_product(gradient, taps.start, taps.texel, weight, texels=len(listed))
    return value, slope


BOTH = pytest.mark.parametrize("product", [by_scipy, by_index_add])
PRECISIONS = pytest.mark.parametrize("dtype", [torch.float32, torch.float64])


@BOTH
@PRECISIONS
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("seed", range(5))
def test_value_and_gradient_are_those_of_the_dense_product(product, dtype, channels, seed):
    taps = some_taps(seed=seed)
    matrix = dense(taps, 14)
    draw = torch.Generator().manual_seed(seed)
    listed = torch.rand(14, channels, generator=draw, dtype=dtype)
    gradient = torch.randn(9, channels, generator=draw, dtype=dtype)
    value, slope = product(listed, gradient, taps, taps.weight.to(dtype))
    assert value.dtype == slope.dtype == dtype
    np.testing.assert_allclose(value, matrix @ listed.double().numpy(), atol=TOLERANCE[dtype])
    np.testing.assert_allclose(slope, matrix.T @ gradient.double().numpy(), atol=TOLERANCE[dtype])


@PRECISIONS
def test_both_branches_agree_on_many_pixels(dtype):
    draw = torch.Generator().manual_seed(0)
    row = torch.arange(2000).repeat_interleave(4)
    texel = torch.randint(5000, (8000, 8), generator=draw)
    taps = merge_taps(row, texel, torch.rand(8000, 8, generator=draw), rows=2000, texels=5000)
    listed = torch.rand(5000, 3, generator=draw, dtype=dtype)
    gradient = torch.randn(2000, 3, generator=draw, dtype=dtype)
    ours, theirs = (one(listed, gradient, taps, taps.weight.to(dtype)) for one in (by_scipy, by_index_add))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=10 * TOLERANCE[dtype], rtol=0)


@pytest.mark.gpu
@PRECISIONS
def test_the_gpu_agrees_with_the_cpu(dtype):
    taps = some_taps(rows=400, texels=300)
    listed, gradient = torch.rand(300, 3, dtype=dtype), torch.randn(400, 3, dtype=dtype)
    value, slope = by_scipy(listed, gradient, taps, taps.weight.to(dtype))
    moved = Taps(*(part.cuda() for part in vars(taps).values()))
    there = by_scipy(listed.cuda(), gradient.cuda(), moved, moved.weight.to(dtype))
    assert there[0].is_cuda
    torch.testing.assert_close(there[0].cpu(), value, atol=TOLERANCE[dtype] * 10, rtol=0)
    torch.testing.assert_close(there[1].cpu(), slope, atol=TOLERANCE[dtype] * 10, rtol=0)


def test_gradcheck():
    taps = some_taps()
    listed = torch.rand(14, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda values: read_taps(values, taps.start, taps.texel, taps.weight.double()), listed
    )


def test_strided_texels_and_gradients_are_read_as_they_stand():
    taps = some_taps()
    weight = taps.weight.float()
    base = torch.rand(3, 14)
    listed = base.T.requires_grad_()
    value = read_taps(listed, taps.start, taps.texel, weight)
    np.testing.assert_allclose(value.detach(), dense(taps, 14) @ base.double().T.numpy(), atol=2e-6)
    gradient = torch.randn(3, 9).T
    (strided,) = torch.autograd.grad(value, listed, gradient, retain_graph=True)
    (packed,) = torch.autograd.grad(value, listed, gradient.contiguous(), retain_graph=True)
    assert torch.equal(strided, packed)
    (even,) = torch.autograd.grad(value.sum(), listed)  # an expanded gradient of stride 0
    np.testing.assert_allclose(even, dense(taps, 14).sum(axis=0)[:, None].repeat(3, 1), atol=2e-6)


@pytest.mark.parametrize("product", [by_scipy, by_index_add])
def test_no_pixels_and_empty_pixels_read_nothing(product):
    none = merge_taps(torch.zeros(0).long(), torch.zeros(0, 8).long(), torch.zeros(0, 8), rows=0, texels=5)
    assert (len(none.start), len(none.texel), len(none.weight)) == (1, 0, 0)
    value, slope = product(torch.rand(5, 3), torch.zeros(0, 3), none, none.weight.float())
    assert value.shape == (0, 3)
    assert torch.equal(slope, torch.zeros(5, 3))

    some = merge_taps(torch.tensor([1, 3]), torch.tensor([[2], [4]]), torch.ones(2, 1), rows=5, texels=5)
    assert some.start.tolist() == [0, 0, 1, 1, 2, 2]
    listed = torch.rand(5, 3)
    value, slope = product(listed, torch.ones(5, 3), some, some.weight.float())
    expected = torch.zeros(5, 3)
    expected[1], expected[3] = listed[2], listed[4]
    assert torch.equal(value, expected)
    assert slope[:, 0].tolist() == [0, 0, 1, 0, 1]


def test_readings_of_the_same_texel_are_merged():
    row = torch.tensor([0, 1, 0])
    texel = torch.tensor([[3, 3, 0], [2, 1, 0], [0, 3, 5]])
    weight = torch.tensor([[0.25, 0.25, 0.5], [0.5, 0.25, 0.25], [0.25, 0.5, 0.25]])
    taps = merge_taps(row, texel, weight, rows=2, texels=6)
    assert taps.start.tolist() == [0, 3, 6]
    assert dict(zip(taps.texel[:3].tolist(), taps.weight[:3].tolist(), strict=True)) == {
        0: 0.375,
        3: 0.5,
        5: 0.125,
    }
    assert dict(zip(taps.texel[3:].tolist(), taps.weight[3:].tolist(), strict=True)) == {
        0: 0.25,
        1: 0.25,
        2: 0.5,
    }
    assert (taps.start.dtype, taps.texel.dtype, taps.weight.dtype) == (
        torch.int32,
        torch.int32,
        torch.float16,
    )


@given(st.integers(1, 30), st.integers(1, 40), st.integers(1, 80), st.integers(1, 8), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_merged_taps_are_the_mean_of_the_readings(rows, texels, readings, each, seed):
    draw = np.random.default_rng(seed)
    row = draw.integers(rows, size=readings)  # some rows may stay empty
    texel = draw.integers(texels, size=(readings, each))
    weight = draw.dirichlet(np.ones(each), size=readings)
    expected = np.zeros((rows, texels))
    for owner, places, shares in zip(row, texel, weight, strict=True):
        for place, share in zip(places, shares, strict=True):
            expected[owner, place] += share / (row == owner).sum()
    taps = merge_taps(
        torch.from_numpy(row), torch.from_numpy(texel), torch.from_numpy(weight), rows=rows, texels=texels
    )
    found = dense(taps, texels)
    np.testing.assert_allclose(found, expected, rtol=2**-11 + 1e-6, atol=2**-24)  # half precision
    np.testing.assert_allclose(found.sum(axis=1), np.isin(np.arange(rows), row), atol=2**-11 + 1e-6)
    for first, last in zip(taps.start[:-1].tolist(), taps.start[1:].tolist(), strict=True):
        own = taps.texel[first:last].tolist()
        assert len(set(own)) == len(own)
