"""The face mesh as an aligner: its file, its agreement with the mesh of photos, its gradient."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import AdvmaskError, WeightsError
from advmask.photos.crops import FaceCrop
from advmask.photos.detection import FaceDetector
from advmask.photos.face_mesh import FaceMesh
from advmask.photos.mesh_network import MeshNetwork
from advmask.photos.mesh_points import five_from_mesh
from advmask.recognizers.aligners.mesh468 import MODEL_VARIABLE, MeshAligner


def test_without_a_file_it_says_which_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv(MODEL_VARIABLE, raising=False)
    with pytest.raises(WeightsError, match=f"mediapipe==0.10.21.*{MODEL_VARIABLE}"):
        MeshAligner()
    monkeypatch.setenv(MODEL_VARIABLE, str(tmp_path / "nowhere.tflite"))
    with pytest.raises(AdvmaskError, match=r"nowhere\.tflite"):
        MeshAligner()


@pytest.fixture(scope="module")
def wheel() -> Path:
    if not (named := os.environ.get(MODEL_VARIABLE)):
        pytest.skip(f"{MODEL_VARIABLE} names no mediapipe wheel")
    return Path(named)


def test_the_mesh_network_is_litert_s(wheel: Path) -> None:
    """Against what ai-edge-litert 2.3.0 gave for the same picture."""
    picture = np.random.default_rng(0).random((192, 192, 3)).astype(np.float32)
    points, logit = MeshNetwork(wheel)(torch.from_numpy(picture).permute(2, 0, 1)[None])
    expected = [
        [115.538269, 117.010330, -9.762344],
        [64.543335, 70.162125, -8.283522],
        [112.202393, 156.171875, 10.571364],
        [144.931763, 69.311584, 16.687847],
        [146.232193, 65.368271, 15.049743],
    ]
    np.testing.assert_allclose(points[0, [0, 33, 152, 263, 467]].numpy(), expected, atol=1e-3)
    assert float(logit) == pytest.approx(-9.843317, abs=1e-3)


def test_the_landmarks_are_those_of_the_photos_own_mesh(wheel: Path, crop: FaceCrop) -> None:
    image = Image.fromarray(crop.picture.permute(1, 2, 0).numpy())
    face = FaceDetector().detect(image)[0]
    expected = five_from_mesh(FaceMesh(wheel).points(image, face)[:, :2])
    eyes = float((crop.landmarks[1] - crop.landmarks[0]).norm())
    for given_box in (False, True):
        aligner = MeshAligner(model=wheel, given_box=given_box)
        points, found = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
        assert found.tolist() == [True]
        # Both start from another square, and the points settle to 1 or 2 % in two looks.
        off = np.linalg.norm(points[0].numpy() - expected, axis=1)
        assert off.max() < 0.05 * eyes


def test_no_face_is_said_to_be_none_and_the_gradient_comes_from_the_others(
    wheel: Path, crop: FaceCrop
) -> None:
    grey = torch.full_like(crop.as_float(), 0.5)
    pictures = torch.stack([grey, crop.as_float()]).requires_grad_()
    for given_box in (False, True):
        aligner = MeshAligner(model=wheel, given_box=given_box)
        points, found = aligner.landmarks(pictures, crop.landmarks.expand(2, 5, 2))
        assert found.tolist() == [False, True]
        assert not bool(points[0].any())
        (gradient,) = torch.autograd.grad(points.sum(), pictures)
        assert gradient.flatten(1).any(dim=1).tolist() == [False, True]
    nobody, found = MeshAligner(model=wheel).landmarks(grey[None], crop.landmarks[None])
    assert not bool(found.any() or nobody.any())


def test_the_gradient_of_a_look_is_true(wheel: Path, crop: FaceCrop) -> None:
    aligner = MeshAligner(model=wheel, given_box=True)
    hint = crop.landmarks.double()[None]
    picture = crop.as_float().double()[None].requires_grad_()
    (gradient,) = torch.autograd.grad(aligner.landmarks(picture, hint)[0].sum(), picture)
    with torch.no_grad():
        for index in gradient.abs().flatten().topk(300).indices[::50].tolist():
            step = torch.zeros_like(picture).flatten()
            step[index] = 1e-6
            step = step.view_as(picture)
            ends = [aligner.landmarks(picture + sign * step, hint)[0].sum() for sign in (1, -1)]
            found = float(ends[0] - ends[1]) / 2e-6
            assert found == pytest.approx(float(gradient.flatten()[index]), rel=1e-3)


def test_a_finer_picture_has_the_same_mesh(wheel: Path, crop: FaceCrop) -> None:
    aligner = MeshAligner(model=wheel, given_box=True)
    points, _ = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
    fine = torch.nn.functional.interpolate(
        crop.as_float()[None], scale_factor=5.0, mode="bilinear", align_corners=False
    )
    found, _ = aligner.landmarks(fine, 5 * crop.landmarks[None])
    assert float((found / 5 - points).norm(dim=-1).max()) < 1.0
