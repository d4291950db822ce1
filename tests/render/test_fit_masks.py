"""From landmarks to placements: ways of wearing, and landmarks that no mask can be placed by."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from masked_photos import MASK, PER_MM, PYRAMID, SIDE, flat, photo, render
from supersampled_reference import head, worn

from advmask.core.errors import PhotoError
from advmask.masks.placement import Wear
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose
from advmask.render.mask_fitting import PosedFace, find_pose
from advmask.render.mask_fitting import fit_masks as fit_masks_for
from advmask.render.packing import pack
from advmask.render.settings import RenderSettings

BARE = RenderSettings(shading=False, ear_loops=False)
FULL = RenderSettings(supersample=2)


def landmarks(pose: HeadPose) -> torch.Tensor:
    return torch.from_numpy(pose.project(REFERENCE_POINTS_MM)[0]).float()


def fit_masks(picture, points, surface, *, wears, settings):
    """From five landmarks to packed placements."""
    face = PosedFace(picture, find_pose(points))
    return fit_masks_for(face, surface, wears=wears, texels_per_mm=PER_MM, settings=settings)


def assert_can_be_drawn(packed, *, side: int = SIDE) -> None:
    out = render(flat([0.2, 0.6, 0.4]), photo(side=side), packed)
    assert out.isfinite().all()
    assert out.min() >= 0
    assert out.max() <= 1 + 1e-6


def test_one_record_for_each_way_of_wearing():
    wears = [None, Wear(shift_mm=(6.0, 0.0)), Wear(scale=1.2)]
    items = fit_masks(photo(), landmarks(head(SIDE)), MASK, wears=wears, settings=BARE)
    ideal = pack(worn(SIDE), photo(), pyramid=PYRAMID, texels_per_mm=PER_MM, settings=BARE)
    assert len(items) == 3
    shared = np.intersect1d(items[0].pixel.numpy(), ideal.pixel.numpy())
    assert len(shared) > 0.97 * len(ideal.pixel)
    assert (items[1].pixel % SIDE).float().mean() > (items[0].pixel % SIDE).float().mean() + 0.5
    assert len(items[2].pixel) > len(items[0].pixel)
    assert {item.pyramid for item in items} == {PYRAMID}


@pytest.mark.parametrize("yaw", [-75.0, 75.0])
def test_heads_turned_too_far_are_refused(yaw):
    with pytest.raises(PhotoError, match=r"turned by 7\d degrees"):
        fit_masks(photo(), landmarks(head(SIDE, yaw=yaw)), MASK, wears=[None], settings=BARE)


def test_points_unlike_a_face_are_refused():
    junk = torch.tensor([[10.0, 40.0], [50.0, 12.0], [12.0, 10.0], [50.0, 50.0], [30.0, 5.0]])
    with pytest.raises(PhotoError, match="do not lie like those of a face"):
        fit_masks(photo(), junk, MASK, wears=[None], settings=BARE)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_landmarks_that_are_not_numbers_are_refused(value):
    points = landmarks(head(SIDE))
    points[2, 0] = value
    with pytest.raises(PhotoError, match="finite"):
        fit_masks(photo(), points, MASK, wears=[None], settings=FULL)


@pytest.mark.parametrize("wears", [[None], [None, Wear(shift_mm=(900.0, 0.0))]])
def test_a_mask_off_the_picture_is_refused(wears):
    points = landmarks(head(SIDE)) + (500 if wears == [None] else 0)
    with pytest.raises(PhotoError, match="border or beyond"):
        fit_masks(photo(), points, MASK, wears=wears, settings=BARE)


@pytest.mark.parametrize("eyes_px", [0.5, 2.0, 4.0])
@pytest.mark.parametrize("settings", [FULL, BARE])
def test_a_face_of_a_few_pixels_is_placed_cleanly(eyes_px, settings):
    pose = HeadPose(0.1, 0.0, 0.0, eyes_px / 66.2, (30.0, 30.0))
    try:
        (packed,) = fit_masks(photo(), landmarks(pose), MASK, wears=[None], settings=settings)
    except PhotoError:
        return
    assert len(packed.pixel) < 200
    assert_can_be_drawn(packed)


@pytest.mark.parametrize("middle", [(0.0, 35.0), (64.0, 35.0), (32.0, 0.0), (32.0, 60.0), (5.0, 60.0)])
def test_a_face_half_out_of_the_picture_is_placed_as_far_as_it_is_in_it(middle):
    pose = HeadPose(0.0, 0.0, 0.0, 0.32, middle)
    (packed,) = fit_masks(photo(), landmarks(pose), MASK, wears=[None], settings=FULL)
    assert len(packed.pixel) > 20
    assert (packed.pixel >= 0).all()
    assert (packed.pixel < SIDE * SIDE).all()
    assert_can_be_drawn(packed)


@pytest.mark.parametrize("scale", [3.0, 30.0, 300.0, 1e5])
def test_a_face_far_larger_than_the_picture_needs_no_more_memory_than_the_picture(scale):
    pose = HeadPose(0.0, 0.0, 0.0, scale, (32.0, 32.0 - 60 * scale))  # the mouth is on the picture
    points = torch.from_numpy(pose.project(REFERENCE_POINTS_MM)[0])
    (packed,) = fit_masks(photo(), points, MASK, wears=[None], settings=FULL)
    assert len(packed.pixel) <= SIDE * SIDE
    assert_can_be_drawn(packed)


@given(
    st.lists(
        st.tuples(*[st.floats(-1e4, 1e4) | st.floats(0, 64) | st.just(float("nan"))] * 2),
        min_size=5,
        max_size=5,
    )
)
@examples(max_examples=40, deadline=None)
def test_any_five_points_are_placed_or_refused(points):
    try:
        (packed,) = fit_masks(photo(), torch.tensor(points), MASK, wears=[None], settings=FULL)
    except PhotoError:
        return
    assert_can_be_drawn(packed)


@given(
    st.floats(-55, 55),
    st.floats(-40, 40),
    st.floats(-180, 180),
    st.floats(-2, 2),
    st.tuples(st.floats(-20, 84), st.floats(-20, 84)),
)
@examples(max_examples=25, deadline=None)
def test_any_head_is_placed_or_refused(yaw, pitch, roll, log_scale, middle):
    yaw, pitch, roll = np.deg2rad([yaw, pitch, roll])
    pose = HeadPose(float(yaw), float(pitch), float(roll), 0.32 * 10**log_scale, middle)
    points = torch.from_numpy(pose.project(REFERENCE_POINTS_MM)[0])
    try:
        (packed,) = fit_masks(photo(), points, MASK, wears=[None], settings=FULL)
    except PhotoError:
        return
    assert_can_be_drawn(packed)


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_black_and_white_photos_are_drawn(level):
    picture = torch.full((3, SIDE, SIDE), level)
    (packed,) = fit_masks(picture, landmarks(head(SIDE)), MASK, wears=[None], settings=FULL)
    assert_can_be_drawn(packed)
    assert packed.gain.isfinite().all()
    assert packed.tint.isfinite().all()
