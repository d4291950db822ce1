"""Halftones against textbook cases, the driver's separation, and prints whose inks differ."""

import math

import pytest
import torch
from torch import Tensor

from advmask.colour.oklab import oklab
from advmask.colour.srgb import linear_from_srgb
from advmask.core.errors import ConfigError
from advmask.printers.colour_table import ColourTable, grid, perfect_table
from advmask.printers.halftone import gained, primaries, reflectance
from advmask.printers.ink_separation import separate
from advmask.printers.inks import printed_table
from advmask.printers.settings import InkSettings, PrinterSettings
from advmask.printers.varied import varied_table

INKS = InkSettings(
    white=(0.85, 0.86, 0.88),
    cyan=(0.02, 0.3, 0.65),
    magenta=(0.65, 0.05, 0.2),
    yellow=(0.84, 0.7, 0.03),
    red=(0.62, 0.05, 0.04),
    green=(0.01, 0.27, 0.08),
    blue=(0.05, 0.05, 0.24),
    black=(0.03, 0.03, 0.03),
)
RAMP = torch.arange(17)


def ink_table(inks: InkSettings, *, dot_gain: float = 0.0, ink: tuple[float, ...] = (0, 0, 0)) -> ColourTable:
    return printed_table(inks, separate(inks, 17), dot_gain=dot_gain, ink=torch.tensor(ink))


def greys(table: ColourTable) -> Tensor:
    return table.nodes[RAMP, RAMP, RAMP]


def test_solids_and_overprints_are_what_was_set() -> None:
    solid = {
        "white": (0, 0, 0, 0),
        "cyan": (1, 0, 0, 0),
        "magenta": (0, 1, 0, 0),
        "yellow": (0, 0, 1, 0),
        "red": (0, 1, 1, 0),
        "green": (1, 0, 1, 0),
        "blue": (1, 1, 0, 0),
        "black": (0, 0, 0, 1),
    }
    coverages = torch.tensor(list(solid.values()), dtype=torch.float64)
    wanted = torch.tensor([getattr(INKS, name) for name in solid], dtype=torch.float64)
    torch.testing.assert_close(reflectance(coverages, primaries(INKS), 1.7), wanted)
    over = torch.tensor([[1.0, 1, 1, 1], [0.3, 0.6, 1, 1]], dtype=torch.float64)
    torch.testing.assert_close(reflectance(over, primaries(INKS), 1.7), wanted[-1:].expand(2, 3))


@pytest.mark.parametrize("factor", [1.0, 1.7, 2.0])
def test_half_a_coverage_follows_murray_davies_and_yule_nielsen(factor: float) -> None:
    half = torch.tensor([[0.0, 0, 0, 0.5]], dtype=torch.float64)
    found = float(reflectance(half, primaries(INKS), factor)[0, 0])
    wanted = (0.5 * 0.85 ** (1 / factor) + 0.5 * 0.03 ** (1 / factor)) ** factor
    assert found == pytest.approx(wanted)


def test_shares_of_the_primaries_add_up() -> None:
    same = torch.full((8, 3), 0.4, dtype=torch.float64)
    coverages = torch.rand(50, 4, dtype=torch.float64)
    torch.testing.assert_close(
        reflectance(coverages, same, 1.7), torch.full((50, 3), 0.4, dtype=torch.float64)
    )


def test_dots_grow_by_the_gain_at_half_and_stay_dots() -> None:
    coverages = torch.tensor([0.0, 0.5, 0.9, 1.0])
    torch.testing.assert_close(gained(coverages, 0.15), torch.tensor([0.0, 0.65, 0.954, 1.0]))
    assert float(gained(torch.rand(1000), 0.4).max()) <= 1
    assert float(gained(torch.rand(1000), -0.2).min()) >= 0


def test_white_is_bare_black_is_darkest_and_greys_rise_in_between() -> None:
    found = greys(ink_table(INKS)).double()
    white, black = (torch.tensor(each, dtype=torch.float64) for each in (INKS.white, INKS.black))
    wanted = black + (white - black) * linear_from_srgb(RAMP / 16)[:, None]
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=0)


