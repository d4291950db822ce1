"""The script that makes the mean head, on heads whose mean is known."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from advmask.masks.dense_pose import mean_face


@pytest.fixture(scope="module")
def script() -> ModuleType:
    path = Path(__file__).parents[2] / "tools" / "mean_face.py"
    spec = importlib.util.spec_from_file_location("mean_face_script", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["mean_face_script"] = module
    spec.loader.exec_module(module)
    return module


def test_the_mean_of_posed_heads_is_found(script: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    generator = np.random.default_rng(0)
    truth = mean_face()
    heads: dict[str, list[np.ndarray]] = {}
    for person in range(30):
        for _ in range(1 + person % 2):
            turn = Rotation.from_euler("xyz", generator.uniform(-20, 20, 3), degrees=True)
            shape = truth.points_mm + 1.0 * generator.normal(size=(468, 3))
            heads.setdefault(str(person), []).append(
                generator.uniform(0.5, 2) * turn.apply(shape) + generator.normal(size=3)
            )
    heads["turned away"] = [Rotation.from_euler("y", 60, degrees=True).apply(truth.points_mm)]
    points, mirror = script.mean_shape(heads)
    assert "30 people, 45 of 46 photos" in capsys.readouterr().out
    np.testing.assert_array_equal(mirror, truth.mirror)
    assert np.linalg.norm(points - truth.points_mm, axis=1).mean() < 0.5
    np.testing.assert_allclose(points[mirror] * [-1, 1, 1], points, atol=1e-9)


def test_the_data_file_is_small() -> None:
    path = Path(__file__).parents[2] / "advmask" / "masks" / "data" / "mean_face.npz"
    assert path.stat().st_size < 10_000
