"""A run that starts from a face that ships: shown where it belongs, whatever the pattern."""

import pytest
import torch

from advmask.core.errors import ConfigError
from advmask.masks.mask_building import build_mask
from advmask.training.building import build_texture
from advmask.training.settings import TrainSettings
from advmask.wearing.artwork import FACES, shipped_design


@pytest.mark.parametrize("pattern", ["contour", "pleated"])
@pytest.mark.parametrize("name", FACES)
def test_a_design_starts_as_the_face_laid_out_on_the_pattern(name, pattern):
    settings = TrainSettings.build(
        {"mask": {"pattern": pattern}, "texture": {"start": name, "texels_per_mm": 1.0, "detail_mm": 0.0}}
    )
    surface = build_mask(settings.mask)
    texels = build_texture(settings, surface)()
    face = shipped_design(name, surface, texels_per_mm=1.0)
    assert texels.shape == face.shape
    assert (texels - face).abs().max() < 0.02  # logits stop short of 0 and 1


def test_a_mirrored_start_is_symmetric_about_the_nose():
    settings = TrainSettings.build(
        {"texture": {"start": "large_face", "texels_per_mm": 1.0, "symmetry": "mirror"}}
    )
    texels = build_texture(settings, build_mask(settings.mask))()
    assert torch.allclose(texels, texels.flip(-1), atol=1e-6)


def test_one_face_is_not_a_tile():
    settings = TrainSettings.build({"texture": {"start": "large_face", "repeat_mm": [40, 40]}})
    with pytest.raises(ConfigError, match="large_face is one face"):
        build_texture(settings, build_mask(settings.mask))
