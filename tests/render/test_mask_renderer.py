"""Texture to picture: colours, gradients, batches, tone, and the pixels that must not change."""

from functools import partial

import numpy as np
import pytest
import torch
from supersampled_reference import frontal, head, to_linear, to_srgb, visible_uv

from advmask.errors import ConfigError, PhotoError
from advmask.masks import REFERENCE_POINTS_MM, HeadPose, Wear, lower_face_mask
from advmask.render import (
    MaskRenderer,
    MipPyramid,
    PackedPlacement,
    RenderSettings,
    Tone,
    collate,
)
from advmask.render import fit_masks as fit_masks_for
from advmask.render import pack as pack_for
from advmask.render.taps import read_taps

SIDE, PER_MM = 64, 1.0
MASK = lower_face_mask()
HEIGHT, WIDTH = MASK.texture_size(PER_MM)
PYRAMID = MipPyramid(HEIGHT, WIDTH)
pack = partial(pack_for, pyramid=PYRAMID, texels_per_mm=PER_MM)
fit_masks = partial(fit_masks_for, texels_per_mm=PER_MM)
BARE = RenderSettings(shading=False)
HARD = RenderSettings(shading=False, edge_px=0.0)


def photo(seed: int = 0, *, side: int = SIDE) -> torch.Tensor:
    """A face-like gradient with noise, (3, side, side)."""
    generator = torch.Generator().manual_seed(seed)
    ramp = torch.linspace(0.3, 0.7, side)
    noise = 0.05 * torch.rand(3, side, side, generator=generator)
    return ramp.view(1, 1, -1) * torch.tensor([1.0, 0.8, 0.7]).view(3, 1, 1) + noise


def random_texture(seed: int = 0, *, dtype=torch.float32) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.05 + 0.9 * torch.rand(3, HEIGHT, WIDTH, generator=generator, dtype=dtype)


def render(texture, picture, packed, *, tone=None) -> torch.Tensor:
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH)
    batch = collate([packed], height=picture.shape[-2], width=picture.shape[-1])
    return renderer(texture, picture[None], batch, tone)[0]


def flat(texture_colour) -> torch.Tensor:
    return torch.tensor(texture_colour, dtype=torch.float32).view(3, 1, 1).expand(3, HEIGHT, WIDTH)


@pytest.fixture(scope="module")
def packed() -> PackedPlacement:
    return pack(frontal(SIDE, yaw=20.0), photo(), settings=BARE)


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


def test_white_cloth_without_shading_is_white(packed):
    out = render(flat([1.0, 1.0, 1.0]), photo(), packed).reshape(3, -1)
    opaque = packed.pixel[packed.alpha == 1].long()
    assert len(opaque) > 300
    torch.testing.assert_close(out[:, opaque], torch.ones(3, len(opaque)), atol=2e-4, rtol=0)
    assert out.max() <= 1 + 1e-6


@pytest.mark.parametrize("colour", [(0.0, 0.0, 0.0), (0.2, 0.5, 0.9), (0.03, 0.99, 0.6)])
def test_a_constant_colour_is_preserved(packed, colour):
    out = render(flat(colour), photo(), packed).reshape(3, -1)[:, packed.pixel[packed.alpha == 1].long()]
    expected = torch.tensor(colour)[:, None].expand_as(out)
    torch.testing.assert_close(out, expected, atol=2e-4, rtol=0)  # a twentieth of an 8 bit step


def test_the_rim_is_mixed_in_linear_light():
    picture = photo()
    packed = pack(frontal(SIDE), picture, settings=HARD)
    assert set(packed.alpha.tolist()) <= {0.25, 0.5, 0.75, 1.0}
    out = render(flat([0.9, 0.1, 0.4]), picture, packed).reshape(3, -1)[:, packed.pixel.long()].numpy()
    behind = to_linear(picture.double().reshape(3, -1)[:, packed.pixel.long()].numpy())
    cloth, alpha = to_linear(np.array([0.9, 0.1, 0.4]))[:, None], packed.alpha.double().numpy()
    np.testing.assert_allclose(out, to_srgb(behind * (1 - alpha) + cloth * alpha), atol=2e-4)


