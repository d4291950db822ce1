"""The picture against an independent 8 x 8 supersampled reference: peak signal-to-noise ratio in sRGB.

Default settings but for shading, rim and ear loops, of which the reference knows nothing; 3 texels per mm,
over all pixels that the mask touches. Floors stand about 1.5 dB below what was measured.
"""

from functools import cache

import numpy as np
import pytest
import torch
from supersampled_reference import checkerboard, reference_picture, smooth_texture, worn

from advmask.masks.placement import Placement
from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

PER_MM = 3.0
SETTINGS = RenderSettings(shading=False, edge_px=0.0, ear_loops=False)


def drawn(placement: Placement, texture: np.ndarray, background: np.ndarray, **changes) -> np.ndarray:
    """Picture (S, S, 3) by the renderer."""
    picture = torch.from_numpy(background).permute(2, 0, 1).float()
    pyramid = MipPyramid(*texture.shape[:2])
    settings = SETTINGS.model_copy(update=changes)
    packed = pack(placement, picture, pyramid=pyramid, texels_per_mm=PER_MM, settings=settings)
    batch = collate([packed], height=len(background), width=len(background))
    out = MaskRenderer()(torch.from_numpy(texture).permute(2, 0, 1).float(), picture[None], batch)[0]
    return out.permute(1, 2, 0).double().numpy()


@cache
def texture_of(kind: str, name: str) -> np.ndarray:
    height, width = shipped_surface(name).texture_size(PER_MM)
    if kind == "checks":
        return checkerboard(height, width, texels_per_mm=PER_MM, square_mm=1.0)
    return smooth_texture(height, width)


def psnr(kind: str, name: str, side: int, angles: dict[str, float]) -> float:
    placement, texture = worn(side, name=name, **angles), texture_of(kind, name)
    background = np.full((side, side, 3), 0.5)
    expected, share = reference_picture(placement, texture, background, texels_per_mm=PER_MM)
    error = drawn(placement, texture, background) - expected
    return float(-10 * np.log10((error[share > 0] ** 2).mean()))


FLOORS_112 = {"checks": 36.5, "smooth": 42.0}
POSES = {
    "0": {"yaw": 0.0},
    "15": {"yaw": 15.0},
    "30": {"yaw": 30.0},
    "45": {"yaw": 45.0},
    "60": {"yaw": 60.0},
    "turned": {"yaw": -25.0, "pitch": 15.0, "roll": 20.0},
    "bowed": {"yaw": 35.0, "pitch": -20.0, "roll": -30.0},
}


@pytest.mark.parametrize("yaw", ["0", "15", "30", "45", "60"])
@pytest.mark.parametrize("kind", ["checks", "smooth"])
def test_a_face_of_112_px_agrees_with_the_reference(kind, yaw):
    measured = psnr(kind, "contour", 112, POSES[yaw])
    assert measured >= FLOORS_112[kind]
    assert measured < 60  # a reference that is the renderer itself would prove nothing


SLOW_FLOORS = {
    ("checks", 112): 35.5,
    ("checks", 160): 37.0,
    ("checks", 224): 40.0,
    ("smooth", 112): 41.5,
    ("smooth", 160): 43.0,
    ("smooth", 224): 46.0,
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["checks", "smooth"])
@pytest.mark.parametrize("side", [112, 160, 224])
@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_all_patterns_sizes_and_poses_agree_with_the_reference(kind, side, name):
    measured = {pose: psnr(kind, name, side, angles) for pose, angles in POSES.items()}
    print(kind, side, name, {pose: round(value, 1) for pose, value in measured.items()})
    assert min(measured.values()) >= SLOW_FLOORS[kind, side]


@pytest.mark.parametrize(("yaw", "supersample"), [(45, 2), (20, 3)])
def test_without_tolerance_a_pixel_is_the_plain_mean_of_its_readings(yaw, supersample, monkeypatch):
    """Each sub-pixel read once, and none of the texels merged: nothing is left to differ but rounding."""
    monkeypatch.setattr("advmask.render.readings._ONE_IS_ENOUGH", np.inf)
    monkeypatch.setattr("advmask.render.readings._TWO_ARE_ENOUGH", np.inf)
    placement = worn(112, yaw=yaw)
    texture = smooth_texture(*shipped_surface("contour").texture_size(PER_MM))
    coarse = texture[1::3, 1::3]
    per_mm = PER_MM / 3
    background = np.full((112, 112, 3), 0.5)
    expected, share = reference_picture(
        placement, coarse, background, texels_per_mm=per_mm, samples=3 * supersample
    )
    picture = torch.full((3, 112, 112), 0.5)
    settings = SETTINGS.model_copy(update={"supersample": 3 * supersample, "tolerance": 0.0})
    packed = pack(
        placement, picture, pyramid=MipPyramid(*coarse.shape[:2]), texels_per_mm=per_mm, settings=settings
    )
    batch = collate([packed], height=112, width=112)
    found = MaskRenderer()(torch.from_numpy(coarse.copy()).permute(2, 0, 1).float(), picture[None], batch)[0]
    assert (share > 0).sum() > 1500
    np.testing.assert_allclose(found.permute(1, 2, 0).numpy(), expected, atol=6e-4)  # half precision


def test_a_smaller_tolerance_is_nearer_to_the_exact_picture():
    placement, texture = worn(112, yaw=20.0), texture_of("checks", "contour")
    background = np.full((112, 112, 3), 0.5)
    exact = drawn(placement, texture, background, tolerance=0.0)
    errors = [
        float(((drawn(placement, texture, background, tolerance=tolerance) - exact) ** 2).mean())
        for tolerance in (0.005, 0.02, 0.1)
    ]
    assert 0 < errors[0] < errors[1] < errors[2]


def test_footprints_beat_one_reading_at_each_sub_pixel():
    """A checkerboard of 1 mm on a face of 64 px cannot be resolved; plain sampling turns it into noise."""
    placement, texture = worn(64), texture_of("checks", "contour")
    background = np.full((64, 64, 3), 0.5)
    expected, share = reference_picture(placement, texture, background, texels_per_mm=PER_MM, samples=16)
    plain, _ = reference_picture(placement, texture, background, texels_per_mm=PER_MM, samples=2)
    found = drawn(placement, texture, background)
    inside = share == 1
    assert ((found - expected)[inside] ** 2).mean() < 0.1 * ((plain - expected)[inside] ** 2).mean()
