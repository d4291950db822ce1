"""The renderer as an operation: its values, its gradients, batches, and what it says of wrong shapes."""

import doctest

import pytest
import torch
from masked_photos import MASK, PER_MM, SIDE, patch, photo, random_texture
from supersampled_reference import head

from advmask.core.errors import ConfigError, PhotoError
from advmask.masks.dense_pose import mean_face
from advmask.masks.mask_building import build_mask
from advmask.masks.placement import Wear
from advmask.masks.pose import REFERENCE_POINTS_MM, HeadPose
from advmask.masks.settings import MaskSettings
from advmask.render import checked_inputs, worn_masks
from advmask.render.batching import collate
from advmask.render.checked_inputs import texels_per_mm_of, texture_size
from advmask.render.mask_fitting import PosedFace, find_pose, fit_masks
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings
from advmask.render.worn_masks import WornMasks, wear_mask

QUICK = RenderSettings(supersample=2)
HEADS = [head(SIDE), head(SIDE, yaw=25.0, roll=-8.0)]


def landmarks(heads=HEADS) -> torch.Tensor:
    return torch.stack([torch.from_numpy(pose.project(REFERENCE_POINTS_MM)[0]) for pose in heads]).float()


def mesh(pose) -> torch.Tensor:
    points, depth = pose.project(mean_face().points_mm * [1.05, 0.97, 1.0])
    depth = torch.from_numpy(depth * pose.scale_px_per_mm)[:, None]
    return torch.cat([torch.from_numpy(points), depth], dim=1)


PICTURES = torch.stack([photo(0), photo(1)])


def test_it_gives_what_the_renderer_gives_on_fitted_masks():
    texels, wear = random_texture(), Wear((1.0, -2.0), 3.0, 1.02)
    packed = [
        fit_masks(PosedFace(one, find_pose(five)), MASK, wears=[wear], texels_per_mm=PER_MM, settings=QUICK)[
            0
        ]
        for one, five in zip(PICTURES, landmarks(), strict=True)
    ]
    expected = MaskRenderer()(texels, PICTURES, collate(packed, height=SIDE, width=SIDE))
    found = wear_mask(texels, PICTURES, landmarks(), wear=wear, render=QUICK)
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert (found != PICTURES).any(dim=1).float().mean() > 0.1


def test_a_batch_is_its_pictures_one_by_one():
    texels = torch.stack([random_texture(0), random_texture(1)])
    wears = [Wear((2.0, 0.0)), Wear((0.0, -3.0))]
    whole = wear_mask(texels, PICTURES, landmarks(), wear=wears, render=QUICK)
    for i in range(2):
        one = wear_mask(texels[i], PICTURES[i : i + 1], landmarks()[i : i + 1], wear=wears[i], render=QUICK)
        torch.testing.assert_close(whole[i], one[0], atol=1e-6, rtol=0)
    tilts = torch.tensor([4.0, -4.0])
    whole = wear_mask(texels, PICTURES, landmarks(), tilt_deg=tilts, render=QUICK)
    one = wear_mask(texels[1], PICTURES[1:], landmarks()[1:], tilt_deg=tilts[1], render=QUICK)
    torch.testing.assert_close(whole[1], one[0], atol=1e-6, rtol=0)


def test_masks_placed_once_render_many_textures():
    placed = WornMasks(PICTURES, landmarks(), mask="contour", texels_per_mm=PER_MM, render=QUICK)
    assert placed.size == texture_size("contour", texels_per_mm=PER_MM)
    for seed in (0, 1):
        texels = random_texture(seed)
        assert torch.equal(placed(texels), wear_mask(texels, PICTURES, landmarks(), render=QUICK))
    both = torch.stack([random_texture(0), random_texture(1)])
    assert torch.equal(placed(both), wear_mask(both, PICTURES, landmarks(), render=QUICK))
    assert repr(placed) == (
        "WornMasks(2 pictures of 64 x 64 px; contour M at 1 texels per mm: textures of 128 x 207)"
    )


def test_the_gradient_to_the_texture_is_exact():
    size = texture_size("contour", texels_per_mm=0.2)
    pictures = PICTURES.double()
    placed = WornMasks(pictures, landmarks(), texels_per_mm=0.2, render=QUICK)
    texels = random_texture(size=size, dtype=torch.float64)
    some = (torch.randint(3, (30,)), torch.randint(size[0], (30,)), torch.randint(size[1], (30,)))
    values = texels[some].clone().requires_grad_()
    weight = torch.rand(pictures.shape, dtype=torch.float64)

    def scalar(values):
        return (placed(texels.index_put(some, values)) * weight).sum()

    assert torch.autograd.gradcheck(scalar, values)
    (slope,) = torch.autograd.grad(scalar(values), values)
    assert slope.abs().max() > 1e-3


