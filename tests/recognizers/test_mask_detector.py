"""Mask detectors of the user's: Python functions and ONNX files, fed and read as their YAML says."""

from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from advmask.core.errors import AdvmaskError, ConfigError, WeightsError
from advmask.recognizers.mask_detector import build_mask_detector

FIVE = torch.tensor([(42.0, 44.0), (70.0, 44.0), (56.0, 59.0), (43.5, 73.0), (68.5, 73.0)])
PICTURES = torch.rand(3, 3, 112, 112, generator=torch.Generator().manual_seed(0))
POINTS = FIVE.expand(3, 5, 2)


def python(tmp_path: Path, body: str) -> str:
    (tmp_path / "mine.py").write_text(f"import torch\n\n\ndef detector():\n    {body}\n")
    return f"python:{tmp_path / 'mine.py'}:detector"


def write_mean(path: Path, *, outputs: int = 1, yaml: str = "size: [16, 24]\n") -> str:
    """A network that gives the means of the first channels of what it is fed."""
    nodes = [
        helper.make_node("GlobalAveragePool", ["picture"], ["mean"]),
        helper.make_node("Flatten", ["mean"], ["flat"]),
        helper.make_node("Split", ["flat"], ["first", "rest"], axis=1),
    ]
    split = numpy_helper.from_array(np.array([outputs, 3 - outputs]), "split")
    nodes[2].input.append("split")
    graph = helper.make_graph(
        nodes,
        "mean",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["n", 3, 16, 24])],
        [helper.make_tensor_value_info("first", TensorProto.FLOAT, ["n", outputs])],
        initializer=[split],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    path.with_suffix(".yaml").write_text(yaml)
    return f"onnx:{path}"


def test_a_function_is_shown_pictures_and_landmarks(tmp_path: Path) -> None:
    body = "return lambda pictures, landmarks: pictures.mean(dim=(1, 2, 3)) * (landmarks[:, 0, 0] == 42)"
    found = build_mask_detector(python(tmp_path, body))(PICTURES, POINTS)
    assert found.numpy() == pytest.approx(PICTURES.mean(dim=(1, 2, 3)).numpy())


def test_a_file_is_fed_as_its_yaml_says(tmp_path: Path) -> None:
    grey = torch.tensor([0.2, 0.5, 0.8])[:, None, None].expand(3, 112, 112)[None].expand(3, -1, -1, -1)
    plain = build_mask_detector(write_mean(tmp_path / "a.onnx"))(grey, POINTS)
    assert plain.numpy() == pytest.approx([0.2] * 3, abs=1e-5)  # red
    yaml = "size: [16, 24]\nchannels: bgr\nrange: [0, 255]\nmean: [51, 51, 51]\nstd: [255, 255, 255]\n"
    assert build_mask_detector(write_mean(tmp_path / "b.onnx", yaml=yaml))(
        grey, POINTS
    ).numpy() == pytest.approx([0.6] * 3, abs=1e-5)
    yaml = "size: [16, 24]\nmasked: 1\nsoftmax: true\n"
    found = build_mask_detector(write_mean(tmp_path / "c.onnx", outputs=2, yaml=yaml))(grey, POINTS)
    assert found.numpy() == pytest.approx([1 / (1 + np.exp(0.2 - 0.5))] * 3, abs=1e-5)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("return 3", "gives int; a function of pictures and landmarks"),
        ("return lambda pictures, landmarks: 1 / 0", "failed .ZeroDivisionError: division by zero"),
        ("return lambda pictures, landmarks: torch.ones(2)", r"numbers of the shape \(2,\) for 3 pictures"),
        (
            "return lambda pictures, landmarks: torch.full((3,), 7.0)",
            r"numbers from 7 to 7; .* `softmax: true`",
        ),
        ("return lambda pictures, landmarks: torch.full((3,), torch.nan)", "numbers that are not finite"),
        ("raise ValueError('no')", "failed .ValueError: no"),
    ],
)
def test_functions_that_do_not_fit(body: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=says):
        build_mask_detector(python(tmp_path, body))(PICTURES, POINTS)


@pytest.mark.parametrize(
    ("yaml", "error", "says"),
    [
        (None, WeightsError, r"needs a file a\.yaml next to it"),
        ("- 1\n", ConfigError, "holds no keys"),
        ("size: [16, 24]\nmaskd: 1\n", ConfigError, "Unknown setting maskd; did you mean masked"),
        ("size: [16, 24]\nmasked: 1\n", ConfigError, "gives 1 numbers for a picture; `masked: 1`"),
        ("{", ConfigError, "cannot be read"),
    ],
)
def test_files_that_do_not_fit(
    yaml: str | None, error: type[AdvmaskError], says: str, tmp_path: Path
) -> None:
    name = write_mean(tmp_path / "a.onnx", yaml=yaml or "")
    if yaml is None:
        (tmp_path / "a.yaml").unlink()
    with pytest.raises(error, match=says):
        build_mask_detector(name)(PICTURES, POINTS)


@pytest.mark.parametrize("name", ["mine", "onnx:", "python:", "torchscript:a.pt"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(ConfigError, match="Unknown mask detector"):
        build_mask_detector(name)
