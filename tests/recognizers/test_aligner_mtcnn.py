"""MTCNN as an aligner: equal to MTCNN, the right face or honestly none, with a true gradient."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor

from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.crops import FaceCrop
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.recognizers.aligners.landmark_head import LandmarkHead, squeeze_boxes
from advmask.recognizers.aligners.mtcnn import MtcnnAligner, MtcnnBoxAligner
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.templates import template_points
from advmask.render.batching import collate
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings


@pytest.fixture(scope="module")
def aligner() -> MtcnnAligner:
    return MtcnnAligner()


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def eyes(landmarks: Tensor) -> float:
    return float((landmarks[1] - landmarks[0]).norm())


def masked(crop: FaceCrop, *, white: bool = True) -> Tensor:
    """The portrait under a mask without effects, one of noise or a white one."""
    surface = build_mask(MaskSettings())
    height, width = surface.texture_size(1.0)
    texels = torch.ones(3, height, width) if white else torch.rand(3, height, width)
    face = PosedFace(crop.as_float(), find_pose(crop.landmarks))
    packed = fit_masks(face, surface, wears=[None], texels_per_mm=1.0, settings=RenderSettings())
    size = crop.picture.shape[-1]
    worn: Tensor = MaskRenderer()(texels, crop.as_float()[None], collate(packed, height=size, width=size))
    return worn


def by_mtcnn(detector: FaceDetector, picture: Tensor, hint: Tensor) -> Tensor | None:
    """Landmarks of the face nearest to the hint, by the detector, which finds what facenet-pytorch finds."""
    array = (picture * 255).round().byte().permute(1, 2, 0).numpy()
    faces = [torch.from_numpy(face.landmarks).float() for face in detector.detect(Image.fromarray(array))]
    return min(faces, key=lambda five: float((five.mean(0) - hint.mean(0)).norm()), default=None)


def test_bare_and_masked_pictures_get_mtcnns_own_points(
    aligner: MtcnnAligner, detector: FaceDetector, crop: FaceCrop
) -> None:
    pictures = torch.cat([crop.as_float()[None], masked(crop), masked(crop, white=False)])
    points, found = aligner.landmarks(pictures, crop.landmarks.expand(3, 5, 2))
    assert bool(found[0])
    for picture, five, seen in zip(pictures, points, found, strict=True):
        expected = by_mtcnn(detector, picture, crop.landmarks)
        assert (expected is not None) == bool(seen)
        if expected is not None:
            torch.testing.assert_close(five, expected, rtol=0, atol=1e-3)


@pytest.mark.shared
@pytest.mark.slow
def test_photos_of_many_people_get_mtcnns_own_points(aligner, detector, shared_dir) -> None:
    crops = load_faces(FacesSettings(root=shared_dir / "faces", split=(44, 8, 20))).crops[::10]
    pictures = torch.cat([torch.cat([crop.as_float()[None], masked(crop)]) for crop in crops])
    hints = torch.stack([crop.landmarks for crop in crops]).repeat_interleave(2, dim=0)
    points, found = aligner.landmarks(pictures, hints)
    assert float(found[::2].float().mean()) > 0.95
    rows = found.nonzero()[:, 0].tolist()
    expected = [by_mtcnn(detector, pictures[row], hints[row]) for row in rows]
    off = (points[found] - torch.stack([five for five in expected if five is not None])).norm(dim=-1)
    assert float(off.median()) < 1e-3
    assert float((off.amax(dim=1) < 1e-2).float().mean()) > 0.95


def test_the_portrait_is_found_where_the_crop_says(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    points, found = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
    assert found.tolist() == [True]
    # Detection in another resolution moves the points a little.
    assert float((points[0] - crop.landmarks).norm(dim=1).max()) < 0.075 * eyes(crop.landmarks)


def test_a_picture_without_a_face_is_said_to_have_none(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    grey = torch.full_like(crop.as_float(), 0.5)
    pictures = torch.stack([grey, crop.as_float(), grey]).requires_grad_()
    points, found = aligner.landmarks(pictures, crop.landmarks.expand(3, 5, 2))
    assert found.tolist() == [False, True, False]
    assert found.dtype == torch.bool
    assert not bool(points[[0, 2]].any())
    alone, _ = aligner.landmarks(pictures[1:2], crop.landmarks[None])
    torch.testing.assert_close(points[1:2], alone)
    points.sum().backward()
    assert pictures.grad is not None
    assert pictures.grad.flatten(1).any(dim=1).tolist() == [False, True, False]
    nobody, found = aligner.landmarks(grey[None], crop.landmarks[None])
    assert not bool(found.any() or nobody.any())
    assert aligner.landmarks(grey[None, :, :8, :8], crop.landmarks[None])[1].tolist() == [False]


def two_faces(crop: FaceCrop) -> tuple[Tensor, Tensor, Tensor]:
    """The portrait next to itself at three fifths; landmarks of both."""
    picture = crop.as_float()
    size = picture.shape[-1]
    less = 3 * size // 5
    small = F.interpolate(picture[None], (less, less), mode="bilinear", antialias=True, align_corners=False)
    wide = torch.full((3, size, 2 * size), 0.5)
    wide[:, :, :size] = picture
    wide[:, 20 : 20 + less, size + 16 : size + 16 + less] = small[0]
    return wide, crop.landmarks, crop.landmarks * (less / size) + torch.tensor([size + 16.0, 20])


def test_of_two_faces_the_expected_one_is_taken(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    wide, large, small = two_faces(crop)
    points, found = aligner.landmarks(wide.expand(2, -1, -1, -1), torch.stack([large, small]))
    assert found.tolist() == [True, True]
    assert float((points[0] - large).norm(dim=1).max()) < 0.075 * eyes(large)
    assert float((points[1] - small).norm(dim=1).max()) < 0.12 * eyes(small)


def test_a_face_elsewhere_is_not_the_one_under_test(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    far = crop.landmarks + torch.tensor([0.0, 1.25]) * eyes(crop.landmarks)
    points, found = aligner.landmarks(crop.as_float()[None], far[None])
    assert not bool(found.any())
    assert not bool(points.any())
    near = crop.landmarks + 0.55 * eyes(crop.landmarks)
    assert bool(aligner.landmarks(crop.as_float()[None], near[None])[1].all())


def test_values_out_of_range_are_cut_and_small_ones_rounded_as_a_file_would(
    aligner: MtcnnAligner, crop: FaceCrop
) -> None:
    picture = crop.as_float()[None]
    expected, _ = aligner.landmarks(picture, crop.landmarks[None])
    over = torch.where(picture == 1, 1.7, torch.where(picture == 0, -0.4, picture + 0.4 / 255))
    found, _ = aligner.landmarks(over, crop.landmarks[None])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


def test_the_box_told_by_the_hint_does_nearly_as_well(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    pictures = torch.cat([crop.as_float()[None], masked(crop)])
    hints = crop.landmarks.expand(2, 5, 2)
    redetected, found = aligner.landmarks(pictures, hints)
    told, seen = MtcnnBoxAligner().landmarks(pictures, hints)
    assert seen.tolist() == [True, True]
    assert bool(found[0])
    assert float((told - redetected)[found].norm(dim=-1).median()) < 0.06 * eyes(crop.landmarks)


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    rows=st.integers(8, 70),
    columns=st.integers(8, 70),
    side=st.sampled_from([24, 48]),
)
def test_boxes_are_squeezed_as_facenet_pytorch_squeezes_them(
    seed: int, rows: int, columns: int, side: int
) -> None:
    from facenet_pytorch.models.utils.detect_face import imresample, pad

    draw = np.random.default_rng(seed)
    low = draw.uniform(-10, [columns - 2, rows - 2], (4, 2))
    boxes = torch.from_numpy(np.column_stack([low, low + draw.uniform(3, 60, (4, 1))]))
    y, ey, x, ex = pad(boxes.clone(), columns, rows)
    whole = (ey > y - 1) & (ex > x - 1)  # facenet-pytorch leaves out boxes outside the picture
    pictures = torch.from_numpy(draw.random((4, 3, rows, columns)))
    found = squeeze_boxes(pictures, boxes, side=side)
    assert bool(torch.isfinite(found).all())
    for i in np.flatnonzero(whole):
        expected = imresample(pictures[i : i + 1, :, y[i] - 1 : ey[i], x[i] - 1 : ex[i]], (side, side))
        torch.testing.assert_close(found[i], expected[0])


def difference_quotients(loss: Callable[[Tensor], Tensor], picture: Tensor, *, pixels: Tensor) -> Tensor:
    """Central differences of a loss in some values of a picture."""
    found = []
    for index in pixels.tolist():
        step = torch.zeros_like(picture).flatten()
        step[index] = 1e-6
        step = step.view_as(picture)
        found.append((loss(picture + step) - loss(picture - step)) / 2e-6)
    return torch.stack(found)


@pytest.mark.parametrize("through", ["landmarks", "chips"])
def test_the_gradient_to_the_picture_is_true(crop: FaceCrop, through: str) -> None:
    told = MtcnnBoxAligner()
    hint = crop.landmarks.double()[None]
    template = template_points("arcface", size=(32, 32)).double()
    weights = torch.randn(1, 3, 32, 32, dtype=torch.float64)

    def loss(picture: Tensor) -> Tensor:
        points, _ = told.landmarks(picture, hint)
        if through == "landmarks":
            return (points * weights[0, 0, :5, :2]).sum()
        return (cut_chips(picture, similarity_to_template(points, template), size=(32, 32)) * weights).sum()

    picture = crop.as_float().double()[None].requires_grad_()
    (gradient,) = torch.autograd.grad(loss(picture), picture)
    strongest = gradient.abs().flatten().topk(400).indices
    pixels = strongest[torch.randperm(400)[:12]]
    with torch.no_grad():
        expected = difference_quotients(loss, picture.detach(), pixels=pixels)
    # Kinks of maxima and PReLUs within a step are rare, so all must agree.
    torch.testing.assert_close(gradient.flatten()[pixels], expected, rtol=1e-4, atol=1e-6)


def test_mtcnn_has_the_gradient_of_its_landmark_network(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    picture = crop.as_float()[None].requires_grad_()
    points, _ = aligner.landmarks(picture, crop.landmarks[None])
    (gradient,) = torch.autograd.grad(points.sum(), picture)
    (box,) = aligner._boxes.find(crop.as_float()[None])
    again = picture.detach().requires_grad_()
    head = LandmarkHead()
    (expected,) = torch.autograd.grad(head(again, box[:1]).sum(), again)
    torch.testing.assert_close(gradient, expected)
    assert all(not parameter.requires_grad for parameter in head.parameters())


def test_autocast_does_not_make_the_landmarks_coarse(crop: FaceCrop) -> None:
    told = MtcnnBoxAligner()
    expected, _ = told.landmarks(crop.as_float()[None], crop.landmarks[None])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        points, _ = told.landmarks(crop.as_float()[None], crop.landmarks[None])
    torch.testing.assert_close(points, expected, rtol=0, atol=1e-3)
