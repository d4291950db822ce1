"""What every kind of texture promises: its start, its range, its gradients, its state, its scale."""

from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageColor
from scipy.fft import dctn, idctn

from advmask.textures.bases import spline_matrix, wave_matrix
from advmask.textures.colour_names import colour_named
from advmask.textures.colours import named_colour, nearest_ink
from advmask.textures.fields import Extent, SpectralField, SplineField
from advmask.textures.ink_choice import colour_in_words, ink_choice
from advmask.textures.palette import PaletteTexture
from advmask.textures.settings import TextureSettings
from advmask.textures.texture import Texture, build_texture

H, W = 48, 75
CONTINUOUS = [
    {"kind": "pixels"},
    {"kind": "pixels", "detail_mm": 0},
    {"kind": "pyramid"},
    {"kind": "pyramid", "detail_mm": 0},
    {"kind": "spectral", "opening": 0.5},
    {"kind": "spectral", "exponent": 0.0},
]
PALETTES = [
    {"kind": "palette", "detail_mm": 2},
    {"kind": "palette", "detail_mm": 0, "palette": {"inks": ["black", "white"]}},
    {"kind": "palette", "palette": {"inks": 5}},
]
KINDS = CONTINUOUS + PALETTES
LAYOUTS = [{}, {"symmetry": "mirror"}, {"repeat_mm": (9, 8)}, {"symmetry": "mirror", "repeat_mm": (9, 8)}]


def build(*, nose: float = W / 2, height: int = H, width: int = W, **values: object) -> Texture:
    wanted = TextureSettings.build({"texels_per_mm": 2.0} | values)
    return build_texture(
        wanted,
        height=height,
        width=width,
        nose_column=nose,
        generator=torch.Generator().manual_seed(1),
    )


def shake(texture: Texture, size: float = 1.0, seed: int = 3) -> None:
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in texture.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws) * size)


