"""Printers of one's own, as choices in addition to those that ship."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from advmask import cli
from advmask.printers.colour_table import perfect_table
from advmask.printers.store import save_printer


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path / "own folder"))
    save_printer("mine", perfect_table(), about="measured")
    return tmp_path


def composed(*overrides: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert cli.main(["train", *overrides, "--cfg", "job"]) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_a_printer_of_ones_own_is_a_choice(own: Path, capsys: pytest.CaptureFixture[str]):
    printer = composed("printer=mine", capsys=capsys)["printer"]
    assert printer["name"] == "mine"
    assert any(str(value).endswith("mine.safetensors") for value in printer.values())


def test_help_and_messages_name_it(own: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["train", "--help"]) == 0
    assert "laser_transfer, mine, none" in capsys.readouterr().out
    assert cli.main(["train", "printer=mne"]) == 2
    assert "Did you mean printer=mine?" in capsys.readouterr().err


def test_a_profile_is_given_by_its_file(own: Path, capsys: pytest.CaptureFixture[str]):
    assert composed(f"printer={own}/my shop.icc", capsys=capsys)["printer"]["profile"] == f"{own}/my shop.icc"


@pytest.mark.parametrize(
    "content",
    [b"a: [", b"\xff\xfe", b"[" * 3000, b"- 1\n- 2", b"defaults: 3", b"\0"],
)
def test_a_damaged_printer_is_one_sentence(
    own: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    path = own / "own folder" / "conf" / "printer" / "mine.yaml"
    path.write_bytes(content)
    for command in (["export", "design=x.png"], ["train"]):
        assert cli.main([*command, "printer=mine"]) == 2
        err = capsys.readouterr().err
        assert err.startswith(f"{path} cannot be read (")
        assert err.endswith("); mend it or make it anew.\n")
        assert err.count("\n") == 1


def test_a_variable_that_is_not_set_is_one_sentence(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = own / "own folder" / "conf" / "printer" / "mine.yaml"
    path.write_text("about: ${oc.env:NOPE}\n")
    assert cli.main(["train", "printer=mine"]) == 2
    err = capsys.readouterr().err
    assert "Environment variable 'NOPE' not found" in err
    assert err.count("\n") == 1
