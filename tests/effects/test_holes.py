"""Holes in the texture of a training step: how many, how large, where; and what is left untouched."""

import pytest
import torch

from advmask.core.errors import ConfigError
from advmask.effects.draws import draws
from advmask.effects.holes import HolesDraw, cut_holes, draw_holes
from advmask.effects.settings import EffectsSettings, HolesSettings
from advmask.printers.settings import PrinterSettings
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded

SIZE = (60, 100)


def drawn(step: int, **settings: object) -> HolesDraw:
    given = draw_holes(HolesSettings.build(settings), texels=SIZE, draws=draws(0, step, "holes"))
    assert given is not None
    return given


def test_one_up_to_so_many_of_the_sizes_asked_for_lie_on_the_texture():
    counts, sides, centres = [], [], []
    for step in range(400):
        edges = drawn(step, most=3, sides=[0.2, 0.4]).edges.view(3, 2, 2)
        extent = (edges[:, :, 1] - edges[:, :, 0]) / torch.tensor(SIZE)
        some = extent.prod(dim=1) > 0
        counts.append(int(some.sum()))
        sides.append(extent[some])
        centres.append(edges[some].mean(dim=2) / torch.tensor(SIZE))
        assert edges.min() >= 0
        assert (edges <= torch.tensor(SIZE)[:, None] + 1e-4).all()
    shares = [counts.count(number) / len(counts) for number in (1, 2, 3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.08)
    extents, places = torch.cat(sides), torch.cat(centres)
    assert 0.2 <= extents.min() < 0.21
    assert 0.39 < extents.max() <= 0.4001
    assert torch.allclose(places.mean(dim=0), torch.tensor(0.5), atol=0.02)


def test_a_hole_is_one_colour_and_the_rest_stays():
    texels = torch.rand(3, *SIZE, requires_grad=True)
    colours = torch.tensor([[1.0, 0.0, 0.5], [0.25, 0.25, 0.25]])
    cut = cut_holes(texels, HolesDraw(torch.tensor([[10.0, 20, 30, 50], [5, 5, 8, 8]]), colours))
    hole = torch.zeros(SIZE, dtype=torch.bool)
    hole[10:20, 30:50] = True
    assert torch.equal(cut[:, ~hole], texels[:, ~hole])
    assert torch.equal(cut[:, hole], colours[0, :, None].expand(3, 200))
    cut.sum().backward()
    assert torch.equal(texels.grad, (~hole).float().expand(3, *SIZE))


def test_the_same_step_has_the_same_holes_and_another_has_others():
    scene = Scene(
        EffectsSettings(),
        PrinterSettings(),
        texels_per_mm=1.0,
        draws=seeded(0, "train"),
        holes=HolesSettings(most=2),
    )
    texels = torch.rand(3, *SIZE)
    first, again = (scene.draw(4, photos, (32, 32), texels=texels) for photos in (range(3), range(2, 3)))
    other = scene.draw(5, range(3), (32, 32), texels=texels)
    printed = [scene.printed(texels, one) for one in (first, again, first.part(first=1, count=1), other)]
    assert torch.equal(printed[0], printed[1])  # whatever part of the step's photos a process has
    assert torch.equal(printed[0], printed[2])
    assert not torch.equal(printed[0], printed[3])
    assert scene.draw(4, range(1), (32, 32), texels=None).holes is None  # a bare face


def test_none_unless_asked_for():
    assert draw_holes(HolesSettings(), texels=SIZE, draws=draws(0, 0, "holes")) is None
    with pytest.raises(ConfigError, match="shares of the texture"):
        HolesSettings.build({"sides": [0.1, 45]})
