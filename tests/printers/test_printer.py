"""The printer as a module: nothing for nothing, its parts in order, gradients, profiles and tables."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb, srgb_from_linear
from advmask.core.errors import ConfigError
from advmask.effects.draws import LevelDraws, draws
from advmask.printers.colour_table import ColourTable
from advmask.printers.draw import draw_print, print_field
from advmask.printers.printer import Printer
from advmask.printers.settings import InkSettings, PrinterSettings, VariationSettings
from advmask.printers.table_files import save_table

INKS = InkSettings(
    white=(0.8, 0.81, 0.85),
    cyan=(0.0, 0.3, 0.6),
    magenta=(0.6, 0.05, 0.2),
    yellow=(0.8, 0.65, 0.03),
    red=(0.6, 0.05, 0.05),
    green=(0.0, 0.25, 0.1),
    blue=(0.05, 0.05, 0.22),
    black=(0.04, 0.04, 0.04),
)
VARIES = VariationSettings(
    dot_gain=0.05, ink=0.1, misregistration_mm=0.2, grain=0.05, grain_mm=0.5, banding=0.02
)
FULL = PrinterSettings(name="full", inks=INKS, spread_mm=0.3, varies=VARIES)
SIZE = (40, 60)


def texture() -> Tensor:
    return torch.rand(3, *SIZE)


def one_print(settings: PrinterSettings, texels: Tensor, *, step: int = 0) -> Tensor:
    printer = Printer(settings, texels_per_mm=3)
    drawn = draw_print(settings, texels=SIZE, texels_per_mm=3, draws=draws(1, step, "print"))
    printed: Tensor = printer(texels, drawn)
    return printed


def test_the_default_prints_perfectly_and_says_so() -> None:
    printer = Printer(PrinterSettings(), texels_per_mm=3)
    texels = texture()
    assert printer.ideal
    assert torch.equal(printer(texels), linear_from_srgb(texels))
    assert torch.equal(one_print(PrinterSettings(), texels), linear_from_srgb(texels))
    torch.testing.assert_close(printer.proof(texels), texels, atol=1e-5, rtol=0)
    assert not list(printer.parameters())
    assert not printer.state_dict()


@pytest.mark.parametrize(
    "settings",
    [
        PrinterSettings(inks=INKS),
        PrinterSettings(spread_mm=0.3),
        *(PrinterSettings(varies=VariationSettings(**{name: 0.02})) for name in ("dot_gain", "ink", "grain")),
        PrinterSettings(varies=VariationSettings(banding=0.1)),
        PrinterSettings(varies=VariationSettings(misregistration_mm=0.1)),
    ],
)
def test_anything_else_is_not_ideal_and_changes_the_print(settings: PrinterSettings) -> None:
    texels = texture()
    assert not Printer(settings, texels_per_mm=3).ideal
    assert not torch.allclose(one_print(settings, texels), linear_from_srgb(texels), atol=1e-4)


def test_a_print_is_replayed() -> None:
    texels = texture()
    assert torch.equal(one_print(FULL, texels, step=5), one_print(FULL, texels, step=5))
    assert not torch.allclose(one_print(FULL, texels, step=5), one_print(FULL, texels, step=6))


def test_prints_scatter_about_the_mean_print() -> None:
    texels = 0.2 + 0.6 * texture()
    many = torch.stack([one_print(FULL, texels, step=step) for step in range(60)])
    mean = Printer(FULL, texels_per_mm=3)(texels)
    assert float((many.mean(dim=0).mean(dim=(1, 2)) - mean.mean(dim=(1, 2))).abs().max()) < 0.01
    assert 0.005 < float(many.mean(dim=(2, 3)).std(dim=0).mean()) < 0.05


def test_level_zero_is_the_mean_print() -> None:
    printer = Printer(FULL, texels_per_mm=3)
    drawn = draw_print(FULL, texels=SIZE, texels_per_mm=3, draws=LevelDraws(0.0))
    texels = texture()
    torch.testing.assert_close(printer(texels, drawn), printer(texels))


def test_white_is_the_fabric_and_nothing_is_brighter() -> None:
    printer = Printer(FULL, texels_per_mm=3)
    torch.testing.assert_close(printer.white, torch.tensor(INKS.white))
    assert bool((printer.colours(torch.rand(5000, 3)) <= printer.white + 1e-3).all())
    torch.testing.assert_close(printer(torch.ones(3, 9, 9)), printer.white[:, None, None].expand(3, 9, 9))


def test_colours_and_flat_texels_print_alike() -> None:
    printer = Printer(FULL, texels_per_mm=3)
    colours = torch.rand(4, 5, 3)
    flat = printer(colours[1, 2][:, None, None].expand(3, 30, 30).contiguous())
    torch.testing.assert_close(flat[:, 15, 15], printer.colours(colours)[1, 2], atol=1e-5, rtol=0)


def test_proofs_are_pictures() -> None:
    proof = Printer(FULL, texels_per_mm=3).proof(texture())
    assert float(proof.min()) >= 0
    assert float(proof.max()) <= 1
    black = Printer(FULL, texels_per_mm=3).proof(torch.zeros(3, 8, 8))
    torch.testing.assert_close(black[:, 4, 4], srgb_from_linear(torch.tensor(INKS.black)), atol=1e-4, rtol=0)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_a_field_is_multiplied_in_once(channels: tuple[int, ...]) -> None:
    printer = Printer(FULL, texels_per_mm=3)
    drawn = draw_print(FULL, texels=SIZE, texels_per_mm=3, draws=draws(1, 0, "print"))
    texels, field = texture(), 0.5 + torch.rand(*channels, *SIZE)
    torch.testing.assert_close(printer(texels, drawn, field), printer(texels, drawn) * field)
    torch.testing.assert_close(printer(texels, None, field), printer(texels) * field)
    own = print_field(drawn, texels=SIZE, texels_per_mm=3, banding_mm=FULL.varies.banding_mm)
    assert own is not None


def test_every_texel_learns_also_at_the_ends_of_the_range() -> None:
    for texels in (texture(), torch.zeros(3, *SIZE), torch.ones(3, *SIZE), texture().round()):
        for channel in range(3):
            asked = texels.clone().requires_grad_()
            one_print(FULL, asked)[channel].sum().backward()
            assert asked.grad is not None
            # More of a colour is never answered by less of it, and never by nothing at all.
            assert float(asked.grad[channel].min()) > 1e-3


def test_the_gradient_follows_finite_differences() -> None:
    settings = PrinterSettings(inks=INKS, spread_mm=0.3, varies=VARIES)
    texels = (0.3 + 0.4 * texture()).double().requires_grad_()
    weights = torch.randn(3, *SIZE, dtype=torch.float64)
    (one_print(settings, texels) * weights).sum().backward()
    assert texels.grad is not None
    along = torch.randn_like(texels)
    slope = 0.0
    with torch.no_grad():
        for side in (1, -1):
            slope += side * float((one_print(settings, texels + side * 1e-4 * along) * weights).sum()) / 2e-4
    assert float((texels.grad * along).sum()) == pytest.approx(slope, rel=0.05)


def test_a_table_is_used_and_can_vary(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_table(path, ColourTable(Printer(FULL, texels_per_mm=3)._nodes))  # type: ignore[arg-type]
    settings = PrinterSettings(table=path, varies=VARIES)
    colours = torch.rand(100, 3)
    found = Printer(settings, texels_per_mm=3).colours(colours)
    torch.testing.assert_close(found, Printer(FULL, texels_per_mm=3).colours(colours))
    assert bool(torch.isfinite(one_print(settings, texture())).all())


def test_a_missing_table_is_refused() -> None:
    with pytest.raises(ConfigError, match="no colour table"):
        Printer(PrinterSettings(table=Path("nowhere.safetensors")), texels_per_mm=3)


@pytest.mark.gpu
def test_a_print_is_the_same_on_the_gpu() -> None:
    texels = texture()
    drawn = draw_print(FULL, texels=SIZE, texels_per_mm=3, draws=draws(1, 0, "print"))
    there = Printer(FULL, texels_per_mm=3).cuda()(texels.cuda(), drawn).cpu()
    torch.testing.assert_close(there, Printer(FULL, texels_per_mm=3)(texels, drawn), atol=1e-4, rtol=0)
