"""Pictures that can be written down: a plane, a cylinder and a sphere of striped cloth."""

import numpy as np
import pytest
import torch
from masked_photos import render
from supersampled_reference import to_linear, to_srgb

from advmask.masks.placement import Placement
from advmask.masks.relief import Ridge
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.settings import RenderSettings

SIDE = 48
BARE = RenderSettings(shading=False, edge_px=0.0, tolerance=0.002)
WAVE = np.array([0.55, 0.35])  # radians per mm: stripes of 10 mm, slanting


def grid_faces(rows: int, columns: int) -> np.ndarray:
    number = np.arange(rows * columns).reshape(rows, columns)
    a, b, c, d = (v.ravel() for v in (number[:-1, :-1], number[:-1, 1:], number[1:, :-1], number[1:, 1:]))
    return np.concatenate([np.stack([a, c, b], 1), np.stack([d, b, c], 1)])


def placement_of(points, uv, *, depth=None, normals=None, faces, relief=()) -> Placement:
    count = len(points)
    depth = np.zeros(count) if depth is None else depth
    normals = np.tile([0.0, 0.0, 1.0], (count, 1)) if normals is None else normals
    tangents = np.tile([[[1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]], (count, 1, 1))
    everywhere = np.ones(len(faces), dtype=bool)
    return Placement(points, depth, normals, tangents, uv, faces, everywhere, 1.0, relief)


def stripes(width_mm: float, height_mm: float, *, per_mm: float) -> torch.Tensor:
    """(3, H, W) sRGB float64 whose linear light is 0.5 + 0.4 sin(WAVE . (u, v))."""
    u = (np.arange(round(width_mm * per_mm)) + 0.5) / per_mm
    v = (np.arange(round(height_mm * per_mm)) + 0.5) / per_mm
    linear = 0.5 + 0.4 * np.sin(WAVE[0] * u[None] + WAVE[1] * v[:, None])
    return torch.from_numpy(to_srgb(linear)).expand(3, -1, -1).float()


def drawn(placement: Placement, texture: torch.Tensor, *, per_mm: float, settings=BARE) -> np.ndarray:
    """(S, S) linear light of the first channel, over a black photo."""
    picture = torch.zeros(3, SIDE, SIDE)
    pyramid = MipPyramid(*texture.shape[1:])
    packed = pack(placement, picture, pyramid=pyramid, texels_per_mm=per_mm, settings=settings)
    return to_linear(render(texture, picture, packed)[0].double().numpy())


@pytest.mark.parametrize("per_mm", [3.0, 8.0])
@pytest.mark.parametrize("turn", [0.0, 0.4, 2.0])
@pytest.mark.parametrize("stretch", [(1.0, 1.0), (0.7, 1.6)])
def test_a_plane_shows_the_mean_of_a_sine_over_each_pixel(per_mm, turn, stretch):
    mm_per_px = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]]) * stretch  # duv/dxy
    corners = np.array([[-20.0, -20], [70, -20], [-20, 70], [70, 70]])
    uv = corners @ mm_per_px.T
    offset = -uv.min(axis=0) + 1.0
    width, height = np.ptp(uv, axis=0) + 2.0
    placement = placement_of(corners, uv + offset, faces=np.array([[0, 2, 1], [3, 1, 2]]))
    found = drawn(placement, stripes(width, height, per_mm=per_mm), per_mm=per_mm)

    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    phase = (np.stack([x, y], axis=-1) @ mm_per_px.T + offset) @ WAVE
    damping = np.sinc((WAVE @ mm_per_px) / (2 * np.pi)).prod()
    # Bilinear reading of texels damps a sine a little, too.
    damping *= (np.sinc(WAVE / (2 * np.pi) / per_mm) ** 2).prod()
    np.testing.assert_allclose(found, 0.5 + 0.4 * damping * np.sin(phase), atol=3e-3)


def test_a_cylinder_shows_stripes_in_arc_length():
    radius, per_mm = 21.0, 6.0
    angle = np.linspace(-np.pi / 2, np.pi / 2, 361)
    height = np.array([-5.0, 53.0])
    a, y = np.meshgrid(angle, height)
    points = np.stack([24 + radius * np.sin(a), y], axis=-1).reshape(-1, 2)
    uv = np.stack([radius * (a + np.pi / 2), y + 5.0], axis=-1).reshape(-1, 2)
    normals = np.stack([np.sin(a), np.zeros_like(a), np.cos(a)], axis=-1).reshape(-1, 3)
    depth = (radius * np.cos(a)).ravel()
    placement = placement_of(points, uv, depth=depth, normals=normals, faces=grid_faces(2, 361))
    found = drawn(placement, stripes(radius * np.pi, 58.0, per_mm=per_mm), per_mm=per_mm)

    samples = 64
    x, row = np.meshgrid((np.arange(SIDE * samples) + 0.5) / samples - 24, np.arange(SIDE * 4) / 4 + 0.125)
    inside = np.abs(x) < radius
    arc = radius * (np.arcsin((x / radius).clip(-1, 1)) + np.pi / 2)
    light = inside * (0.5 + 0.4 * np.sin(WAVE[0] * arc + WAVE[1] * (row + 5.0)))
    expected = light.reshape(SIDE, 4, SIDE, samples).mean(axis=(1, 3))
    middle = np.abs(np.arange(SIDE) + 0.5 - 24) < 0.9 * radius  # where stripes are wider than a pixel
    np.testing.assert_allclose(found[:, middle], expected[:, middle], atol=6e-3)
    assert np.sqrt(((found - expected) ** 2).mean()) < 0.02