def test_gradients_to_placement_and_light_are_finite_differences():
    """On a piece of cloth without seams, small enough that no sub-pixel changes its triangle."""
    pose = HeadPose(0.3, 0.15, -0.2, 0.4, (10.3, 9.6))
    points, pictures = landmarks([pose]), photo(side=20)[None].double()
    texels = random_texture(size=patch().texture_size(0.4), dtype=torch.float64).requires_grad_()
    weight = torch.rand(pictures.shape, dtype=torch.float64)
    render = RenderSettings(supersample=2, ear_loops=False)
    given = {
        "shift_mm": torch.tensor([0.7, -0.4]),
        "tilt_deg": torch.tensor(5.0),
        "scale": torch.tensor(1.03),
        "turn_deg": torch.tensor([[17.0, 8.0, -11.0]]),
        "light": torch.tensor([[1.0, 0.2, -0.1, 0.05]]),
    }
    leaves = {name: value.double().requires_grad_() for name, value in given.items()}

    def scalar(*values):
        placed = dict(zip(leaves, values, strict=True))
        return (wear_mask(texels, pictures, points, mask=patch(), render=render, **placed) * weight).sum()

    assert torch.autograd.gradcheck(scalar, list(leaves.values()), eps=1e-7, atol=1e-4)
    slopes = torch.autograd.grad(scalar(*leaves.values()), [texels, *leaves.values()])
    assert all(slope.abs().max() > 1e-4 for slope in slopes)


def test_a_placement_given_as_tensors_is_that_of_wear():
    texels, wear = random_texture(), Wear((2.0, -1.0), 5.0, 1.05)
    fixed = wear_mask(texels, PICTURES, landmarks(), wear=wear)
    moving = wear_mask(
        texels,
        PICTURES,
        landmarks(),
        shift_mm=torch.tensor([2.0, -1.0]),
        tilt_deg=torch.tensor(5.0),
        scale=torch.tensor(1.05),
    )
    other = wear_mask(texels, PICTURES, landmarks())
    assert (moving - fixed).square().mean() < 1e-4
    assert (other - fixed).square().mean() > 1e-3


def test_directly_it_draws_the_same_without_preparing(monkeypatch):
    texels = torch.stack([random_texture(0), random_texture(1)])
    wears = [Wear((2.0, -1.0), 5.0, 1.05, slip_mm=3.0), Wear()]
    fixed = wear_mask(texels, PICTURES, landmarks(), wear=wears)
    monkeypatch.setattr(worn_masks, "fit_masks", None)
    direct = wear_mask(texels, PICTURES, landmarks(), wear=wears, direct=True)
    assert (direct - fixed).square().mean() < 1e-4
    monkeypatch.setattr(worn_masks, "_SUB_PIXELS_AT_ONCE", 1)  # one picture after another
    again = wear_mask(texels, PICTURES, landmarks(), wear=wears, direct=True)
    torch.testing.assert_close(again, direct, atol=1e-6, rtol=0)


def test_a_mesh_moves_the_mask_with_the_face():
    points = torch.stack([mesh(pose) for pose in HEADS])
    texels = random_texture()
    found = wear_mask(texels, PICTURES, points, render=QUICK)
    face = PosedFace(PICTURES[1], find_pose(points[1, :5, :2], points[1]), dense=points[1])
    packed = fit_masks(face, MASK, wears=[None], texels_per_mm=PER_MM, settings=QUICK)
    expected = MaskRenderer()(texels, PICTURES[1:], collate(packed, height=SIDE, width=SIDE))
    torch.testing.assert_close(found[1:], expected, atol=1e-6, rtol=0)
    slow = wear_mask(texels, PICTURES, points, scale=torch.tensor(1.0), render=QUICK)
    assert (slow - found).square().mean() < 1e-3


