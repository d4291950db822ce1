"""The page about parts of one's own: its code runs as it stands there."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from torch import nn

from advmask.training.settings import TrainSettings

PAGE = Path(__file__).parents[2] / "docs" / "own_parts.md"


def test_the_page_runs(
    tiny_settings: Callable[..., TrainSettings],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", PAGE.read_text("utf-8"), re.DOTALL | re.MULTILINE))
    known: dict[str, Any] = {
        "__name__": "page",
        "settings": tiny_settings(steps=2, preview_every=0),
        "net": nn.Sequential(nn.Conv2d(3, 8, 16, 16), nn.ReLU(), nn.Flatten()),
    }
    exec(compile(code, PAGE.name, "exec"), known)
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[:2]] == [["1", "2"], ["2", "2"]]
    assert printed[2].startswith("TrainResult('runs/own', Design(")
    header = (tmp_path / "runs" / "own" / "metrics.csv").read_text().splitlines()[0]
    assert {"term/blue", "term/orthogonal", "match_confidence/mine"} <= set(header.split(","))
