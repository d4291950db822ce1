"""A portrait, and small networks written as ONNX files with the YAML that belongs to them."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import TensorProto, helper, numpy_helper

from advmask.photos.crops import FaceCrop
from advmask.photos.loading import load_faces
from advmask.photos.settings import FacesSettings

WriteNetwork = Callable[..., Path]


@pytest.fixture(scope="session")
def crop() -> FaceCrop:
    """The working crop of the astronaut portrait."""
    (only,) = load_faces(FacesSettings(cache=False)).crops
    return only


@pytest.fixture
def write_network() -> WriteNetwork:
    """Writes a one-convolution network of fixed weights and its YAML; keywords change the YAML."""
    return _write_network


def _write_network(path: Path, *, seed: int = 0, **changes: Any) -> Path:
    settings: dict[str, Any] = {
        "size": [32, 32],
        "channels": "rgb",
        "range": [0, 1],
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "template": "arcface",
        "distance": "cosine",
        "embedding": 6,
        "calibration": {"fmr": 0.01, "threshold": 0.3, "scale": 8.0},
        **changes,
    }
    height, width = settings["size"]
    draw = np.random.default_rng(seed)
    stored = [
        numpy_helper.from_array(values.astype(np.float32), name)
        for name, values in [
            ("w", draw.normal(0, 0.3, (4, 3, 4, 4))),
            ("v", draw.normal(0, 0.3, (settings["embedding"], 4))),
        ]
    ]
    nodes = [
        helper.make_node("Conv", ["image", "w"], ["c"], kernel_shape=[4, 4], strides=[4, 4]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("GlobalAveragePool", ["r"], ["g"]),
        helper.make_node("Flatten", ["g"], ["f"]),
        helper.make_node("Gemm", ["f", "v"], ["embedding"], transB=1),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)
        for name, shape in [("image", ["n", 3, height, width]), ("embedding", ["n", settings["embedding"]])]
    ]
    graph = helper.make_graph(nodes, "tiny", ends[:1], ends[1:], initializer=stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    kept = {key: value for key, value in settings.items() if value is not None}
    path.with_suffix(".yaml").write_text(yaml.safe_dump(kept), encoding="utf-8")
    return path
