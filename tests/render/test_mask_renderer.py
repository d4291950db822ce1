"""Texture to picture: colours, gradients, tone, precision, and the pixels that must not change."""

from functools import partial

import numpy as np
import pytest
import torch
from masked_photos import (
    HARD,
    HEIGHT,
    MASK,
    PER_MM,
    PYRAMID,
    SIDE,
    WIDTH,
    flat,
    photo,
    random_texture,
    render,
)
from scipy.ndimage import binary_dilation
from supersampled_reference import head, to_linear, to_srgb, visible_uv, worn

from advmask.core.errors import ConfigError
from advmask.masks.placement import place
from advmask.masks.pose import HeadPose
from advmask.render.batching import collate
from advmask.render.packing import PackedPlacement
from advmask.render.packing import pack as pack_for
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer, Tone
from advmask.render.settings import RenderSettings

pack = partial(pack_for, pyramid=PYRAMID, texels_per_mm=PER_MM)
BARE = RenderSettings(shading=False)
LUMINANCE = torch.tensor([0.2126, 0.7152, 0.0722])


@pytest.fixture(scope="module")
def packed() -> PackedPlacement:
    return pack(worn(SIDE, yaw=20.0), photo(), settings=BARE)


def opaque(packed: PackedPlacement) -> torch.Tensor:
    """Pixels of an unshaded placement that are all mask."""
    return packed.pixel[packed.gain == 1].long()


def silhouette(placement, *, side: int = SIDE) -> np.ndarray:
    face_at, _ = visible_uv(placement, side=side, samples=4)
    return (face_at >= 0).reshape(side, 4, side, 4).mean(axis=(1, 3))


def test_pixels_outside_the_mask_are_the_photo_bit_for_bit(packed):
    out = render(random_texture(), photo(), packed)
    outside = torch.ones(SIDE * SIDE, dtype=torch.bool)
    outside[packed.pixel.long()] = False
    assert outside.sum() > 1000
    assert torch.equal(out.reshape(3, -1)[:, outside], photo().reshape(3, -1)[:, outside])


def test_the_photo_given_in_is_not_written_to(packed):
    picture, texture = photo(), random_texture()
    render(texture, picture, packed)
    assert torch.equal(picture, photo())
    assert torch.equal(texture, random_texture())


def test_white_cloth_without_shading_is_exactly_white_where_it_covers_all(packed):
    out = render(flat([1.0, 1.0, 1.0]), photo(), packed).reshape(3, -1)
    assert len(opaque(packed)) > 300
    torch.testing.assert_close(out[:, opaque(packed)], torch.ones(3, len(opaque(packed))), atol=3e-4, rtol=0)
    assert (out[:, opaque(packed)] * 255).round().eq(255).all()
    assert out.max() <= 1 + 1e-6


@pytest.mark.parametrize("colour", [(0.0, 0.0, 0.0), (0.2, 0.5, 0.9), (0.03, 0.99, 0.6)])
def test_a_constant_colour_is_preserved(packed, colour):
    out = render(flat(colour), photo(), packed).reshape(3, -1)[:, opaque(packed)]
    expected = torch.tensor(colour)[:, None].expand_as(out)
    torch.testing.assert_close(out, expected, atol=4e-4, rtol=0)  # a tenth of an 8 bit step


def test_the_rim_is_mixed_in_linear_light_by_the_share_that_the_mask_covers():
    picture, placement = photo(), worn(SIDE, yaw=30.0)
    packed = pack(placement, picture, settings=HARD)
    share = silhouette(placement)
    drawn = np.zeros(SIDE * SIDE)
    drawn[packed.pixel.long().numpy()] = packed.gain.float().numpy()
    np.testing.assert_array_equal(drawn.reshape(SIDE, SIDE), share)
    out = render(flat([0.9, 0.1, 0.4]), picture, packed).permute(1, 2, 0).numpy()
    behind = to_linear(picture.permute(1, 2, 0).double().numpy())
    expected = to_srgb(
        behind * (1 - share[..., None]) + to_linear(np.array([0.9, 0.1, 0.4])) * share[..., None]
    )
    np.testing.assert_allclose(out, expected, atol=5e-4)


def test_a_soft_rim_only_takes_away():
    hard = pack(worn(SIDE), photo(), settings=HARD)
    soft = pack(worn(SIDE), photo(), settings=HARD.model_copy(update={"edge_px": 0.7}))
    assert np.isin(soft.pixel.numpy(), hard.pixel.numpy()).all()
    assert ((soft.gain >= 0) & (soft.gain <= 1)).all()
    assert (soft.gain == 1).float().mean() > 0.75


