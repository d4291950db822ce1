"""The mean lower face of the people trained on, as a start."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_chain import settings_values

from advmask.core.errors import ConfigError
from advmask.effects.settings import EffectsSettings, WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings
from advmask.printers.settings import PrinterSettings
from advmask.render.settings import RenderSettings
from advmask.render.unwrapping import unwrapped
from advmask.training.run import train
from advmask.training.settings import TrainSettings
from advmask.wearing.mean_face import FEWEST_PEOPLE, enlarged, mean_face
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded
from advmask.wearing.worn_photos import wear_masks

PER_MM = 1.0


@pytest.fixture(scope="module")
def worn():
    faces = load_faces(FacesSettings(cache=False))
    surface = build_mask(MaskSettings())
    return wear_masks(
        [replace(faces.crops[0], person=f"p{number}") for number in range(FEWEST_PEOPLE)],
        surface,
        wear=WearSettings(),
        ways=1,
        texels_per_mm=PER_MM,
        render=RenderSettings(supersample=2),
        seed=0,
        stream="test",
    )


def test_what_is_worn_is_unwrapped_again(worn):
    rows, columns = worn.packed([0], [0]).pyramids[0].height, worn.packed([0], [0]).pyramids[0].width
    y, x = torch.meshgrid(torch.linspace(0, 1, rows), torch.linspace(0, 1, columns), indexing="ij")
    design = torch.stack([0.3 + 0.4 * x, 0.3 + 0.4 * y, 0.7 - 0.3 * x])
    scene = Scene(EffectsSettings(), PrinterSettings(), texels_per_mm=PER_MM, draws=seeded(0, "test"))
    packed = worn.packed([0], [0])
    bare = worn.pictures([0])
    size = (bare.shape[-2], bare.shape[-1])
    picture = scene(design, bare, packed, scene.draw(0, range(1), size, texels=design))
    light, weight = unwrapped(picture, packed)
    shown = (weight > 0.1 * weight.max()).all(dim=0)
    assert shown.float().mean() > 0.25
    found = (light / weight.clamp(min=1e-9))[:, shown].clamp(0, 1)
    expected = ((design[:, shown] + 0.055) / 1.055) ** 2.4
    assert (found - expected).abs().median() < 0.02


def test_pictures_are_enlarged_about_nose_and_mouth():
    rows = np.indices((64, 64)).transpose(1, 2, 0) + 0.5
    picture = torch.from_numpy(np.concatenate([rows, np.ones((64, 64, 1))], axis=2)).float()
    picture = picture.permute(2, 0, 1)[None]
    landmarks = torch.tensor([[[20.0, 20], [44, 20], [30, 30], [24, 42], [36, 42]]])
    larger = enlarged(picture, landmarks, factor=2.0)
    middle = (30.0, 36.0)
    for row, column in ((36, 30), (40, 30), (30, 40)):
        y, x = row + 0.5, column + 0.5
        assert larger[0, 0, row, column] == pytest.approx(middle[1] + (y - middle[1]) / 2, abs=1e-3)
        assert larger[0, 1, row, column] == pytest.approx(middle[0] + (x - middle[0]) / 2, abs=1e-3)


def test_the_mean_face_fills_the_pattern(worn):
    face = mean_face(worn, texels_per_mm=PER_MM)
    assert torch.isfinite(face).all()
    assert face.min() >= 0
    assert face.max() <= 1
    assert face.std() > 0.03


def test_of_few_people_there_is_no_mean(worn):
    with pytest.raises(ConfigError, match=f"at least {FEWEST_PEOPLE} people"):
        mean_face(replace(worn, crops=worn.crops[:3]), texels_per_mm=PER_MM)


def test_a_run_on_one_person_starts_from_a_drawn_face_and_says_so(tiny_dir, tmp_path, told: list[str]):
    values = settings_values(f"onnx:{tiny_dir / 'tiny.onnx'}", tiny_dir / "cache", steps=1)
    values["texture"] = {**values.get("texture", {}), "start": "mean_face"}
    train(TrainSettings.build(values), folder=tmp_path)
    assert any("starts from large_face instead" in sentence for sentence in told)
