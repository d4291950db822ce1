"""Face detectors of random weights in the layouts of SCRFD, RetinaFace and YuNet, written as ONNX files."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Outputs of one place by name: how many numbers, and what is added to them.
_SCRFD = {"score": (1, -2.5), "bbox": (4, 2.0), "kps": (10, 0.0)}
_RETINAFACE = {"loc": (4, 0.0), "conf": (2, 0.0), "landms": (10, 0.0)}
_YUNET = {"cls": (1, 1.2), "obj": (1, 1.2), "bbox": (4, 0.5), "kps": (10, 0.5)}
_HEADS = {"scrfd": (_SCRFD, 2), "retinaface": (_RETINAFACE, 2), "yunet": (_YUNET, 1)}


def write_detector(
    path: Path, family: str, *, seed: int = 0, sides: tuple[Any, Any] = ("h", "w"), without: str = ""
) -> Path:
    """Write one convolution for each stride and output; `without` leaves one kind of output away."""
    draw = np.random.default_rng(seed)
    heads, anchors = _HEADS[family]
    nodes, stored, outputs, joined = [], [], [], {}
    for kind, (width, bias) in heads.items():
        if kind == without:
            continue
        for stride in (8, 16, 32):
            name = f"{kind}_{stride}"
            # Inputs are up to 128 (SCRFD: up to 1) in size.
            size = (3.0 if family == "scrfd" else 0.02) / np.sqrt(3 * stride**2)
            size *= 4.0 if kind in ("score", "cls", "obj", "conf") else 1.0
            weights = draw.normal(0, size, (anchors * width, 3, stride, stride))
            weights -= weights.mean(axis=(1, 2, 3), keepdims=True)  # else brightness alone decides
            stored += [
                numpy_helper.from_array(weights.astype("f4"), f"w_{name}"),
                numpy_helper.from_array(np.full(anchors * width, bias, "f4"), f"b_{name}"),
                numpy_helper.from_array(np.array([1, -1, width], "i8"), f"s_{name}"),
            ]
            nodes += [
                helper.make_node(
                    "Conv",
                    ["picture", f"w_{name}", f"b_{name}"],
                    [f"c_{name}"],
                    kernel_shape=[stride] * 2,
                    strides=[stride] * 2,
                ),
                helper.make_node("Transpose", [f"c_{name}"], [f"t_{name}"], perm=[0, 2, 3, 1]),
            ]
            end = {"score": "Sigmoid", "cls": "Sigmoid", "obj": "Sigmoid", "conf": "Softmax"}.get(kind)
            last = f"r_{name}" if end else name
            nodes.append(helper.make_node("Reshape", [f"t_{name}", f"s_{name}"], [last]))
            if end:
                nodes.append(
                    helper.make_node(end, [last], [name], **({"axis": -1} if end == "Softmax" else {}))
                )
            joined.setdefault(kind, []).append((name, width))
    for kind, parts in joined.items():
        if family == "retinaface":
            nodes.append(helper.make_node("Concat", [name for name, _ in parts], [kind], axis=1))
        ends = [(kind, parts[0][1])] if family == "retinaface" else parts
        outputs += [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, None, w]) for n, w in ends]
    inputs = [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, *sides])]
    graph = helper.make_graph(nodes, family, inputs, outputs, initializer=stored)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path
