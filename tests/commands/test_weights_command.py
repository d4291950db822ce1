"""`advmask weights`: what the user sees."""

import shutil
from pathlib import Path

import pytest

from advmask import cli
from advmask.recognizers.weights_folder import VARIABLE, record


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "weights"))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "weights"


def test_the_list_shows_what_is_known_and_what_is_here(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.mkdir()
    (folder / "bare.onnx").write_bytes(b"x")
    assert cli.main(["weights", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = {line.split()[0]: line for line in lines if line}
    assert rows["dlib"].split()[1] == "yes"
    assert "CC0-1.0" in rows["dlib"]
    assert rows["facenet:vggface2"].split()[1:4] == ["no", "~112", "281cebca8662"]
    assert f"Weights folder: {folder}" in lines
    assert lines[-1].endswith("says how to feed it: bare.onnx.")
    assert cli.main(["weights"]) == 0
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["lst"], 2, "cannot 'lst'; write list, get, verify, add."),
        (["get"], 2, "get needs a NAME of advmask weights list behind it."),
        (["add"], 2, "add needs a FILE behind it."),
        (["get", "facenet:vgface2"], 2, "did you mean facenet:vggface2"),
        (["get", "magface-r100-ms1mv2"], 4, "advmask weights add FILE name=magface-r100-ms1mv2"),
        (["add", "gone.onnx"], 4, "There is no file gone.onnx"),
    ],
)
def test_mistakes_are_answered_in_a_sentence(
    words: list[str], code: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["weights", *words]) == code
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_verify_fails_where_a_file_has_changed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder.mkdir()
    path = folder / "20180408-102900-casia-webface.pt"
    path.write_bytes(b"x")
    assert cli.main(["weights", "verify"]) == 0
    assert "(not recorded)" in capsys.readouterr().out
    record(path, "0" * 64)
    assert cli.main(["weights", "verify"]) == 4
    said = capsys.readouterr()
    assert "facenet:casia-webface: NOT what was expected" in said.out
    assert "SHA256SUMS beside it says 000000" in said.err


@pytest.mark.shared
def test_networks_are_added_and_another_folder_can_be_named(
    shared_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = shutil.copy(shared_dir / "weights" / "mobileface_v2.onnx", tmp_path / "x.onnx")
    shutil.copy(shared_dir / "weights" / "mobileface_v2.yaml", tmp_path / "x.yaml")
    assert cli.main(["weights", "add", str(file), "name=mine", "folder=other"]) == 0
    assert "mine is here: other/mine.onnx (embedding of 256)" in capsys.readouterr().out
    assert cli.main(["weights", "list", "folder=other"]) == 0
    assert "mine " in capsys.readouterr().out
    assert cli.main(["weights", "list"]) == 0
    assert "mine " not in capsys.readouterr().out
