"""The direct path: it agrees with the packed renderer, and its gradients are those of the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from masked_photos import patch, photo
from supersampled_reference import checkerboard, head, smooth_texture

from advmask.masks.folds import Fold
from advmask.masks.placement import Wear, place
from advmask.masks.pose import HeadPose
from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.differentiable_placement import _Parameters, render_direct
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings

SIDE, PER_MM = 112, 3.0
BARE = RenderSettings(shading=False, edge_px=0.0, ear_loops=False)
WORN = Wear((2.0, -3.0), 4.0, 1.05, (Fold(True, 0.4, (0.7, 0.5), 1.2, 3.0),))


def texture_of(kind: str, name: str) -> torch.Tensor:
    size = shipped_surface(name).texture_size(PER_MM)
    texels = (
        checkerboard(*size, texels_per_mm=PER_MM, square_mm=1.0)
        if kind == "checks"
        else smooth_texture(*size)
    )
    return torch.from_numpy(texels).permute(2, 0, 1).float()


@pytest.mark.parametrize(
    ("kind", "name", "settings", "wear", "angles"),
    [
        ("smooth", "contour", RenderSettings(), None, {}),
        ("smooth", "contour", RenderSettings(), WORN, {"yaw": 35.0, "pitch": 10.0, "roll": -15.0}),
        ("smooth", "pleated", RenderSettings(), WORN, {"yaw": -20.0}),
        ("smooth", "panelled", BARE, None, {"yaw": 45.0}),
        ("checks", "contour", BARE, None, {"yaw": 30.0}),
    ],
)
def test_it_agrees_with_the_packed_renderer(kind, name, settings, wear, angles):
    surface, pose, texture, picture = (
        shipped_surface(name),
        head(SIDE, **angles),
        texture_of(kind, name),
        photo(side=SIDE),
    )
    occluder = torch.zeros(SIDE, SIDE)
    occluder[70:80, 40:60] = 0.7
    packed = pack(
        place(surface, pose, wear=wear, ear_loops=settings.ear_loops),
        picture,
        pyramid=MipPyramid(*texture.shape[1:]),
        texels_per_mm=PER_MM,
        settings=settings,
        occluder=occluder,
    )
    expected = MaskRenderer()(texture, picture[None], collate([packed], height=SIDE, width=SIDE))[0]
    found = render_direct(
        texture, picture, surface, pose, texels_per_mm=PER_MM, settings=settings, wear=wear, occluder=occluder
    )
    changed = torch.zeros(SIDE * SIDE, dtype=torch.bool)
    changed[packed.pixel.long()] = True
    changed = changed.view(SIDE, SIDE)
    assert torch.equal(found[:, ~changed], picture[:, ~changed])
    error = (found - expected)[:, changed].square().mean()
    assert -10 * torch.log10(error) > (34 if kind == "checks" else 40)


@pytest.mark.parametrize("name", ["shift_mm", "tilt", "scale", "angles", "light"])
def test_parameters_take_the_place_of_those_of_wear_and_pose(name):
    surface, picture = shipped_surface("contour"), photo(side=64)
    texture = torch.rand(3, *surface.texture_size(1.0))
    pose = HeadPose(0.2, -0.1, 0.1, 0.32, (32.0, 35.0))
    wear = Wear((1.5, -2.0), 3.0, 1.04)

    def draw(pose, wear, **given):
        return render_direct(
            texture, picture, surface, pose, texels_per_mm=1.0, settings=RenderSettings(), wear=wear, **given
        )

    values = {
        "shift_mm": torch.tensor([1.5, -2.0]),
        "tilt": torch.tensor(np.deg2rad(3.0)),
        "scale": torch.tensor(1.04, dtype=torch.float64),
        "angles": torch.tensor([0.2, -0.1, 0.1], dtype=torch.float64),
    }
    if name == "light":
        even = draw(pose, wear, light=torch.tensor([1.0, 0.0, 0.0, 0.0]))
        right = draw(pose, wear, light=torch.tensor([1.0, 0.5, 0.0, 0.0]))
        change = (right - even).mean(dim=0)
        assert change[40:50, 40:46].mean() > 0.02
        assert change[40:50, 18:24].mean() < -0.02
        return
    wrong = {"shift_mm": {"shift_mm": (0.0, 0.0)}, "tilt": {"tilt_deg": 0.0}, "scale": {"scale": 1.0}}
    other = replace(wear, **wrong.get(name, {}))
    turned = HeadPose(0.0, 0.0, 0.0, 0.32, (32.0, 35.0)) if name == "angles" else pose
    found = draw(turned, other, **{name: values[name]})
    torch.testing.assert_close(found, draw(pose, wear), atol=1e-4, rtol=0)
    assert (draw(turned, other) - found).abs().max() > 0.05


@pytest.mark.parametrize("shading", [True, False])
def test_gradients_agree_with_finite_differences(shading):
    surface, side = patch(), 20
    settings = RenderSettings(supersample=2, shading=shading, ear_loops=False)
    pose = HeadPose(0.3, 0.15, -0.2, 0.4, (10.3, 9.6))
    picture = photo(side=side).double()
    height, width = surface.texture_size(0.4)
    texture = torch.rand(3, height, width, dtype=torch.float64) * 0.6 + 0.1
    texel = (torch.randint(3, (20,)), torch.randint(height, (20,)), torch.randint(width, (20,)))
    weight = torch.rand(3, side, side, dtype=torch.float64)

    def scalar(texels, shift_mm, tilt, scale, angles, light):
        out = render_direct(
            texture.index_put(texel, texels),
            picture,
            surface,
            pose,
            texels_per_mm=0.4,
            settings=settings,
            shift_mm=shift_mm,
            tilt=tilt,
            scale=scale,
            angles=angles,
            light=light,
        )
        assert out.max() < 1
        return (out * weight).sum()

    given = [
        texture[texel].clone(),
        torch.tensor([0.7, -0.4]).double(),
        torch.tensor(0.1).double(),
        torch.tensor(1.03).double(),
        torch.tensor([0.3, 0.15, -0.2]).double(),
        torch.tensor([1.0, 0.2, -0.1, 0.05]).double(),
    ]
    for value in given:
        value.requires_grad_()
    assert torch.autograd.gradcheck(scalar, given, eps=1e-7, atol=1e-4)
    slopes = torch.autograd.grad(scalar(*given), given, materialize_grads=True)
    for slope in slopes if shading else slopes[:5]:
        assert slope.abs().max() > 1e-3
    assert shading == bool(slopes[5].any())  # without shading there is no light


def test_a_surface_fitted_to_a_person_is_drawn_as_the_packed_renderer_draws_it():
    surface, pose, picture = shipped_surface("contour"), head(64, yaw=20.0), photo(side=64)
    texture = torch.from_numpy(smooth_texture(*surface.texture_size(1.0))).permute(2, 0, 1).float()
    settings = RenderSettings()
    person = surface.vertices_mm * [1.08, 0.97, 1.05] + [0.5, -2.0, 1.0]
    packed = pack(
        place(surface, pose, vertices_mm=person),
        picture,
        pyramid=MipPyramid(*texture.shape[1:]),
        texels_per_mm=1.0,
        settings=settings,
    )
    expected = MaskRenderer()(texture, picture[None], collate([packed], height=64, width=64))[0]
    found = render_direct(
        texture, picture, surface, pose, texels_per_mm=1.0, settings=settings, vertices_mm=person
    )
    assert -10 * torch.log10((found - expected).square().mean()) > 40


def test_a_lost_placement_is_found_by_descent():
    """The gradient in shift and tilt is good for something: it leads back to where the mask was."""
    surface, pose, picture = shipped_surface("contour"), head(64), photo(side=64)
    coarse = torch.from_numpy(smooth_texture(*surface.texture_size(0.5), seed=3)).permute(2, 0, 1).float()
    settings = RenderSettings(supersample=2, shading=False, ear_loops=False)

    def draw(**given):
        return render_direct(coarse, picture, surface, pose, texels_per_mm=0.5, settings=settings, **given)

    target = draw(shift_mm=torch.tensor([1.5, -1.0]), tilt=torch.tensor(0.03))
    shift, tilt = torch.zeros(2, requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.Adam([{"params": [shift], "lr": 0.15}, {"params": [tilt], "lr": 0.004}])
    for _ in range(40):
        optimiser.zero_grad()
        (draw(shift_mm=shift, tilt=tilt) - target).abs().mean().backward()
        optimiser.step()
    torch.testing.assert_close(shift.detach(), torch.tensor([1.5, -1.0]), atol=0.25, rtol=0)
    assert tilt.item() == pytest.approx(0.03, abs=0.008)


def test_a_mask_off_the_picture_leaves_the_photo():
    surface, picture = patch(), photo(side=20)
    texture = torch.rand(3, *surface.texture_size(0.4), requires_grad=True)
    pose = HeadPose(0.0, 0.0, 0.0, 0.4, (500.0, 500.0))
    out = render_direct(
        texture, picture, surface, pose, texels_per_mm=0.4, settings=RenderSettings(ear_loops=False)
    )
    assert torch.equal(out, picture)
    out.sum().backward()
    assert not texture.grad.any()


def test_a_texture_of_another_size_is_refused():
    with pytest.raises(ValueError, match="12 x 16 texels"):
        render_direct(
            torch.zeros(3, 16, 12), photo(side=20), patch(), head(20), texels_per_mm=0.4, settings=BARE
        )


def test_fine_cloth_on_a_small_face_is_not_aliased():
    surface, pose, picture = shipped_surface("contour"), head(48), photo(side=48)
    texture = checkerboard(*surface.texture_size(6.0), texels_per_mm=6.0, square_mm=0.7)
    texture = torch.from_numpy(texture).permute(2, 0, 1).float()
    packed = pack(
        place(surface, pose, ear_loops=False),
        picture,
        pyramid=MipPyramid(*texture.shape[1:]),
        texels_per_mm=6.0,
        settings=BARE,
    )
    expected = MaskRenderer()(texture, picture[None], collate([packed], height=48, width=48))[0]
    found = render_direct(texture, picture, surface, pose, texels_per_mm=6.0, settings=BARE)
    assert -10 * torch.log10((found - expected)[(expected != picture)].square().mean()) > 32


def test_points_and_normals_are_those_of_the_placement():
    surface, wear = shipped_surface("contour"), Wear((3.0, -5.0), 20.0, 1.6)
    pose = HeadPose(0.4, -0.3, 0.2, 0.8, (90.0, 70.0))
    given = _Parameters(
        shift_mm=torch.tensor(wear.shift_mm).double(),
        tilt=torch.tensor(np.deg2rad(20.0)),
        scale=torch.tensor(1.6, dtype=torch.float64),
        angles=torch.tensor([0.4, -0.3, 0.2], dtype=torch.float64),
    )
    expected = place(surface, pose, wear=wear)
    points, normals = given.moved(surface.vertices_mm, surface.faces, pose, expected)
    np.testing.assert_allclose(points, expected.points_px, atol=1e-9)
    np.testing.assert_allclose(normals, expected.normals, atol=1e-9)
