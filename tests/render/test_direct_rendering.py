"""The direct path: it agrees with the packed renderer, and its gradients are those of the picture."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from masked_photos import patch, photo
from supersampled_reference import checkerboard, head, smooth_texture

from advmask.masks.folds import Fold
from advmask.masks.mask_building import build_mask
from advmask.masks.placement import Wear, place
from advmask.masks.pose import HeadPose
from advmask.masks.settings import MaskSettings
from advmask.masks.shipped import shipped_surface
from advmask.render.batching import collate
from advmask.render.direct_rendering import render_directly
from advmask.render.packing import pack
from advmask.render.pyramid import MipPyramid
from advmask.render.renderer import MaskRenderer
from advmask.render.settings import RenderSettings
from advmask.render.worn_meshes import heads_and_wear, worn_meshes

SIDE, PER_MM = 112, 3.0
BARE = RenderSettings(shading=False, edge_px=0.0, ear_loops=False)
WORN = Wear((2.0, -3.0), 4.0, 1.05, (Fold(True, 0.4, (0.7, 0.5), 1.2, 3.0),))


def render_direct(
    texture, picture, surface, pose, *, wear=None, vertices_mm=None, light=None, occluder=None, **given
):
    """One picture, and what may take the place of its wear and pose."""
    settings, texels_per_mm = given.pop("settings"), given.pop("texels_per_mm")
    moved = {name: value[None] for name, value in given.items() if value is not None}
    (out,) = render_directly(
        texture,
        picture[None],
        surface,
        heads_and_wear([pose], [wear or Wear()], given=moved),
        texels_per_mm=texels_per_mm,
        settings=settings,
        px_per_mm=[pose.scale_px_per_mm],
        wears=[wear or Wear()],
        vertices_mm=None if vertices_mm is None else torch.from_numpy(vertices_mm)[None],
        light=None if light is None else light[None],
        occluders=None if occluder is None else occluder[None],
    )
    return out


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


@pytest.mark.parametrize(("kind", "floor"), [("checks", 38.0), ("smooth", 46.0)])
def test_a_batch_agrees_with_the_packed_renderer_from_0_to_60_degrees(kind, floor):
    surface, texture = shipped_surface("contour"), texture_of(kind, "contour")
    wears = [replace(WORN, slip_mm=slip, stretch=0.03) for slip in (0.0, 2.0, 5.0, 8.0, 3.0)]
    poses = [head(SIDE, yaw=float(yaw)) for yaw in (0, 15, 30, 45, 60)]
    pictures = torch.stack([photo(number, side=SIDE) for number in range(5)])
    packed = [
        pack(
            place(surface, pose, wear=wear),
            picture,
            pyramid=MipPyramid(*texture.shape[1:]),
            texels_per_mm=PER_MM,
            settings=RenderSettings(),
        )
        for pose, wear, picture in zip(poses, wears, pictures, strict=True)
    ]
    expected = MaskRenderer()(texture, pictures, collate(packed, height=SIDE, width=SIDE))
    found = render_directly(
        texture,
        pictures,
        surface,
        heads_and_wear(poses, wears),
        texels_per_mm=PER_MM,
        settings=RenderSettings(),
        px_per_mm=[pose.scale_px_per_mm for pose in poses],
        wears=wears,
    )
    for number, one in enumerate(packed):
        changed = torch.zeros(SIDE * SIDE, dtype=torch.bool)
        changed[one.pixel.long()] = True
        error = (found - expected)[number].view(3, -1)[:, changed].square().mean()
        assert -10 * torch.log10(error) > floor
        assert torch.equal(found[number].view(3, -1)[:, ~changed], pictures[number].view(3, -1)[:, ~changed])


def test_a_mask_that_leaves_its_picture_does_not_appear_in_the_next():
    surface, texture = patch(), torch.rand(3, *patch().texture_size(0.4))
    poses = [HeadPose(0.0, 0.0, 0.0, 0.4, (10.0, 19.0)), HeadPose(0.0, 0.0, 0.0, 0.4, (500.0, 500.0))]
    pictures = torch.stack([photo(0, side=20), photo(1, side=20)])
    found = render_directly(
        texture,
        pictures,
        surface,
        heads_and_wear(poses, [Wear()] * 2),
        texels_per_mm=0.4,
        settings=RenderSettings(ear_loops=False),
        px_per_mm=[0.4, 0.4],
    )
    assert (found[0] != pictures[0]).any()
    assert torch.equal(found[1], pictures[1])


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

    def scalar(texels, shift_mm, tilt, scale, angles, light, slip_mm, stretch):
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
            slip_mm=slip_mm,
            stretch=stretch,
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
        torch.tensor(0.6).double(),
        torch.tensor(0.02).double(),
    ]
    for value in given:
        value.requires_grad_()
    assert torch.autograd.gradcheck(scalar, given, eps=1e-7, atol=1e-4)
    slopes = torch.autograd.grad(scalar(*given), given, materialize_grads=True)
    for slope in slopes if shading else (*slopes[:5], *slopes[6:]):
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


@pytest.mark.parametrize("name", ["contour", "panelled", "pleated"])
def test_meshes_are_those_of_the_placements(name):
    surface = shipped_surface(name)
    wears = [Wear((3.0, -5.0), 20.0, 1.6, slip_mm=5.0, stretch=0.03), Wear()]
    poses = [HeadPose(0.4, -0.3, 0.2, 0.8, (90.0, 70.0)), HeadPose(-0.9, 0.1, 0.0, 0.5, (50.0, 60.0))]
    meshes = worn_meshes(surface, heads_and_wear(poses, wears))
    for number, (pose, wear) in enumerate(zip(poses, wears, strict=True)):
        expected = place(surface, pose, wear=wear)
        for field in ("points_px", "depth_mm", "normals", "tangents"):
            np.testing.assert_allclose(getattr(meshes, field)[number], getattr(expected, field), atol=1e-8)
        np.testing.assert_allclose(meshes.uv_mm, expected.uv_mm)
        front = meshes.front[number]
        assert (sorted_faces(meshes.faces[front]) == sorted_faces(expected.faces)).all()
        assert int(meshes.is_cloth[front].sum()) == expected.is_cloth.sum()


def sorted_faces(faces):
    """Triangles in an order of their own, whichever way they turn."""
    corners = np.sort(np.asarray(faces), axis=1)
    return corners[np.lexsort(corners.T)]


@pytest.mark.parametrize("straps", ["head_straps", "ties", "none"])
def test_straps_run_as_in_a_placement(straps):
    surface = build_mask(MaskSettings(pattern="flatfold", straps=straps))
    pose = head(SIDE, yaw=20.0)
    expected = place(surface, pose, wear=WORN)
    found = worn_meshes(surface, heads_and_wear([pose], [WORN]))
    np.testing.assert_allclose(found.points_px[0].numpy(), expected.points_px, atol=1e-6)
    np.testing.assert_allclose(found.normals[0].numpy(), expected.normals, atol=1e-6)
