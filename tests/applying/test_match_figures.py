"""The figures on a before/after picture: what recognizers make of the face, bare and masked."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_chain import write_network

from advmask.applying.before_after import before_after
from advmask.applying.face_finding import FaceFinder, FoundFace, given_face
from advmask.applying.mask_drawing import WornDesign, draw_masks
from advmask.applying.match_figures import MatchFigures, known_from, match_figures
from advmask.core.errors import PhotoError
from advmask.photos.landmark_files import points_path
from advmask.photos.tiles import overlap
from advmask.recognizers.recognizer_names import build_recognizers


@pytest.fixture(scope="module")
def worn(pixels: np.ndarray, face: FoundFace, design: WornDesign) -> Image.Image:
    return Image.fromarray(draw_masks(pixels, [face], design).picture)


def test_known_from_the_same_photo_it_is_the_same_and_a_mask_makes_a_difference(
    portrait: Image.Image, worn: Image.Image, face: FoundFace, finder: FaceFinder, tmp_path: Path
) -> None:
    (tiny,) = build_recognizers([write_network(tmp_path / "tiny.onnx")])
    found = match_figures(known_from([], [tiny], finder), portrait, worn, face, finder)
    ((label, before, after),) = found.rows
    assert (label, found.photos) == ("tiny", 0)
    assert before == pytest.approx(1 / (1 + np.exp(-10.0 * (1 - 0.5))), abs=1e-4)  # similarity 1, by its YAML
    assert after is not None
    assert after < before
    mirrored = portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    other = match_figures(known_from([mirrored], [tiny], finder), portrait, worn, face, finder)
    assert other.photos == 1
    assert other.rows[0][1] is not None
    assert other.rows[0][1] < before
    with pytest.raises(PhotoError, match="No face was found on any photo of enrolment"):
        known_from([Image.new("RGB", (80, 80))], [tiny], finder)
    hidden = match_figures(
        known_from([], [tiny], finder), portrait, Image.new("RGB", portrait.size), face, finder
    )
    assert hidden.rows[0][2] is None


def test_a_face_given_by_its_points_is_found_again_with_the_mask(
    portrait: Image.Image, design: WornDesign, face: FoundFace, finder: FaceFinder, tmp_path: Path
) -> None:
    white = replace(design, texels=torch.full_like(design.texels, 0.9))
    worn = Image.fromarray(draw_masks(np.asarray(portrait), [face], white).picture)
    points_path(tmp_path / "me.png").write_text(json.dumps({"points": face.five.tolist()}))
    given = given_face(tmp_path / "me.png", size=portrait.size)
    assert overlap(given.box, face.box) > 0.6
    again = finder.find_same(worn, given)
    assert again is not None
    assert overlap(again.box, face.box) > 0.5


def test_what_is_written() -> None:
    figures = MatchFigures((("dlib", 0.95, 0.2), ("other", 0.9, None)), 3)
    assert figures.lines(0) == ["dlib: 0.95, match", "other: 0.90, match"]
    assert figures.lines(1) == ["dlib: 0.20, no match", "other: no face found"]
    assert figures.notes(0) == ["Match confidence; known from 3 other photos"]
    assert figures.notes(1) == ["Drawn by a computer; no promise"]
    assert MatchFigures((), 0).notes(0) == ["Match confidence; known from this very photo"]


def test_figures_take_room_below_and_the_face_stays_in_sight(portrait: Image.Image, face: FoundFace) -> None:
    figures = MatchFigures(tuple((f"recognizer {number} of a long name", 0.5, 0.4) for number in range(4)), 0)
    sheet = np.asarray(before_after(portrait, portrait, face, shape="portrait", figures=figures))
    assert sheet.shape == (1350, 1080, 3)
    below = sheet[-(4 * 44 + 28 + 24) :, :536]
    assert (below[0] == 255).all()
    assert (below < 100).any()
    assert (sheet[: -(4 * 44 + 28 + 24), :536] != 255).any(axis=(1, 2)).all()
    many = MatchFigures(tuple((f"recognizer {number}", 0.5, 0.4) for number in range(30)), 0)
    sheet = np.asarray(before_after(portrait, portrait, face, shape="square", figures=many))
    assert (sheet[:500, :536] != 255).any(axis=(1, 2)).all(), "and 21 more, so that the face stays in sight"