def test_colours_within_the_gamut_are_met_and_others_keep_their_hue() -> None:
    nodes = ink_table(INKS).nodes.double().view(-1, 3)
    white, black = (torch.tensor(each, dtype=torch.float64) for each in (INKS.white, INKS.black))
    aim = oklab(black + (white - black) * linear_from_srgb(grid(17)).view(-1, 3))
    found = oklab(nodes)
    missed = (found - aim).norm(dim=1)
    pale = aim[:, 1:].norm(dim=1) < 0.04
    middle = (aim[:, 0] - 0.65).abs() < 0.2
    assert int((pale & middle).sum()) > 100
    assert float(missed[pale & middle].quantile(0.9)) < 1e-6
    assert float(missed[pale & middle].max()) < 0.02
    hue = torch.atan2(found[:, 2], found[:, 1]) - torch.atan2(aim[:, 2], aim[:, 1])
    hue = torch.atan2(hue.sin(), hue.cos()).abs()[~pale]
    assert math.degrees(float(hue.quantile(0.9))) < 12
    # Never more colourful than was asked for, by more than a trifle.
    assert float((found[:, 1:].norm(dim=1) - aim[:, 1:].norm(dim=1)).max()) < 0.03


def test_coverages_are_smooth_and_black_stays_out_of_light_colours() -> None:
    coverages = separate(INKS, 17)
    assert float(coverages.min()) >= 0
    assert float(coverages.max()) <= 1
    assert float(coverages[9:, :, :, 3].max()) == 0
    reflected = reflectance(coverages, primaries(INKS), INKS.yule_nielsen)
    for axis in range(3):
        assert float(torch.diff(reflected, dim=axis).abs().max()) < 0.2


def test_more_dot_gain_or_ink_is_darker_and_leaves_the_paper() -> None:
    usual = greys(ink_table(INKS))
    for changed in (ink_table(INKS, dot_gain=0.1), ink_table(INKS, ink=(0.1, 0.1, 0.1))):
        torch.testing.assert_close(greys(changed)[-1], usual[-1])
        assert bool((greys(changed)[1:-1] < usual[1:-1]).all())
        assert bool((torch.diff(greys(changed), dim=0) > -1e-6).all())


@pytest.mark.parametrize(("ink", "name"), [(0, "cyan"), (1, "magenta"), (2, "yellow")])
def test_more_of_an_ink_turns_greys_to_its_hue(ink: int, name: str) -> None:
    stronger = [0.0, 0.0, 0.0]
    stronger[ink] = 0.2
    table = ink_table(INKS, ink=(stronger[0], stronger[1], stronger[2]))
    turned = (oklab(greys(table).double()) - oklab(greys(ink_table(INKS)).double()))[4:-1, 1:]
    own = oklab(torch.tensor(getattr(INKS, name), dtype=torch.float64))[1:]
    assert float(torch.cosine_similarity(turned, own[None], dim=1).min()) > 0.7


def test_a_density_is_scaled_as_said() -> None:
    changed = primaries(INKS, torch.tensor([0.1, 0.0, 0.0]))
    cyan, white = (torch.tensor(each, dtype=torch.float64) for each in (INKS.cyan, INKS.white))
    torch.testing.assert_close(torch.log(white / changed[1]), 1.1 * torch.log(white / cyan))
    torch.testing.assert_close(changed[2], torch.tensor(INKS.magenta, dtype=torch.float64))


def test_a_table_without_inks_varies_much_as_one_with() -> None:
    mean = ink_table(INKS)
    torch.testing.assert_close(
        varied_table(mean, dot_gain=0.0, ink=torch.zeros(3)).nodes, mean.nodes, atol=2e-3, rtol=0
    )
    for gain, ink, least in ((0.08, (0.0, 0.0, 0.0), 0.6), (0.0, (0.15, 0.0, -0.1), 0.6)):
        by_inks = ink_table(INKS, dot_gain=gain, ink=ink).nodes - mean.nodes
        by_table = varied_table(mean, dot_gain=gain, ink=torch.tensor(ink)).nodes - mean.nodes
        assert float(torch.corrcoef(torch.stack([by_inks.ravel(), by_table.ravel()]))[0, 1]) > least


def test_a_perfect_table_can_vary() -> None:
    darker = varied_table(perfect_table(), dot_gain=0.1, ink=torch.zeros(3))
    assert bool(torch.isfinite(darker.nodes).all())
    assert bool((greys(darker)[1:-1] < greys(perfect_table())[1:-1]).all())
    torch.testing.assert_close(greys(darker)[[0, -1]], greys(perfect_table())[[0, -1]], atol=1e-3, rtol=0)


def test_what_no_ink_can_be_is_refused() -> None:
    values = INKS.model_dump()
    with pytest.raises(ConfigError, match=r"inks\.cyan"):
        PrinterSettings.build({"inks": values | {"cyan": [0.1, -0.2, 0.5]}})
    with pytest.raises(ConfigError, match="one of inks, profile and table"):
        PrinterSettings.build({"inks": values, "profile": "x.icc"})
