"""One tiny network, the default portrait and a crop cache for all evaluation tests."""

from pathlib import Path

import pytest
from tiny_chain import write_network

from advmask.photos import FaceSet, FacesSettings, load_faces


@pytest.fixture(scope="session")
def tiny_name(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a recognizer with random weights and a stated calibration."""
    return write_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="session")
def portrait(tmp_path_factory: pytest.TempPathFactory) -> FaceSet:
    """The portrait that ships with scikit-image, cut at 112 px."""
    cache: Path = tmp_path_factory.mktemp("cache")
    return load_faces(FacesSettings(size=112, cache=cache))
