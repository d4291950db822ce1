"""The picture against an independent 8 x 8 supersampled reference: peak signal-to-noise ratio in sRGB.

Unshaded, hard rim, 3 texels per mm, default mip bias, over all pixels that the mask touches. Floors stand
about 1.5 dB below what was measured.
"""

import numpy as np
import pytest
import torch
from supersampled_reference import checkerboard, frontal, reference_picture, smooth_texture

from advmask.masks import lower_face_mask
from advmask.masks.placement import Placement
from advmask.render import MaskRenderer, MipPyramid, RenderSettings, collate, pack

PER_MM = 3.0
HEIGHT, WIDTH = lower_face_mask().texture_size(PER_MM)


def drawn(placement: Placement, texture: np.ndarray, background: np.ndarray, **changes) -> np.ndarray:
    """Picture (S, S, 3) by the renderer; `changes` to unshaded drawing with a hard rim."""
    side = len(background)
    picture = torch.from_numpy(background).permute(2, 0, 1).float()
    settings = RenderSettings(**{"edge_px": 0.0, "shading": False} | changes)
    pyramid = MipPyramid(HEIGHT, WIDTH)
    packed = pack(placement, picture, pyramid=pyramid, texels_per_mm=PER_MM, settings=settings)
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH)
    batch = collate([packed], height=side, width=side)
    out = renderer(torch.from_numpy(texture).permute(2, 0, 1).float(), picture[None], batch)[0]
    return out.permute(1, 2, 0).double().numpy()


def psnr(texture: np.ndarray, *, side: int, yaw: float, supersample: int) -> float:
    placement = frontal(side, yaw=yaw)
    background = np.full((side, side, 3), 0.5)
    expected, share = reference_picture(placement, texture, background, texels_per_mm=PER_MM)
    error = drawn(placement, texture, background, supersample=supersample) - expected
    return float(-10 * np.log10((error[share > 0] ** 2).mean()))


CHECKS = checkerboard(HEIGHT, WIDTH, texels_per_mm=PER_MM, square_mm=1.0)
SMOOTH = smooth_texture(HEIGHT, WIDTH)

FAST = [
    (CHECKS, 112, 0, 2, 36.0),
    (CHECKS, 112, 45, 2, 33.5),
    (SMOOTH, 112, 0, 2, 38.5),
    (SMOOTH, 112, 45, 2, 37.5),
]
SLOW = [
    (CHECKS, 112, 30, 2, 34.0),
    (SMOOTH, 112, 30, 2, 37.5),
    (CHECKS, 224, 0, 2, 31.5),
    (CHECKS, 224, 30, 2, 31.5),
    (CHECKS, 224, 45, 2, 31.0),
    (SMOOTH, 224, 0, 2, 40.0),
    (SMOOTH, 224, 30, 2, 39.5),
    (SMOOTH, 224, 45, 2, 39.5),
    (CHECKS, 112, 0, 3, 38.5),
    (CHECKS, 224, 0, 3, 35.0),
    (SMOOTH, 112, 0, 3, 43.0),
]


def cases():
    for slow, rows in ((False, FAST), (True, SLOW)):
        for texture, side, yaw, supersample, floor in rows:
            kind = "checks" if texture is CHECKS else "smooth"
            marks = [pytest.mark.slow] if slow else []
            label = f"{kind}-{side}px-{yaw}deg-{supersample}x{supersample}"
            yield pytest.param(texture, side, yaw, supersample, floor, id=label, marks=marks)


@pytest.mark.parametrize(("texture", "side", "yaw", "supersample", "floor"), list(cases()))
def test_picture_agrees_with_the_supersampled_reference(texture, side, yaw, supersample, floor):
    measured = psnr(texture, side=side, yaw=yaw, supersample=supersample)
    assert measured >= floor
    assert measured < 60  # a reference that is the renderer itself would prove nothing


@pytest.mark.parametrize(("yaw", "supersample"), [(0, 2), (45, 2), (20, 3)])
def test_finest_level_alone_is_the_plain_mean_of_the_sub_pixels(yaw, supersample):
    """With all mip levels but the first out of the way, nothing is left to differ but rounding."""
    placement = frontal(64, yaw=yaw)
    texture = np.random.default_rng(0).uniform(size=(HEIGHT, WIDTH, 3))
    background = np.full((64, 64, 3), 0.5)
    expected, share = reference_picture(
        placement, texture, background, texels_per_mm=PER_MM, samples=supersample
    )
    found = drawn(placement, texture, background, supersample=supersample, mip_bias=-20.0)
    assert (share > 0).sum() > 500
    np.testing.assert_allclose(found, expected, atol=5e-4)  # weights are kept in half precision


def test_mip_levels_beat_plain_sampling():
    placement = frontal(112)
    background = np.full((112, 112, 3), 0.5)
    expected, share = reference_picture(placement, CHECKS, background, texels_per_mm=PER_MM)
    errors = []
    for bias in (-0.5, -20.0):  # -20 reads the finest level everywhere
        out = drawn(placement, CHECKS, background, mip_bias=bias)
        errors.append(((out - expected)[share > 0] ** 2).mean())
    assert errors[0] < 0.25 * errors[1]
