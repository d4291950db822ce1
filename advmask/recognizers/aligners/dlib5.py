"""dlib's own chain as an aligner: HOG face detector and 5-point predictor. Not differentiable."""

import importlib.util
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.core.errors import MissingPackageError, WeightsError
from advmask.core.precision import like
from advmask.recognizers.aligners.aligner import nearest_faces
from advmask.recognizers.aligners.face_box import BoxRelation, box_from_landmarks
from advmask.recognizers.alignment import similarity_to_template

_PACKAGE = "face_recognition_models"
_FILE = "shape_predictor_5_face_landmarks.dat"

HOG_BOX = BoxRelation(
    centre=(0.0, -0.053), side=2.27, source="means over 361 photos of 72 people (LFW), bare, mirrored"
)

# The detector's window has 80 px; smaller faces are found in an enlarged picture only.
_HOG_WINDOW_PX = 80

# dlib's five points on a mean face, and the five landmarks of the same faces in the frame of dlib's points,
# in eye distances. Means over 361 photos of 72 people (LFW), bare, mirrored and averaged; dlib 20.0.1 and
# MTCNN. Between them lie a standard deviation of 0.03 at the eyes and 0.08 at nose and mouth.
# dlib: outer and inner corner of the right-in-image eye, outer and inner corner of the left one, nose base.
_DLIB_FIVE = ((0.658, -0.496), (0.287, -0.483), (-0.658, -0.496), (-0.287, -0.483), (0.0, 0.219))
_FIVE_THERE = ((-0.480, -0.523), (0.480, -0.523), (0.0, 0.037), (-0.430, 0.500), (0.430, 0.500))


class DlibAligner:
    """Aligns as dlib does: by a similarity fitted to the corners of the eyes and the base of the nose.

    dlib's five points are others than a template's. They tell where a mean face lies, and that face's five
    landmarks are given: a template is then met by exactly the similarity that dlib's points tell.

    Args:
        given_box: Take the face box from the hint, where the detector would have put it on the bare picture,
            instead of finding it: this isolates the predictor, and every face counts as found.

    Raises:
        MissingPackageError: dlib or the package with its predictor is not installed.
        WeightsError: The predictor's file is missing or damaged.

    Source:
        Kazemi and Sullivan, One Millisecond Face Alignment with an Ensemble of Regression Trees, 2014;
        http://dlib.net, face_landmark_detection.
    """

    differentiable = False

    def __init__(self, *, given_box: bool = False) -> None:
        self.name = "dlib5-box" if given_box else "dlib5"
        self._given_box = given_box
        self._dlib = _dlib(self.name)
        path = _predictor_path(self.name)
        try:
            self._predictor = self._dlib.shape_predictor(str(path))
        except RuntimeError as error:
            raise WeightsError(f"dlib cannot read {path}: {error}; install {_PACKAGE} again.") from error

    @cached_property
    def _detector(self) -> Any:
        return self._dlib.get_frontal_face_detector()

    def landmarks(
        self, pictures: Float[Tensor, "batch 3 rows columns"], hint: Float[Tensor, "batch 5 2"]
    ) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
        """Find the five landmarks on each picture; without gradient.

        Args:
            pictures: In [0, 1], RGB; rounded to 8 bits, as any file would be.
            hint: Landmarks of the bare picture; they tell which face is meant, or where it is.

        Returns:
            The landmarks, zero where the detector saw no face within one eye distance of the hint.
        """
        with torch.no_grad():
            arrays = (pictures.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
            known = hint.float().cpu()
            boxes = box_from_landmarks(known, HOG_BOX)
            points, found = nearest_faces(map(self._faces, map(np.ascontiguousarray, arrays), boxes), known)
        return points.to(like(pictures)), found.to(pictures.device)

    def _faces(self, array: np.ndarray, box: Tensor) -> Tensor:
        """Landmarks (n, 5, 2) of every face, or of the one in the box."""
        if self._given_box:
            left, top, right, bottom = (round(edge) for edge in box.tolist())
            rectangles = [self._dlib.rectangle(left, top, right - 1, bottom - 1)]
        else:
            small = float(box[2] - box[0]) < 1.5 * _HOG_WINDOW_PX
            rectangles = list(self._detector(array, 1 if small else 0))
        if not rectangles:
            return torch.zeros(0, 5, 2)
        # dlib's pixel centres lie at whole numbers.
        found = [[(p.x + 0.5, p.y + 0.5) for p in self._predictor(array, one).parts()] for one in rectangles]
        return five_from_dlib(torch.tensor(found))


def five_from_dlib(points: Float[Tensor, "faces 5 2"]) -> Float[Tensor, "faces 5 2"]:
    """The five landmarks of the mean face that lies under dlib's five points.

    Args:
        points: In dlib's order: outer and inner corner of the right-in-image eye, outer and inner corner of
            the left-in-image eye, base of the nose.
    """
    mean, five = torch.tensor(_DLIB_FIVE).to(points), torch.tensor(_FIVE_THERE).to(points)
    there = similarity_to_template(points, mean)
    power = (there[:, 0, 0] ** 2 + there[:, 1, 0] ** 2)[:, None, None]
    return (five - there[:, None, :, 2]) @ there[:, :, :2] / power


def _dlib(name: str) -> Any:
    try:
        import dlib  # type: ignore[import-untyped, unused-ignore]
    except ImportError as error:
        raise MissingPackageError(f"{name} needs dlib; run `pip install 'advmask[dlib]'`.") from error
    return dlib


def _predictor_path(name: str) -> Path:
    """Where the package keeps the predictor; it is located, never imported (see `dlib_weights_path`)."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingPackageError(
            f"{name} takes its predictor from the package {_PACKAGE}, which is not installed; "
            f"run `pip install {_PACKAGE}`."
        )
    path = Path(next(iter(found.submodule_search_locations))) / "models" / _FILE
    if not path.is_file():
        raise WeightsError(f"{path} is missing; run `pip install --force-reinstall {_PACKAGE}`.")
    return path
