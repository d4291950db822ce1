"""The whole camera: replay, independence, range, gradient, levels and settings."""

import pytest
import torch
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.effects.camera.photograph import draw_camera, photograph
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.draws import Draws, LevelDraws, draws

STRONG = CameraSettings.build(
    {
        "optics": {"eyes_px": [6, 40], "focus_px": 1.0},
        "motion": {"length_px": 5, "share": 0.5},
        "tone": {
            "exposure_ev": 1.0,
            "temperature_ev": 0.3,
            "colour_ev": 0.1,
            "contrast": 0.4,
            "curve": 0.4,
        },
        "sensor": {"noise": 0.1},
        "sharpening": {"amount": 1.5, "share": 0.5},
        "jpeg": {"quality": [20, 90], "share": 0.6},
    }
)
EFFECTS = list(CameraSettings.model_fields)


def only(*names: str) -> CameraSettings:
    return CameraSettings(**{name: getattr(STRONG, name) for name in names})


def shot(pictures: Tensor, settings: CameraSettings, *, step: int = 0) -> Tensor:
    return drawn(pictures, settings, draws(0, step, "camera"))


def drawn(pictures: Tensor, settings: CameraSettings, source: Draws) -> Tensor:
    return photograph(pictures, draw_camera(settings, batch=len(pictures), draws=source))


def test_a_perfect_camera_returns_the_picture_itself() -> None:
    pictures = torch.rand(3, 3, 21, 17)
    assert shot(pictures, CameraSettings()) is pictures


@pytest.mark.parametrize("name", EFFECTS)
def test_every_effect_at_level_zero_is_no_effect(name: str) -> None:
    pictures = torch.rand(2, 3, 32, 32)
    settings = only(name)
    found = drawn(pictures, settings, LevelDraws(0.0))
    if name != "optics":
        assert found is pictures
    changed = [
        float((drawn(pictures, settings, LevelDraws(level)) - pictures).abs().mean()) for level in (0.25, 1.0)
    ]
    assert 0 < changed[0] < changed[1] or name == "jpeg"


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_stay_in_range_and_keep_their_kind(dtype: torch.dtype) -> None:
    pictures = torch.rand(40, 3, 40, 44, dtype=dtype)
    pictures[:20] = pictures[:20].round()
    found = shot(pictures, STRONG)
    assert found.dtype == dtype
    assert found.shape == pictures.shape
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("names", [tuple(EFFECTS), *((name,) for name in EFFECTS)])
def test_a_photo_is_replayed_from_seed_step_and_stream(names: tuple[str, ...]) -> None:
    pictures = torch.rand(4, 3, 44, 44)
    first = shot(pictures, only(*names))
    torch.manual_seed(99)
    before = torch.get_rng_state()
    assert torch.equal(shot(pictures, only(*names)), first)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(shot(pictures, only(*names), step=1), first)


def test_each_picture_is_photographed_alone() -> None:
    pictures = torch.rand(4, 3, 44, 44)
    first = shot(pictures, STRONG)
    others = torch.rand_like(pictures)
    others[2] = pictures[2]
    found = shot(others, STRONG)
    torch.testing.assert_close(found[2], first[2], rtol=0, atol=1e-5)
    assert not torch.allclose(found[1], first[1], atol=0.05)
    same = shot(pictures[:1].expand(4, -1, -1, -1), STRONG)
    assert all(not torch.allclose(same[0], other, atol=0.01) for other in same[1:])


@pytest.mark.parametrize("names", [tuple(EFFECTS), *((name,) for name in EFFECTS)])
def test_a_layout_with_colours_last_changes_nothing(names: tuple[str, ...]) -> None:
    pictures = torch.rand(3, 3, 44, 44)
    slopes = []
    for nhwc in (False, True):
        given = pictures.clone()
        if nhwc:
            given = given.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)
        found = shot(given.requires_grad_(), only(*names))
        slopes.append((found.detach(), *torch.autograd.grad(found.square().sum(), given)))
    for first, second in zip(*slopes, strict=True):
        torch.testing.assert_close(first, second, rtol=0, atol=1e-4)


def test_half_precision_of_networks_does_not_reach_the_camera() -> None:
    pictures = torch.rand(3, 3, 44, 44)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = shot(pictures, STRONG)
    assert torch.equal(found, shot(pictures, STRONG))


def test_the_gradient_is_true_where_nothing_is_clipped_or_rounded() -> None:
    mild = CameraSettings.build(
        {
            "optics": {"eyes_px": [4, 4], "focus_px": 1.0},
            "motion": {"length_px": 3, "share": 0.5},
            "tone": {"exposure_ev": 0.2, "contrast": 0.2, "curve": 0.2},
            "sharpening": {"amount": 0.5, "share": 0.5},
        }
    )
    pictures = (0.4 + 0.2 * torch.rand(2, 3, 18, 20, dtype=torch.float64)).requires_grad_()
    found = shot(pictures.detach(), mild)
    assert 0 < float(found.min()) <= float(found.max()) < 1
    assert torch.autograd.gradcheck(lambda p: shot(p, mild), pictures, fast_mode=True)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_saturated_pictures_keep_their_gradient(value: float) -> None:
    pictures = torch.full((16, 3, 44, 44), value, requires_grad=True)
    (gradient,) = torch.autograd.grad(shot(pictures, STRONG).sum(), pictures)
    summed = gradient.sum(dim=(2, 3)) / 44**2  # unlike single pixels', not zero for the lens's sake
    assert bool(torch.isfinite(gradient).all())
    assert 0.1 < float(summed.min()) <= float(summed.max()) < 8


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("optics.eyes_px", [40, 12]),
        ("optics.eyes_px", [1, 12]),
        ("optics.focus_px", -0.1),
        ("motion.length_px", 50),
        ("motion.share", 1.1),
        ("tone.exposure_ev", float("nan")),
        ("sensor.noise", 0.9),
        ("sharpening.radius_px", 0),
        ("jpeg.quality", [0, 80]),
        ("jpeg.quality", [80, 30]),
    ],
)
def test_settings_keep_within_reason(key: str, value: object) -> None:
    room, name = key.split(".")
    with pytest.raises(ConfigError, match=rf"Setting {room}\.{name}="):
        CameraSettings.build({room: {name: value}})
