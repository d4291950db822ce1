"""Masks at full resolution: what changes, what does not, and that it is the renderer of training."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import WornDesign, draw_masks
from advmask.core.errors import DesignError
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.render.batching import collate
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.renderer import MaskRenderer


def redness(picture: np.ndarray) -> np.ndarray:
    channels = picture.astype(float)
    return channels[..., 0] - channels[..., 1:].max(axis=-1)


def moved(face: FoundFace, by: tuple[float, float]) -> FoundFace:
    x, y = by
    x0, y0, x1, y1 = face.box
    return FoundFace((x0 + x, y0 + y, x1 + x, y1 + y), face.five + np.array(by))


def test_nothing_changes_beside_the_mask(pixels: np.ndarray, face: FoundFace, design: WornDesign) -> None:
    before = pixels.copy()
    drawn = draw_masks(pixels, [face], design)
    assert drawn.masks == 1
    assert np.array_equal(pixels, before), "what is given stays"
    assert np.array_equal(drawn.picture[~drawn.changed], pixels[~drawn.changed])
    assert 0.01 < drawn.changed.mean() < 0.1
    mouth = face.five[3:].mean(axis=0).astype(int)
    assert redness(drawn.picture)[mouth[1], mouth[0]] > 60
    rows = np.flatnonzero(drawn.changed.any(axis=1))
    assert rows[0] > face.five[:2, 1].min() - 20, "the eyes are free, but for the ear loops next to them"


def test_it_is_the_renderer_of_training(design: WornDesign) -> None:
    """At the resolution of the working crop both ways draw the same picture."""
    faces = load_faces(FacesSettings(cache=False))
    crop = faces.crops[0]
    fine = replace(design, texels=torch.rand(design.texels.shape))
    posed = PosedFace(crop.as_float(), find_pose(crop.landmarks))
    packed = fit_masks(
        posed, fine.surface, wears=[None], texels_per_mm=fine.texels_per_mm, settings=fine.render
    )
    trained = MaskRenderer()(fine.texels, crop.as_float()[None], collate(packed, height=176, width=176))
    there = FoundFace((0.0, 0.0, 176.0, 176.0), crop.landmarks.double().numpy())
    drawn = draw_masks(crop.picture.permute(1, 2, 0).numpy(), [there], fine)
    error = drawn.picture / 255 - trained[0].permute(1, 2, 0).numpy()
    psnr = -10 * np.log10((error[drawn.changed] ** 2).mean())
    assert psnr > 50


def test_the_same_mask_at_three_times_the_size(portrait: Image.Image, face: FoundFace, design: WornDesign):
    small = draw_masks(np.asarray(portrait), [face], design)
    large_portrait = portrait.resize((512 * 3, 512 * 3), Image.Resampling.BICUBIC)
    large_face = FoundFace(tuple(3 * side for side in face.box), 3 * face.five)
    large = draw_masks(np.asarray(large_portrait), [large_face], design)
    reduced = np.asarray(Image.fromarray(large.picture).resize((512, 512), Image.Resampling.BOX))
    inside = small.changed
    difference = np.abs(reduced.astype(float) - small.picture)[inside]
    assert np.median(difference) < 4
    assert large.changed.sum() == pytest.approx(9 * inside.sum(), rel=0.06)


def test_several_faces_and_the_nearest_in_front(pixels: np.ndarray, face: FoundFace, design: WornDesign):
    wide = np.concatenate([pixels, pixels], axis=1)
    other = moved(face, (512, 0))
    both = draw_masks(wide, [face, other], design)
    assert both.masks == 2
    alone = draw_masks(wide, [face], design)
    assert np.array_equal(both.picture[:, :512], alone.picture[:, :512])
    assert np.array_equal(both.changed[:, 512:], alone.changed[:, :512])
    # Over one another: the larger one is whole, in whatever order they are given.
    middle = face.five.mean(axis=0)
    larger = FoundFace(face.box, middle + 1.3 * (face.five - middle) + [25, 10])
    one, two = (draw_masks(pixels, faces, design) for faces in ([face, larger], [larger, face]))
    assert np.array_equal(one.picture, two.picture)
    last = draw_masks(draw_masks(pixels, [face], design).picture, [larger], design)
    assert np.array_equal(one.picture, last.picture)


def test_a_face_at_the_border_and_beyond(pixels: np.ndarray, face: FoundFace, design: WornDesign) -> None:
    left = int(face.five[2, 0])
    half = draw_masks(pixels[:, left:], [moved(face, (-left, 0))], design)
    assert half.masks == 1
    assert half.changed[:, 0].any()
    away = draw_masks(pixels, [moved(face, (5000, 0))], design)
    assert away.masks == 0
    assert np.array_equal(away.picture, pixels)
    assert away.bare == ("No part of the mask lies on the picture.",)


def test_landmarks_unlike_a_face_are_told(pixels: np.ndarray, face: FoundFace, design: WornDesign) -> None:
    upside_down = FoundFace(face.box, face.five[[3, 4, 2, 0, 1]])
    drawn = draw_masks(pixels, [upside_down], design)
    assert drawn.masks == 0
    assert "do not lie like those of a face" in drawn.bare[0]


def test_what_is_in_front(pixels: np.ndarray, face: FoundFace, design: WornDesign) -> None:
    occluder = np.zeros(pixels.shape[:2], dtype=np.uint8)
    middle = int(face.five[2, 0])
    occluder[:, :middle] = 255
    drawn = draw_masks(pixels, [face], design, occluder=occluder)
    assert np.array_equal(drawn.picture[:, :middle], pixels[:, :middle])
    assert drawn.changed[:, middle:].any()


def test_a_texture_of_another_pattern(design: WornDesign) -> None:
    with pytest.raises(DesignError, match="texture of another pattern"):
        replace(design, texels=design.texels[:, :-3])


def test_faces_are_found_again(portrait: Image.Image, finder: FaceFinder, face: FoundFace) -> None:
    again = finder.find_again(portrait, face.box)
    assert again is not None
    eyes = np.hypot(*(face.five[1] - face.five[0]))
    assert np.abs(again.five - face.five).max() < 0.08 * eyes
    assert finder.find_again(portrait, (400.0, 400.0, 480.0, 480.0)) is None
    assert finder.find_again(portrait, (900.0, 400.0, 980.0, 480.0)) is None
