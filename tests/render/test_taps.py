"""Taps against dense matrices: adding up, values, gradients, and the branch for devices without scipy."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.render.texel_taps import Taps, read_taps, scattered_product, taps_from_entries

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


def as_used(listed, gradient, taps, weight):
    listed = listed.clone().requires_grad_()
    value = read_taps(listed, taps.start, taps.texel, weight)
    (slope,) = torch.autograd.grad(value, listed, gradient)
    return value.detach(), slope


def by_index_add(listed, gradient, taps, weight):
    row = torch.repeat_interleave(torch.arange(len(taps.start) - 1), taps.start.diff())
    value = listed.new_zeros(len(gradient), listed.shape[1])
    value.index_add_(0, row, listed[taps.texel.long()] * weight[:, None])
    slope = scattered_product(gradient, taps.start, taps.texel, weight, texels=len(listed))
    return value, slope


BOTH = pytest.mark.parametrize("product", [as_used, by_index_add])
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
    row, texel = np.arange(2000).repeat(32), torch.randint(5000, (64000,), generator=draw).numpy()
    weight = torch.rand(64000, generator=draw, dtype=torch.float64).numpy() / 8
    taps = taps_from_entries(row, texel, weight, rows=2000)
    listed = torch.rand(5000, 3, generator=draw, dtype=dtype)
    gradient = torch.randn(2000, 3, generator=draw, dtype=dtype)
    ours, theirs = (one(listed, gradient, taps, taps.weight.to(dtype)) for one in (as_used, by_index_add))
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=10 * TOLERANCE[dtype], rtol=0)


@pytest.mark.gpu
@PRECISIONS
def test_the_gpu_agrees_with_the_cpu(dtype):
    taps = some_taps(rows=400, texels=300)
    listed, gradient = torch.rand(300, 3, dtype=dtype), torch.randn(400, 3, dtype=dtype)
    value, slope = as_used(listed, gradient, taps, taps.weight.to(dtype))
    moved = Taps(*(part.cuda() for part in vars(taps).values()))
    there = as_used(listed.cuda(), gradient.cuda(), moved, moved.weight.to(dtype))
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


@pytest.mark.parametrize("product", [as_used, by_index_add])
def test_no_pixels_and_empty_pixels_read_nothing(product):
    nothing = np.zeros(0, dtype=np.int64)
    none = taps_from_entries(nothing, nothing, np.zeros(0), rows=0)
    assert (len(none.start), len(none.texel), len(none.weight)) == (1, 0, 0)
    value, slope = product(torch.rand(5, 3), torch.zeros(0, 3), none, none.weight.float())
    assert value.shape == (0, 3)
    assert torch.equal(slope, torch.zeros(5, 3))

    some = taps_from_entries(np.array([3, 1]), np.array([4, 2]), np.ones(2), rows=5)
    assert some.start.tolist() == [0, 0, 1, 1, 2, 2]
    listed = torch.rand(5, 3)
    value, slope = product(listed, torch.ones(5, 3), some, some.weight.float())
    expected = torch.zeros(5, 3)
    expected[1], expected[3] = listed[2], listed[4]
    assert torch.equal(value, expected)
    assert slope[:, 0].tolist() == [0, 0, 1, 0, 1]


@given(st.integers(1, 30), st.integers(1, 40), st.integers(0, 300), st.integers(0, 999))
@settings(max_examples=40, deadline=None)
def test_entries_in_any_order_come_to_their_pixels(rows, texels, entries, seed):
    draw = np.random.default_rng(seed)
    entries = min(entries, rows * texels)
    row, texel = np.divmod(draw.choice(rows * texels, size=entries, replace=False), texels)  # empty rows too
    weight = draw.uniform(0.01, 1, size=entries)
    expected = np.zeros((rows, texels))
    np.add.at(expected, (row, texel), weight)
    taps = taps_from_entries(row, texel, weight, rows=rows)
    assert (taps.start.dtype, taps.texel.dtype, taps.weight.dtype) == (
        torch.int32,
        torch.int32,
        torch.float16,
    )
    np.testing.assert_allclose(dense(taps, texels), expected, rtol=2**-11 + 1e-6)  # half precision
    for first, last in zip(taps.start[:-1].tolist(), taps.start[1:].tolist(), strict=True):
        own = taps.texel[first:last].tolist()
        assert len(set(own)) == len(own)
