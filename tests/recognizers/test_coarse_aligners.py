"""A box without landmarks, and three landmarks: against facenet-pytorch's own calls and least squares."""

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.face_box import MEAN_FACE
from advmask.recognizers.alignment import similarity_to_template
from advmask.recognizers.templates import template_points


def test_the_box_is_mtcnns_own_and_fills_the_chip_of_its_template(crop: FaceCrop) -> None:
    picture = crop.as_float()[None]
    points, found = build_aligner("box").landmarks(picture, crop.landmarks[None])
    assert found.all()
    array = (picture[0] * 255).round().permute(1, 2, 0).numpy().astype("u1")
    boxes, _ = MTCNN(keep_all=True, min_face_size=20).detect(array)
    left, top, right, bottom = boxes[0]
    # The corners of the chip, brought back into the picture, are those of a square in the middle of the box.
    there = similarity_to_template(points, template_points("facenet", size=(160, 160)))[0].double().numpy()
    corners = (np.array([[0.0, 0.0], [160.0, 160.0]]) - there[:, 2]) @ np.linalg.inv(there[:, :2]).T
    assert there[1, 0] / there[0, 0] == pytest.approx(0.0, abs=0.02)  # upright, though the head leans
    assert corners.mean(axis=0) == pytest.approx([(left + right) / 2, (top + bottom) / 2], abs=1.5)
    side = corners[1, 0] - corners[0, 0]
    assert min(right - left, bottom - top) - 0.5 <= side <= max(right - left, bottom - top) + 0.5


def test_three_points_are_met_by_least_squares_and_carry_a_gradient(crop: FaceCrop) -> None:
    picture = crop.as_float()[None].requires_grad_()
    points, found = build_aligner("three-point").landmarks(picture, crop.landmarks[None])
    five, _ = build_aligner("mtcnn").landmarks(picture.detach(), crop.landmarks[None])
    assert found.all()
    three = np.array([*five[0, :2].numpy(), five[0, 3:].mean(dim=0).numpy()], dtype=np.float64)
    mean = np.array(MEAN_FACE)
    wanted = np.array([*mean[:2], mean[3:].mean(axis=0)])
    # Scale and turn (a, b) and shift that take the mean face to the picture, by a linear least-squares fit to
    # the picture's points brought to the mean face, as a network's template is met.
    rows = [[x, -y, 1, 0] for x, y in three] + [[y, x, 0, 1] for x, y in three]
    a, b, right, down = np.linalg.lstsq(np.array(rows), wanted.T.ravel(), rcond=None)[0]
    back = np.linalg.inv(np.array([[a, -b], [b, a]]))
    assert points[0].detach().numpy() == pytest.approx((mean - [right, down]) @ back.T, abs=0.01)
    points.sum().backward()
    assert picture.grad is not None
    assert float(picture.grad.abs().max()) > 0


@pytest.mark.parametrize("name", ["box", "three-point"])
def test_no_face(name: str, crop: FaceCrop) -> None:
    points, found = build_aligner(name).landmarks(torch.full((1, 3, 112, 112), 0.5), crop.landmarks[None])
    assert not found.any()
    assert not points.any()
