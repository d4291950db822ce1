"""The picture against an independent 8 x 8 supersampled reference: peak signal-to-noise ratio in sRGB.

Unshaded, hard rim, 3 texels per mm, over all pixels that the mask touches. Floors stand about 1.5 dB below
what was measured.
"""

import numpy as np
import pytest
import torch
from supersampled_reference import checkerboard, frontal, reference_picture, smooth_texture

from advmask.masks import lower_face_mask
from advmask.render import MaskRenderer, RenderSettings, collate, pack

PER_MM = 3.0
HEIGHT, WIDTH = lower_face_mask().texture_size(PER_MM)


def psnr(texture: np.ndarray, *, side: int, yaw: float, supersample: int) -> float:
    placement = frontal(side, yaw=yaw)
    background = np.full((side, side, 3), 0.5)
    expected, share = reference_picture(placement, texture, background, texels_per_mm=PER_MM)
    picture = torch.from_numpy(background).permute(2, 0, 1).float()
    settings = RenderSettings(supersample=supersample, edge_px=0.0, shading=False)
    packed = collate([pack(placement, picture, settings=settings)], height=side, width=side)
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH, texels_per_mm=PER_MM, mip_bias=settings.mip_bias)
    out = renderer(torch.from_numpy(texture).permute(2, 0, 1).float(), picture[None], packed)[0]
    error = out.permute(1, 2, 0).double().numpy() - expected
    return float(-10 * np.log10((error[share > 0] ** 2).mean()))


CHECKS = checkerboard(HEIGHT, WIDTH, texels_per_mm=PER_MM, square_mm=1.0)
SMOOTH = smooth_texture(HEIGHT, WIDTH)

FAST = [
    (CHECKS, 112, 0, 2, 35.0),
    (CHECKS, 112, 45, 2, 31.5),
    (SMOOTH, 112, 0, 2, 38.5),
    (SMOOTH, 112, 45, 2, 37.5),
]
SLOW = [
    (CHECKS, 112, 30, 2, 32.5),
    (SMOOTH, 112, 30, 2, 37.5),
    (CHECKS, 224, 0, 2, 27.5),
    (CHECKS, 224, 30, 2, 26.0),
    (CHECKS, 224, 45, 2, 26.0),
    (SMOOTH, 224, 0, 2, 39.0),
    (SMOOTH, 224, 30, 2, 38.0),
    (SMOOTH, 224, 45, 2, 37.5),
    (CHECKS, 112, 0, 3, 36.5),
    (CHECKS, 224, 0, 3, 34.0),
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


def test_mip_levels_beat_plain_sampling():
    placement = frontal(112)
    background = np.full((112, 112, 3), 0.5)
    expected, share = reference_picture(placement, CHECKS, background, texels_per_mm=PER_MM)
    picture = torch.from_numpy(background).permute(2, 0, 1).float()
    settings = RenderSettings(edge_px=0.0, shading=False)
    packed = collate([pack(placement, picture, settings=settings)], height=112, width=112)
    errors = []
    for bias in (-0.5, -20.0):  # -20 reads the finest level everywhere
        renderer = MaskRenderer(height=HEIGHT, width=WIDTH, texels_per_mm=PER_MM, mip_bias=bias)
        out = renderer(torch.from_numpy(CHECKS).permute(2, 0, 1).float(), picture[None], packed)[0]
        errors.append(((out.permute(1, 2, 0).double().numpy() - expected)[share > 0] ** 2).mean())
    assert errors[0] < 0.25 * errors[1]
