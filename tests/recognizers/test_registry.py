"""Names as users write them: what they build, and what is said about those that build nothing."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from advmask.core.errors import ConfigError, WeightsError
from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.recognizer_names import build_recognizer, build_recognizers
from advmask.recognizers.templates import template_points

WriteNetwork = Callable[..., Path]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dlob", r"Unknown recognizer 'dlob'; did you mean dlib\?"),
        ("dlib2", r"did you mean dlib\?"),
        ("DLIB", r"did you mean dlib\?"),
        ("onx:nets/a.onnx", r"Unknown recognizer 'onx:nets/a\.onnx'; did you mean onnx"),
        ("ONNX:nets/a.onnx", r"did you mean onnx"),
        ("dlib.onnx", "for an ONNX file write onnx:dlib.onnx"),
        ("MINE.ONNX", "for an ONNX file write onnx:MINE.ONNX"),
        ("facenet:vgg", "facenet has two networks: write facenet:vggface2 or facenet:casia-webface"),
        ("facenet", "write facenet:vggface2 or facenet:casia-webface"),
        ("facent:vggface2", r"did you mean facenet"),
        ("iresnet51:a.pth", r"did you mean iresnet50"),
        ("arcface-r50", r"did you mean arcface-r50-ms1mv3"),
        ("xyzzy", r"known: dlib, facenet:vggface2, .*onnx:PATH, .*python:MODULE:FUNCTION"),
        ("", "known: dlib, "),
        (
            "backbone.pth",
            "write iresnet50:backbone.pth .18, 34, 100., vit:backbone.pth, edgeface:backbone.pth, magface:",
        ),
        ("mine.pt", "for a TorchScript file write torchscript:mine.pt"),
        ("mine.py", "write python:mine.py:FUNCTION"),
        ("present", r"write it into a list: recognizers=\[present\]"),
        ("nets/my net.onnx", "for an ONNX file write onnx:nets/my net.onnx."),
        (r"C:\nets\mine.onnx", "for an ONNX file write onnx:"),
        ("dlib:xyz", "Unknown recognizer 'dlib:xyz'; dlib has one network: write dlib."),
        ("onnx:", "onnx: needs a path, such as onnx:"),
        ("onnx", "onnx: needs a path"),
    ],
)
def test_unknown_names_are_answered_with_what_was_meant(name: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        build_recognizer(name)


def test_an_unknown_home_folder_is_a_bad_setting() -> None:
    with pytest.raises(ConfigError, match="no home folder for onnx:~nobody-of-this-name"):
        build_recognizer("onnx:~nobody-of-this-name/mine.onnx")


def test_no_name_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"such as recognizers=\[dlib\]"):
        build_recognizers([])


def test_two_of_one_name_are_refused(tmp_path: Path, write_network: WriteNetwork) -> None:
    first = write_network(tmp_path / "a" / "mine.onnx")
    second = write_network(tmp_path / "b" / "mine.onnx", seed=1)
    for names in (["dlib", "dlib"], [f"onnx:{first}", f"onnx:{first}"]):
        with pytest.raises(ConfigError, match=r"Two recognizers are called (dlib|mine);"):
            build_recognizers(names)
    # Tables would show two columns of the same name.
    with pytest.raises(ConfigError, match="Two recognizers are called mine;"):
        build_recognizers([f"onnx:{first}", f"onnx:{second}"])
    third = write_network(tmp_path / "b" / "other.onnx")
    assert [one.label for one in build_recognizers([f"onnx:{first}", f"onnx:{third}"])] == ["mine", "other"]


def test_dlib_is_built_with_weights_checksum_and_threshold() -> None:
    recognizer = build_recognizer("dlib")
    content = dlib_weights_path().read_bytes()
    assert recognizer.weights_sha256 == hashlib.sha256(content).hexdigest()
    assert recognizer.label == recognizer.name == "dlib"
    assert recognizer.specification.size == (150, 150)
    assert recognizer.distance == "euclidean"
    assert recognizer.calibrated.threshold < 0
    torch.testing.assert_close(recognizer.template, template_points("dlib", size=(150, 150)))


def test_an_onnx_network_is_built_as_its_yaml_says(tmp_path: Path, write_network: WriteNetwork) -> None:
    path = write_network(
        tmp_path / "my nets" / "v1.2 (x).onnx",
        channels="bgr",
        range=[0, 255],
        mean=[10, 20, 30],
        std=[50, 60, 70],
        size=[24, 40],
    )
    recognizer = build_recognizer(f"onnx:{path}")
    assert recognizer.label == "v1.2 (x)"
    assert recognizer.name == f"onnx:{path}"
    assert recognizer.weights_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert recognizer.calibrated.threshold == 0.3
    assert recognizer.calibrated.scale == 8.0
    assert "v1.2 (x).onnx" in recognizer.calibrated.source
    # Fed by hand with what the YAML says.
    chips = torch.rand(3, 3, 24, 40)
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in ([10.0, 20, 30], [50.0, 60, 70]))
    expected = recognizer.network((chips[:, [2, 1, 0]] * 255 - mean) / std)
    torch.testing.assert_close(recognizer.embed(chips), expected, rtol=1e-4, atol=1e-4)
    # A picture whose landmarks lie on the template is its own chip.
    landmarks = recognizer.template.expand(3, 5, 2)
    torch.testing.assert_close(recognizer.chips(chips, landmarks), chips, rtol=0, atol=1e-4)


def test_a_home_folder_is_found(
    tmp_path: Path, write_network: WriteNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    write_network(tmp_path / "nets" / "mine.onnx")
    assert build_recognizer("onnx:~/nets/mine.onnx").label == "mine"


def test_what_is_missing_beside_an_onnx_network_is_named(tmp_path: Path, write_network: WriteNetwork) -> None:
    with pytest.raises(WeightsError, match=r"no ONNX file .*gone\.onnx"):
        build_recognizer(f"onnx:{tmp_path / 'gone.onnx'}")
    path = write_network(tmp_path / "mine.onnx", embedding=6)
    text = path.with_suffix(".yaml").read_text(encoding="utf-8")
    path.with_suffix(".yaml").write_text(text.replace("embedding: 6", "embedding: 7"), encoding="utf-8")
    with pytest.raises(WeightsError, match=r"gives \(2, 6\) for 2 pictures; \(2, 7\) was expected"):
        build_recognizer(f"onnx:{path}")
    path.with_suffix(".yaml").unlink()
    with pytest.raises(WeightsError, match=r"needs a file mine\.yaml next to it"):
        build_recognizer(f"onnx:{path}")
