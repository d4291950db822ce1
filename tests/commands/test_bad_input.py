"""What users get wrong, and the one sentence each of them reads: exit code, no traceback, no second line."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny_chain import YAML, words, write_network

from advmask import cli
from advmask.commands.train import _check as checked_at_the_end
from advmask.photos.loading import portrait_path
from advmask.recognizers.recognizer_names import FORMS

Said = Callable[..., str]


@pytest.fixture(scope="module")
def shared_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network, a crop cache and the portrait."""
    folder = tmp_path_factory.mktemp("shared")
    write_network(folder / "tiny.onnx")
    torch.set_num_threads(1)
    return folder


@pytest.fixture(autouse=True)
def _place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty working folder, and no check at the end of training, which takes long."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("advmask.commands.train._check", lambda _: [])


@pytest.fixture
def tiny(shared_place: Path) -> list[str]:
    """Settings of a tiny run, short."""
    return words(
        f"onnx:{shared_place / 'tiny.onnx'}",
        shared_place / "cache",
        trainer__steps=1,
        trainer__preview_every=0,
        export="false",
        **{"hydra__run__dir": "out"},
    )


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command that must fail with a code and exactly one line on the error stream; give the line."""

    def run(code: int, *argv: str) -> str:
        assert cli.main(list(argv)) == code
        err = capsys.readouterr().err
        assert err.count("\n") == 1, err
        assert "Traceback" not in err
        assert err.rstrip()[-1] in ".?"
        print("SAID", code, err.strip())
        return err.strip()

    return run


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Said:
    """Run a command that must succeed; give what it printed."""

    def run(*argv: str) -> str:
        assert cli.main(list(argv)) == 0
        out, err = capsys.readouterr()
        assert err == ""
        print(out)
        return out

    return run


def face(path: Path, *, flip: bool = False, gain: float = 1.0) -> None:
    """A face: the portrait, in a version of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with Image.open(portrait_path()) as portrait:
        pixels = np.asarray(portrait.convert("RGB"), dtype=np.float64)[:300, 100:380]
    pixels = pixels[:, ::-1] if flip else pixels
    Image.fromarray((pixels * gain).clip(0, 255).round().astype(np.uint8)).save(path)


