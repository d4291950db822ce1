"""The YAML next to a network: what it takes, and how it says what it does not take."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.specification import EXAMPLE, NetworkSpecification, read_specification

FIVE = [[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]]


def _write(folder: Path, text: str) -> Path:
    (folder / "net.yaml").write_text(text, encoding="utf-8")
    return folder / "net.onnx"


def _changed(folder: Path, **changes: Any) -> Path:
    return _write(folder, yaml.safe_dump({**yaml.safe_load(EXAMPLE), **changes}))


def test_the_printed_example_is_what_insightface_needs(tmp_path: Path):
    found = read_specification(_write(tmp_path, EXAMPLE))
    assert found == NetworkSpecification(
        size=(112, 112),
        channels="rgb",
        range=(0.0, 1.0),
        mean=(0.5, 0.5, 0.5),
        std=(0.5, 0.5, 0.5),
        template="arcface",
        distance="cosine",
        embedding=512,
    )
    assert found.calibration is None


def test_everything_optional_is_read(tmp_path: Path):
    path = _changed(
        tmp_path,
        template=FIVE,
        calibration={"threshold": 0.25, "scale": 12, "fmr": "1e-3"},
        licence="MIT",
        source="somewhere",
    )
    found = read_specification(path)
    assert found.template == tuple(map(tuple, FIVE))
    assert found.calibration is not None
    assert (found.calibration.threshold, found.calibration.scale) == (0.25, 12)
    assert found.calibration.fmr == pytest.approx(1e-3)
    assert (found.licence, found.source) == ("MIT", "somewhere")


def test_yml_serves_and_both_endings_are_refused(tmp_path: Path):
    (tmp_path / "net.yml").write_text(EXAMPLE)
    assert read_specification(tmp_path / "net.onnx").embedding == 512
    (tmp_path / "net.yaml").write_text(EXAMPLE)
    with pytest.raises(ConfigError, match="both"):
        read_specification(tmp_path / "net.onnx")


def test_a_missing_file_prints_every_needed_key(tmp_path: Path):
    with pytest.raises(WeightsError, match=r"net\.yaml") as caught:
        read_specification(tmp_path / "net.onnx")
    for key, field in NetworkSpecification.model_fields.items():
        assert (f"\n{key}:" in str(caught.value)) == field.is_required()


@pytest.mark.parametrize(
    "key", [key for key, field in NetworkSpecification.model_fields.items() if field.is_required()]
)
def test_a_missing_key_is_named(tmp_path: Path, key: str):
    values = yaml.safe_load(EXAMPLE)
    del values[key]
    with pytest.raises(ConfigError, match=rf"net\.yaml: .*{key}"):
        read_specification(_write(tmp_path, yaml.safe_dump(values)))


def test_words_are_taken_in_any_case(tmp_path: Path):
    found = read_specification(_changed(tmp_path, channels="RGB", distance="Cosine", template="ArcFace"))
    assert (found.channels, found.distance, found.template) == ("rgb", "cosine", "arcface")


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("size", 112),
        ("size", [112]),
        ("size", [112, 112, 3]),
        ("size", [0, 112]),
        ("size", [112.5, 112]),
        ("size", [10**9, 10**9]),
        ("channels", "gbr"),
        ("range", [1, 0]),
        ("range", [0, True]),
        ("range", [0, float("inf")]),
        ("mean", 0.5),
        ("mean", [0.5, 0.5]),
        ("mean", ["a", "b", "c"]),
        ("mean", {"r": 1, "g": 2, "b": 3}),
        ("std", [0.5, 0, 0.5]),
        ("std", [0.5, 0.5, -0.5]),
        ("std", [float("nan")] * 3),
        ("template", "arc"),
        ("template", FIVE[:4]),
        ("template", [*FIVE, [1, 1]]),
        ("template", [*FIVE[:4], [1, 2, 3]]),
        ("template", [*FIVE[:4], ["x", "y"]]),
        ("template", [*FIVE[:4], [56, 1000]]),
        ("template", [FIVE[0]] * 5),
        ("template", None),
        ("distance", "manhattan"),
        ("embedding", 0),
        ("embedding", "many"),
        ("embedding", True),
        ("calibration.threshold", {"threshold": "high", "scale": 1, "fmr": 0.01}),
        ("calibration.scale", {"threshold": 0.2, "scale": 0, "fmr": 0.01}),
        ("calibration.fmr", {"threshold": 0.2, "scale": 1, "fmr": 1.5}),
        ("calibration.fmr", {"threshold": 0.2, "scale": 1}),
        ("licence", [1]),
    ],
)
def test_a_value_that_does_not_fit_names_file_and_key(tmp_path: Path, key: str, value: Any):
    path = _changed(tmp_path, **{key.partition(".")[0]: value})
    with pytest.raises(ConfigError, match=rf"net\.yaml: .*{key}"):
        read_specification(path)


def test_an_unknown_key_names_the_nearest(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"net\.yaml: .*chanels.*channels"):
        read_specification(_changed(tmp_path, chanels="rgb"))


@pytest.mark.parametrize(
    "text", ["", "- 1\n- 2", "size: [1", "\t: :", "1: 2", "a: &a [*a", "[" * 5000, "x" * 70000]
)
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str):
    with pytest.raises(ConfigError, match=r"net\.yaml"):
        read_specification(_write(tmp_path, text))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=80), keep=st.integers(0, len(EXAMPLE)))
def test_any_bytes_give_a_specification_or_a_sentence(tmp_path: Path, content: bytes, keep: int):
    (tmp_path / "net.yaml").write_bytes(EXAMPLE.encode()[:keep] + content)
    said = "net.yaml"
    try:
        read_specification(tmp_path / "net.onnx")
    except ConfigError as error:
        said = str(error)
    assert "net.yaml" in said


@pytest.mark.shared
def test_the_specifications_at_hand_are_read(shared_dir: Path):
    found = [read_specification(path) for path in sorted((shared_dir / "weights").glob("*.onnx"))]
    assert {128, 256} <= {each.embedding for each in found}