@pytest.mark.parametrize("saturated", [True, False])
def test_whole_chain_passes_gradcheck_at_random_texels(saturated):
    grey = photo(1).mean(dim=0, keepdim=True).expand(3, SIDE, SIDE)
    pale = torch.lerp(grey, photo(1), 0.25)
    pictures = [photo(0), photo(1) if saturated else pale]
    settings = BARE if saturated else RenderSettings()
    items = [pack(worn(SIDE, yaw=20.0), one, settings=settings) for one in pictures]
    batch = collate(items, height=SIDE, width=SIDE).to("cpu", torch.float64)
    assert saturated == (batch.saturation is None)
    white = torch.tensor([[0.8, 0.7, 0.6], [0.9, 0.9, 0.9]], dtype=torch.float64, requires_grad=True)
    black = torch.tensor([[0.02, 0.03, 0.04], [0.01, 0.0, 0.02]], dtype=torch.float64, requires_grad=True)
    texture = random_texture(dtype=torch.float64)
    texel = (torch.randint(3, (30,)), torch.randint(HEIGHT, (30,)), torch.randint(WIDTH, (30,)))
    weight = torch.rand(2, 3, SIDE, SIDE, dtype=torch.float64)  # one scalar that all pixels enter
    bare = torch.stack(pictures).double()

    def scalar(values, black, white):
        out = MaskRenderer()(texture.index_put(texel, values), bare, batch, Tone(black=black, white=white))
        assert out.max() < 1  # where light is clipped its gradient passes on purpose, and would not agree
        return (out * weight).sum()

    values = texture[texel].clone().requires_grad_()
    assert torch.autograd.gradcheck(scalar, (values, black, white), atol=1e-6)
    (gradient,) = torch.autograd.grad(scalar(values, black, white), values)
    assert (gradient != 0).sum() > 15  # the check looked at texels that are seen


def test_photos_receive_gradient_only_outside_the_mask(packed):
    picture = photo().requires_grad_()
    render(random_texture(), picture, packed).sum().backward()
    inside = torch.zeros(SIDE * SIDE, dtype=torch.bool)
    inside[packed.pixel.long()] = True
    assert (picture.grad.reshape(3, -1)[:, ~inside] == 1).all()
    assert (picture.grad.reshape(3, -1)[:, inside] == 0).all()


def test_pictures_need_not_be_square():
    picture = photo()[:, :50]
    placement = worn(SIDE, yaw=10.0)
    out = render(random_texture(), picture, pack(placement, picture, settings=HARD))
    square = render(random_texture(), photo(), pack(placement, photo(), settings=HARD))
    assert out.shape == (3, 50, SIDE)
    torch.testing.assert_close(out, square[:, :50], atol=1e-6, rtol=0)


def test_tone_moves_black_and_white_in_linear_light(packed):
    tone = Tone(black=torch.tensor([[0.05, 0.04, 0.03]]), white=torch.tensor([[0.7, 0.8, 0.9]]))
    for value in (0.0, 0.4, 1.0):
        out = render(flat([value] * 3), photo(), packed, tone=tone).reshape(3, -1)[:, opaque(packed)].numpy()
        black, white = tone.black[0].double().numpy(), tone.white[0].double().numpy()
        expected = to_srgb(black + (white - black) * to_linear(np.array([value])))
        np.testing.assert_allclose(out, np.broadcast_to(expected[:, None], out.shape), atol=4e-4)


def test_no_tone_is_the_tone_from_zero_to_one(packed):
    neutral = Tone(black=torch.zeros(1, 3), white=torch.ones(1, 3))
    torch.testing.assert_close(
        render(random_texture(), photo(), packed, tone=neutral), render(random_texture(), photo(), packed)
    )


def test_shading_follows_the_light_on_the_photo():
    ramp = torch.from_numpy(to_srgb(np.linspace(0.05, 0.5, SIDE))).float()  # light from the right
    picture = ramp.view(1, 1, -1) * torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1).expand(3, SIDE, SIDE)
    out = render(flat([0.5] * 3), picture, pack(worn(SIDE), picture, settings=RenderSettings(edge_px=0.0)))
    row, middle = out[0, 44], SIDE // 2
    assert row[middle + 12] > 1.25 * row[middle - 12]


def test_an_evenly_lit_face_has_even_light_but_for_seams():
    picture = torch.full((3, SIDE, SIDE), 0.6) * torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1)
    packed = pack(worn(SIDE, yaw=20.0), picture, settings=RenderSettings(edge_px=0.0))
    level = float(
        (torch.from_numpy(to_linear(picture[:, 0, 0].double().numpy())) @ LUMINANCE.double()).clip(0.35)
    )
    full = torch.from_numpy(silhouette(worn(SIDE, yaw=20.0)).ravel())[packed.pixel.long()] == 1
    lit = packed.gain[full].float()
    assert lit.median().item() == pytest.approx(level, abs=2e-3)
    assert ((lit - level).abs() < 0.01).float().mean() > 0.6


