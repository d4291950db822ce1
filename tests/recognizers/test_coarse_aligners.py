"""A box without landmarks, and three landmarks: against facenet-pytorch's own calls and least squares."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from facenet_pytorch import MTCNN

from advmask.core.errors import ConfigError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.aligner_names import build_aligner
from advmask.recognizers.aligners.face_box import MEAN_FACE
from advmask.recognizers.alignment import similarity_to_template
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizer
from advmask.recognizers.templates import points_of_a_box, template_points

WriteNetwork = Callable[..., Path]


@pytest.mark.parametrize(("size", "crop_of_box"), [((160, 160), None), ((224, 224), 1.2), ((112, 112), 0.8)])
def test_the_chip_is_the_square_of_mtcnns_own_box(
    size: tuple[int, int], crop_of_box: float | None, crop: FaceCrop
) -> None:
    picture = crop.as_float()[None]
    points, found = build_aligner("box").landmarks(picture, crop.landmarks[None])
    assert found.all()
    array = (picture[0] * 255).round().permute(1, 2, 0).numpy().astype("u1")
    boxes, _ = MTCNN(keep_all=True, min_face_size=20).detect(array)
    left, top, right, bottom = boxes[0]
    template = template_points("facenet", size=size)
    if crop_of_box is not None:
        template = points_of_a_box(crop_of_box, size=size)
    there = similarity_to_template(points, template)[0].double().numpy()
    # The corners of the chip, brought back into the picture, are those of a square in the middle of the box.
    corners = (np.array([[0.0, 0.0], [size[1], 0.0], size[::-1]]) - there[:, 2]) @ np.linalg.inv(
        there[:, :2]
    ).T
    half = (crop_of_box or 1.0) * (right - left + bottom - top) / 4
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    assert corners == pytest.approx(middle + half * np.array([[-1, -1], [1, -1], [1, 1]]), abs=0.1)


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


def test_a_makers_crop_is_its_box_and_the_template_stays_for_other_aligners(
    crop: FaceCrop, tmp_path: Path, write_network: WriteNetwork
) -> None:
    path = write_network(tmp_path / "net.onnx", aligner="box", crop=1.2)
    recognizer = build_recognizer(f"onnx:{path}")
    made = recognizer.as_its_maker_crops()
    assert torch.equal(made.template, points_of_a_box(1.2, size=(32, 32)))
    assert torch.equal(recognizer.template, template_points("arcface", size=(32, 32)))
    blind = build_recognizer(f"eyes:onnx:{path}")
    again = Recognizer(
        "eyes",
        blind.network,
        blind.specification.model_copy(update={"template": made.template.tolist()}),
        eyes_only=True,
    )
    chips = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(blind.as_its_maker_crops().embed(chips), again.embed(chips))


@pytest.mark.parametrize(
    "changes", [{"crop": 1.2}, {"crop": 1.2, "aligner": "mtcnn"}, {"crop": 0, "aligner": "box"}]
)
def test_a_crop_without_its_box(changes: dict[str, Any], tmp_path: Path, write_network: WriteNetwork) -> None:
    path = write_network(tmp_path / "net.onnx", **changes)
    with pytest.raises(ConfigError, match=r"net\.yaml: .*crop"):
        build_recognizer(f"onnx:{path}")
