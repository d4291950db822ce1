"""The non-printability score against a plain product, and all terms of a texture together."""

import numpy as np
import pytest
import torch
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb
from advmask.core.errors import ConfigError
from advmask.objectives.gamut import GamutDistance
from advmask.objectives.minimum_feature import MinimumFeature
from advmask.objectives.non_printability import NonPrintability, printable_colours
from advmask.objectives.printability import Printability
from advmask.objectives.settings import ObjectiveSettings
from advmask.objectives.smoothness import Smoothness


def grey(asked: Tensor) -> Tensor:
    """A printer with black alone, on grey paper."""
    return linear_from_srgb((0.1 + 0.7 * asked.mean(dim=1, keepdim=True)).expand_as(asked))


@pytest.mark.parametrize("count", [1, 2, 30])
def test_nps_is_the_mean_of_the_products(count: int) -> None:
    texture, colours = torch.rand(3, 9, 8, dtype=torch.float64), torch.rand(count, 3, dtype=torch.float64)
    products = [
        np.prod([np.linalg.norm(texel - colour) for colour in colours.numpy()])
        for texel in texture.flatten(1).T.numpy()
    ]
    found = NonPrintability(colours)(texture)
    assert float(found) == pytest.approx(float(np.mean(products)), rel=1e-3)


def test_nps_has_a_true_and_bounded_gradient() -> None:
    colours = torch.rand(30, 3, dtype=torch.float64)
    texture = torch.rand(3, 4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(NonPrintability(colours), texture, eps=1e-7, atol=1e-9)
    # On a printable colour, and at the ends of the range.
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    texture = corners.T[:, :, None].clone().requires_grad_()
    cost = NonPrintability(corners[:1])(texture)
    (gradient,) = torch.autograd.grad(cost, texture)
    assert bool(torch.isfinite(gradient).all())
    assert float(gradient[:, 1:].abs().amax(dim=0).min()) > 0
    assert float(NonPrintability(corners)(corners.T[:, :, None])) < 6e-3  # 0.001 times the other seven


def test_nps_takes_some_colours_and_not_too_many() -> None:
    for count in (0, 101):
        with pytest.raises(ValueError, match=f"1 to 100 printable colours, not {count}"):
            NonPrintability(torch.rand(count, 3))


def test_colours_of_a_printer() -> None:
    colours = printable_colours(grey, each=3)
    assert colours.shape == (27, 3)
    assert float(colours.min()) == pytest.approx(0.1)
    assert float(colours.max()) == pytest.approx(0.8)
    corners = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)
    torch.testing.assert_close(printable_colours(linear_from_srgb, each=2), corners)


def test_all_terms_have_their_names_values_and_weights() -> None:
    settings = ObjectiveSettings.build(
        {"smoothness": 0.02, "distance_m": 3, "gamut": 0.05, "feature": 10, "nps": 2}
    )
    printability = Printability(settings, texels_per_mm=3.0, colours=grey, finest_mm=1.0)
    texture = torch.rand(3, 200, 300, requires_grad=True)
    terms = printability(texture, step=5)
    expected = {
        "smoothness": Smoothness(texels_per_mm=3.0, distance_m=3)(texture, step=5),
        "gamut": GamutDistance(grey)(texture, step=5),
        "feature": MinimumFeature(texels_per_mm=3.0, finest_mm=1.0)(texture, step=5),
        "nps": NonPrintability(printable_colours(grey))(texture, step=5),
    }
    assert list(terms) == list(expected)
    for name, value in expected.items():
        torch.testing.assert_close(terms[name], value)
        assert float(value.detach()) > 0
    weighted = sum(
        weight * expected[name]
        for name, weight in {"smoothness": 0.02, "gamut": 0.05, "feature": 10, "nps": 2}.items()
    )
    torch.testing.assert_close(printability.cost(terms), weighted)
    (gradient,) = torch.autograd.grad(printability.cost(terms), texture)
    assert bool(torch.isfinite(gradient).all())


def test_autocast_of_a_training_run_does_not_round_the_terms() -> None:
    settings = ObjectiveSettings(smoothness=1, distance_m=3, gamut=1, feature=1, nps=1)
    printability = Printability(settings, texels_per_mm=3.0, colours=grey, finest_mm=1.0)
    texture = torch.rand(3, 60, 70)
    exact = printability(texture)
    with torch.autocast("cpu", torch.bfloat16):
        assert printability(texture) == exact


def test_what_has_no_weight_is_not_computed() -> None:
    def never(asked: Tensor) -> Tensor:
        raise AssertionError("no term asks the printer")

    bare = ObjectiveSettings(smoothness=0)
    printability = Printability(bare, texels_per_mm=3.0, colours=never, finest_mm=2.0)
    texture = torch.rand(3, 20, 20, requires_grad=True)
    terms = printability(texture)
    assert list(terms) == ["smoothness"]
    assert not printability.cost(terms).requires_grad


def test_without_a_printer_there_is_nothing_it_cannot_print() -> None:
    settings = ObjectiveSettings(gamut=1, feature=1)
    assert list(Printability(settings, texels_per_mm=3.0)(torch.rand(3, 9, 9))) == ["smoothness"]
    narrow = settings.model_copy(update={"finest_mm": 1.0})
    assert list(Printability(narrow, texels_per_mm=3.0)(torch.rand(3, 9, 9))) == ["smoothness", "feature"]
    settled = Printability(narrow.model_copy(update={"finest_mm": 0.0}), texels_per_mm=3.0, finest_mm=2.0)
    assert list(settled(torch.rand(3, 9, 9))) == ["smoothness"]


def test_colours_of_the_user() -> None:
    settings = ObjectiveSettings.build({"nps": 1, "nps_colours": [[0, 0, 0], [1, 1, 1]]})
    printability = Printability(settings, texels_per_mm=3.0, colours=grey)
    assert float(printability(torch.ones(3, 9, 9))["nps"]) == pytest.approx(0, abs=2e-3)
    with pytest.raises(ConfigError, match=r"^Setting nps_colours.*less than or equal to 1"):
        ObjectiveSettings.build({"nps_colours": [[0, 0, 2]]})
    with pytest.raises(ConfigError, match=r"^Setting nps_colours.*at least 1"):
        ObjectiveSettings.build({"nps_colours": []})
