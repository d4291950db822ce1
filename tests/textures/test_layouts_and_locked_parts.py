"""Mirrors, tiles, locked parts, fitted pictures, and settings that contradict each other."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from advmask.core.errors import ConfigError, DesignError
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.textures.picture_fit import fit_picture
from advmask.textures.picture_texels import read_mask_picture
from advmask.textures.settings import TextureSettings
from advmask.textures.texel_layout import Layout
from advmask.textures.texture import Texture, build_texture

H, W = 40, 60


def build(*, nose: float = W / 2, **values: object) -> Texture:
    wanted = TextureSettings.build({"texels_per_mm": 2.0} | values)
    draws = torch.Generator().manual_seed(1)
    return build_texture(wanted, height=H, width=W, nose_column=nose, generator=draws)


def shake(texture: Texture, seed: int = 3) -> None:
    draws = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in texture.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))


def eight_bit(texels: torch.Tensor) -> np.ndarray:
    return (texels.detach() * 255).round().byte().permute(1, 2, 0).numpy()


@settings(max_examples=60, deadline=None)
@given(width=st.integers(1, 40), share=st.floats(0, 1), wide=st.integers(1, 50))
def test_mirrored_pairs_are_equal_whatever_the_axis(width: int, share: float, wide: int) -> None:
    axis = round(2 * share * width) / 2
    layout = Layout(height=3, width=width, nose_column=share * width, mirror=True, tile=(2, wide))
    extent = layout.extent
    texels = layout(torch.rand(3, extent.height, extent.width))
    assert texels.shape == (3, 3, width)
    for column in range(width):
        other = 2 * axis - column - 1
        if 0 <= other < width:
            assert torch.equal(texels[:, :, column], texels[:, :, int(other)])


@pytest.mark.parametrize("nose", [20.0, 30.0, 30.5, 41.0])
def test_a_mirrored_start_keeps_the_wider_side(nose: float) -> None:
    layout = Layout(height=H, width=W, nose_column=nose, mirror=True)
    start = torch.rand(3, H, W)
    found = layout(layout.domain_of(start))
    same = (found == start).all(dim=0).all(dim=0)
    kept = slice(0, int(nose + 0.5)) if nose >= W / 2 else slice(int(nose), W)
    assert bool(same[kept].all())
    assert not bool(same.all())


@pytest.mark.parametrize(
    "kind", [{"kind": "pyramid"}, {"kind": "spectral"}, {"kind": "palette", "detail_mm": 2}]
)
def test_learned_textures_are_symmetric_and_periodic_to_the_last_bit(kind) -> None:
    mirrored = build(start="noise", symmetry="mirror", **kind)
    tiled = build(start="noise", repeat_mm=(10, 9), **kind)
    for texture in (mirrored, tiled):
        shake(texture)
        texture.progress(0.5)
    texels = mirrored().detach()
    assert torch.equal(texels, texels.flip(2))
    texels = tiled().detach()
    assert torch.equal(texels[:, :, 20:], texels[:, :, :-20])
    assert torch.equal(texels[:, 18:], texels[:, :-18])


def test_tiles_of_splines_meet_without_a_seam() -> None:
    texture = build(repeat_mm=(10, 9), detail_mm=2.0)
    shake(texture)
    texels = torch.logit(texture().detach())
    steps = texels.diff(dim=2).abs().mean(dim=(0, 1))  # from column to column
    seam = (W // 2 - 10) % 20 - 1
    assert float(steps[seam::20].mean()) < 1.6 * float(steps.median())


def test_a_tile_gathers_the_gradients_of_all_its_copies() -> None:
    texture = build(repeat_mm=(10, 10), detail_mm=0)
    weights = torch.rand(3, H, W)
    (texture() * weights).sum().backward()
    (gradient,) = (parameter.grad for parameter in texture.parameters())
    expected = torch.zeros(3, 20, 20)
    for top in (0, 20):
        for left in (0, 20, 40):
            expected += weights[:, top : top + 20, left : left + 20]
    assert gradient is not None
    found = gradient / 0.25  # slope of the sigmoid at grey
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("pattern", ["contour", "panelled", "pleated"])
def test_panels_of_shipped_masks_mirror_each_other_about_the_nose_line(pattern: str) -> None:
    import shapely

    pieces = [
        shapely.Polygon(panel.outline_mm)
        for panel in build_mask(MaskSettings(pattern=pattern)).pattern.panels
    ]
    flat = shapely.union_all(pieces)
    mirrored = shapely.affinity.scale(flat, xfact=-1, origin=(0, 0))
    assert flat.symmetric_difference(mirrored).area < 1e-3 * flat.area


def test_impossible_layouts_are_refused() -> None:
    with pytest.raises(DesignError, match="nose line"):
        build(symmetry="mirror", nose=-3.0)
    with pytest.raises(DesignError, match="as large as the whole pattern"):
        build(repeat_mm=(30, 20))


def logo(tmp_path) -> tuple[str, str, np.ndarray, np.ndarray]:
    mask = np.zeros((H, W), np.uint8)
    mask[5:15, 10:30] = 255
    mask[15, 10:30] = 100
    content = np.random.default_rng(0).integers(0, 256, (H, W, 3), dtype=np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    Image.fromarray(content).save(tmp_path / "logo.png")
    return str(tmp_path / "mask.png"), str(tmp_path / "logo.png"), mask, content


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kind": "spectral"},
        {"kind": "palette"},
        {"symmetry": "mirror"},
        {"repeat_mm": (8, 8)},
        {"change": 0.2},
    ],
)
def test_locked_texels_are_the_given_ones_through_a_png(tmp_path, values) -> None:
    file, picture, mask, content = logo(tmp_path)
    texture = build(start="noise", locked=[{"mask": file, "content": picture}], **values)
    shake(texture)
    Image.fromarray(eight_bit(texture.finish())).save(tmp_path / "out.png")
    found = np.asarray(Image.open(tmp_path / "out.png"))
    assert np.array_equal(found[mask == 255], content[mask == 255])
    assert not np.array_equal(found[mask == 0], content[mask == 0])


def test_no_gradient_comes_from_locked_texels_and_every_free_one_gives_it(tmp_path) -> None:
    file, _, mask, _ = logo(tmp_path)
    texture = build(detail_mm=0, locked=[{"mask": file, "content": "tomato"}])
    texture().sum().backward()
    (gradient,) = (parameter.grad for parameter in texture.parameters())
    assert gradient is not None
    locked = torch.from_numpy(mask == 255)
    assert bool((gradient[:, locked] == 0).all())
    assert bool((gradient[:, ~locked] > 0).all())


def test_a_soft_edge_mixes_and_a_palette_knows_none(tmp_path) -> None:
    file, _, mask, _ = logo(tmp_path)
    mixed = build(start="black", locked=[{"mask": file, "content": "white"}])()
    share = 100 / 255
    assert float(mixed[0, 15, 12].detach()) == pytest.approx(share + (1 - share) * 0.02, abs=1e-4)
    texture = build(
        start="black",
        kind="palette",
        palette={"inks": ["black", "navy"]},
        locked=[{"mask": file, "content": "white"}],
    )
    assert len(np.unique(eight_bit(texture.finish()).reshape(-1, 3), axis=0)) == 2
    assert mask[15, 12] == 100


def test_later_parts_lie_on_top_and_the_start_can_be_kept(tmp_path) -> None:
    left, right = np.zeros((H, W), np.uint8), np.zeros((H, W), np.uint8)
    left[:, :30], right[:, 20:40] = 255, 255
    Image.fromarray(left).save(tmp_path / "left.png")
    Image.fromarray(right).save(tmp_path / "right.png")
    texture = build(
        start="#102030",
        locked=[
            {"mask": str(tmp_path / "left.png"), "content": "red"},
            {"mask": str(tmp_path / "right.png")},
        ],
    )
    shake(texture)
    found = eight_bit(texture())
    assert (found[:, :20] == (255, 0, 0)).all()
    assert (found[:, 20:40] == (0x10, 0x20, 0x30)).all()
    assert not (found[:, 40:] == (0x10, 0x20, 0x30)).all()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000))
def test_soft_edges_never_leave_the_range(tmp_path_factory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("soft")
    noise = np.random.default_rng(seed).integers(0, 256, (H, W), dtype=np.uint8)
    Image.fromarray(noise).save(folder / "mask.png")
    texture = build(start="white", locked=[{"mask": str(folder / "mask.png"), "content": "white"}] * 2)
    with torch.no_grad():
        for parameter in texture.parameters():
            parameter.fill_(100.0)
    assert float(texture().detach().max()) <= 1


def test_masks_that_cannot_be_meant_are_refused(tmp_path) -> None:
    Image.new("L", (20, 20), 0).save(tmp_path / "black.png")
    Image.new("L", (20, 20), 255).save(tmp_path / "white.png")
    file, *_ = logo(tmp_path)
    for part, words in [
        ({"mask": str(tmp_path / "black.png")}, "locks nothing"),
        ({"mask": str(tmp_path / "white.png")}, "nothing is left to learn"),
        ({"mask": "gone.png"}, "There is no file 'gone.png'"),
        ({"mask": file, "content": "logoo.png"}, "Cannot show 'logoo.png'"),
    ]:
        with pytest.raises(DesignError, match=words):
            build(locked=[part])


def test_a_mask_is_black_where_it_is_transparent(tmp_path) -> None:
    picture = Image.new("RGBA", (W, H), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 10, H))
    picture.save(tmp_path / "mask.png")
    found = read_mask_picture(tmp_path / "mask.png", height=H, width=W)
    assert torch.equal(found, (torch.arange(W) < 10).float().expand(H, W))


def test_contain_shows_everything_on_the_colour_of_the_rim() -> None:
    motif = Image.new("RGB", (20, 40), "teal")
    motif.paste("red", (5, 5, 15, 35))
    found = np.asarray(fit_picture(motif, height=H, width=W, fit="contain"))
    assert (found[:, :20] == (0, 128, 128)).all()
    assert (found[:, 40:] == (0, 128, 128)).all()
    assert np.array_equal(found[:, 20:40], np.asarray(motif))


@pytest.mark.parametrize("width", [30, 200, 900])
def test_a_flat_drawing_gets_no_rim_of_another_colour(width: int) -> None:
    x, y = np.meshgrid(np.arange(width), np.arange(width))
    dark, light = np.array([20, 40, 110]), np.array([244, 234, 213])
    drawing = np.where((np.hypot(x, y) < 0.7 * width)[..., None], dark, light).astype(np.uint8)
    found = np.asarray(fit_picture(Image.fromarray(drawing), height=H, width=W)).reshape(-1, 3).astype(float)
    share = (found - dark) @ (light - dark) / ((light - dark) @ (light - dark))
    assert share.min() >= -0.005
    assert share.max() <= 1.005
    assert np.abs(found - dark - share[:, None] * (light - dark)).max() <= 1.0


def test_copies_lie_side_by_side_one_in_the_middle() -> None:
    motif = np.random.default_rng(0).integers(0, 256, (8, 12, 3), dtype=np.uint8)
    found = np.asarray(fit_picture(Image.fromarray(motif), height=H, width=W, fit="tile", copy_width=12))
    assert np.array_equal(found[16:24, 24:36], motif)
    assert np.array_equal(found[8:], found[:-8])
    assert np.array_equal(found[:, 12:], found[:, :-12])


@settings(max_examples=60, deadline=None)
@given(
    size=st.tuples(st.integers(1, 90), st.integers(1, 90)),
    fit=st.sampled_from(["cover", "contain", "tile"]),
    copy_width=st.integers(1, 80),
)
def test_a_motif_of_any_size_and_shape_can_be_laid(size, fit, copy_width) -> None:
    motif = Image.new("RGB", size, "teal")
    found = np.asarray(fit_picture(motif, height=H, width=W, fit=fit, copy_width=copy_width))
    assert found.shape == (H, W, 3)
    assert (found == (0, 128, 128)).all()


@pytest.mark.parametrize(
    ("size", "fit", "words"),
    [
        ((8, 6), "cover", "enlarged 8 times"),
        ((900, 40), "cover", "only 7% of it"),
        ((900, 40), "contain", None),
        ((1200, 800), "cover", None),
        ((8, 6), "tile", None),
    ],
)
def test_motifs_that_fit_badly_are_told(tmp_path, size, fit, words, told: list[str]) -> None:
    Image.new("RGB", size, "teal").save(tmp_path / "m.png")
    build(start=str(tmp_path / "m.png"), fit=fit, copy_mm=10)
    assert bool(told) == (words is not None)
    assert all(words in sentence and "m.png" in sentence for sentence in told)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"kind": "palette", "palette": {"inks": ["black"]}}, "one ink prints one plain colour"),
        ({"kind": "palette", "palette": {"inks": 1}}, "one ink prints one plain colour"),
        ({"kind": "palette", "palette": {"inks": 100}}, "2 to 32 inks"),
        ({"kind": "palette", "palette": {"inks": []}}, "2 to 32 inks"),
        ({"kind": "palette", "palette": {"inks": ["black", "#000000"]}}, "are the same colour"),
        ({"kind": "palette", "palette": {"inks": ["black", "blakc"]}}, "'blakc' is not a colour"),
        ({"kind": "palette", "palette": {"inks": True}}, "expected a list of colours"),
        ({"kind": "palette", "palette": {"warm": 0.1, "cold": 1}}, "exchange them"),
        ({"kind": "palette", "change": 0.1}, "knows no colour between its inks"),
        ({"kind": "pixels", "palette": {"inks": 5}}, "no meaning for kind=pixels"),
        ({"kind": "palette", "levels": 3}, "no meaning for kind=palette"),
        ({"kind": "pixels", "opening": 0.5}, "texture=pyramid or texture=spectral"),
        ({"change": 0}, "above 0 and up to 1"),
        ({"change": -1}, "above 0 and up to 1"),
        ({"repeat_mm": [2, 50]}, "four details"),
        ({"repeat_mm": [float("nan"), 50]}, "four details"),
        ({"repeat_mm": [50, 50], "fit": "tile"}, "use one of the two"),
        ({"symmetry": "left"}, "symmetry='left'"),
    ],
)
def test_contradicting_settings_are_refused_with_the_reason(values, words) -> None:
    with pytest.raises(ConfigError, match=words):
        TextureSettings.build(values)
