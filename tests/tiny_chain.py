"""A tiny random network in ONNX form and the settings of a run of a few seconds, for end-to-end tests."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from advmask.effects.settings import EffectsSettings
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings
from advmask.wearing.scene_draw import SceneDrawer, seeded

SIZE, EMBEDDING = 32, 8

YAML = f"""\
size: [{SIZE}, {SIZE}]
channels: bgr
range: [0, 255]
mean: [120, 120, 120]
std: [64, 64, 64]
template: arcface
distance: cosine
embedding: {EMBEDDING}
"""
CALIBRATION = "calibration: {fmr: 0.01, threshold: 0.5, scale: 10.0}\n"


def write_network(path: Path, *, seed: int = 0, calibration: str = CALIBRATION) -> str:
    """Write two convolutions with random weights, and the YAML next to them; give the recognizer's name."""
    draw = np.random.default_rng(seed)
    shapes = {"w1": (8, 3, 5, 5), "b1": (8,), "w2": (12, 8, 3, 3), "w3": (EMBEDDING, 12 * 16)}
    stored = [
        numpy_helper.from_array(draw.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype("f4"), name)
        for name, shape in shapes.items()
    ]
    node = helper.make_node
    nodes = [
        node("Conv", ["image", "w1", "b1"], ["c1"], kernel_shape=[5, 5], strides=[2, 2], pads=[2, 2, 2, 2]),
        node("Relu", ["c1"], ["r1"]),
        node("Conv", ["r1", "w2"], ["c2"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        node("AveragePool", ["c2"], ["p2"], kernel_shape=[2, 2], strides=[2, 2]),
        node("Flatten", ["p2"], ["flat"]),
        node("Gemm", ["flat", "w3"], ["embedding"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, SIZE, SIZE])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", EMBEDDING])],
        initializer=stored,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    path.with_suffix(".yaml").write_text(YAML + calibration, encoding="utf-8")
    return f"onnx:{path}"


def settings_values(network: str, cache: Path, **trainer: Any) -> dict[str, Any]:
    """A tiny run on the default portrait, as a nested mapping; `trainer` replaces trainer settings."""
    return {
        "recognizers": [network],
        "faces": {"size": 112, "cache": str(cache)},
        "texture": {"texels_per_mm": 1.0},
        # Its gradient at an even start hangs on the last bits; tests that compare two runs want none.
        "objective": {"smoothness": 0.0},
        "effects": {
            "wear": {"shift_mm": 3.0, "tilt_deg": 3.0, "scale": 0.03},
            "fabric": {"sheen": 0.05, "white": 0.15, "shade": 0.15, "tint": 0.03},
            "light": {"direction": 0.3, "shadow": 0.3, "shadow_share": 0.5},
            "camera": {
                "optics": {"eyes_px": [20, 30], "focus_px": 0.6},
                "tone": {"exposure_ev": 0.2, "contrast": 0.1, "curve": 0.1},
                "sensor": {"noise": 0.03},
            },
        },
        "trainer": {
            "steps": 6,
            "batch": 2,
            "placements": 2,
            "preview_every": 3,
            "checkpoint_every": 2,
            "progress": False,
            "threads": 1,
            "accelerator": "cpu",
            "devices": 1,
        }
        | trainer,
    }


def drawer(effects: EffectsSettings | None = None) -> SceneDrawer:
    """Draws for pictures of a texture of one texel per millimetre; nothing unless told."""
    printer = Printer(PrinterSettings(), texels_per_mm=1.0)
    return SceneDrawer(
        EffectsSettings() if effects is None else effects.active(), printer, seeded(0, "train")
    )


def words(network: str, cache: Path, **changes: Any) -> list[str]:
    """The same run as words for `advmask train`; `changes` with `__` for the dots."""
    given = {
        "recognizers": f"[{network}]",
        "faces.size": 112,
        "faces.cache": cache,
        "texture.texels_per_mm": 1.0,
        "printing.dpi": 72,
        "trainer.steps": 6,
        "trainer.batch": 2,
        "trainer.placements": 2,
        "trainer.preview_every": 3,
        "trainer.checkpoint_every": 2,
        "trainer.progress": "false",
        "trainer.threads": 1,
    } | {key.replace("__", "."): value for key, value in changes.items()}
    return [f"{key}={value}" for key, value in given.items()]
