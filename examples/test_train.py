"""The parts work together."""

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_three_steps(tmp_path: Path) -> None:
    run = tmp_path / "run"
    command = [sys.executable, str(Path(__file__).with_name("train.py")), str(run)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader((run / "metrics.csv").read_text(encoding="utf-8").splitlines()))
    assert any(float(row["term/calm"] or 0) > 0 for row in rows)
    assert (run / "texture.png").exists()
