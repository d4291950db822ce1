"""Objectives that need more than the photos trained on, by a whole run."""

from collections.abc import Callable
from pathlib import Path

import pytest

from advmask.core.errors import ConfigError
from advmask.training.run import train
from advmask.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("objective", "said"),
    [({"gamut": 0.1}, "needs to know the printer"), ({"displacement": 1.0}, "carries a gradient")],
)
def test_what_an_objective_lacks_is_said_before_photos_are_read(
    tiny_settings: Callable[..., TrainSettings], tmp_path: Path, objective: dict[str, float], said: str
):
    settings = tiny_settings(objective=objective)
    (tmp_path / "nobody").mkdir()  # it would be said that no photo is in it
    nobody = settings.faces.model_copy(update={"root": tmp_path / "nobody"})
    with pytest.raises(ConfigError, match=said):
        train(settings.model_copy(update={"faces": nobody}), folder=tmp_path / "run")


@pytest.mark.parametrize("objective", [{"masked_gallery": 0.5}, {"fidelity": 0.1, "tail": 0.5}])
def test_a_run_with_it_ends(
    tiny_settings: Callable[..., TrainSettings], tmp_path: Path, objective: dict[str, float]
):
    result = train(tiny_settings(objective=objective), folder=tmp_path / "run")
    assert (result.folder / "texture.png").is_file()
    header = (result.folder / "metrics.csv").read_text().splitlines()[0]
    if "masked_gallery" in objective:
        assert "masked" in header
