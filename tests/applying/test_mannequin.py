"""The drawn head: nobody's, whole, and turned without being found by anything."""

import numpy as np
import pytest
import torch

from advmask.applying.mannequin import MOST_TURNED_DEG, bare_mannequin, on_mannequin
from advmask.applying.mask_drawing import WornDesign
from advmask.masks.dense_pose import mean_face
from advmask.masks.mask_building import build_mask
from advmask.masks.neutral_head import neutral_head
from advmask.masks.settings import MaskSettings
from advmask.render.settings import RenderSettings


def red(name: str = "contour") -> WornDesign:
    surface = build_mask(MaskSettings(pattern=name))
    texels = torch.tensor([0.9, 0.05, 0.05])[:, None, None].expand(3, *surface.texture_size(1.0))
    return WornDesign(texels.clone(), 1.0, surface, RenderSettings(supersample=1))


def red_pixels(yaw_deg: float, design: WornDesign) -> np.ndarray:
    picture = np.asarray(on_mannequin(design, yaw_deg=yaw_deg), dtype=float)
    return picture[..., 0] > 2.2 * picture[..., 1]


def test_the_head_has_the_mean_face_and_is_the_same_on_both_sides():
    head = neutral_head()
    away = np.linalg.norm(head.vertices_mm[None] - mean_face().points_mm[::4, None], axis=2).min(axis=1)
    assert np.median(away) < 3.0  # as far as its vertices are apart
    assert away.max() < 9.0
    left = np.sort(head.vertices_mm[head.vertices_mm[:, 0] < -1, 1])
    right = np.sort(head.vertices_mm[head.vertices_mm[:, 0] > 1, 1])
    assert left == pytest.approx(right, abs=2.0)
    assert np.isfinite(head.normals).all()
    out = (head.normals * (head.vertices_mm - [0, 12, -22])).sum(axis=1)
    assert (out[: len(out) // 2] > 0).mean() > 0.98


def test_a_design_is_worn_on_the_lower_face_and_turns_with_the_head():
    ahead, left, right = (red_pixels(yaw, red()) for yaw in (0, -40, 40))
    rows, columns = np.nonzero(ahead)
    assert 0.55 < rows.mean() / ahead.shape[0] < 0.8
    assert columns.mean() / ahead.shape[1] == pytest.approx(0.5, abs=0.01)
    assert np.nonzero(left)[1].mean() < columns.mean() - 8
    assert np.nonzero(right)[1].mean() > columns.mean() + 8
    overlap = (left & right[:, ::-1]).sum() / (left | right[:, ::-1]).sum()
    assert overlap > 0.95
    assert not red_pixels(0, red())[:250].any()


def test_beyond_the_end_of_the_turn_it_stays():
    assert on_mannequin(red(), yaw_deg=500) == on_mannequin(red(), yaw_deg=MOST_TURNED_DEG)
    assert bare_mannequin(0) is bare_mannequin(0), "a head that was drawn is kept"
