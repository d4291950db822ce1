"""Every preset: it loads, is documented, and prints what it says."""

from pathlib import Path

import pytest
import torch
import yaml
from made_profiles import cmyk

import advmask
from advmask.colour.difference import difference
from advmask.core.config_folders import conf_dir
from advmask.core.errors import ConfigError
from advmask.printers.gamut_loss import gamut_loss
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings

PRESETS = sorted((conf_dir() / "printer").glob("*.yaml"))
NAMES = [path.stem for path in PRESETS]
INKED = [name for name in NAMES if name not in ("none", "icc")]


def preset(name: str) -> PrinterSettings:
    made: PrinterSettings = advmask.preset("printer", name)
    return made


def test_the_printers_promised_are_there() -> None:
    assert {"none", "icc", "sublimation", "office_inkjet", "direct_to_garment", "laser_transfer"} == set(
        NAMES
    )


@pytest.mark.parametrize("path", PRESETS, ids=NAMES)
def test_every_figure_has_a_comment(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    for line in lines:
        value = line.split("#")[0].partition(":")[2].strip()
        if value and value[0] in "0123456789[":
            assert "#" in line, f"{path.name}: {line}"
    if path.stem != "none":
        values = yaml.safe_load("\n".join(lines))
        assert values["name"] == path.stem
        assert "guess" in values["about"]
        assert {"spread_mm", "finest_mm", "varies"} <= set(values)


def test_none_is_the_default() -> None:
    assert preset("none") == PrinterSettings()


@pytest.mark.parametrize("name", INKED)
def test_white_is_bare_black_the_darkest_and_greys_rise(name: str) -> None:
    settings = preset(name)
    assert settings.inks is not None
    printer = Printer(settings, texels_per_mm=3)
    greys = printer.colours(torch.linspace(0, 1, 200)[:, None].expand(200, 3))
    assert bool((torch.diff(greys, dim=0) > 0).all())
    torch.testing.assert_close(greys[0], torch.tensor(settings.inks.black), atol=1e-3, rtol=0)
    torch.testing.assert_close(greys[-1], torch.tensor(settings.inks.white), atol=1e-3, rtol=0)


@pytest.mark.parametrize("name", INKED)
def test_primaries_keep_their_names(name: str) -> None:
    colours = Printer(preset(name), texels_per_mm=3).colours(torch.eye(3))
    assert colours.argmax(dim=1).tolist() == [0, 1, 2]


def test_sublimation_prints_nothing_brighter_than_the_fabric() -> None:
    settings = preset("sublimation")
    assert settings.inks is not None
    assert settings.mirrored
    assert settings.bleed_mm == 6
    printer = Printer(settings, texels_per_mm=3)
    # Luminance: yellow ink takes nothing of the red that the bluish white lacks.
    weights = torch.tensor([0.2126, 0.7152, 0.0722])
    printed = printer.colours(torch.rand(20000, 3)) @ weights
    assert float(printed.max()) <= float(printer.white @ weights) + 1e-4
    assert float(printer.colours(torch.zeros(3)) @ weights) > 0.03


def test_any_printer_by_its_profile(tmp_path: Path) -> None:
    path = tmp_path / "shop.icc"
    path.write_bytes(cmyk())
    with pytest.raises(ConfigError, match="the profile of your printer"):
        preset("icc")
    printer = Printer(advmask.preset("printer", "icc", profile=str(path)), texels_per_mm=3)
    assert 0.7 < float(printer.white.mean()) < 0.85


def test_the_difference_runs_from_nothing_to_a_hundred() -> None:
    # Equal colours differ by nothing, black and white by a hundred.
    white, black = torch.ones(3, 1, 2), torch.zeros(3, 1, 2)
    torch.testing.assert_close(difference(white, white), torch.zeros(1, 2))
    torch.testing.assert_close(difference(white, black), torch.full((1, 2), 100.0), atol=0.01, rtol=0)


def test_saturated_colours_are_lost_and_pale_ones_are_not() -> None:
    printer = Printer(preset("sublimation"), texels_per_mm=3)
    colours = torch.tensor([[1.0, 1.0, 1.0], [0.8, 0.75, 0.7], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    lost = gamut_loss(colours.T[:, None].contiguous(), printer)[0]
    assert lost.shape == (4,)
    assert float(lost[0]) < 0.1
    assert float(lost[1]) < 5
    assert float(lost[2:].min()) > 8
    ideal = Printer(PrinterSettings(), texels_per_mm=3)
    assert float(gamut_loss(torch.rand(3, 5, 5), ideal).max()) < 0.1
