"""Printers the user measured: where they are kept, under which names, and how they are found again."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import yaml
from omegaconf import OmegaConf

from advmask.core.errors import ConfigError
from advmask.printers.colour_table import perfect_table
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings, VariationSettings
from advmask.printers.store import own_printers, printers_folder, save_printer


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path / "own ü"))
    return tmp_path / "own ü" / "conf" / "printer"


def test_a_printer_is_kept_and_built_again(folder: Path) -> None:
    assert own_printers() == []
    settings = PrinterSettings(
        name="other", spread_mm=0.2, varies=VariationSettings(grain=0.02), mirrored=True, table=Path("old")
    )
    path = save_printer("my-printer_2", perfect_table(9), about="Ink & cotton: 2 m, noon", settings=settings)
    assert path == folder / "my-printer_2.yaml"
    assert printers_folder() == folder
    assert own_printers() == ["my-printer_2"]
    read = PrinterSettings.build(yaml.safe_load(path.read_text("utf-8")))
    assert read.name == "my-printer_2"
    assert read.about == "Ink & cotton: 2 m, noon"
    assert (read.spread_mm, read.mirrored, read.varies.grain) == (0.2, True, 0.02)
    assert read.table == folder / "my-printer_2.safetensors"
    Printer(read, texels_per_mm=3)


def test_text_that_looks_like_a_reference_stays_text() -> None:
    path = save_printer("odd", perfect_table(3), about="paper ${oc.env:HOME} at 5 $")
    composed = OmegaConf.to_container(OmegaConf.load(path), resolve=True)
    assert isinstance(composed, dict)
    assert composed["about"] == "paper ${oc.env:HOME} at 5 $"


def test_a_printer_is_not_overwritten_unless_told() -> None:
    first = save_printer("mine", perfect_table(3), about="first")
    with pytest.raises(ConfigError, match="already"):
        save_printer("mine", perfect_table(3), about="second")
    assert "first" in first.read_text("utf-8")
    save_printer("mine", perfect_table(3), about="second", overwrite=True)
    assert "second" in first.read_text("utf-8")


@pytest.mark.parametrize("name", ["", "a b", "../up", "a/b", "ü", "-x", "a.b", "x" * 65, "mine\n"])
def test_names_that_are_no_file_names_are_refused(name: str, folder: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be called"):
        save_printer(name, perfect_table(3), about="")
    assert not folder.exists()


@pytest.mark.parametrize("name", ["none", "sublimation", "ICC"])
def test_names_of_shipped_printers_are_taken(name: str) -> None:
    with pytest.raises(ConfigError, match="shipped"):
        save_printer(name, perfect_table(3), about="")


def test_what_cannot_be_kept_leaves_nothing_behind(folder: Path) -> None:
    broken = perfect_table(3)
    broken.nodes[0, 0, 0, 0] = torch.nan
    with pytest.raises(ConfigError, match="not reflectances"):
        save_printer("broken", broken, about="")
    assert own_printers() == []


def test_killed_between_the_table_and_the_settings(killed_at_rename: Callable[..., bool]) -> None:
    table = perfect_table(3)
    assert killed_at_rename(1, lambda: save_printer("mine", table, about="first"))
    assert own_printers() == []
    with pytest.raises(ConfigError, match="already"):
        save_printer("mine", perfect_table(5), about="another")
    save_printer("mine", table, about="first")
    assert own_printers() == ["mine"]
