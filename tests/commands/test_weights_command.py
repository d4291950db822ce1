"""`advmask weights`: what the user sees."""

import hashlib
import shutil
import warnings
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from advmask import cli
from advmask.recognizers.specification import EXAMPLE
from advmask.recognizers.weights_folder import VARIABLE, record

YAML = EXAMPLE.replace("512", "3")


class _Tiny(nn.Module):
    def forward(self, fed: Tensor) -> Tensor:
        return fed.mean(dim=(2, 3))


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
    found = hashlib.sha256(b"x").hexdigest()[:12]
    assert f"facenet:casia-webface: NOT what was expected: found {found}, SHA256SUMS" in said.out
    assert f"found {found}, SHA256SUMS next to it says 000000000000)." in said.err
    assert "Delete it and run: advmask weights get facenet:casia-webface. If you changed it" in said.err
    assert f"take its line out of {folder / 'SHA256SUMS'}." in said.err


def test_the_same_file_under_another_name_is_told(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises other formats
        script = torch.jit.script(_Tiny())
    for name in ("first", "second"):
        file = tmp_path / f"{name}.pt"
        script.save(str(tmp_path / "saved.pt"))
        shutil.copy(tmp_path / "saved.pt" if name == "first" else tmp_path / "first.pt", file)
        file.with_suffix(".yaml").write_text(YAML)
        assert cli.main(["weights", "add", str(file)]) == 0
        texts.append(capsys.readouterr().out)
    assert "The same file" not in texts[0]
    assert "The same file is here as first already; keep one, or it counts twice in present." in texts[1]
    assert cli.main(["weights", "list"]) == 0
    assert "One file by SHA-256: first and second; keep one" in capsys.readouterr().out


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