def test_coverage_counts_the_sub_pixels_inside_the_silhouette():
    packed = pack(frontal(SIDE, yaw=30.0), photo(), settings=HARD)
    face_at, _ = visible_uv(frontal(SIDE, yaw=30.0), side=SIDE, samples=2)
    expected = (face_at >= 0).reshape(SIDE, 2, SIDE, 2).mean(axis=(1, 3))
    drawn = np.zeros(SIDE * SIDE)
    drawn[packed.pixel.long().numpy()] = packed.alpha.float().numpy()
    np.testing.assert_array_equal(drawn.reshape(SIDE, SIDE), expected)


def test_a_soft_rim_only_takes_away_and_leaves_the_inside_opaque():
    hard = pack(frontal(SIDE), photo(), settings=HARD)
    soft = pack(frontal(SIDE), photo(), settings=RenderSettings(shading=False, edge_px=0.7))
    assert torch.equal(hard.pixel, soft.pixel)
    assert ((soft.alpha >= 0) & (soft.alpha <= 1)).all()
    assert (soft.alpha == 1).float().mean() > 0.75
    assert soft.alpha.float().mean() <= hard.alpha.float().mean()


def test_whole_chain_passes_gradcheck_at_random_texels(packed):
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH)
    batch = collate([packed, packed], height=SIDE, width=SIDE).to("cpu", torch.float64)
    tone = Tone(
        black=torch.tensor([[0.02, 0.03, 0.04], [0.0, 0.0, 0.0]], dtype=torch.float64),
        white=torch.tensor([[0.8, 0.7, 0.6], [0.9, 0.9, 0.9]], dtype=torch.float64),
    )
    pictures = torch.stack([photo(0), photo(1)]).double()
    texture = random_texture(dtype=torch.float64)
    texel = (torch.randint(3, (30,)), torch.randint(HEIGHT, (30,)), torch.randint(WIDTH, (30,)))
    weight = torch.rand(2, 3, SIDE, SIDE, dtype=torch.float64)  # one scalar that all pixels enter

    def scalar(values):
        return (renderer(texture.index_put(texel, values), pictures, batch, tone) * weight).sum()

    values = texture[texel].clone().requires_grad_()
    assert torch.autograd.gradcheck(scalar, values, atol=1e-6)
    (gradient,) = torch.autograd.grad(scalar(values), values)
    assert (gradient != 0).sum() > 15  # the check looked at texels that are seen


def test_nearly_all_visible_texels_receive_gradient():
    per_mm, side = 3.0, 112
    height, width = MASK.texture_size(per_mm)
    renderer = MaskRenderer(height=height, width=width)
    placement = frontal(side, yaw=15.0)
    face_at, uv = visible_uv(placement, side=side, samples=8)
    texel = (uv[face_at >= 0] * per_mm).astype(int)
    visible = np.zeros((height, width), dtype=bool)
    visible[texel[:, 1].clip(max=height - 1), texel[:, 0].clip(max=width - 1)] = True
    picture = photo(side=side)
    packed = pack_for(
        placement, picture, pyramid=MipPyramid(height, width), texels_per_mm=per_mm, settings=HARD
    )
    batch = collate([packed], height=side, width=side)
    texture = torch.full((3, height, width), 0.5, requires_grad=True)
    renderer(texture, picture[None], batch).sum().backward()
    reached = (texture.grad != 0).all(dim=0).numpy()
    assert visible.mean() > 0.5
    assert reached[visible].mean() > 0.97
    hidden = ~visible & ~reached
    assert hidden.sum() > 0  # cloth that is turned away teaches nothing


def test_a_batch_equals_its_photos_one_by_one():
    pictures = torch.stack([photo(seed) for seed in range(4)])
    poses = [{"yaw": 0.0}, {"yaw": -30.0, "pitch": 10.0}, {"yaw": 25.0, "roll": 20.0}, {"pitch": -15.0}]
    settings = RenderSettings()
    items = [
        pack(frontal(SIDE, **pose), picture, settings=settings)
        for pose, picture in zip(poses, pictures, strict=True)
    ]
    tone = Tone(black=torch.rand(4, 3) * 0.1, white=0.5 + 0.5 * torch.rand(4, 3))
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH)
    texture = random_texture()
    together = renderer(texture, pictures, collate(items, height=SIDE, width=SIDE), tone)
    for number, item in enumerate(items):
        own = Tone(black=tone.black[number, None], white=tone.white[number, None])
        torch.testing.assert_close(
            together[number], render(texture, pictures[number], item, tone=own), atol=1e-6, rtol=0
        )


def test_pictures_need_not_be_square():
    picture = photo(side=SIDE)[:, :50]
    placement = frontal(SIDE, yaw=10.0)
    out = render(random_texture(), picture, pack(placement, picture, settings=HARD))
    square = render(random_texture(), photo(), pack(placement, photo(), settings=HARD))
    assert out.shape == (3, 50, SIDE)
    torch.testing.assert_close(out, square[:, :50], atol=1e-6, rtol=0)


def test_tone_moves_black_and_white_in_linear_light(packed):
    tone = Tone(black=torch.tensor([[0.05, 0.04, 0.03]]), white=torch.tensor([[0.7, 0.8, 0.9]]))
    opaque = packed.pixel[packed.alpha == 1].long()
    for value in (0.0, 0.4, 1.0):
        out = render(flat([value] * 3), photo(), packed, tone=tone).reshape(3, -1)[:, opaque].numpy()
        black, white = tone.black[0].double().numpy(), tone.white[0].double().numpy()
        expected = to_srgb(black + (white - black) * to_linear(np.array([value])))
        np.testing.assert_allclose(out, np.broadcast_to(expected[:, None], out.shape), atol=3e-4)


def test_no_tone_is_the_tone_from_zero_to_one(packed):
    neutral = Tone(black=torch.zeros(1, 3), white=torch.ones(1, 3))
    torch.testing.assert_close(
        render(random_texture(), photo(), packed, tone=neutral), render(random_texture(), photo(), packed)
    )


def test_shading_follows_the_light_on_the_photo():
    ramp = to_srgb(np.linspace(0.05, 0.5, SIDE))  # light from the right
    picture = torch.from_numpy(ramp).float().view(1, 1, -1).expand(3, SIDE, SIDE).contiguous()
    out = render(flat([0.5] * 3), picture, pack(frontal(SIDE), picture, settings=RenderSettings(edge_px=0.0)))
    row = out[0, 44]
    middle = SIDE // 2
    assert row[middle + 12] > row[middle - 12] + 0.1


def test_shading_of_an_evenly_lit_face_is_even():
    picture = torch.full((3, SIDE, SIDE), 0.6)
    packed = pack(frontal(SIDE, yaw=20.0), picture, settings=RenderSettings())
    level = to_linear(np.array([0.6]))[0].clip(0.35, 0.85)
    np.testing.assert_allclose(packed.shade.float().numpy(), level, atol=2e-3)


def test_records_are_compact_and_in_order(packed):
    taps = packed.taps
    assert taps.start.dtype == taps.texel.dtype == packed.pixel.dtype == torch.int32
    assert taps.weight.dtype == packed.alpha.dtype == packed.shade.dtype == torch.float16
    assert (packed.pixel.diff() > 0).all()
    assert packed.pyramid == PYRAMID
    count = taps.start.diff()
    assert len(count) == len(packed.pixel) == len(packed.alpha) == len(packed.shade)
    assert taps.start[0] == 0
    assert taps.start[-1] == len(taps.texel) == len(taps.weight)
    assert (count >= 1).all()
    assert (count <= 8 * 2 * 2).all()  # eight for each sub-pixel
    expected = 6 * len(taps.texel) + 4 * (len(packed.pixel) + 1) + 8 * len(packed.pixel)
    assert packed.bytes == expected


def test_each_pixel_is_a_mean_of_texels_of_the_mask(packed):
    taps = packed.taps
    row = torch.repeat_interleave(torch.arange(len(packed.pixel)), taps.start.diff())
    total = torch.zeros(len(packed.pixel)).index_add(0, row, taps.weight.float())
    torch.testing.assert_close(total, torch.ones_like(total), atol=2**-11, rtol=0)  # half precision
    assert (taps.weight >= 0).all()
    assert taps.texel.min() >= 0
    assert taps.texel.max() < PYRAMID.texels
    entries = row * PYRAMID.texels + taps.texel
    assert len(entries.unique()) == len(entries)  # no texel twice in a pixel


