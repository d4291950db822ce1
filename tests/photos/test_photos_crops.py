"""The similarity and the resampling of the working crop, against independent references."""

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from advmask.core.errors import PhotoError
from advmask.photos.crops import (
    FaceCrop,
    apply_transform,
    canonical_points,
    crop_transform,
    cut_crop,
    invert_transform,
)


def by_svd(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Umeyama's own formulas (40) to (43), with the determinant sign, in any dimension."""
    mu_s, mu_t = source.mean(0), target.mean(0)
    covariance = (target - mu_t).T @ (source - mu_s) / len(source)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.array([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(sign) @ vt
    scale = (d * sign).sum() / ((source - mu_s) ** 2).sum(1).mean()
    return np.column_stack([scale * rotation, mu_t - scale * rotation @ mu_s])


def similarity(scale: float, degrees: float, shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    c, s = scale * np.cos(np.radians(degrees)), scale * np.sin(np.radians(degrees))
    return np.array([[c, -s, shift[0]], [s, c, shift[1]]])


@pytest.mark.parametrize("size", [112, 224, 500])
def test_canonical_layout(size: int) -> None:
    points = canonical_points(size=size) * 224 / size
    np.testing.assert_allclose(points[0], [84, 88])
    np.testing.assert_allclose(points[1], [140, 88])
    px_per_mm = 56 / 66.2
    np.testing.assert_allclose(points[2], [112, 88 + 35.0 * px_per_mm])
    np.testing.assert_allclose(points[3], [112 - 30.1 * px_per_mm, 88 + 67.8 * px_per_mm])
    np.testing.assert_allclose(points[4], [112 + 30.1 * px_per_mm, 88 + 67.8 * px_per_mm])


@given(st.lists(st.floats(-500, 500), min_size=10, max_size=10), st.sampled_from([112, 224]))
def test_transform_is_umeyamas(values: list[float], size: int) -> None:
    points = canonical_points() + np.reshape(values, (5, 2))
    target = canonical_points(size=size)
    reference = by_svd(points, target)
    if np.hypot(*reference[:, 0]) < 1e-3 or np.ptp(points, axis=0).max() < 1:
        return
    found = crop_transform(points, size=size)
    np.testing.assert_allclose(found, reference, atol=1e-6, rtol=1e-6)
    assert np.linalg.det(found[:, :2]) > 0


@given(st.floats(0.05, 20), st.floats(-180, 180), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_exact_similarity_is_recovered(scale: float, degrees: float, x: float, y: float) -> None:
    truth = similarity(scale, degrees, (x, y))
    photo = apply_transform(truth, canonical_points())
    np.testing.assert_allclose(apply_transform(crop_transform(photo), photo), canonical_points(), atol=1e-6)


def test_mirrored_face_is_not_mirrored_back() -> None:
    mirrored = canonical_points() * [-1, 1]
    assert np.linalg.det(crop_transform(mirrored)[:, :2]) > 0


@pytest.mark.parametrize("points", [np.full((5, 2), 7.0), np.full((5, 2), np.nan)])
def test_impossible_landmarks(points: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="landmarks"):
        crop_transform(points)


def ramp(width: int, height: int, per_px: tuple[float, float], *, low: float = 20.0) -> Image.Image:
    """A picture whose level at edge coordinates (x, y) is low + per_px . (x, y)."""
    x, y = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    level = low + per_px[0] * x + per_px[1] * y
    assert level.max() < 250
    return Image.fromarray(np.repeat(np.rint(level)[..., None], 3, 2).astype(np.uint8))


@pytest.mark.parametrize(
    ("scale", "degrees"), [(1, 0), (0.5, 0), (0.37, 25), (0.12, -60), (2.6, 10), (7.5, 180), (1.0, 33)]
)
def test_pixel_centres(scale: float, degrees: float) -> None:
    size, extent = 112, 112 / scale * 1.6
    width, height = round(extent), round(extent * 1.2)
    steep = 200 / (width + height)
    image = ramp(width, height, (steep, 0.6 * steep))
    middle = np.array([width / 2, height / 2])
    linear = similarity(scale, degrees)[:, :2]
    transform = np.column_stack([linear, size / 2 + np.array([0.31, -0.17]) - linear @ middle])
    crop = cut_crop(image, transform, size=size)

    x, y = np.meshgrid(np.arange(size) + 0.5, np.arange(size) + 0.5)
    back = (np.stack([x, y], -1) - transform[:, 2]) @ np.linalg.inv(linear).T
    expected = 20 + steep * back[..., 0] + 0.6 * steep * back[..., 1]
    inside = ((back > 4 / min(scale, 1)) & (back < np.array([width, height]) - 4 / min(scale, 1))).all(-1)
    assert inside.mean() > 0.7
    error = (crop[..., 0] - expected)[inside]
    assert np.abs(error).max() < 1.1  # rounded twice: in the picture and in the crop
    # A shift by a tenth of the coarser of the two pixels would show in the mean.
    assert abs(error.mean()) < 0.1 * steep / min(scale, 1)


def test_interpolation_of_a_known_picture() -> None:
    def level(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Waves of 10 to 20 px, at edge coordinates (x, y)."""
        return 127.5 + 60 * np.sin(0.6 * x + 0.2 * y) + 60 * np.cos(0.45 * y - 0.1 * x)

    centres = np.meshgrid(np.arange(140) + 0.5, np.arange(120) + 0.5)
    picture = Image.fromarray(np.repeat(np.rint(level(*centres))[..., None], 3, 2).astype(np.uint8))
    transform = similarity(1.3, 17, (11.0, -30.0))
    crop = cut_crop(picture, transform, size=112)
    x, y = np.meshgrid(np.arange(112) + 0.5, np.arange(112) + 0.5)
    back = (np.stack([x, y], -1) - transform[:, 2]) @ np.linalg.inv(transform[:, :2]).T
    inside = ((back > 3) & (back < np.array([137, 117]))).all(-1)
    error = (crop[..., 0] - level(back[..., 0], back[..., 1]))[inside]
    assert inside.mean() > 0.7
    assert np.abs(error).mean() < 0.5
    assert np.abs(error).max() < 2.5


@pytest.mark.parametrize("degrees", [0, 20])
@pytest.mark.parametrize("scale", [0.11, 0.3, 0.45])
def test_fine_patterns_vanish_when_reduced(scale: float, degrees: float) -> None:
    y, x = np.mgrid[:600, :600]
    board = np.repeat((((x + y) % 2) * 255).astype(np.uint8)[..., None], 3, 2)
    linear = similarity(scale, degrees)[:, :2]
    transform = np.column_stack([linear, 56 - linear @ [300, 300]])
    size = min(112, int(600 * scale * 0.6))
    transform[:, 2] += size / 2 - 56
    crop = cut_crop(Image.fromarray(board), transform, size=size).astype(float)
    assert abs(crop.mean() - 127.5) < 2
    assert crop.std() < 2
    # Stripes just finer than the crop can show must not come back as coarse ones.
    stripes = 127.5 + 127 * np.sin(2 * np.pi * (x + 0.5) * scale * 0.75)
    crop = cut_crop(
        Image.fromarray(np.repeat(np.rint(stripes).astype(np.uint8)[..., None], 3, 2)), transform, size=size
    )
    assert crop.astype(float).std() < 0.2 * stripes.std()


def test_coarse_patterns_survive_reduction() -> None:
    _, x = np.mgrid[:600, :600]
    stripes = 127.5 + 100 * np.sin(2 * np.pi * (x + 0.5) * 0.3 / 8)  # eight crop pixels a period
    picture = Image.fromarray(np.repeat(np.rint(stripes).astype(np.uint8)[..., None], 3, 2))
    crop = cut_crop(picture, similarity(0.3, 0, (0.25, 0)), size=112)
    assert crop[..., 0].astype(float).std() > 0.9 * stripes.std()


@pytest.mark.parametrize("scale", [0.4, 1.0, 3.0])
def test_the_edge_goes_on_beyond_the_photo(scale: float) -> None:
    image = Image.new("RGB", (60, 50), (200, 30, 90))
    transform = similarity(scale, 30, (80, 20))
    crop = cut_crop(image, transform, size=112)
    assert np.abs(crop.astype(int) - [200, 30, 90]).max() <= 1
    two = Image.new("RGB", (40, 200), (0, 0, 0))
    two.paste((255, 255, 255), (20, 0, 40, 200))
    beside = cut_crop(two, np.array([[1.0, 0, 50], [0, 1, 0]]), size=112)
    assert (beside[:, :66] == 0).all()
    assert (beside[:, 74:] == 255).all()


def test_tiny_and_huge_photos() -> None:
    dot = cut_crop(Image.new("RGB", (1, 1), (9, 8, 7)), similarity(300, 5), size=224)
    assert (dot == [9, 8, 7]).all()
    huge = cut_crop(Image.new("RGB", (6000, 4000), (9, 8, 7)), similarity(0.002, 5, (3, 4)), size=112)
    assert np.abs(huge.astype(int) - [9, 8, 7]).max() <= 1


def test_nothing_to_see() -> None:
    with pytest.raises(PhotoError, match="outside the photo"):
        cut_crop(Image.new("RGB", (50, 50)), similarity(1, 0, (500, 0)), size=112)


def test_as_float() -> None:
    picture = torch.arange(256, dtype=torch.uint8).repeat(3, 49).reshape(3, 112, 112)
    crop = FaceCrop(
        picture=picture,
        landmarks=torch.zeros(5, 2),
        person="a",
        source=Path("a.jpg"),
        transform=torch.zeros(2, 3, dtype=torch.float64),
        face_px=50.0,
        sha256="0" * 64,
        photo_size=(112, 112),
    )
    assert crop.as_float().dtype == torch.float32
    assert (crop.as_float().min(), crop.as_float().max()) == (0, 1)
    torch.testing.assert_close(crop.as_float() * 255, picture.float())


def test_inverse_transform() -> None:
    transform = similarity(0.7, 31, (12.0, -5.0))
    points = np.random.default_rng(0).uniform(-50, 300, (20, 2))
    there = apply_transform(transform, points)
    np.testing.assert_allclose(apply_transform(invert_transform(transform), there), points, atol=1e-9)


@pytest.mark.parametrize(("scale", "degrees"), [(1.0, 0), (0.4, 20), (3.0, -75)])
def test_pixels_that_show_the_photo(scale: float, degrees: float) -> None:
    size, photo_size = 112, (90, 60)
    transform = similarity(scale, degrees, (30.0, 25.0))
    crop = FaceCrop(
        picture=torch.zeros(3, size, size, dtype=torch.uint8),
        landmarks=torch.zeros(5, 2),
        person="a",
        source=Path("a.jpg"),
        transform=torch.from_numpy(transform),
        face_px=50.0,
        sha256="0" * 64,
        photo_size=photo_size,
    )
    inside = crop.inside()
    assert inside.dtype == torch.bool
    # An outline drawn by Pillow, at eight times the size, is the reference.
    corners = apply_transform(transform, np.array([(0.0, 0), (90, 0), (90, 60), (0, 60)]))
    drawn = Image.new("L", (8 * size, 8 * size))
    ImageDraw.Draw(drawn).polygon([(8 * x, 8 * y) for x, y in corners], fill=255)
    share = np.asarray(drawn.resize((size, size), Image.Resampling.BOX)) / 255
    assert inside.numpy()[share > 0.7].all()
    assert not inside.numpy()[share < 0.3].any()


def test_occluders_are_cut_like_photos() -> None:
    picture = ramp(200, 160, (0.5, 0.6))
    transform = similarity(0.8, 15, (5.0, -9.0))
    grey = cut_crop(picture.getchannel(0), transform, size=112)
    assert grey.shape == (112, 112, 1)
    np.testing.assert_array_equal(grey[..., 0], cut_crop(picture, transform, size=112)[..., 0])
