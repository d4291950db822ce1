"""What records say of recognizers, designs and packages."""

import hashlib
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny_chain import write_network

from advmask.core.files import sha256
from advmask.evaluation.record_facts import about_recognizers, package_versions, texels_sha256
from advmask.recognizers.recognizer_names import build_recognizers


@pytest.mark.parametrize(
    ("trained", "column"),
    [("first", "trained on"), ("second", "family not known"), ("gone", "not known"), (None, "not known")],
)
def test_columns_tell_what_a_design_was_trained_against(
    tmp_path: Path, told: list[str], trained: str | None, column: str
) -> None:
    first = write_network(tmp_path / "first.onnx")
    write_network(tmp_path / "second.onnx", seed=1)
    names = None if trained is None else [f"onnx:{tmp_path / trained}.onnx"]
    found = about_recognizers(build_recognizers([first]), names)
    assert found == {
        "first": {
            "name": first,
            "family": "user",
            "column": column,
            "licence": None,
            "source": None,
            "weights_sha256": sha256(tmp_path / "first.onnx"),
        }
    }
    assert ("was trained against cannot be opened, so columns are unknown" in "".join(told)) == (
        trained == "gone"
    )


def test_packages_are_those_installed() -> None:
    found = package_versions()
    assert found["numpy"] == np.__version__
    assert found["torch"] == torch.__version__
    assert found["kornia"] == version("kornia")
    assert "advmask" in found


def test_texels_are_known_by_their_float32_bytes_whatever_their_layout() -> None:
    values = np.random.default_rng(0).random((3, 4, 5)).astype("<f4")
    texels = torch.from_numpy(values)
    expected = hashlib.sha256(values.tobytes()).hexdigest()
    assert texels_sha256(texels) == expected
    assert texels_sha256(texels.permute(2, 0, 1).contiguous().permute(1, 2, 0)) == expected
    assert texels_sha256(texels.flip(0)) != expected