def meadow(path: Path, *, side: int = 200) -> None:
    """A picture without a face."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (side, side), (60, 140, 40)).save(path)


# Photos that are left out while the rest goes on.


def test_photos_that_cannot_be_used_are_named_and_the_rest_goes_on(tiny: list[str], printed: Said):
    face(Path("photos/ann/1.png"))
    face(Path("photos/ann/2.png"), flip=True)
    meadow(Path("photos/ann/meadow.png"))
    meadow(Path("photos/ann/small.png"), side=20)
    Path("photos/ann/text.jpg").write_text("this is a letter, not a photo\n" * 9)
    Path("photos/ann/empty.jpg").touch()
    whole = Path("photos/ann/1.png").read_bytes()
    Path("photos/ann/torn.png").write_bytes(whole[: len(whole) // 2])
    out = printed("train", *tiny, "faces.root=photos")
    for name, says in {
        "meadow.png": "No face of 20 px or more was found; use a photo that shows the whole face.",
        "small.png": "No face of 20 px or more was found",
        "text.jpg": "is not a",
        "empty.jpg": "is empty (0 bytes)",
        "torn.png": "is damaged or cut short",
    }.items():
        (line,) = [line for line in out.splitlines() if line.startswith(f"Left out photos/ann/{name}")]
        assert says in line
    record = json.loads(Path("out/run.json").read_text())
    assert record["photos"] == {"used": 2, "left_out": 5}
    assert "There is one photo" not in out


def test_several_faces_and_a_single_photo_are_noticed(tiny: list[str], printed: Said):
    face(Path("photos/ann/1.png"))
    with Image.open("photos/ann/1.png") as one:
        both = Image.new("RGB", (2 * one.width, one.height))
        both.paste(one, (0, 0))
        both.paste(one.transpose(Image.Transpose.FLIP_LEFT_RIGHT), (one.width, 0))
    both.save("photos/ann/1.png")
    out = printed("train", *tiny, "faces.root=photos")
    assert "photos/ann/1.png shows 2 faces; the largest was taken." in out
    assert "There is one photo of ann, who is enrolled with the same photo that the mask is put on." in out
    assert "Nobody is held out" in out


def test_a_person_without_usable_photos_is_left_out(tiny: list[str], printed: Said):
    face(Path("photos/ann/1.png"))
    face(Path("photos/bob/1.png"), flip=True)
    meadow(Path("photos/cid/1.png"))
    Path("photos/dot").mkdir()
    out = printed("train", *tiny, "faces.root=photos")
    assert "There is no usable photo of cid; this person is left out." in out
    assert "There is no usable photo of dot; this person is left out." in out


def test_the_same_photo_under_two_names(tiny: list[str], printed: Said):
    face(Path("photos/ann/1.png"))
    face(Path("photos/bob/1.png"))
    out = printed("train", *tiny, "faces.root=photos")
    assert "photos/bob/1.png and photos/ann/1.png are the same photo under two names." in out


# No photo left.


def test_a_folder_that_is_missing(tiny: list[str], refused: Said):
    assert refused(3, "train", *tiny, "faces.root=nowhere").startswith(
        "There is no photo and no folder of photos at nowhere; give a photo"
    )


def test_an_empty_folder(tiny: list[str], refused: Said):
    Path("photos").mkdir()
    assert refused(3, "train", *tiny, "faces.root=photos").startswith("No photos were found in photos; give")


def test_an_empty_path(tiny: list[str], refused: Said):
    assert "an empty path" in refused(2, "train", *tiny, "faces.root=")


@pytest.mark.parametrize("side", [20, 200])
def test_no_face_anywhere(tiny: list[str], refused: Said, side: int):
    meadow(Path("photos/ann/1.png"), side=side)
    said = refused(3, "train", *tiny, "faces.root=photos")
    assert said.startswith("No photo in photos is usable (1.png: No face of 20 px or more was found")


def test_a_text_file_called_jpg(tiny: list[str], refused: Said):
    Path("me.jpg").write_text("a letter")
    said = refused(3, "train", *tiny, "faces.root=me.jpg")
    assert said.startswith("No photo in me.jpg is usable (me.jpg: me.jpg is not ")


# Recognizers.


def network(*, onnx: bytes | None = b"", yaml: str | None = "") -> str:
    path = Path("nets/mine.onnx")
    if onnx is None:
        path.parent.mkdir()
    else:
        write_network(path)
        if onnx:
            path.write_bytes(onnx)
    if yaml is None:
        path.with_suffix(".yaml").unlink(missing_ok=True)
    elif yaml:
        path.with_suffix(".yaml").write_text(yaml)
    return f"recognizers=[onnx:{path}]"


def test_a_missing_network(tiny: list[str], refused: Said):
    said = refused(4, "train", *tiny, network(onnx=None, yaml=None))
    assert said == "There is no ONNX file nets/mine.onnx; check the path behind `onnx:`."


@pytest.mark.parametrize("content", [b"no network", b"\x08\x07" * 40])
def test_a_damaged_network(tiny: list[str], refused: Said, content: bytes):
    said = refused(4, "train", *tiny, network(onnx=content))
    assert "nets/mine.onnx" in said
    assert "again" in said or "was expected" in said


def test_a_network_cut_short(tiny: list[str], refused: Said, shared_place: Path):
    whole = (shared_place / "tiny.onnx").read_bytes()
    said = refused(4, "train", *tiny, network(onnx=whole[: len(whole) // 2]))
    assert said.startswith("nets/mine.onnx ")


def test_a_network_without_yaml(tiny: list[str], capsys: pytest.CaptureFixture[str]):
    """One sentence, and under it an example to copy."""
    assert cli.main(["train", *tiny, network(yaml=None)]) == 4
    err = capsys.readouterr().err
    assert err.startswith(
        "nets/mine.onnx needs a file mine.yaml next to it that says how to feed the network"
    )
    assert "\nsize: [112, 112]\n" in err
    assert "Traceback" not in err
    print("SAID 4", err)


@pytest.mark.parametrize(
    ("yaml", "says"),
    [
        ("size: [", "not readable YAML"),
        (YAML.replace("channels", "chanels"), "Unknown setting chanels; did you mean channels or range?"),
        ("- 1\n", "`key: value`"),
    ],
)
def test_a_network_with_a_wrong_yaml(tiny: list[str], refused: Said, yaml: str, says: str):
    said = refused(2, "train", *tiny, network(yaml=yaml))
    assert said.startswith("nets/mine.yaml: ")
    assert says in said


def test_a_network_without_a_threshold_and_too_few_people(tiny: list[str], refused: Said):
    name = network()
    write_network(Path("nets/mine.onnx"), calibration="")
    said = refused(5, "train", *tiny, name)
    assert said.startswith(
        "onnx:nets/mine.onnx has no stored threshold and cannot be calibrated here: FMR 0.01"
    )
    assert "'calibration: {fmr: ..., threshold: ..., scale: ...}'" in said


def test_the_plain_similarity_needs_no_threshold(
    tiny: list[str], monkeypatch: pytest.MonkeyPatch, printed: Said
):
    """The same photos and network that are too few for one."""
    monkeypatch.setattr("advmask.commands.train._check", checked_at_the_end)
    name = network()
    write_network(Path("nets/mine.onnx"), calibration="")
    words = ["train", *tiny, name, "trainer.steps=2", "objective=similarity"]
    out = printed(*words)
    assert "Not checked: mine has no threshold, and the photos are too few for one." in out
    header, *rows = Path("out/metrics.csv").read_text().splitlines()
    assert "similarity/mine" in header.split(",")
    assert "match_confidence" not in header
    assert "nan" not in "".join(rows)
    assert Path("out/progress.png").stat().st_size > 0
    record = json.loads(Path("out/run.json").read_text())
    assert record["recognizers"][0]["calibration"] is None
    assert "Not checked: mine" in printed(*words)  # once finished, too
    for more in ("objective.impostor=1", "trainer.validate_every=1", "objective.match=confidence"):
        assert cli.main([*words, more, "hydra.run.dir=other"]) == 5


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("dlibb", "Unknown recognizer 'dlibb'; did you mean dlib?"),
        ("zzzzz", f"Unknown recognizer 'zzzzz'; known: {', '.join(FORMS)}."),
        ("dlib:large", "Unknown recognizer 'dlib:large'; dlib has one network: write dlib."),
        ("onnx:", "onnx: needs a path, such as onnx:networks/mine.onnx."),
        (
            "nets/mine.onnx",
            "Unknown recognizer 'nets/mine.onnx'; for an ONNX file write onnx:nets/mine.onnx.",
        ),
    ],
)
def test_an_unknown_recognizer(tiny: list[str], refused: Said, name: str, says: str):
    assert refused(2, "train", *tiny, f"recognizers=[{name}]") == says


def test_no_recognizer_and_one_twice(tiny: list[str], refused: Said, shared_place: Path):
    assert "recognizers" in refused(2, "train", *tiny, "recognizers=[]")
    name = f"onnx:{shared_place / 'tiny.onnx'}"
    assert refused(2, "train", *tiny, f"recognizers=[{name},{name}]").startswith(
        "Two recognizers are called tiny"
    )


@pytest.mark.parametrize("content", [b"", b"dlib" * 100, None])
def test_damaged_dlib_weights(
    tiny: list[str], refused: Said, monkeypatch: pytest.MonkeyPatch, content: bytes | None
):
    path = Path("weights.dat")
    if content is not None:
        path.write_bytes(content)
    monkeypatch.setattr("advmask.recognizers.adapters.dlib_weights_path", lambda: path)
    said = refused(4, "train", *tiny, "recognizers=[dlib]")
    assert "weights.dat" in said


# Settings.


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("trainer.step=5", "Unknown setting trainer.step; did you mean trainer.steps?"),
        ("face.root=x", "Unknown setting face.root; did you mean faces.root?"),
        ("pinter=none", "Unknown setting pinter; did you mean printer?"),
        ("printr.name=mine", "Unknown setting printr.name; did you mean printer"),
        ("pinter.dpi=300", "Unknown setting pinter.dpi; did you mean printer.dpi?"),
        (
            "faces=/photos",
            "Setting faces=/photos does not fit: faces has settings of its own; write faces.root=/photos.",
        ),
        ("protocol=all", "Unknown setting protocol"),
        ("surrogates=none", "surrogates has settings of its own; write one as surrogates."),
        (
            "trainer.steps=0",
            "Setting trainer.steps=0 does not fit: input should be greater than or equal to 1.",
        ),
        ("trainer.steps=many", "Setting trainer.steps='many' does not fit"),
        ("texture.texels_per_mm=0", "Setting texture.texels_per_mm=0 does not fit"),
        ("optimiser.learning_rate=-1", "Setting optimiser.learning_rate=-1 does not fit"),
        ("seed=-1", "Setting seed=-1 does not fit"),
        ("trainer.accelerator=abacus", "Cannot train with trainer.accelerator=abacus and trainer.devices=1"),
        ("trainer.devices=0", "Cannot train with trainer.accelerator=cpu and trainer.devices=0"),
        ("trainer.precision=64", "Setting trainer.precision="),
        ("trainer.precision=16-mixed", "take bf16-mixed"),
        ("effects=moonlight", "Unknown choice effects=moonlight"),
        ("texture.start=greyish", "Cannot start from 'greyish'"),
        ("mask.pattern=beard", "mask.pattern"),
        ("faces.split=[0.5,0.1,0.1]", "The split [0.5,0.1,0.1] does not fit; give three whole numbers"),
        ("faces.split=[-1,1,1]", "The split [-1,1,1] does not fit"),
        (
            "faces.split=[1,0]",
            "Setting faces.split=[1, 0] does not fit: three numbers are needed, for train",
        ),
        ("faces.split=[44,8,20]", "The split [44,8,20] asks for 72 people, but there are 1"),
        ("faces.size=50", "Setting faces.size=50 does not fit"),
    ],
)
def test_settings_that_make_no_sense(tiny: list[str], refused: Said, setting: str, says: str):
    # The later word wins over the one of the tiny run.
    code = 6 if says.startswith("Cannot start") else 2
    said = refused(code, "train", *tiny, setting)
    assert says in said
    assert not Path("out/texture.safetensors").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there(tiny: list[str], refused: Said, monkeypatch: pytest.MonkeyPatch):
    """Found by torch, whatever drivers there are, before a network is built or a photo is read."""
    monkeypatch.setattr("advmask.training.settings.may_have_gpu", lambda: True)
    monkeypatch.setattr("advmask.training.run.build_recognizers", None)
    monkeypatch.setattr("advmask.training.run.load_faces", None)
    said = refused(2, "train", *tiny, "trainer.accelerator=gpu")
    assert said.startswith("Cannot train with trainer.accelerator=gpu and trainer.devices=1: ")


def test_a_split_that_leaves_nobody_to_train(tiny: list[str], refused: Said):
    for i, name in enumerate(("ann", "bob", "cid")):
        face(Path(f"photos/{name}/1.png"), gain=1 - 0.1 * i)
    said = refused(2, "train", *tiny, "faces.root=photos", "faces.split=[0,1,2]")
    assert said.startswith("faces.split leaves nobody to train on")


def test_bad_settings_leave_no_run_behind(tiny: list[str], refused: Said):
    """A second try with the setting mended goes into the same folder."""
    refused(2, "train", *tiny, "recognizers=[dlibb]")
    assert cli.main(["train", *tiny]) == 0


# Folders and designs.


def test_a_run_folder_below_a_file(tiny: list[str], refused: Said):
    Path("file").touch()
    said = refused(7, "train", *tiny, "hydra.run.dir=file/run")
    assert said == "Cannot write to file/run: Not a directory; choose another with hydra.run.dir=DIR."


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write everywhere")
def test_a_run_folder_that_is_read_only(tiny: list[str], refused: Said):
    Path("closed").mkdir(mode=0o500)
    assert "Permission denied" in refused(7, "train", *tiny, "hydra.run.dir=closed")


def test_a_cache_below_a_file(tiny: list[str], capsys: pytest.CaptureFixture[str]):
    """A cache that cannot be written is no reason to stop, or is one sentence."""
    Path("file").touch()
    code = cli.main(["train", *tiny, "faces.cache=file/cache"])
    err = capsys.readouterr().err
    assert "Traceback" not in err
    assert (code, err.count("\n")) in {(0, 0), (7, 1)}
    print("SAID", code, err)


def test_a_run_that_fails_at_once_leaves_only_what_is_not_its_own(tiny: list[str], refused: Said):
    Image.new("RGB", (60, 40), "#c03028").save("d.png")
    failing = ["train", *tiny, "texture=own_inks", "texture.start=d.png", "faces.root=photos"]
    Path("photos").mkdir()
    refused(3, *failing)
    assert not Path("out").exists()
    Path("out").mkdir()
    Path("out/mine.txt").touch()
    refused(3, *failing)
    assert Path("out/mine.txt").exists()
    assert Path("out/config.yaml").exists(), "of a folder that was there nothing is removed"
    assert Path("d.png").exists()


@pytest.mark.parametrize("command", ["evaluate", "preview"])
class TestDesigns:
    def test_none_given(self, refused: Said, command: str):
        said = refused(6, command)
        assert said == "No design is given; name a run folder or a picture file with design=PATH."

    def test_missing(self, refused: Said, command: str):
        said = refused(6, command, "design=nowhere")
        assert said == "There is no run folder or picture file at nowhere; check its name."

    def test_a_folder_that_is_no_run(self, refused: Said, command: str):
        Path("folder").mkdir()
        said = refused(7, command, "design=folder")
        assert said == "folder is not a run folder: it has no config.yaml."
        assert list(Path("folder").iterdir()) == []

    def test_an_unfinished_run(
        self,
        tiny: list[str],
        refused: Said,
        command: str,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
    ):
        with monkeypatch.context() as patch:
            patch.setattr("advmask.training.run.save_texels", _interrupted)
            assert cli.main(["train", *tiny]) == 130
        assert capsys.readouterr().err.endswith(" hydra.run.dir=out\n")
        said = refused(7, command, "design=out")
        assert said.startswith("The run in out has not finished; repeat its train command with")
        assert not Path("out/results.json").exists()

    @pytest.mark.parametrize(
        "content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + bytes(60)], ids=["empty", "text", "torn"]
    )
    def test_a_junk_file(self, refused: Said, command: str, content: bytes):
        Path("design.png").write_bytes(content)
        said = refused(6, command, "design=design.png")
        assert said.startswith("design.png is ")

    def test_a_run_with_a_damaged_texture(
        self, tiny: list[str], refused: Said, command: str, capsys: pytest.CaptureFixture[str]
    ):
        assert cli.main(["train", *tiny]) == 0
        capsys.readouterr()
        Path("out/texture.safetensors").write_bytes(b"junk" * 9)
        said = refused(6, command, "design=out")
        assert said.startswith("out/texture.safetensors is not a texture of advmask")


def _interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt
