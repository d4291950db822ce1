"""Batches: photos, patterns and textures may differ, and none changes what another looks like."""

import pytest
import torch
from masked_photos import PER_MM, PYRAMID, SIDE, photo, random_texture, render
from supersampled_reference import worn

from advmask.masks.placement import place
from advmask.masks.pose import HeadPose
from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer, Tone
from advmask.render.settings import RenderSettings
from advmask.render.texel_taps import read_taps


def packed_as(name: str, picture: torch.Tensor, **angles: float):
    pyramid = MipPyramid(*shipped_surface(name).texture_size(PER_MM))
    placement = worn(SIDE, name=name, **angles)
    return pack(placement, picture, pyramid=pyramid, texels_per_mm=PER_MM, settings=RenderSettings())


def tones(count: int) -> Tone:
    return Tone(black=torch.rand(count, 3) * 0.1, white=0.5 + 0.5 * torch.rand(count, 3))


def test_a_batch_equals_its_photos_one_by_one():
    pictures = torch.stack([photo(seed) for seed in range(4)])
    poses = [{"yaw": 0.0}, {"yaw": -30.0, "pitch": 10.0}, {"yaw": 25.0, "roll": 20.0}, {"pitch": -15.0}]
    items = [packed_as("contour", one, **pose) for pose, one in zip(poses, pictures, strict=True)]
    tone, texture = tones(4), random_texture()
    together = MaskRenderer()(texture, pictures, collate(items, height=SIDE, width=SIDE), tone)
    for number, item in enumerate(items):
        own = Tone(black=tone.black[number, None], white=tone.white[number, None])
        alone = render(texture, pictures[number], item, tone=own)
        torch.testing.assert_close(together[number], alone, atol=1e-6, rtol=0)


def test_patterns_and_textures_may_be_mixed():
    names, shown = ["contour", "pleated", "contour", "panelled", "pleated"], [0, 1, 2, 3, 1]
    pictures = torch.stack([photo(seed) for seed in range(5)])
    pictures[3] = pictures[3].mean(dim=0)  # a grey photo among coloured ones
    items = [
        packed_as(name, one, yaw=15.0 * n) for n, (name, one) in enumerate(zip(names, pictures, strict=True))
    ]
    patterns = ["contour", "pleated", "contour", "panelled"]
    textures = [
        random_texture(n, size=shipped_surface(name).texture_size(PER_MM)).requires_grad_()
        for n, name in enumerate(patterns)
    ]
    tone = tones(5)
    batch = collate(items, height=SIDE, width=SIDE, textures=shown)
    together = MaskRenderer()(textures, pictures, batch, tone)
    weight = torch.rand_like(together)
    slopes = torch.autograd.grad((together * weight).sum(), textures)
    expected = [torch.zeros_like(texture) for texture in textures]
    for number, (item, which) in enumerate(zip(items, shown, strict=True)):
        own = Tone(black=tone.black[number, None], white=tone.white[number, None])
        alone = render(textures[which], pictures[number], item, tone=own)
        torch.testing.assert_close(together[number], alone, atol=2e-6, rtol=0)
        (slope,) = torch.autograd.grad((alone * weight[number]).sum(), textures[which])
        expected[which] += slope
    for slope, other in zip(slopes, expected, strict=True):
        torch.testing.assert_close(slope, other, atol=1e-5, rtol=1e-4)


def test_collated_taps_equal_those_of_each_placement():
    away = place(shipped_surface("contour"), HeadPose(0.0, 0.0, 0.0, 0.3, (900.0, 900.0)))
    empty = pack(away, photo(), pyramid=PYRAMID, texels_per_mm=PER_MM, settings=RenderSettings())
    some = packed_as("contour", photo(), yaw=20.0)
    items = [empty, some, packed_as("contour", photo(), roll=30.0), empty, some, empty]
    batch = collate(items, height=SIDE, width=SIDE)
    listed = torch.rand(PYRAMID.texels, 3)
    together = read_taps(listed, batch.start, batch.texel, batch.weight)
    assert len(together) == len(batch.pixel) == len(batch.photo)
    for number, item in enumerate(items):
        mine = batch.photo == number
        alone = read_taps(listed, item.taps.start, item.taps.texel, item.taps.weight.float())
        assert torch.equal(together[mine], alone)
        assert torch.equal(batch.pixel[mine] - number * SIDE * SIDE, item.pixel.long())
        assert torch.equal(batch.gain[mine], item.gain.float())
        assert torch.equal(batch.under[mine], item.under.float())


def test_a_moved_batch_is_the_same_in_another_precision():
    grey = photo().mean(dim=0, keepdim=True).expand(3, -1, -1)
    batch = collate([packed_as("contour", grey)], height=SIDE, width=SIDE)
    moved = batch.to("cpu", torch.float64)
    assert moved.pyramids == (PYRAMID,)
    for name in ("start", "texel", "pixel", "photo"):
        assert torch.equal(getattr(moved, name), getattr(batch, name))
        assert getattr(moved, name).dtype == getattr(batch, name).dtype
    for name in ("weight", "gain", "under", "tint", "saturation"):
        assert getattr(moved, name).dtype == torch.float64
        assert torch.equal(getattr(moved, name), getattr(batch, name).double())


def test_photos_that_keep_their_colours_need_no_saturation():
    batch = collate([packed_as("contour", photo())], height=SIDE, width=SIDE)
    assert batch.saturation is None
    assert batch.to("cpu", torch.float64).saturation is None


def test_textures_must_be_numbered_without_gaps_and_of_one_size():
    items = [packed_as("contour", photo()), packed_as("pleated", photo())]
    with pytest.raises(ValueError, match="one size"):
        collate(items, height=SIDE, width=SIDE)
    with pytest.raises(ValueError, match="without gaps"):
        collate(items, height=SIDE, width=SIDE, textures=[0, 2])
    with pytest.raises(ValueError, match=r"shorter|longer"):
        collate(items, height=SIDE, width=SIDE, textures=[0])
    batch = collate(items, height=SIDE, width=SIDE, textures=[0, 1])
    with pytest.raises(ValueError, match="2 textures, and 1"):
        MaskRenderer()(random_texture(), torch.stack([photo(), photo()]), batch)