def level_of_detail(packed: PackedPlacement) -> torch.Tensor:
    """(M,) mean level that each pixel is read at, from the weights of the levels."""
    offsets = torch.tensor([packed.pyramid.offset(level) for level in range(packed.pyramid.levels)])
    level = torch.bucketize(packed.taps.texel.long(), offsets, right=True) - 1
    row = torch.repeat_interleave(torch.arange(len(packed.pixel)), packed.taps.start.diff())
    return torch.zeros(len(packed.pixel)).index_add(0, row, level * packed.taps.weight.float())


def test_level_of_detail_follows_the_cloth_a_sub_pixel_sees():
    per_mm = 8.0
    draw = partial(pack_for, pyramid=MipPyramid(*MASK.texture_size(per_mm)), texels_per_mm=per_mm)
    settings = HARD.model_copy(update={"mip_bias": 0.0})
    packed = draw(frontal(224), photo(side=224), settings=settings)
    pixel = packed.pixel.long()
    middle = (pixel % 224 - 112).abs() < 12
    nose_to_chin = middle & (pixel // 224 > 150) & (pixel // 224 < 185)
    footprint_mm = 2 ** level_of_detail(packed)[nose_to_chin] / per_mm
    # Facing cloth: half a pixel at 1.1 px/mm; it slopes a little.
    assert footprint_mm.median().item() == pytest.approx(0.5 / 1.1, rel=0.15)
    turned = draw(frontal(224, yaw=45.0), photo(side=224), settings=settings)
    assert (2 ** level_of_detail(turned) / per_mm).max() > 2 * footprint_mm.median()
    sharper = draw(frontal(224), photo(side=224), settings=HARD.model_copy(update={"mip_bias": -0.75}))
    shift = level_of_detail(packed)[nose_to_chin] - level_of_detail(sharper)[nose_to_chin]
    torch.testing.assert_close(shift, torch.full_like(shift, 0.75), atol=5e-3, rtol=0)


def test_an_empty_placement_changes_nothing():
    away = HeadPose(0.0, 0.0, 0.0, 0.3, (900.0, 900.0))
    from advmask.masks import place

    empty = pack(place(MASK, away), photo(), settings=RenderSettings())
    assert len(empty.pixel) == 0
    some = pack(frontal(SIDE), photo(), settings=BARE)
    renderer = MaskRenderer(height=HEIGHT, width=WIDTH)
    pictures = torch.stack([photo(0), photo(1)])
    out = renderer(random_texture(), pictures, collate([empty, some], height=SIDE, width=SIDE))
    assert torch.equal(out[0], pictures[0])
    assert not torch.equal(out[1], pictures[1])


# The last two have as many texels in their pyramid as the renderer's own.
OTHERS = [(2 * HEIGHT, WIDTH), (HEIGHT, WIDTH - 1), (WIDTH, HEIGHT)]


@pytest.mark.parametrize("size", OTHERS)
def test_placements_packed_for_another_texture_size_are_refused(size, packed):
    other = pack_for(frontal(SIDE), photo(), pyramid=MipPyramid(*size), texels_per_mm=PER_MM, settings=BARE)
    with pytest.raises(ValueError, match="another size"):
        render(random_texture(), photo(), other)
    with pytest.raises(ValueError, match="one size"):
        collate([packed, other], height=SIDE, width=SIDE)


@pytest.mark.parametrize("size", OTHERS)
def test_a_texture_of_another_size_than_the_renderers_is_refused(size, packed):
    with pytest.raises(ValueError, match=f"{HEIGHT} x {WIDTH} texels"):
        render(torch.zeros(3, *size), photo(), packed)


def test_collated_taps_equal_those_of_each_placement(packed):
    from advmask.masks import place

    empty = pack(place(MASK, HeadPose(0.0, 0.0, 0.0, 0.3, (900.0, 900.0))), photo(), settings=BARE)
    items = [empty, packed, pack(frontal(SIDE, roll=30.0), photo(), settings=BARE), empty, packed, empty]
    batch = collate(items, height=SIDE, width=SIDE)
    listed = torch.rand(PYRAMID.texels, 3)
    together = read_taps(listed, batch.start, batch.texel, batch.weight)
    assert len(together) == len(batch.pixel) == len(batch.photo)
    for number, item in enumerate(items):
        mine = batch.photo == number
        alone = read_taps(listed, item.taps.start, item.taps.texel, item.taps.weight.float())
        assert torch.equal(together[mine], alone)
        assert torch.equal(batch.pixel[mine] - number * SIDE * SIDE, item.pixel.long())
        assert torch.equal(batch.alpha[mine], item.alpha.float())
        assert torch.equal(batch.shade[mine], item.shade.float())


def test_a_moved_batch_is_the_same_in_another_precision(packed):
    batch = collate([packed], height=SIDE, width=SIDE)
    moved = batch.to("cpu", torch.float64)
    assert moved.pyramid == PYRAMID
    for name in ("start", "texel", "pixel", "photo"):
        assert torch.equal(getattr(moved, name), getattr(batch, name))
        assert getattr(moved, name).dtype == getattr(batch, name).dtype
    for name in ("weight", "alpha", "shade"):
        assert getattr(moved, name).dtype == torch.float64
        assert torch.equal(getattr(moved, name), getattr(batch, name).double())


def landmarks(pose: HeadPose) -> torch.Tensor:
    return torch.from_numpy(pose.project(REFERENCE_POINTS_MM)[0]).float()


def test_fit_masks_gives_one_record_for_each_way_of_wearing():
    wears = [None, Wear(shift_mm=(6.0, 0.0)), Wear(scale=1.2)]
    items = fit_masks(photo(), landmarks(head(SIDE)), MASK, wears=wears, settings=BARE)
    ideal = pack(frontal(SIDE), photo(), settings=BARE)
    assert len(items) == 3
    shared = np.intersect1d(items[0].pixel.numpy(), ideal.pixel.numpy())
    assert len(shared) > 0.97 * len(ideal.pixel)
    assert (items[1].pixel % SIDE).float().mean() > (items[0].pixel % SIDE).float().mean() + 0.5
    assert len(items[2].pixel) > len(items[0].pixel)
    assert {item.pyramid for item in items} == {PYRAMID}


@pytest.mark.parametrize("yaw", [-75.0, 75.0])
def test_heads_turned_too_far_are_refused(yaw):
    with pytest.raises(PhotoError, match=r"turned by 7\d degrees"):
        fit_masks(photo(), landmarks(head(SIDE, yaw=yaw)), MASK, wears=[None], settings=BARE)


def test_points_unlike_a_face_are_refused():
    junk = torch.tensor([[10.0, 40.0], [50.0, 12.0], [12.0, 10.0], [50.0, 50.0], [30.0, 5.0]])
    with pytest.raises(PhotoError, match="do not lie like those of a face"):
        fit_masks(photo(), junk, MASK, wears=[None], settings=BARE)


def test_upside_down_order_of_points_is_refused():
    swapped = landmarks(head(SIDE))[[4, 3, 2, 1, 0]]  # mouth corners given as eyes, and turned around
    with pytest.raises(PhotoError):
        fit_masks(
            photo(),
            swapped * torch.tensor([-1.0, 1.0]) + torch.tensor([64.0, 0.0]),
            MASK,
            wears=[None],
            settings=BARE,
        )


def test_a_mask_off_the_picture_is_refused():
    with pytest.raises(PhotoError, match="No part of the mask"):
        fit_masks(photo(), landmarks(head(SIDE)) + 500, MASK, wears=[None], settings=BARE)


def test_a_worn_mask_that_slips_off_the_picture_is_refused():
    with pytest.raises(PhotoError, match="No part of the mask"):
        fit_masks(
            photo(), landmarks(head(SIDE)), MASK, wears=[None, Wear(shift_mm=(900.0, 0.0))], settings=BARE
        )


@pytest.mark.parametrize("bad", [{"supersample": 0}, {"edge_px": -1.0}])
def test_settings_that_cannot_be_drawn_are_refused(bad):
    with pytest.raises(ConfigError, match=next(iter(bad))):
        RenderSettings.build(bad)