def test_a_grey_photo_gives_a_grey_mask():
    grey = photo().mean(dim=0, keepdim=True).expand(3, SIDE, SIDE)
    packed = pack(worn(SIDE), grey, settings=RenderSettings())
    assert packed.saturation == 0
    out = render(random_texture(), grey, packed)
    torch.testing.assert_close(out, out[:1].expand_as(out), atol=2e-3, rtol=0)
    coloured = render(random_texture(), photo(), pack(worn(SIDE), photo(), settings=RenderSettings()))
    assert (coloured - coloured[:1]).abs().max() > 0.2


@pytest.mark.parametrize("settings", [RenderSettings(), HARD])
def test_what_is_in_front_of_the_mask_stays_untouched(settings):
    picture = photo()
    occluder = torch.zeros(SIDE, SIDE)
    occluder[:, :28] = 1.0
    occluder[:, 28:32] = 0.5
    placement = worn(SIDE)
    packed = pack(placement, picture, settings=settings, occluder=occluder)
    out = render(random_texture(), picture, packed)
    assert torch.equal(out[:, :, :28], picture[:, :, :28])
    assert (packed.pixel % SIDE >= 28).all()
    whole = pack(placement, picture, settings=settings)
    half = dict(zip(packed.pixel.tolist(), packed.gain.tolist(), strict=True))
    pairs = [
        (half[pixel], gain)
        for pixel, gain in zip(whole.pixel.tolist(), whole.gain.tolist(), strict=True)
        if 28 <= pixel % SIDE < 32 and gain > 0
    ]
    assert len(pairs) > 40
    np.testing.assert_allclose([a for a, _ in pairs], [0.5 * b for _, b in pairs], rtol=2e-3)


def test_the_contact_shadow_only_darkens_the_skin_near_the_rim():
    picture, placement = photo(side=112), worn(112, yaw=15.0)
    packed = pack(placement, picture, settings=RenderSettings())
    out = render(random_texture(), picture, packed)
    share = silhouette(placement, side=112)
    skin = torch.from_numpy(share == 0)
    assert (out[:, skin] <= picture[:, skin] + 1e-3).all()
    changed = ((out - picture).abs() > 1e-4).any(dim=0) & skin
    assert changed.sum() > 50
    assert (out[:, changed] < picture[:, changed]).float().mean() > 0.99
    near = binary_dilation(share > 0, iterations=int(np.ceil((3 * 1.8 + 0.8) * 0.55)) + 1)
    assert not changed.numpy()[~near].any()
    dry = render(random_texture(), picture, pack(placement, picture, settings=BARE))
    assert torch.equal(dry[:, skin], picture[:, skin])


def test_ear_loops_are_white_elastic_whatever_the_texture():
    picture = photo(side=112)
    placement = place(MASK, head(112), ear_loops=True)
    packed = pack(placement, picture, settings=BARE.model_copy(update={"edge_px": 0.0}))
    bare = pack(worn(112), picture, settings=BARE.model_copy(update={"edge_px": 0.0}))
    added = np.setdiff1d(packed.pixel.numpy(), bare.pixel.numpy())
    assert len(added) > 30
    one, other = (render(flat([level] * 3), picture, packed).reshape(3, -1)[:, added] for level in (0.0, 1.0))
    torch.testing.assert_close(one, other, atol=1e-3, rtol=0)
    gain = dict(zip(packed.pixel.tolist(), packed.gain.tolist(), strict=True))
    full = torch.tensor([gain[pixel] == 1 for pixel in added.tolist()])
    expected = float(to_srgb(np.array([0.62]))[0])
    assert ((one[:, full] - expected).abs() < 2e-3).all()


def test_a_photo_drawn_in_bands_is_the_same(monkeypatch):
    placement, settings = place(MASK, head(SIDE, yaw=20.0, roll=10.0)), RenderSettings()
    whole = pack(placement, photo(), settings=settings)
    monkeypatch.setattr("advmask.render.fragments._SUB_PIXELS_AT_ONCE", 5 * SIDE * 16)
    banded = pack(placement, photo(), settings=settings)
    assert torch.equal(banded.pixel, whole.pixel)
    torch.testing.assert_close(banded.gain, whole.gain, atol=1e-3, rtol=0)
    one, other = (render(random_texture(), photo(), item) for item in (whole, banded))
    torch.testing.assert_close(one, other, atol=2e-3, rtol=0)


