"""Alignment against Umeyama by singular values, SciPy's interpolation and finite differences."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import map_coordinates

from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.templates import template_points

NAMES = ("arcface", "dlib", "facenet")


def umeyama(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    """Umeyama 1991, equations 38 to 43, by singular values, without reflection."""
    mean_s, mean_t = source.mean(0), target.mean(0)
    covariance = (target - mean_t).T @ (source - mean_s) / len(source)
    u, d, vt = np.linalg.svd(covariance)
    sign = np.diag([1.0, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    turn = u @ sign @ vt
    scale = np.trace(np.diag(d) @ sign) / ((source - mean_s) ** 2).sum(1).mean()
    return np.column_stack([scale * turn, mean_t - scale * turn @ mean_s])


def cost(transform: NDArray[np.float64], source: NDArray[np.float64], target: NDArray[np.float64]) -> float:
    return float(((source @ transform[:, :2].T + transform[:, 2] - target) ** 2).sum())


def fitted(source: NDArray[np.float64], target: NDArray[np.float64]) -> NDArray[np.float64]:
    found = similarity_to_template(torch.from_numpy(source)[None], torch.from_numpy(target))
    return found[0].numpy()


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    spread=st.sampled_from([1e-2, 1.0, 50.0, 4000.0]),
    where=st.floats(-5000, 5000),
    mirrored=st.booleans(),
    name=st.sampled_from(NAMES),
)
def test_any_landmarks_give_umeyamas_similarity(
    seed: int, spread: float, where: float, mirrored: bool, name: str
) -> None:
    draw = np.random.default_rng(seed)
    target = template_points(name, size=(112, 112)).double().numpy()
    source = draw.normal(where, spread, (5, 2))
    if mirrored:  # the least-squares affine map would then reflect, and a similarity must not
        source = (target * [-1, 1] + draw.normal(0, 3, (5, 2))) * spread + where
    found = fitted(source, target)
    assert found[0, 0] == found[1, 1]
    assert found[0, 1] == -found[1, 0]
    assert np.linalg.det(found[:, :2]) > 0
    expected = umeyama(source, target)
    reach = np.abs(source).max() + 1
    np.testing.assert_allclose(found[:, :2], expected[:, :2], atol=1e-8 * np.abs(expected[:, :2]).max())
    np.testing.assert_allclose(found[:, 2], expected[:, 2], atol=1e-8 * np.abs(expected[:, :2]).max() * reach)


def test_exact_similarities_are_found_in_float32() -> None:
    template = template_points("arcface", size=(112, 112))
    draw = np.random.default_rng(1)
    for _ in range(20):
        angle, scale = draw.uniform(-np.pi, np.pi), np.exp(draw.uniform(-2, 2))
        turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        true = torch.from_numpy(np.column_stack([turn, draw.uniform(-50, 50, 2)])).float()
        inverse = torch.linalg.inv(true[:, :2])
        landmarks = (template - true[:, 2]) @ inverse.T
        found = similarity_to_template(landmarks[None], template)[0]
        assert found.dtype == torch.float32
        torch.testing.assert_close(found[:, :2], true[:, :2], rtol=1e-4, atol=1e-4)
        back = landmarks @ found[:, :2].T + found[:, 2]
        torch.testing.assert_close(back, template, rtol=0, atol=5e-3)


def test_no_small_change_of_the_similarity_fits_better() -> None:
    draw = np.random.default_rng(2)
    source, target = draw.normal(60, 20, (5, 2)), draw.normal(50, 20, (5, 2))
    best = fitted(source, target)
    for change in (1e-3, -1e-3):
        for a, b, tx, ty in np.eye(4) * change:
            other = best + np.array([[a, -b, tx], [b, a, ty]])
            assert cost(other, source, target) > cost(best, source, target)


def test_each_face_of_a_batch_is_fitted_alone() -> None:
    landmarks = torch.rand(4, 5, 2) * 100
    template = template_points("dlib", size=(150, 150))
    together = similarity_to_template(landmarks, template)
    for one, alone in zip(landmarks, together, strict=True):
        torch.testing.assert_close(similarity_to_template(one[None], template)[0], alone)


def test_the_similarity_has_a_true_gradient_in_the_landmarks() -> None:
    template = template_points("arcface", size=(112, 112)).double()
    landmarks = (template + torch.randn(3, 5, 2, dtype=torch.float64) * 8).requires_grad_()
    assert torch.autograd.gradcheck(lambda points: similarity_to_template(points, template), landmarks)


IDENTITY = torch.tensor([[1.0, 0, 0], [0, 1, 0]])


def test_the_identity_returns_the_picture() -> None:
    pictures = torch.rand(2, 3, 37, 52)
    chips = cut_chips(pictures, IDENTITY.expand(2, 2, 3), size=(37, 52))
    torch.testing.assert_close(chips, pictures, rtol=0, atol=2e-5)
    exact = cut_chips(pictures.double(), IDENTITY.double().expand(2, 2, 3), size=(37, 52))
    torch.testing.assert_close(exact, pictures.double(), rtol=0, atol=1e-12)


def test_a_shift_by_whole_pixels_shifts_whole_pixels() -> None:
    picture = torch.rand(1, 3, 20, 30, dtype=torch.float64)
    shift = torch.tensor([[[1.0, 0, 3], [0, 1, 2]]], dtype=torch.float64)  # right 3, down 2
    chip = cut_chips(picture, shift, size=(20, 30))
    torch.testing.assert_close(chip[:, :, 2:, 3:], picture[:, :, :-2, :-3])
    torch.testing.assert_close(chip[:, :, 2:, :3], picture[:, :, :-2, :1].expand(-1, -1, -1, 3))


@pytest.mark.parametrize("seed", range(6))
def test_chips_agree_with_scipy(seed: int) -> None:
    draw = np.random.default_rng(seed)
    picture = draw.random((3, 40, 55))
    angle, scale = draw.uniform(-3, 3), draw.uniform(0.4, 3)
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    size = (24, 33)
    shift = np.array([size[1] / 2, size[0] / 2]) - turn @ draw.uniform(10, 35, 2)
    transform = np.column_stack([turn, shift])
    rows, columns = np.mgrid[: size[0], : size[1]]
    chip_points = np.stack([columns + 0.5, rows + 0.5], axis=-1)
    x, y = np.moveaxis((chip_points - shift) @ np.linalg.inv(turn).T, -1, 0)
    # SciPy's sample positions are array indices, so that pixel centres lie at whole numbers.
    expected = [map_coordinates(band, [y - 0.5, x - 0.5], order=1, mode="nearest") for band in picture]
    found = cut_chips(torch.from_numpy(picture)[None], torch.from_numpy(transform)[None], size=size)
    np.testing.assert_allclose(found[0].numpy(), np.stack(expected), atol=1e-10)


def test_chips_have_a_true_gradient_in_picture_and_transform() -> None:
    picture = torch.rand(2, 3, 7, 9, dtype=torch.float64, requires_grad=True)
    # Sample positions off the pixel centres, where bilinear interpolation has a kink.
    transform = torch.tensor(
        [[[0.71, -0.23, 1.013], [0.23, 0.71, 0.517]], [[0.83, 0.11, -0.29], [-0.11, 0.83, 0.37]]],
        dtype=torch.float64,
        requires_grad=True,
    )
    assert torch.autograd.gradcheck(
        lambda p, t: cut_chips(p, t, size=(4, 5)), (picture, transform), eps=1e-7, atol=1e-5
    )


def test_the_landmarks_of_a_face_come_to_lie_on_the_template() -> None:
    template = template_points("facenet", size=(160, 160))
    angle = torch.tensor(0.4)
    turn = 0.5 * torch.tensor([[angle.cos(), -angle.sin()], [angle.sin(), angle.cos()]])
    landmarks = template @ turn.T + torch.tensor([60.0, 30.0])
    # A ramp: each pixel holds its own x, y and 1, so a chip says where it was taken from.
    y, x = torch.meshgrid(torch.arange(200) + 0.5, torch.arange(220) + 0.5, indexing="ij")
    ramp = torch.stack([x, y, torch.ones_like(x)])[None]
    transform = similarity_to_template(landmarks[None], template)
    chip = cut_chips(ramp, transform, size=(160, 160))[0]
    for point, (px, py) in zip(landmarks, template.tolist(), strict=True):
        inside = map_coordinates(chip[0].numpy(), [[py - 0.5], [px - 0.5]], order=1)
        down = map_coordinates(chip[1].numpy(), [[py - 0.5], [px - 0.5]], order=1)
        assert float(inside[0]) == pytest.approx(float(point[0]), abs=1e-2)
        assert float(down[0]) == pytest.approx(float(point[1]), abs=1e-2)


def test_a_face_that_was_not_found_leaves_its_neighbour_alone() -> None:
    """An aligner gives zeros where it finds nothing; the chip is then worthless, but finite."""
    template = template_points("arcface", size=(112, 112))
    landmarks = torch.stack([torch.zeros(5, 2), template + 4])
    pictures = torch.rand(2, 3, 120, 120)
    chips = cut_chips(pictures, similarity_to_template(landmarks, template), size=(112, 112))
    alone = cut_chips(pictures[1:], similarity_to_template(landmarks[1:], template), size=(112, 112))
    torch.testing.assert_close(chips[1:], alone)
    assert bool(torch.isfinite(chips).all())


def test_named_templates_are_scaled_about_the_corner_of_the_chip() -> None:
    small, large = (template_points("arcface", size=(side, side)) for side in (112, 224))
    torch.testing.assert_close(large, 2 * small)
    torch.testing.assert_close(small[0], torch.tensor([38.2946 + 0.5, 51.6963 + 0.5]))


@pytest.mark.parametrize("name", NAMES)
def test_named_templates_are_upright_faces(name: str) -> None:
    left_eye, right_eye, nose, left_mouth, right_mouth = template_points(name, size=(100, 100)).tolist()
    assert 0 < left_eye[0] < nose[0] < right_eye[0] < 100
    assert 0 < left_eye[1] < nose[1] < left_mouth[1] < 100
    assert left_mouth[0] < nose[0] < right_mouth[0]


def test_own_points_are_taken_as_they_are() -> None:
    points = [(1.5, 2), (3, 4), (5, 6), (7, 8), (9, 10)]
    assert template_points(points, size=(32, 48)).tolist() == [list(pair) for pair in points]


def test_unknown_templates_are_refused() -> None:
    with pytest.raises(
        ValueError, match="unknown alignment template 'arcfac'; known: arcface, dlib, facenet"
    ):
        template_points("arcfac", size=(112, 112))
    with pytest.raises(ValueError, match=r"five \(x, y\) pairs, not an array of shape \(4, 2\)"):
        template_points([(0, 0)] * 4, size=(112, 112))
