"""Photos and placements kept on a device: the same numbers as those sent in each step."""

import logging

import pytest
import torch
from placement_samples import face, same

from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.render.settings import RenderSettings
from advmask.wearing.held_photos import HeldPhotos, hold
from advmask.wearing.worn_photos import WornPhotos, wear_masks

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def photos() -> WornPhotos:
    crops = [face(number) for number in range(3)]
    crops[1].picture.copy_(crops[1].picture.float().mean(dim=0).byte())  # a grey photo keeps no colours
    return wear_masks(
        crops,
        build_mask(MaskSettings()),
        wear=WearSettings(shift_mm=3, tilt_deg=3, scale=0.03),
        ways=2,
        texels_per_mm=1.0,
        render=RenderSettings(supersample=1),
        seed=0,
        stream="train",
    )


@pytest.fixture(scope="module")
def held(photos: WornPhotos) -> HeldPhotos:
    found = hold(photos, CPU, budget_bytes=1e9)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("chosen", "ways"),
    [([0], [1]), ([2, 0, 2, 2], [1, 0, 1, 0]), ([1, 0], [0, 0]), ([0, 2], [1, 1])],
)
def test_a_batch_is_that_of_the_host(
    photos: WornPhotos, held: HeldPhotos, chosen: list[int], ways: list[int]
) -> None:
    sent, there = photos.packed(chosen, ways), held.packed(chosen, ways)
    assert (sent.saturation is None) == (1 not in chosen)
    assert same(sent, there)
    for name, value in vars(sent).items():
        if isinstance(value, torch.Tensor):
            assert value.dtype == getattr(there, name).dtype, name
    pictures, shown = photos.pictures(chosen), held.pictures(chosen)
    assert torch.equal(pictures, shown)
    assert pictures.stride() == shown.stride()
    assert torch.equal(photos.landmarks(chosen), held.landmarks(torch.tensor(chosen)))
    assert held.names == photos.names


def test_nothing_is_held_beyond_the_budget(
    photos: WornPhotos, held: HeldPhotos, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    placed = sum(photos.placements.get(photo, way).bytes for photo in range(3) for way in range(2))
    assert held.taken >= placed
    pictures = sum(crop.picture.numel() for crop in photos.crops)
    assert hold(photos, CPU, budget_bytes=placed + pictures) is not None
    assert "stay on cpu" in caplog.text
    for budget in (placed + pictures - 1, pictures - 1):
        caplog.clear()
        assert hold(photos, CPU, budget_bytes=budget) is None
        assert "trainer.device_gb" in caplog.text
