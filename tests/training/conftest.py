"""One tiny network and one crop cache for all training tests."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_chain import settings_values, write_network

from advmask.training.settings import TrainSettings


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Holds the network `tiny.onnx` and the crop cache of the whole session."""
    folder = tmp_path_factory.mktemp("tiny")
    write_network(folder / "tiny.onnx")
    return folder


@pytest.fixture(scope="session")
def tiny_settings(tiny_dir: Path) -> Callable[..., TrainSettings]:
    """Build settings of a tiny run; keywords replace trainer settings, `seed=` and `objective=` the run's."""

    def build(*, seed: int = 0, objective: dict[str, Any] | None = None, **trainer: Any) -> TrainSettings:
        values = settings_values(f"onnx:{tiny_dir / 'tiny.onnx'}", tiny_dir / "cache", **trainer)
        return TrainSettings.build(
            values | {"seed": seed, "objective": values["objective"] | (objective or {})}
        )

    return build
