"""Periocular matchers: they see the eyes, and nothing that a mask can cover."""

import pytest
import torch

from advmask.core.errors import ConfigError
from advmask.masks.mask_building import build_mask
from advmask.masks.placement import Wear, place
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose
from advmask.masks.settings import SHIPPED, MaskSettings
from advmask.photos.crops import FaceCrop
from advmask.recognizers.eye_region import eye_region
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers, recorded_names
from advmask.recognizers.templates import template_points


@pytest.mark.parametrize(("template", "size"), [("arcface", 112), ("dlib", 150), ("facenet", 160)])
def test_eyes_and_brow_are_kept_and_nothing_below_the_nose_line(template, size):
    points = template_points(template, size=(size, size))
    kept = eye_region(points, size=(size, size))[0, 0]
    eyes = points[:2].mean(dim=0)
    distance = float(points[1, 0] - points[0, 0])
    row = int(eyes[1])
    assert bool((kept[: row + 1] == 1).all())
    assert bool((kept[row + int(0.25 * distance) :] == 0).all())
    assert kept[int(points[2, 1])].max() == 0


@pytest.mark.parametrize("pattern", SHIPPED)
def test_no_mask_reaches_into_the_eye_region(pattern):
    """Also not one that sits 3 mm too high: every covered place on the chip is grey to the matcher."""
    points = template_points("dlib", size=(150, 150))
    pose = HeadPose(0, 0, 0, 1.0, (0.0, 0.0))
    reference, _ = pose.project(REFERENCE_POINTS_MM)
    worn = place(build_mask(MaskSettings(pattern=pattern)), pose, wear=Wear(shift_mm=(0, 3)), ear_loops=False)
    # The five points of the mean head onto the template, by the eyes alone.
    scale = float(points[1, 0] - points[0, 0]) / (reference[1, 0] - reference[0, 0])
    middle = reference[:2].mean(axis=0)
    top = (worn.points_px[:, 1].min() - middle[1]) * scale + float(points[:2, 1].mean())
    kept = eye_region(points, size=(150, 150))[0, 0]
    assert float(kept[int(top) :].max()) < 0.5


def test_what_lies_below_the_eyes_changes_nothing(tmp_path, write_network, crop: FaceCrop):
    name = f"eyes:onnx:{write_network(tmp_path / 'tiny.onnx')}"
    recognizer = build_recognizer(name)
    assert recognizer.label == "tiny-eyes"
    assert recognizer.eyes_only
    picture, landmarks = crop.as_float()[None], crop.landmarks[None]
    below = picture.clone()
    below[:, :, int(crop.landmarks[2, 1]) :] = torch.rand_like(below[:, :, int(crop.landmarks[2, 1]) :])
    above = picture.clone()
    above[:, :, : int(crop.landmarks[0, 1])] *= 0.5
    whole = build_recognizer(name.removeprefix("eyes:"))
    assert torch.allclose(recognizer(picture, landmarks), recognizer(below, landmarks), atol=1e-5)
    assert not torch.allclose(recognizer(picture, landmarks), recognizer(above, landmarks), atol=1e-3)
    assert not torch.allclose(whole(picture, landmarks), whole(below, landmarks), atol=1e-3)


def test_it_has_a_threshold_of_its_own(tmp_path, write_network):
    assert build_recognizer("eyes:dlib").calibration is None
    both = build_recognizers(["dlib", "eyes:dlib"])
    assert [one.label for one in both] == ["dlib", "dlib-eyes"]
    assert recorded_names(["eyes:onnx:~/a.onnx"])[0].startswith("eyes:onnx:/")


@pytest.mark.parametrize("wrong", ["eyes", "eyes:", "eyes:eyes:dlib"])
def test_eyes_of_nothing_are_refused(wrong):
    with pytest.raises(ConfigError, match="such as eyes:dlib"):
        build_recognizer(wrong)


def test_the_same_network_twice_is_told(tmp_path, write_network, told: list[str]):
    first = write_network(tmp_path / "a.onnx")
    second = tmp_path / "b.onnx"
    second.write_bytes(first.read_bytes())
    second.with_suffix(".yaml").write_text(first.with_suffix(".yaml").read_text())
    build_recognizers([f"onnx:{first}", f"onnx:{second}"])
    assert told == ["a and b are one network by checksum; it counts twice."]
