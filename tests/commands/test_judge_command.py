"""`advmask judge` as a user runs it."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from fixed_detector import write_fixed_scrfd
from PIL import Image, ImageEnhance
from tiny_chain import write_network

from advmask import cli
from advmask.core.files import sha256
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import portrait_path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network and a folder of one person."""
    folder = tmp_path_factory.mktemp("made")
    write_network(folder / "tiny.onnx")
    portrait = Image.open(portrait_path()).convert("RGB").crop((60, 0, 400, 300))
    for condition, colour in (("bare", None), ("plain", (150, 160, 170)), ("design", (200, 30, 30))):
        (folder / "me, (1)" / condition).mkdir(parents=True)
        for number, brightness in enumerate((0.9, 1.0)):
            shown = ImageEnhance.Brightness(portrait).enhance(brightness)
            if colour is not None:
                shown.paste(colour, (125, 128, 205, 175))
            shown.save(folder / "me, (1)" / condition / f"{number}.jpg")
    Image.new("RGB", (60, 40), (200, 30, 30)).save(folder / "red.png")
    return folder


@pytest.fixture(autouse=True)
def place(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a copy of all that."""
    folder = Path(shutil.copytree(made, tmp_path / "a user's place"))
    monkeypatch.chdir(folder)
    return folder


def judge(*words: str) -> int:
    quick = ["recognizers=[onnx:tiny.onnx]", "faces.size=112", "protocol.progress=false"]
    return cli.main(["judge", *quick, "hydra.run.dir=out", *words])


def test_one_person(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("photos=me, (1)", "design=red.png") == 0
    out, err = capsys.readouterr()
    assert err == ""
    assert "1 person (me, (1)): nothing is said of others." in out
    assert "design below plain: matched" in out
    assert "It is not a promise." in out
    assert "protect" not in out.lower()
    assert sorted(path.name for path in Path("out").iterdir()) == ["judge.csv", "judge.json", "judge.png"]
    record = json.loads(Path("out/judge.json").read_text())
    assert record["schema"] == 1
    assert record["design"] == {"name": "red.png", "kind": "file", "sha256": sha256(Path("red.png"))}
    assert record["settings"]["photos"] == "me, (1)"
    assert record["recognizers"]["tiny"]["column"] == "not known"
    rows = list(csv.DictReader(Path("out/judge.csv").read_text().splitlines()))
    assert [row["file"] for row in rows] == [
        f"{condition}/{number}.jpg" for condition in ("bare", "plain", "design") for number in (0, 1)
    ]
    # The same again leaves the files; something else keeps them.
    before = Path("out/judge.json").read_bytes()
    assert judge("photos=me, (1)", "design=red.png") == 0
    assert not Path("out/judge-1.json").exists()
    assert judge("photos=me, (1)", "design=red.png", "pictures=false") == 0
    assert Path("out/judge-1.json").read_bytes() == before
    assert Path("out/judge-1.png").exists()
    assert not Path("out/judge.png").exists()


def test_another_detector(capsys: pytest.CaptureFixture[str]) -> None:
    """It sees one face in every picture, wherever it is told; MTCNN's place serves here."""
    (face, *_) = FaceDetector().detect(Image.open("me, (1)/bare/0.jpg").convert("RGB"))
    name = write_fixed_scrfd(Path("det.onnx"), face.box, face.landmarks, picture=(340, 300))
    assert judge("photos=me, (1)", f"protocol.aligner={name}") == 0
    assert "tiny, detected and aligned by scrfd:det.onnx on each picture" in capsys.readouterr().out
    record = json.loads(Path("out/judge.json").read_text())
    assert [one["aligner"] for one in record["results"]] == [name]
    rows = list(csv.DictReader(Path("out/judge.csv").read_text().splitlines()))
    assert {row["faces"] for row in rows} == {"1"}
    eyes = float(np.hypot(*(face.landmarks[1] - face.landmarks[0])))
    assert {row["eyes_px"] for row in rows} == {f"{eyes:.1f}"}


def test_detectors_that_are_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert judge("photos=me, (1)", "protocol.aligner=dlib5") == 2
    assert (
        "Setting protocol.aligner='dlib5' does not fit: known are mtcnn, scrfd:PATH"
        in capsys.readouterr().err
    )
    assert judge("photos=me, (1)", "protocol.aligner=yunet:none.onnx") == 4
    assert "There is no file none.onnx" in capsys.readouterr().err


def test_without_plain_and_design(capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("me, (1)/plain")
    assert judge("photos=me, (1)", "enrolment=me, (1)/bare") == 0
    out = capsys.readouterr().out
    assert "has no plain/: the drop below a plain mask cannot be given." in out
    assert "design below plain" not in out
    assert "Without faces found in plain masks nobody can tell" in out
    record = json.loads(Path("out/judge.json").read_text())
    assert record["design"] is None
    assert record["results"][0]["drop"] is None
    assert record["results"][0]["conditions"]["bare"] is None, "all bare files are enrolled"


def test_the_protocol(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["judge", "protocol", "hydra.run.dir=.", "design=red.png", "paper=letter"]) == 0
    assert "Written to" in capsys.readouterr().out
    assert Path("capture_protocol.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ([], 2, "No pictures are given; name their folder with photos=FOLDER."),
        (["photos=nowhere"], 3, "There is no folder nowhere; check photos="),
        (["photos="], 2, "photos"),
        (["photos=me, (1)/bare"], 3, "holds 0.jpg, 1.jpg; expected are PERSON/bare"),
        (["photos=me, (1)", "design=nothing.pdf"], 6, "There is no run folder or file at nothing.pdf"),
        (["photos=me, (1)", "design=."], 7, "run"),
        (["photos=me, (1)", "protocol.every_s=-1"], 2, "protocol.every_s=-1 does not fit"),
        (["photos=me, (1)", "paper=a3"], 2, "paper='a3' does not fit"),
        (["photos=me, (1)", "enrolment=nowhere"], 3, "There is no photo and no folder of photos at nowhere"),
        (["photos=me, (1)", "action=fit"], 2, "advmask judge cannot 'fit'"),
    ],
)
def test_bad_settings(words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert judge(*words) == code
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert not any(path.suffix == ".json" for path in Path("out").glob("*"))


def test_nothing_can_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    for path in Path("me, (1)").rglob("*.jpg"):
        path.write_bytes(str(path).encode())
    assert judge("photos=me, (1)") == 3
    out, err = capsys.readouterr()
    assert "Nobody can be enrolled." in out + err
