"""Objectives that need more than the photos trained on, by a whole run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from advmask.training.run import train
from advmask.training.settings import TrainSettings


@pytest.mark.parametrize("objective", [{"masked_gallery": 0.5}, {"fidelity": 0.1, "tail": 0.5}])
def test_a_run_with_it_ends(
    tiny_settings: Callable[..., TrainSettings], tmp_path: Path, objective: dict[str, float]
):
    told: list[str] = []
    result = train(tiny_settings(objective=objective), folder=tmp_path / "run", tell=told.append)
    assert (result.folder / "texture.png").is_file()
    header = (result.folder / "metrics.csv").read_text().splitlines()[0]
    if "masked_gallery" in objective:
        assert "masked" in header
