"""An SCRFD file that sees one face, always in the same place: for tests of what is done with a detector."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 640


def write_fixed_scrfd(
    path: Path, box: tuple[float, ...], points: np.ndarray, *, picture: tuple[int, int], score: float = 0.8
) -> str:
    """Write a network whose outputs are constants; give its name as a detector.

    Args:
        path: The .onnx file.
        box: Left, top, right, bottom, px of the picture, edges.
        points: (5, 2) landmarks, px of the picture, pixel centres at +0.5.
        picture: Its width and height.
        score: Of the face.
    """
    scale = SIDE / max(picture)
    place, stride = 321, 32
    corners = (np.array(box) - 0.5) * scale
    five = (np.asarray(points) - 0.5) * scale
    outputs = {}
    for each in (8, 16, 32):
        places = 2 * (SIDE // each) ** 2
        for kind, width in (("score", 1), ("bbox", 4), ("kps", 10)):
            outputs[f"{kind}_{each}"] = np.zeros((places, width), "f4")
    anchor = np.array([place // 2 % (SIDE // stride), place // 2 // (SIDE // stride)]) * stride
    outputs[f"score_{stride}"][place] = score
    outputs[f"bbox_{stride}"][place] = np.concatenate([anchor - corners[:2], corners[2:] - anchor]) / stride
    outputs[f"kps_{stride}"][place] = ((five - anchor) / stride).ravel()
    graph = helper.make_graph(
        [helper.make_node("Identity", [f"c_{name}"], [name]) for name in outputs],
        "scrfd",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor_value_info(name, TensorProto.FLOAT, list(values.shape))
            for name, values in outputs.items()
        ],
        initializer=[numpy_helper.from_array(values, f"c_{name}") for name, values in outputs.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return f"scrfd:{path}"
