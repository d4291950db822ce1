"""The plot of a run and the line of its progress bar."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import RunError
from advmask.training.plot import curves_of, plot, write_plot
from advmask.training.progress import _figures

HEADER = "step,loss,match_confidence,match_confidence/dlib,val_match_confidence\n"


def _log(steps: int) -> str:
    rows = [
        f"{i},{3 * math.exp(-i / 40):.6g},{math.exp(-i / 50):.6g},{math.exp(-i / 50):.6g},"
        + (f"{math.exp(-i / 60):.6g}" if i % 25 == 0 else "")
        for i in range(steps)
    ]
    return HEADER + "\n".join(rows) + "\n"


def _inked(picture: Image.Image, colour: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of the pixels that are nearly of a colour."""
    return np.argwhere(np.abs(np.asarray(picture).astype(int) - colour).max(axis=2) < 24)


def test_a_falling_curve_is_drawn_falling(tmp_path: Path):
    (tmp_path / "metrics.csv").write_text(_log(200))
    write_plot(tmp_path / "metrics.csv", tmp_path / "progress.png")
    with Image.open(tmp_path / "progress.png") as opened:
        picture = opened.convert("RGB")
    blue = _inked(picture, (0x2F, 0x6C, 0x8F))
    upper = blue[(blue[:, 0] > 26) & (blue[:, 0] < 214)]
    left, right = upper[upper[:, 1] < 120][:, 0].mean(), upper[upper[:, 1] > 800][:, 0].mean()
    assert left < 60  # match confidence from near 1 to near 0
    assert right > 180
    assert (blue[:, 0] > 260).sum() > 300  # and the loss below


def test_broken_and_short_logs_are_drawn(tmp_path: Path):
    for number, text in enumerate([HEADER, HEADER + "0,nan,0.5,0.5,\n", HEADER + "0,1,0.5,0.5,0.4\n"]):
        (tmp_path / "metrics.csv").write_text(text)
        write_plot(tmp_path / "metrics.csv", tmp_path / f"{number}.png")
        assert (tmp_path / f"{number}.png").exists() is (number > 0)
    write_plot(tmp_path / "none.csv", tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()
    assert plot({}).size == (900, 480)


def test_empty_fields_are_left_out():
    rows = [{"step": "0", "loss": "1", "val": ""}, {"step": "1", "loss": "2", "val": "3"}]
    assert curves_of(rows) == {"loss": [(0.0, 1.0), (1.0, 2.0)], "val": [(1.0, 3.0)]}


def test_the_bar_names_every_recognizer():
    metrics = {
        "loss": torch.tensor(1.0),
        "match_confidence": torch.tensor(0.5),
        "match_confidence/dlib": torch.tensor(0.25),
        "match_confidence/facenet:vggface2": torch.tensor(0.75),
    }
    assert _figures(metrics) == "match confidence dlib 0.25 facenet:vggface2 0.75"
    metrics["val_match_confidence"] = torch.tensor(0.4)
    assert _figures(metrics).endswith("(validation 0.40)")
    assert _figures({"similarity/dlib": torch.tensor(0.5)}) == "similarity dlib 0.50"
    assert _figures({}) == "?"


def test_similarities_stand_above_where_there_is_no_threshold():
    falling = [(float(i), -0.01 * i) for i in range(100)]
    drawn = np.asarray(plot({"similarity/dlib": falling, "loss": falling}))
    blue = _inked(Image.fromarray(drawn), (0x2F, 0x6C, 0x8F))
    upper = blue[(blue[:, 0] > 26) & (blue[:, 0] < 214)]
    assert upper[upper[:, 1] < 120][:, 0].mean() < 60
    assert upper[upper[:, 1] > 800][:, 0].mean() > 180


@pytest.mark.parametrize(
    "log",
    [
        b"step,loss\n0,--\n",
        b"step,loss\n0,\xa4\n",
        b"loss\n0.5\n",
        b"step,loss\n0,1,2,3\n",
        b"step,loss\n" + b"9" * 5000 + b",1\n",
        b"step,loss\nx,1\n",
    ],
)
def test_a_damaged_log_is_one_sentence(tmp_path: Path, log: bytes):
    (tmp_path / "metrics.csv").write_bytes(log)
    with pytest.raises(RunError, match=r"metrics\.csv is damaged; delete it"):
        write_plot(tmp_path / "metrics.csv", tmp_path / "progress.png")
