"""MTCNN run afresh: the right face, close to the landmarks of the crop, or honestly none."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from advmask.photos import FaceCrop
from advmask.recognizers.aligners.mtcnn import MtcnnAligner


@pytest.fixture(scope="module")
def aligner() -> MtcnnAligner:
    return MtcnnAligner()


def test_the_portrait_is_found_where_the_crop_says(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    points, found = aligner.landmarks(crop.as_float()[None], crop.landmarks[None])
    assert found.tolist() == [True]
    assert points.shape == (1, 5, 2)
    # The eyes are 56 px apart; detection in another resolution moves the points a little.
    assert float((points[0] - crop.landmarks).norm(dim=1).max()) < 4


def test_a_picture_without_a_face_is_said_to_have_none(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    grey = torch.full((3, 224, 224), 0.5)
    pictures = torch.stack([grey, crop.as_float(), grey])
    points, found = aligner.landmarks(pictures, crop.landmarks.expand(3, 5, 2))
    assert found.tolist() == [False, True, False]
    assert found.dtype == torch.bool
    assert not bool(points[[0, 2]].any())
    alone, _ = aligner.landmarks(pictures[1:2], crop.landmarks[None])
    torch.testing.assert_close(points[1:2], alone)


def two_faces(crop: FaceCrop) -> tuple[Tensor, Tensor, Tensor]:
    """The portrait beside itself at three fifths; landmarks of both."""
    picture = crop.as_float()
    small = F.interpolate(picture[None], (134, 134), mode="bilinear", antialias=True, align_corners=False)[0]
    wide = torch.full((3, 224, 380), 0.5)
    wide[:, :, :224] = picture
    wide[:, 45:179, 240:374] = small
    return wide, crop.landmarks, crop.landmarks * (134 / 224) + torch.tensor([240.0, 45])


def test_of_two_faces_the_expected_one_is_taken(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    wide, large, small = two_faces(crop)
    points, found = aligner.landmarks(wide.expand(2, -1, -1, -1), torch.stack([large, small]))
    assert found.tolist() == [True, True]
    assert float((points[0] - large).norm(dim=1).max()) < 4
    assert float((points[1] - small).norm(dim=1).max()) < 4


def test_a_face_elsewhere_is_not_the_one_under_test(aligner: MtcnnAligner, crop: FaceCrop) -> None:
    far = crop.landmarks + torch.tensor([0.0, 70])  # more than one eye distance below
    points, found = aligner.landmarks(crop.as_float()[None], far[None])
    assert not bool(found.any())
    assert not bool(points.any())
    near = crop.landmarks + torch.tensor([30.0, 30])
    assert bool(aligner.landmarks(crop.as_float()[None], near[None])[1].all())


def test_values_out_of_range_are_cut_and_small_ones_rounded_as_a_file_would(
    aligner: MtcnnAligner, crop: FaceCrop
) -> None:
    picture = crop.as_float()[None]
    expected, _ = aligner.landmarks(picture, crop.landmarks[None])
    over = torch.where(picture == 1, 1.7, torch.where(picture == 0, -0.4, picture + 0.4 / 255))
    found, _ = aligner.landmarks(over, crop.landmarks[None])
    torch.testing.assert_close(found, expected, rtol=0, atol=0)