def test_what_is_in_front_hides_the_mask():
    hidden = torch.ones(2, SIDE, SIDE)
    assert torch.equal(
        wear_mask(random_texture(), PICTURES, landmarks(), occluders=hidden * 0, render=QUICK),
        wear_mask(random_texture(), PICTURES, landmarks(), render=QUICK),
    )
    for given in ({}, {"scale": torch.tensor(1.0)}):
        hidden[:, SIDE // 2 :, :] = 0
        out = wear_mask(random_texture(), PICTURES, landmarks(), occluders=hidden, render=QUICK, **given)
        assert torch.equal(out[:, :, : SIDE // 2], PICTURES[:, :, : SIDE // 2])
        assert (out[:, :, SIDE // 2 :] != PICTURES[:, :, SIDE // 2 :]).any()


@pytest.mark.parametrize("mask", ["contour", "panelled", "pleated"])
@pytest.mark.parametrize("per_mm", [0.5, 1.0, 1.5, 3.0, 6.0])
def test_the_resolution_follows_from_the_size(mask, per_mm):
    surface = build_mask(MaskSettings(pattern=mask))
    assert texels_per_mm_of(texture_size(mask, texels_per_mm=per_mm), surface) == per_mm


WRONG = [
    (
        lambda t, p, x: (t[:2], p, x),
        {},
        r"texels must have the shape \(3, h, w\), or \(2, 3, h, w\).*\(2, 128",
    ),
    (lambda t, p, x: (t.expand(3, *t.shape), p, x), {}, r"texels must .* not \(3, 3, 128, 207\)"),
    (lambda t, p, x: (t.to(torch.uint8), p, x), {}, "texels must be floating-point"),
    (lambda t, p, x: (t[:, :, :100], p, x), {}, "128 x 100 texels fits no resolution.* 128 x 207"),
    (lambda t, p, x: (t, p[0], x), {}, r"pictures must have the shape \(B, 3, H, W\), not \(3, 64, 64\)"),
    (lambda t, p, x: (t, p * 255, x), {}, r"pictures must lie in \[0, 1\]; these go from"),
    (lambda t, p, x: (t, (p * 255).byte(), x), {}, "divide bytes by 255"),
    (lambda t, p, x: (t, p, x[:1]), {}, r"landmarks must have the shape \(2, 5, 2\).* not \(1, 5, 2\)"),
    (lambda t, p, x: (t, p, x[..., :1]), {}, r"landmarks must .* not \(2, 5, 1\)"),
    (lambda t, p, x: (t, p, x), {"wear": [Wear()]}, "wear must be one Wear, or 2 of them"),
    (
        lambda t, p, x: (t, p, x),
        {"shift_mm": torch.zeros(3)},
        r"shift_mm must have the shape \(2,\) or \(2, 2\)",
    ),
    (lambda t, p, x: (t, p, x), {"occluders": torch.zeros(2, 3, 3)}, r"occluders must .* \(2, 64, 64\)"),
]


@pytest.mark.parametrize(("change", "options", "message"), WRONG)
def test_wrong_shapes_are_named(change, options, message):
    with pytest.raises(ValueError, match=message):
        wear_mask(*change(random_texture(), PICTURES, landmarks()), **options)


def test_a_texture_of_another_size_than_was_prepared_for():
    placed = WornMasks(PICTURES[:1], landmarks()[:1], texels_per_mm=PER_MM, render=QUICK)
    with pytest.raises(ValueError, match="128 x 207 texels was prepared for, and this has 64 x 104"):
        placed(torch.rand(3, 64, 104))


def test_a_face_that_no_mask_fits_is_named_by_its_number():
    points = torch.stack([landmarks()[0], landmarks([head(SIDE, yaw=75.0)])[0]])
    with pytest.raises(PhotoError, match=r"Picture 1: The head is turned by 7\d degrees"):
        wear_mask(random_texture(), PICTURES, points)
    with pytest.raises(PhotoError, match="Picture 1: The mask would lie on the photo's border"):
        wear_mask(random_texture(), PICTURES, landmarks() + torch.tensor([0.0, 500.0]).view(2, 1, 1))
    with pytest.raises(ConfigError, match="Unknown pattern 'scarf'"):
        wear_mask(random_texture(), PICTURES, landmarks(), mask="scarf")


@pytest.mark.parametrize("module", [worn_masks, checked_inputs])
def test_the_examples_run(module):
    failed, tried = doctest.testmod(module)
    assert tried
    assert not failed


def test_half_precision_in_is_half_precision_out():
    out = wear_mask(random_texture(), PICTURES.half(), landmarks(), render=QUICK)
    assert out.dtype == torch.half
    assert out.isfinite().all()
