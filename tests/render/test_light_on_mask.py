"""The light read off a photo: recovery, robustness, limits, tint and saturation."""

import pytest
import torch

from advmask.render.skin_light import colours_kept, evaluate_light, fit_light, photo_tint, white_level


def facing(count: int = 3000, *, seed: int = 0) -> torch.Tensor:
    """Unit normals spread over the half sphere that faces the camera."""
    generator = torch.Generator().manual_seed(seed)
    normals = torch.randn(count, 3, generator=generator, dtype=torch.float64)
    normals[:, 2] = normals[:, 2].abs() + 0.2
    return normals / normals.norm(dim=1, keepdim=True)


def first_order(normals: torch.Tensor, direction: tuple[float, float, float]) -> torch.Tensor:
    """Brightness 0.3 (1 + d . n): ambient light and a wide source."""
    return 0.3 * (1 + normals @ torch.tensor(direction, dtype=torch.float64))


@pytest.mark.parametrize("direction", [(0.3, 0.0, 0.0), (-0.2, 0.25, 0.1), (0.0, 0.0, 0.3)])
def test_a_known_light_is_recovered(direction):
    normals = facing()
    brightness = first_order(normals, direction)
    light = evaluate_light(fit_light(normals, brightness), normals)
    torch.testing.assert_close(light, brightness / brightness.mean(), atol=0.03, rtol=0)


def test_a_lambertian_lamp_is_followed_on_the_lit_side():
    normals = facing()
    lamp = torch.tensor([0.6, 0.3, 0.74], dtype=torch.float64)
    brightness = 0.1 + 0.4 * (normals @ (lamp / lamp.norm())).clamp(min=0)
    light = evaluate_light(fit_light(normals, brightness), normals)
    truth = brightness / brightness.mean()
    assert torch.corrcoef(torch.stack([light, truth]))[0, 1] > 0.97
    assert (light - truth).abs().mean() < 0.1


@pytest.mark.parametrize("value", [0.02, 0.95])
def test_a_tenth_of_outliers_on_one_side_is_ignored(value):
    # As a beard or a glint is. (Two thirds of one side, a fifth of all, is more than Huber weights can bear.)
    normals = facing()
    clean = first_order(normals, (0.3, -0.1, 0.0))
    brightness = clean.clone()
    brightness[normals[:, 0].argsort()[-900:][torch.randperm(900)[:300]]] = value
    light = evaluate_light(fit_light(normals, brightness), normals)
    assert (light - clean / clean.mean()).abs().max() < 0.06


def test_a_fifth_of_scattered_outliers_is_ignored():
    normals = facing()
    clean = first_order(normals, (0.3, -0.1, 0.0))
    brightness = clean.clone()
    brightness[torch.randperm(3000)[:600]] = 0.02
    light = evaluate_light(fit_light(normals, brightness), normals)
    assert (light - clean / clean.mean()).abs().max() < 0.06


def test_even_brightness_gives_even_light():
    normals = facing()
    light = fit_light(normals, torch.full((3000,), 0.4, dtype=torch.float64))
    torch.testing.assert_close(evaluate_light(light, normals), torch.ones(3000, dtype=torch.float64))


def test_how_bright_the_picture_is_does_not_matter():
    normals = facing()
    brightness = first_order(normals, (0.3, 0.2, 0.0))
    one, half = fit_light(normals, brightness), fit_light(normals, brightness / 2)
    torch.testing.assert_close(one, half, atol=1e-3, rtol=0)


def test_mean_light_is_one():
    normals = facing()
    light = fit_light(normals, first_order(normals, (0.3, 0.2, -0.1)))
    assert (light[0] + normals @ light[1:]).mean().item() == pytest.approx(1, abs=1e-6)


def test_light_stays_within_limits():
    normals = facing()
    values = evaluate_light(torch.tensor([1.0, 5.0, 0.0, 0.0], dtype=torch.float64), normals)
    assert values.min().item() == pytest.approx(0.35)
    assert values.max().item() == pytest.approx(1.6)


@pytest.mark.parametrize("brightness", [0.0, 1.0])
def test_black_and_blown_out_skin_give_finite_light(brightness):
    normals = facing(50)
    values = evaluate_light(fit_light(normals, torch.full((50,), brightness, dtype=torch.float64)), normals)
    assert values.isfinite().all()
    assert values.min() >= 0.35


def test_one_pixel_is_enough_to_fit():
    light = fit_light(torch.tensor([[0.0, 0.0, 1.0]]), torch.tensor([0.3]))
    torch.testing.assert_close(evaluate_light(light, torch.tensor([[0.0, 0.0, 1.0]])), torch.ones(1))


@pytest.mark.parametrize(("level", "expected"), [(0.0, 0.35), (0.5, 0.5), (1.0, 0.85)])
def test_white_cloth_is_between_limits(level, expected):
    assert white_level(torch.full((1600,), level)) == pytest.approx(expected)


def test_white_level_is_the_98th_percentile():
    values = torch.linspace(0.0, 0.8, 1001)[torch.randperm(1001)]
    assert white_level(values) == pytest.approx(0.98 * 0.8, abs=0.002)


def skin(count: int = 2000, *, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    tones = torch.tensor([0.55, 0.33, 0.24], dtype=torch.float64)
    return tones * (0.6 + 0.4 * torch.rand(count, 1, generator=generator, dtype=torch.float64))


def test_a_photo_without_anything_white_has_untinted_light():
    torch.testing.assert_close(photo_tint(skin()), torch.ones(3))
    assert colours_kept(skin()) == 1.0


@pytest.mark.parametrize("lamp", [(1.1, 1.0, 0.85), (0.92, 1.0, 1.12)])
def test_the_colour_of_white_things_is_the_tint(lamp):
    lamp = torch.tensor(lamp, dtype=torch.float64)
    photo = torch.cat([skin() * lamp, 0.8 * lamp.expand(2000, 3)])
    tint = photo_tint(photo)
    expected = lamp / (lamp @ torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64))
    torch.testing.assert_close(tint.double(), expected, atol=0.02, rtol=0)
    assert tint.double() @ torch.tensor([0.2126, 0.7152, 0.0722], dtype=torch.float64) == pytest.approx(
        1, abs=1e-5
    )


def test_a_grey_photo_has_no_saturation_and_a_pale_one_some():
    bright = skin().mean(dim=1, keepdim=True)
    assert colours_kept(bright.expand(-1, 3)) == 0.0
    middle = colours_kept(torch.lerp(bright, skin(), 0.2))
    assert 0.05 < middle < 0.95


def test_a_black_photo_gives_finite_tint():
    black = torch.zeros(50, 3, dtype=torch.float64)
    assert photo_tint(black).isfinite().all()
    assert 0 <= colours_kept(black[:20]) <= 1
