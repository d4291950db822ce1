"""Printers of one's own, as choices beside those that ship."""

import subprocess
import sys
from pathlib import Path

import pytest

from advmask import cli
from advmask.printers.colour_table import perfect_table
from advmask.printers.store import save_printer


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path / "own folder"))
    save_printer("mine", perfect_table(), about="measured")
    return tmp_path


def test_a_printer_of_ones_own_is_a_choice(own: Path):
    words = [
        sys.executable,
        "-m",
        "advmask.cli",
        "train",
        "printer=mine",
        "--cfg",
        "job",
        "--package",
        "printer",
    ]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=own)
    assert "name: mine" in done.stdout
    assert "mine.safetensors" in done.stdout


def test_help_and_messages_name_it(own: Path, capsys: pytest.CaptureFixture[str]):
    assert cli.main(["train", "--help"]) == 0
    assert "laser_transfer, mine, none" in capsys.readouterr().out
    assert cli.main(["train", "printer=mne"]) == 2
    assert "Did you mean printer=mine?" in capsys.readouterr().err


def test_a_profile_is_given_by_its_file(own: Path):
    words = [sys.executable, "-m", "advmask.cli", "train", f"printer={own}/my shop.icc", "--cfg", "job"]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=own)
    assert f"profile: {own}/my shop.icc" in done.stdout