def sphere(radius: float) -> tuple[Placement, np.ndarray]:
    """A half sphere around (24, 24) with cloth along longitude and latitude, and the pixels' normals."""
    lon, lat = np.meshgrid(np.linspace(-np.pi / 2, np.pi / 2, 121), np.linspace(np.pi / 2, -np.pi / 2, 121))
    normals = np.stack([np.cos(lat) * np.sin(lon), np.sin(lat), np.cos(lat) * np.cos(lon)], axis=-1)
    points = 24 + radius * normals[..., :2] * [1, -1]
    uv = radius * np.stack([lon + np.pi / 2, np.pi / 2 - lat], axis=-1)
    placement = placement_of(
        points.reshape(-1, 2),
        uv.reshape(-1, 2),
        depth=radius * normals[..., 2].ravel(),
        normals=normals.reshape(-1, 3),
        faces=grid_faces(121, 121),
    )
    x, y = np.meshgrid((np.arange(SIDE) + 0.5 - 24) / radius, (24 - np.arange(SIDE) - 0.5) / radius)
    z = np.sqrt((1 - x**2 - y**2).clip(0))
    return placement, np.stack([x, y, z], axis=-1)


def test_a_sphere_shows_stripes_in_longitude_and_latitude():
    radius, per_mm, samples = 20.0, 6.0, 16
    placement, _ = sphere(radius)
    found = drawn(placement, stripes(radius * np.pi, radius * np.pi, per_mm=per_mm), per_mm=per_mm)
    place = (np.arange(SIDE * samples) + 0.5) / samples
    x, y = np.meshgrid((place - 24) / radius, (24 - place) / radius)
    inside = x**2 + y**2 < 1
    lat = np.arcsin(y.clip(-1, 1))
    lon = np.arcsin((x / np.cos(lat).clip(1e-9)).clip(-1, 1))
    phase = radius * (WAVE[0] * (lon + np.pi / 2) + WAVE[1] * (np.pi / 2 - lat))
    expected = (inside * (0.5 + 0.4 * np.sin(phase))).reshape(SIDE, samples, SIDE, samples).mean(axis=(1, 3))
    r = np.hypot(x, y)[samples // 2 :: samples, samples // 2 :: samples]
    np.testing.assert_allclose(found[r < 0.8], expected[r < 0.8], atol=1e-2)
    assert np.abs(found - expected).mean() < 0.01


def test_a_sphere_takes_the_light_of_the_skin_it_covers():
    placement, normals = sphere(20.0)
    light = 1 + normals @ np.array([0.3, 0.2, 0.1])
    picture = torch.from_numpy(to_srgb(0.4 * light[..., None] * [1.0, 0.75, 0.6]).clip(0, 1)).float()
    packed = pack(
        placement,
        picture.permute(2, 0, 1),
        pyramid=MipPyramid(63, 63),
        texels_per_mm=1.0,
        settings=RenderSettings(edge_px=0.0),
    )
    gain = np.zeros(SIDE * SIDE)
    gain[packed.pixel.numpy()] = packed.gain.float().numpy()
    r = np.hypot(normals[..., 0], normals[..., 1])
    found, expected = gain.reshape(SIDE, SIDE)[r < 0.9], light[r < 0.9]
    found, expected = found / found.mean(), expected / expected.mean()
    np.testing.assert_allclose(found, expected, atol=0.04)


@pytest.mark.parametrize("height", [1.0, -1.0])
def test_a_ridge_is_lit_on_the_side_of_the_lamp(height):
    """A plane with an upright ridge, brighter photo to the right: only what faces right gets brighter."""
    corners = np.array([[0.0, 0], [48, 0], [0, 48], [48, 48]])
    ridge = Ridge(np.array([[24.0, 0.0], [24.0, 48.0]]), height, 3.0)
    faces = np.array([[0, 2, 1], [3, 1, 2]])
    # Normals fan out, so that the light can be read off the photo.
    normals = np.array([[-0.5, 0, 0.87], [0.5, 0, 0.87], [-0.5, 0, 0.87], [0.5, 0, 0.87]])
    x = (np.arange(SIDE) + 0.5 - 24) / 48
    picture = torch.from_numpy(to_srgb(0.3 + 0.3 * x)).float().view(1, 1, -1).expand(3, SIDE, SIDE)

    def row(relief):
        packed = pack(
            placement_of(corners, corners, normals=normals, faces=faces, relief=relief),
            picture,
            pyramid=MipPyramid(48, 48),
            texels_per_mm=1.0,
            settings=RenderSettings(edge_px=0.0),
        )
        gain = np.zeros(SIDE * SIDE)
        gain[packed.pixel.numpy()] = packed.gain.float().numpy()
        return gain.reshape(SIDE, SIDE)[24]

    change = row((ridge,)) - row(())
    assert np.sign(height) * change[27] > 0.01  # three millimetres right of the line: the slope is steepest
    assert np.sign(height) * change[20] < -0.01
    assert np.abs(change[:10]).max() < 2e-3
