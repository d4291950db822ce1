"""`advmask calibrate` as a user runs it."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from advmask import cli
from advmask.printers.table_files import load_table

pytest.importorskip("cv2", reason="the calibrate extra is not installed")


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path / "own"))


def scanned(target: str) -> None:
    """A scan of a perfect print whose reds are half as bright and whose black is grey."""
    with Image.open("calibration/chart.png") as chart:
        srgb = np.asarray(chart.convert("RGB")) / 255.0
    linear = 0.06 + 0.74 * srgb**2.2
    linear[..., 1] *= 0.7 + 0.3 * srgb[..., 0]
    Image.fromarray(np.rint(255 * linear ** (1 / 2.2)).astype(np.uint8)).save(target, quality=92)


def test_chart_print_scan_fit_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calibrate", "chart", "dpi=150", "seed=3"]) == 0
    assert "advmask calibrate fit PHOTO printer.name=NAME" in capsys.readouterr().out
    before = Path("calibration/chart.pdf").read_bytes()
    assert cli.main(["calibrate", "chart", "dpi=150", "seed=3"]) == 0
    assert Path("calibration/chart.pdf").read_bytes() == before
    scanned("my scan, (1).jpg")
    capsys.readouterr()
    words = ["calibrate", "fit", "my scan, (1).jpg", "printer.name=mine", "printer.like=sublimation"]
    assert cli.main(words) == 0
    out = capsys.readouterr().out
    assert "Chart 1, seed 3: 254 patches read" in out
    assert "one photo cannot tell them apart" in out
    assert "printer=mine" in out
    stored = yaml.safe_load(Path("own/conf/printer/mine.yaml").read_text())
    assert stored["mirrored"] is True, "as the printer named by printer.like"
    assert stored["varies"]["grain"] > 0
    assert stored["spread_mm"] < 0.1
    assert "SHA-256" in stored["about"]
    table = load_table(Path(stored["table"]))
    assert table.nodes[-1, -1, -1] == pytest.approx(torch.ones(3), abs=0.02)
    assert table.nodes[0, 0, 0] == pytest.approx(torch.tensor([0.075, 0.052, 0.075]), abs=0.02)
    with Image.open("calibration/mine-fit.png") as report:
        assert report.width > 1400
    assert cli.main(words) == 2
    assert "overwrite=true" in capsys.readouterr().err
    first = Path(stored["table"]).read_bytes()
    assert cli.main([*words, "overwrite=true"]) == 0
    assert Path(stored["table"]).read_bytes() == first, "the same photo, the same bytes"


def test_files_that_the_user_changed_stay(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["calibrate", "chart", "dpi=150"]) == 0
    Path("calibration/chart.png").write_bytes(b"mine")
    assert cli.main(["calibrate", "chart", "dpi=150", "paper=letter"]) == 7
    assert "overwrite=true" in capsys.readouterr().err
    assert Path("calibration/chart.png").read_bytes() == b"mine"
    assert cli.main(["calibrate", "chart", "dpi=150", "paper=letter", "overwrite=true"]) == 0
    with Image.open("calibration/chart.png") as chart:
        assert chart.size == (1275, 1650)


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["calibrate", "print"], 2, "write chart or fit"),
        (["calibrate", "fit"], 2, "needs a PHOTO"),
        (["calibrate", "fit", "photo.jpg"], 2, "printer.name=NAME"),
        (["calibrate", "fit", "photo.jpg", "printer.name=mine"], 3, "There is no file photo.jpg"),
        (["calibrate", "fit", "text.jpg", "printer.name=mine"], 3, "is not a JPEG"),
        (["calibrate", "fit", "grey.png", "printer.name=mine"], 3, "grey.png shows no chart"),
        (
            ["calibrate", "fit", "grey.png", "printer.name=mine", "printer.like=x"],
            2,
            "known are .*sublimation",
        ),
        (["calibrate", "chart", "seed=16"], 2, "choose 0 to 15"),
        (["calibrate", "chart", "dpi=20"], 2, "dpi=20"),
        (["calibrate", "chart", "paper=a0"], 2, "paper="),
    ],
)
def test_what_is_refused(
    words: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("text.jpg").write_text("no picture")
    Image.new("RGB", (400, 300), (99, 98, 97)).save("grey.png")
    assert cli.main(words) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert re.search(message, captured.err)
    assert not Path("own").exists()


def test_without_opencv_the_install_command_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    assert cli.main(["calibrate", "chart"]) == 8
    assert "pip install 'advmask[calibrate]'" in capsys.readouterr().err