def test_records_are_compact_and_in_order(packed):
    taps = packed.taps
    assert taps.start.dtype == taps.texel.dtype == packed.pixel.dtype == torch.int32
    assert taps.weight.dtype == packed.gain.dtype == packed.under.dtype == torch.float16
    assert (packed.pixel.diff() > 0).all()
    assert packed.pyramid == PYRAMID
    assert len(taps.start) - 1 == len(packed.pixel) == len(packed.gain) == len(packed.under)
    assert taps.start[0] == 0
    assert taps.start[-1] == len(taps.texel) == len(taps.weight)
    assert (taps.start.diff() >= 1).all()
    assert packed.bytes == 6 * len(taps.texel) + 4 * (len(packed.pixel) + 1) + 12 * len(packed.pixel) + 12


def test_pictures_in_bfloat16_agree_within_their_rounding(packed):
    texture = random_texture().requires_grad_()
    batch = collate([packed], height=SIDE, width=SIDE)
    full = MaskRenderer()(texture, photo()[None].bfloat16().float(), batch)
    half = MaskRenderer()(texture, photo()[None].bfloat16(), batch)
    assert half.dtype == torch.bfloat16
    assert torch.equal(half, full.bfloat16())
    half.float().square().sum().backward()
    assert texture.grad.isfinite().all()
    assert texture.grad.any()


@pytest.mark.parametrize("shading", [True, False])
def test_rendering_under_autocast_is_the_same(shading):
    pale = torch.lerp(photo().mean(dim=0, keepdim=True), photo(), 0.25)
    batch = collate(
        [pack(worn(SIDE), pale, settings=RenderSettings(shading=shading))], height=SIDE, width=SIDE
    )
    texture = random_texture().requires_grad_()
    expected = MaskRenderer()(texture, pale[None], batch)
    with torch.autocast("cpu", torch.bfloat16):
        found = MaskRenderer()(texture, pale[None], batch)
    torch.testing.assert_close(found, expected)
    (gradient,) = torch.autograd.grad(found.sum(), texture)
    assert gradient.isfinite().all()


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gpu_agrees_with_the_cpu(dtype):
    pictures = torch.stack([photo(0), photo(1)])
    items = [
        pack(worn(SIDE, yaw=yaw), one, settings=RenderSettings())
        for yaw, one in zip((0, 30), pictures, strict=True)
    ]
    batch = collate(items, height=SIDE, width=SIDE)
    tone = Tone(black=torch.rand(2, 3) * 0.1, white=0.5 + 0.5 * torch.rand(2, 3))
    weight = torch.rand(2, 3, SIDE, SIDE)
    texture = random_texture().requires_grad_()
    here = MaskRenderer()(texture, pictures.to(dtype), batch, tone)
    (slope,) = torch.autograd.grad((here.float() * weight).sum(), texture)
    moved = texture.detach().cuda().requires_grad_()
    there = MaskRenderer().cuda()(moved, pictures.to("cuda", dtype), batch.to("cuda"), tone.to("cuda"))
    assert there.is_cuda
    (other,) = torch.autograd.grad((there.float() * weight.cuda()).sum(), moved)
    torch.testing.assert_close(there.cpu(), here, atol=1e-5 if dtype == torch.float32 else 8e-3, rtol=0)
    torch.testing.assert_close(other.cpu(), slope, atol=1e-4, rtol=1e-3)


def test_an_empty_placement_changes_nothing():
    away = place(MASK, HeadPose(0.0, 0.0, 0.0, 0.3, (900.0, 900.0)))
    empty = pack(away, photo(), settings=RenderSettings())
    assert len(empty.pixel) == 0
    some = pack(worn(SIDE), photo(), settings=BARE)
    pictures = torch.stack([photo(0), photo(1)])
    out = MaskRenderer()(random_texture(), pictures, collate([empty, some], height=SIDE, width=SIDE))
    assert torch.equal(out[0], pictures[0])
    assert not torch.equal(out[1], pictures[1])
    assert torch.equal(render(random_texture(), photo(), empty), photo())


@pytest.mark.parametrize("size", [(2 * HEIGHT, WIDTH), (HEIGHT, WIDTH - 1), (WIDTH, HEIGHT)])
def test_a_texture_of_another_size_than_the_placements_were_packed_for_is_refused(size, packed):
    with pytest.raises(ValueError, match=f"{HEIGHT} x {WIDTH} texels"):
        render(torch.zeros(3, *size), photo(), packed)
    other = pack_for(worn(SIDE), photo(), pyramid=MipPyramid(*size), texels_per_mm=PER_MM, settings=BARE)
    with pytest.raises(ValueError, match="one size"):
        collate([packed, other], height=SIDE, width=SIDE)


@pytest.mark.parametrize(
    "bad", [{"supersample": 0}, {"supersample": 17}, {"edge_px": -1.0}, {"tolerance": -0.1}, {"tolerance": 2}]
)
def test_settings_that_cannot_be_drawn_are_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        RenderSettings.build(bad)
