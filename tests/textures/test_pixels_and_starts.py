"""Where a design starts, and that its texels follow the start and never leave (0, 1)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.interpolate import BSpline

from advmask.core.errors import ConfigError, DesignError
from advmask.textures.bases import spline_matrix
from advmask.textures.pixels import PixelTexture
from advmask.textures.settings import TextureSettings
from advmask.textures.starts import start_texels

MARGIN = 0.02 + 1e-6


def start(name: str, *, height: int = 12, width: int = 20, seed: int = 0) -> torch.Tensor:
    found = start_texels(name, height=height, width=width, generator=torch.Generator().manual_seed(seed))
    assert found.shape == (3, height, width)
    assert found.dtype == torch.float32
    assert found.is_contiguous()
    assert 0 <= float(found.min()) <= float(found.max()) <= 1
    return found


@pytest.mark.parametrize(
    ("name", "colour"),
    [
        ("grey", (0.5, 0.5, 0.5)),
        ("white", (1, 1, 1)),
        ("black", (0, 0, 0)),
        ("#4ab3c8", (0x4A / 255, 0xB3 / 255, 0xC8 / 255)),
        ("#FF0080", (1, 0, 128 / 255)),
        ("gray", (0.5, 0.5, 0.5)),
        ("navy", (0, 0, 128 / 255)),
    ],
)
def test_plain_colours(name: str, colour: tuple[float, float, float]) -> None:
    expected = torch.tensor(colour, dtype=torch.float32)[:, None, None].expand(3, 12, 20)
    torch.testing.assert_close(start(name), expected, rtol=0, atol=1e-6)


def test_noise_comes_from_its_generator_alone() -> None:
    torch.manual_seed(4)
    first = start("noise", seed=7)
    torch.manual_seed(5)
    assert torch.equal(start("noise", seed=7), first)
    assert not torch.equal(start("noise", seed=8), first)
    large = start("noise", height=100, width=100)
    assert float(large.mean()) == pytest.approx(0.5, abs=0.01)
    assert float(large.std()) == pytest.approx(12**-0.5, abs=0.01)


def test_a_picture_file_is_fitted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    halves = np.zeros((40, 80, 3), dtype=np.uint8)
    halves[:, 40:] = (255, 0, 102)
    Image.fromarray(halves).save(tmp_path / "a b.png")
    found = start(str(tmp_path / "a b.png"), height=10, width=20)
    torch.testing.assert_close(found[:, :, :7], torch.zeros(3, 10, 7), rtol=0, atol=0.02)
    right = torch.tensor([1, 0, 0.4])[:, None, None].expand(3, 10, 7)
    torch.testing.assert_close(found[:, :, 13:], right, rtol=0, atol=0.02)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert torch.equal(start("~/a b.png", height=10, width=20), found)


@pytest.mark.parametrize(
    "name",
    [
        "greyish",
        "Greige",
        "rebeccapurpel",
        "#4ab3c",
        "#4ab3cg",
        "4ab3c8",
        "gone.png",
        "~nobody-of-this-name/a.png",
        "x" * 400,
    ],
)
def test_anything_else_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(DesignError, match="neither grey, white, black, noise, a colour such as") as caught:
        start(name)
    assert repr(name) in str(caught.value)


def test_files_that_are_no_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.png").write_text("no picture", encoding="utf-8")
    for path in (tmp_path / "text.png", tmp_path):
        with pytest.raises(DesignError, match=str(path)):
            start(str(path))


@pytest.mark.parametrize("detail", [0.0, 1.0, 3.0, 7.5])
@pytest.mark.parametrize("name", ["grey", "white", "black", "#4ab3c8", "noise"])
def test_the_first_texels_are_the_start_within_the_margin(name: str, detail: float) -> None:
    wanted = start(name)
    texture = PixelTexture(wanted, detail_texels=detail)
    found = texture().detach()
    assert found.shape == wanted.shape
    torch.testing.assert_close(found, wanted.clamp(MARGIN, 1 - MARGIN), rtol=0, atol=2e-6)
    assert float((found - wanted).abs().max()) <= MARGIN


@pytest.mark.parametrize("detail", [1.0, 3.0])
def test_texels_never_leave_the_range_however_far_they_are_pushed(detail: float) -> None:
    texture = PixelTexture(torch.rand(3, 12, 20), detail_texels=detail)
    for sign in (1, -1):
        optimiser = torch.optim.Adam(texture.parameters(), lr=0.5)
        for _ in range(25):
            optimiser.zero_grad()
            (sign * texture().sum()).backward()
            optimiser.step()
        found = texture().detach()
        assert 0 < float(found.min()) <= float(found.max()) < 1
        assert (float(found.mean()) < 0.5) is (sign == 1)


@pytest.mark.parametrize("name", ["white", "black", "grey"])
def test_saturated_starts_can_still_learn(name: str) -> None:
    texture = PixelTexture(start(name))
    (gradient,) = torch.autograd.grad(texture().sum(), texture.parameters())
    assert float(gradient.min()) > 0.018  # the sigmoid's slope at the margin is 0.02 * 0.98


def test_a_texture_is_learned_by_its_change_alone() -> None:
    given = torch.rand(3, 12, 20, requires_grad=True)
    texture = PixelTexture(given, detail_texels=3)
    assert [name for name, _ in texture.named_parameters()] == ["field.levels.0"]
    texture().sum().backward()
    assert given.grad is None
    other = PixelTexture(torch.zeros(3, 12, 20), detail_texels=3)
    with torch.no_grad():
        next(texture.parameters()).normal_()
    other.load_state_dict(texture.state_dict())  # a checkpoint holds the start as well
    assert torch.equal(other(), texture())


def test_without_detail_every_texel_is_free() -> None:
    texture = PixelTexture(torch.full((3, 6, 8), 0.5))
    wanted = torch.rand(3, 6, 8) * 0.9 + 0.05
    with torch.no_grad():
        next(texture.parameters()).copy_(torch.logit(wanted))
    torch.testing.assert_close(texture().detach(), wanted, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("count", "spacing"), [(12, 3.0), (20, 3.0), (31, 4.7), (5, 9.0), (17, 1.5), (1, 2.0)]
)
def test_the_spline_is_scipys(count: int, spacing: float) -> None:
    matrix = spline_matrix(count, spacing).double().numpy()
    places = (np.arange(count) + 0.5) / spacing
    for column in range(matrix.shape[1]):
        centre = column - 1  # the first knot stands one spacing before the border
        bell = BSpline.basis_element(np.arange(centre - 2, centre + 3), extrapolate=False)
        np.testing.assert_allclose(matrix[:, column], np.nan_to_num(bell(places)), atol=1e-6)
    np.testing.assert_allclose(matrix.sum(axis=1), 1, atol=1e-6)


def test_a_change_is_a_smooth_surface_over_its_knots() -> None:
    texture = PixelTexture(torch.full((3, 30, 40), 0.5), detail_texels=4.0)
    with torch.no_grad():
        next(texture.parameters()).normal_()
    change = torch.logit(texture().detach().double()).numpy()
    rows, columns = (spline_matrix(n, 4.0).double().numpy() for n in (30, 40))
    expected = np.einsum(
        "yk,ckl,xl->cyx", rows, next(texture.parameters()).detach().double().numpy(), columns
    )
    np.testing.assert_allclose(change, expected, atol=1e-5)


def test_settings_name_what_does_not_fit() -> None:
    assert TextureSettings.build({}).start == "grey"
    for key, value in [("kind", "palete"), ("texels_per_mm", 0.1), ("texels_per_mm", 100), ("start", 5)]:
        with pytest.raises(ConfigError, match=f"^Setting {key}={value!r} does not fit:"):
            TextureSettings.build({key: value})
