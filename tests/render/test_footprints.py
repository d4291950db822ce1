"""Footprints: exact ones against plain bilinear reading, merged ones against exact ones."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from supersampled_reference import read_bilinear, worn

from advmask.masks.shipped import shipped_surface
from advmask.render.footprint import footprints, join_footprints
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings

SIZES = [(45, 70), (64, 96), (1, 33), (33, 1), (1, 1), (3, 2)]


def readings(pyramid: MipPyramid, *, rows: int, each: int, seed: int = 0, outside: float = 0.0):
    """Readings of each pixel, places (n, 2) in level 0 around a middle for each pixel, and shares."""
    draw = np.random.default_rng(seed)
    extent = np.array([pyramid.width, pyramid.height])
    middle = draw.uniform(-outside, extent + outside, size=(rows, 2))
    texel = (middle[:, None] + draw.normal(0, 2.5, size=(rows, each, 2))).reshape(-1, 2)
    if outside == 0:
        texel = texel.clip(0, extent)
    return np.full(rows, each), texel, np.full(rows, 1.0 / each)


def level_zero(row, place, weight, pyramid: MipPyramid, *, rows: int) -> np.ndarray:
    """Weights (rows, H, W) that entries at all levels give to the padded texels of level 0."""
    height, width = pyramid.padded
    out = np.zeros((rows, height, width))
    offsets = [pyramid.offset(level) for level in range(pyramid.levels + 1)]
    for owner, where, share in zip(row, place, weight, strict=True):
        level = int(np.searchsorted(offsets, where, side="right")) - 1
        columns = pyramid.stored(level)[1]
        y, x = divmod(int(where) - offsets[level], columns)
        side = 2**level
        out[owner, y * side : (y + 1) * side, x * side : (x + 1) * side] += share / side**2
    return out


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_without_tolerance_values_are_those_of_plain_bilinear_reading(height, width):
    pyramid = MipPyramid(height, width)
    texture = np.random.default_rng(1).uniform(size=(height, width, 2))
    each, texel, share = readings(pyramid, rows=20, each=16, outside=5.0)
    expected = read_bilinear(texture, texel[:, 0].clip(0, width), texel[:, 1].clip(0, height))
    found_row, place, weight = footprints(each, texel.T, share=share, pyramid=pyramid, tolerance=0.0)
    listed = pyramid.build(torch.from_numpy(texture).permute(2, 0, 1)).numpy()
    found = np.zeros((20, 2))
    np.add.at(found, found_row, listed[place] * weight[:, None])
    np.testing.assert_allclose(found, expected.reshape(20, 16, 2).mean(axis=1), atol=1e-12)


@given(
    st.sampled_from(SIZES),
    st.integers(1, 6),
    st.sampled_from([0.0, 0.005, 0.02, 0.1, 0.5]),
    st.integers(0, 999),
)
@settings(max_examples=60, deadline=None)
def test_weights_sum_to_the_share_of_the_readings(size, levels, tolerance, seed):
    pyramid = MipPyramid(*size, levels)
    each, texel, share = readings(pyramid, rows=7, each=9, seed=seed)
    share = share * np.random.default_rng(seed).uniform(0.1, 1, size=7)  # the rest of the pixel is not cloth
    owner, place, weight = footprints(each, texel.T, share=share, pyramid=pyramid, tolerance=tolerance)
    assert len(np.unique(owner * pyramid.texels + place)) == len(owner)
    np.testing.assert_allclose(np.bincount(owner, weight, minlength=7), share * 9, atol=1e-9)
    assert (weight >= 0).all()
    assert place.min() >= 0
    assert place.max() < pyramid.trim  # cloth never reads the trimmings


@given(st.integers(0, 999), st.sampled_from([0.005, 0.02, 0.1]))
@settings(max_examples=20, deadline=None)
def test_merging_keeps_the_footprint_in_place_and_within_its_error(seed, tolerance):
    pyramid = MipPyramid(45, 70)
    each, texel, share = readings(pyramid, rows=5, each=64, seed=seed)
    whole, merged = (
        footprints(each, texel.T, share=share, pyramid=pyramid, tolerance=one) for one in (0.0, tolerance)
    )
    before, after = (level_zero(*one, pyramid, rows=5) for one in (whole, merged))
    # Each replacement errs by at most the tolerance, and so do the crumbs together; few overlap.
    assert np.sqrt(((after - before) ** 2).sum(axis=(1, 2))).max() <= 6 * tolerance
    assert len(merged[0]) <= len(whole[0])
    if tolerance > 0.02:
        return  # coarser than the default, faint far tails may be dropped
    y, x = np.mgrid[:64, :96] + 0.5
    for axis in (x, y):
        moved = ((after - before) * axis).sum(axis=(1, 2))
        assert np.abs(moved).max() < 50 * tolerance  # texels: the middle of a pixel stays in its place


def test_windows_too_large_for_one_go_give_the_same_in_parts(monkeypatch):
    pyramid = MipPyramid(45, 70)
    each, texel, share = readings(pyramid, rows=9, each=16)
    each[[2, 5]], each[3] = 0, 48  # pixels without cloth, and one with more
    whole = footprints(each, texel.T, share=share, pyramid=pyramid, tolerance=0.02)
    monkeypatch.setattr("advmask.render.footprint._MOST_CELLS", 300)
    parts = footprints(each, texel.T, share=share, pyramid=pyramid, tolerance=0.02)
    for one, other in zip(*(level_zero(*found, pyramid, rows=9) for found in (whole, parts)), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-12)


def test_an_even_square_becomes_one_coarse_texel():
    pyramid = MipPyramid(64, 64)
    y, x = np.mgrid[16:32, 8:24] + 0.5  # 16 x 16 aligned on one axis to 16, on the other to 8
    texel = np.stack([x.ravel(), y.ravel()], axis=1)
    _, place, weight = footprints(
        np.array([256]), texel.T, share=np.array([1 / 256]), pyramid=pyramid, tolerance=1e-9
    )
    first = pyramid.offset(3)
    expected = [first + (16 >> 3) * 8 + 1, first + 2 * 8 + 2, first + 3 * 8 + 1, first + 3 * 8 + 2]
    assert sorted(place.tolist()) == sorted(expected)
    np.testing.assert_allclose(weight, 0.25)


def test_crumbs_are_spread_over_the_rest_unless_there_is_nothing_else():
    pyramid = MipPyramid(8, 8, levels=1)
    texel = np.array([[0.5, 0.5]] * 199 + [[6.5, 6.5]])
    _, place, weight = footprints(
        np.array([200]), texel.T, share=np.array([1 / 200]), pyramid=pyramid, tolerance=0.1
    )
    assert place.tolist() == [0]
    assert weight.tolist() == pytest.approx([1.0])
    spread = np.stack([np.arange(64) % 8 + 0.5, np.arange(64) // 8 + 0.5], axis=1)
    _, place, weight = footprints(
        np.array([64]), spread.T, share=np.array([1 / 64]), pyramid=pyramid, tolerance=0.5
    )
    assert len(place) == 64
    assert weight.sum() == pytest.approx(1)


def test_no_readings_give_no_footprints():
    pyramid = MipPyramid(8, 8)
    nothing = np.zeros(0, dtype=np.int64)
    merged = footprints(nothing, np.zeros((2, 0)), share=np.zeros(0), pyramid=pyramid, tolerance=0.02)
    assert [len(part) for part in merged] == [0, 0, 0]
    joined = join_footprints(merged, (np.array([3]), np.array([5]), np.array([1.0])))
    assert [part.tolist() for part in joined] == [[3], [5], [1.0]]


def test_a_wide_texture_keeps_its_places_apart():
    pyramid = MipPyramid(3, 60_000)
    texel = np.array([[59_999.5, 2.5], [32_768.5, 0.5], [0.5, 1.5]])
    row, place, weight = footprints(
        np.repeat([0, 1], [1_000_000, 3]), texel.T, share=np.ones(1_000_003), pyramid=pyramid, tolerance=0.0
    )
    seen = weight > 0
    columns = pyramid.padded[1]
    assert dict(zip(row[seen].tolist(), place[seen].tolist(), strict=True)) == {
        1_000_000: 2 * columns + 59_999,
        1_000_001: 32_768,
        1_000_002: columns,
    }


@pytest.mark.parametrize("tolerance", [0.0, 0.02])
@pytest.mark.parametrize("name", ["contour", "pleated"])
def test_taps_of_a_placement_are_shares_of_one(name, tolerance):
    surface = shipped_surface(name)
    pyramid = MipPyramid(*surface.texture_size(2.0))
    packed = pack(
        worn(80, name=name, yaw=25.0),
        torch.full((3, 80, 80), 0.5),
        pyramid=pyramid,
        texels_per_mm=2.0,
        settings=RenderSettings(tolerance=tolerance, shading=False, edge_px=0.0),
    )
    taps = packed.taps
    row = torch.repeat_interleave(torch.arange(len(packed.pixel)), taps.start.diff())
    total = torch.zeros(len(packed.pixel), dtype=torch.float64).index_add(0, row, taps.weight.double())
    torch.testing.assert_close(total, torch.ones_like(total), atol=2**-10, rtol=0)  # half precision
    assert (taps.weight >= 0).all()
    entries = row * pyramid.texels + taps.texel
    assert len(entries.unique()) == len(entries)  # no texel twice in a pixel
    assert (taps.texel < pyramid.trim).all()  # without ear loops nothing reads the trimmings