def eight_bit(texels: torch.Tensor) -> np.ndarray:
    return (texels.detach() * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_every_parameter_and_texels_stay_in_range(kind, layout) -> None:
    texture = build(start="noise", **kind, **layout)
    shake(texture)
    texture.progress(1.0)
    texels = texture()
    assert texels.shape == (3, H, W)
    assert 0 <= float(texels.detach().min()) <= float(texels.detach().max()) <= 1
    (texels * torch.randn(3, H, W, generator=torch.Generator().manual_seed(5))).sum().backward()
    for parameter in texture.parameters():
        assert parameter.grad is not None
        assert torch.isfinite(parameter.grad).all()
        # A mixture that is quite decided passes nothing to inks that are out of the question.
        assert float((parameter.grad != 0).float().mean()) > (0.5 if kind["kind"] == "palette" else 0.999)


@pytest.mark.parametrize("kind", CONTINUOUS)
def test_the_first_texels_are_the_start(kind, tmp_path) -> None:
    pixels = np.random.default_rng(0).integers(10, 245, (H, W, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "start.png")
    found = eight_bit(build(start=str(tmp_path / "start.png"), **kind)())
    assert np.array_equal(found, pixels)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("kind", KINDS)
def test_state_brings_texels_back_to_the_last_bit(kind, share) -> None:
    texture = build(start="noise", **kind)
    shake(texture)
    texture.progress(share)
    other = build(start="noise", **kind)
    other.load_state_dict(texture.state_dict())
    assert torch.equal(other(), texture())


@pytest.mark.parametrize("kind", KINDS)
def test_a_resumed_run_goes_on_as_if_it_had_not_stopped(kind) -> None:
    def steps(texture: Texture, optimiser: torch.optim.Adam, first: int, last: int) -> None:
        for step in range(first, last):
            texture.progress(step / 8)
            optimiser.zero_grad()
            (texture() - 0.3).square().sum().backward()
            optimiser.step()

    whole = build(start="noise", **kind)
    adam = torch.optim.Adam(whole.parameters(), lr=0.1)
    steps(whole, adam, 0, 4)
    again = build(start="noise", **kind)
    other = torch.optim.Adam(again.parameters(), lr=0.1)
    again.load_state_dict(whole.state_dict())
    other.load_state_dict(deepcopy(adam.state_dict()))
    steps(whole, adam, 4, 8)
    steps(again, other, 4, 8)
    assert torch.equal(again.finish(), whole.finish())


@pytest.mark.parametrize("kind", [k for k in KINDS if k.get("detail_mm") != 0])
def test_the_same_numbers_draw_the_same_design_at_twice_the_resolution(kind) -> None:
    coarse = build(start="teal", height=48, width=80, **kind)
    fine = build(start="teal", height=96, width=160, texels_per_mm=4.0, **kind)
    shake(coarse, 0.7)
    with torch.no_grad():
        for one, other in zip(coarse.parameters(), fine.parameters(), strict=True):
            other.copy_(one)
    for texture in (coarse, fine):
        texture.progress(0.6)
    averaged = torch.nn.functional.avg_pool2d(fine().detach()[None], 2)[0]
    assert float((averaged - coarse().detach()).abs().mean()) < 0.012


def test_autocast_leaves_texels_alone() -> None:
    texture = build(start="noise", kind="pyramid")
    shake(texture)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert torch.equal(texture(), texture())
        half = texture()
    assert half.dtype == torch.float32
    assert torch.equal(half, texture())


@settings(max_examples=40, deadline=None)
@given(change=st.floats(0.004, 1.0), size=st.sampled_from([0.1, 3.0, 1000.0]), seed=st.integers(0, 1000))
def test_a_bounded_change_is_never_exceeded(change: float, size: float, seed: int) -> None:
    texture = build(start="noise", change=change, detail_mm=2.0)
    motif = torch.rand((3, H, W), generator=torch.Generator().manual_seed(1))
    first = texture().detach()
    assert float((first - motif).abs().max()) <= 0.04 * change + 1e-6
    shake(texture, size, seed)
    found = texture().detach()
    assert float((found - motif).abs().max()) <= change + 1e-6
    assert 0 <= float(found.min()) <= float(found.max()) <= 1


@pytest.mark.parametrize("start", ["black", "white", "grey"])
def test_a_bounded_change_can_be_learned_everywhere(start: str) -> None:
    texture = build(start=start, change=0.1)
    (gradient,) = torch.autograd.grad(texture().sum(), texture.parameters())
    assert float(gradient.min()) > 0


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([0.0, 1.0, 100.0]), number=st.integers(0, 2))
def test_a_finished_palette_is_exactly_its_inks(seed: int, size: float, number: int) -> None:
    texture = build(start="noise", **PALETTES[number])
    shake(texture, size, seed)
    texels = texture.finish()
    base = texture.base
    assert isinstance(base, PaletteTexture)
    inks = base.colours(exact=True).detach()
    steps = (inks * 255).round()
    assert torch.equal(steps / 255, inks)
    assert set(map(tuple, texels.flatten(1).T.tolist())) <= set(map(tuple, inks.tolist()))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_fields_of_a_palette_lead_where_its_inks_are(layout: dict[str, object]) -> None:
    texture = build(kind="palette", start="noise", palette={"inks": 5}, **layout)
    shake(texture)
    fields = texture.ink_fields()
    assert fields is not None
    assert torch.equal(fields.colours.T[:, fields.strongest], texture.finish())
    assert build(kind="pixels", **layout).ink_fields() is None


def test_inks_and_colours_left_out_are_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    picture = Image.new("RGB", (W * 4, H * 4), "#f4ead5")
    picture.paste("#22345e", (0, 0, W * 2, H * 2))
    picture.paste("#d01020", (W * 3, H * 3, W * 4, H * 4))
    picture.save(tmp_path / "p.png")
    with caplog.at_level("INFO", logger="advmask"):
        palette = build(
            start=str(tmp_path / "p.png"), kind="palette", palette={"inks": ["#F4EAD5", "#22345e"]}
        )
    assert "Inks, with their shares of the start: #f4ead5" in caplog.text
    assert "Left out: #d01020" in caplog.text
    assert "texture.palette.inks" in caplog.text
    (red,) = palette.ink_choice.left_out
    assert (red.colour, red.becomes) == ("#d01020", "#f4ead5")
    assert red.share == pytest.approx(1 / 16, rel=0.2)
    assert sum(share for _, share in palette.ink_choice.inks) == pytest.approx(1)
    shown = np.asarray(palette.ink_choice.picture())
    for colour in ("#f4ead5", "#22345e", "#d01020"):
        assert ((shown == ImageColor.getrgb(colour)).all(axis=2)).sum() > 50 * 50, colour
    caplog.clear()
    with caplog.at_level("INFO", logger="advmask"):
        build(
            start=str(tmp_path / "p.png"), kind="palette", palette={"inks": ["#F4EAD5", "#22345e", "#d01020"]}
        )
    assert "Left out" not in caplog.text


def test_no_colour_is_left_out_in_silence() -> None:
    texels = torch.ones(3, 120, 120)
    patches = [(r, g, b) for r in (0.0, 1.0) for g in (0.0, 0.5, 1.0) for b in (0.0, 0.5)]
    for number, colour in enumerate(patches):
        row, column = divmod(number, 4)
        texels[:, row * 12 : row * 12 + 10, column * 12 : column * 12 + 10] = torch.tensor(colour)[
            :, None, None
        ]
    texels[:, 100:105, 100:105] = torch.tensor([0.0, 1.0, 1.0])[:, None, None]  # covers little
    choice = ink_choice(texels, torch.tensor([[1.0, 1, 1], [0.0, 0, 0]]))
    assert len(choice.left_out) == len(patches) - 1
    assert choice.small > 0
    said = " ".join(choice.sentences())
    assert "#000000 black (" in said
    assert said.count("Left out: ") == 4
    assert "Left out as well: other colours, " in said
    assert choice.picture().height > 84 * 12


@pytest.mark.parametrize(
    ("code", "word"),
    [("#f4ead5", "cream"), ("#22345e", "dark blue"), ("#d01020", "red"), ("#000000", "black")],
)
def test_a_colour_in_words(code: str, word: str) -> None:
    assert colour_in_words(code) == word


@pytest.mark.parametrize("name", ["Navy", "NAVY", " navy", "#00008B", "Grey"])
def test_a_colour_may_be_named_in_any_case(name: str) -> None:
    assert colour_named(name) == colour_named(name.strip().lower()) is not None


def test_a_palette_starts_from_the_nearest_inks() -> None:
    names = ["black", "white", "#c2452d"]
    texture = build(start="#b84030", kind="palette", palette={"inks": names})
    red = torch.tensor([0xC2, 0x45, 0x2D]) / 255
    assert torch.equal(texture.finish(), red[:, None, None].expand(3, H, W))


def test_nearest_is_what_looks_nearest() -> None:
    from skimage.color import rgb2lab

    texels = torch.rand(3, 20, 30)
    inks = torch.stack([named_colour(name) for name in ("black", "white", "navy", "tomato", "#5b8a58")])
    away = rgb2lab(texels.permute(1, 2, 0).numpy())[:, :, None] - rgb2lab(inks.numpy()[None])[None]
    assert np.array_equal(nearest_ink(texels, inks).numpy(), (away**2).sum(-1).argmin(-1))


def test_the_mixture_is_a_softmax_in_value_and_gradient() -> None:
    base = build(start="noise", kind="palette", palette={"inks": 4}).base
    assert isinstance(base, PaletteTexture)
    for parameter in base.parameters():
        torch.nn.init.normal_(parameter)
    weights = torch.randn(3, H, W)
    share = 0.4
    logits = base.start + base.field(share)
    expected = torch.einsum(
        "kc,khw->chw", base.colours(exact=False), torch.softmax(logits / base.temperature(share), dim=0)
    )
    wanted = torch.autograd.grad((expected * weights).sum(), list(base.parameters()))
    texels = base(share)
    found = torch.autograd.grad((texels * weights).sum(), list(base.parameters()))
    torch.testing.assert_close(texels, expected, rtol=0, atol=1e-5)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    # Decided texels keep the gradient of the mixture.
    texels = base(1.0)
    assert all(torch.isfinite(g).all() for g in torch.autograd.grad(texels.sum(), list(base.parameters())))


def test_many_inks_are_found_for_any_start() -> None:
    for start in ("grey", "noise"):
        base = build(start=start, kind="palette", palette={"inks": 32}).base
        assert isinstance(base, PaletteTexture)
        assert len(torch.unique((base.inks * 255).round(), dim=0)) == 32


def test_temperature_falls_and_texels_are_decided_at_the_end() -> None:
    base = build(kind="palette", palette={"warm": 2.0, "cold": 0.5, "decided": 0.2}).base
    assert isinstance(base, PaletteTexture)
    shares = [base.temperature(share) for share in (0, 0.4, 0.8, 1)]
    assert shares == pytest.approx([2.0, 1.0, 0.5, 0.5])
    assert [base.is_decided(share) for share in (0, 0.79, 0.8, 1)] == [False, False, True, True]


def test_waves_are_those_of_scipys_cosine_transform() -> None:
    rows, columns = (wave_matrix(count, 1.0)[0].double().numpy() for count in (9, 14))
    picture = np.random.default_rng(0).normal(size=(9, 14))
    numbers = dctn(picture, norm="ortho")
    expected = idctn(numbers, norm="ortho")
    found = rows @ (numbers / np.sqrt(9 * 14)) @ columns.T
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize(("count", "spacing"), [(30, 3.0), (31, 4.5), (12, 1.0), (5, 9.0)])
def test_waves_are_orthogonal_and_end_at_the_spacing(count: int, spacing: float, periodic: bool) -> None:
    waves, frequency = wave_matrix(count, spacing, periodic=periodic)
    np.testing.assert_allclose(waves.T @ waves / count, np.eye(waves.shape[1]), atol=1e-5)
    assert float(frequency.max()) <= 1 / (2 * min(spacing, count)) + 1e-6
    assert bool((frequency.diff() >= 0).all())


def test_periodic_splines_are_splines_around_a_ring() -> None:
    ring = spline_matrix(24, 3.0, periodic=True)
    assert ring.shape == (24, 8)
    np.testing.assert_allclose(ring.sum(dim=1), 1, atol=1e-6)
    np.testing.assert_allclose(ring.roll(3, dims=0), ring.roll(-1, dims=1), atol=1e-6)
    np.testing.assert_allclose(spline_matrix(5, 9.0, periodic=True), 1, atol=1e-6)


@pytest.mark.parametrize(
    "field",
    [
        SplineField(Extent(H, W), spacing=2.0, levels=3, opening=0.6),
        SpectralField(Extent(H, W), spacing=2.0, opening=0.6),
    ],
)
def test_coarse_detail_opens_before_fine(field: torch.nn.Module) -> None:
    for parameter in field.parameters():
        torch.nn.init.normal_(parameter)
    roughness = []
    for share in (0.0, 0.2, 0.4, 0.6, 1.0):
        values = field(share).detach()
        roughness.append(float(values.diff(dim=2).square().mean() / values.var()))
    assert roughness == sorted(roughness)
    assert roughness[0] < 0.25 * roughness[-1]
    assert roughness[-2] == roughness[-1]


def test_a_unit_step_of_waves_is_a_unit_field() -> None:
    field = SpectralField(Extent(H, W), spacing=2.0)
    with torch.no_grad():
        field.waves.copy_(torch.randn_like(field.waves).sign())
    assert float(field(1.0).detach().square().mean().sqrt()) == pytest.approx(1, abs=0.15)
