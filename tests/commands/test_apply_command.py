"""`advmask apply` as a user runs it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from fixed_detector import write_fixed_scrfd
from PIL import Image
from tiny_chain import write_network

from advmask import cli
from advmask.core.picture_reading import read_picture
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import portrait_path
from advmask.textures.design_files import Design, write_design


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder whose name needs quotes, with a red picture as the design."""
    folder = tmp_path / "a user's place, (1)"
    folder.mkdir()
    monkeypatch.chdir(folder)
    Image.new("RGB", (60, 40), (230, 10, 10)).save("red.png")
    return folder


def apply(*words: str) -> int:
    return cli.main(["apply", "design=red.png", "texels_per_mm=1", "progress=false", *words])


def files() -> list[str]:
    return sorted(str(path) for path in Path().rglob("*") if path.is_file() and path.name != "red.png")


def test_a_photo(capsys: pytest.CaptureFixture[str]) -> None:
    assert apply(f"input={portrait_path()}", "output=worn, too.png") == 0
    assert capsys.readouterr().out == "Written to worn, too.png: 1 with masks on 1 faces.\n"
    assert files() == ["worn, too.png"], "and no run folder"
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (portrait_path(), files()[0]))
    changed = (before != after).any(axis=2)
    assert 0.01 < changed.mean() < 0.1
    stamp = Path("worn, too.png").stat().st_mtime_ns
    assert apply(f"input={portrait_path()}", "output=worn, too.png") == 7
    assert "worn, too.png exists" in capsys.readouterr().err
    assert Path("worn, too.png").stat().st_mtime_ns == stamp
    assert apply(f"input={portrait_path()}", "output=worn, too.png", "overwrite=true") == 0


def test_another_detector(capsys: pytest.CaptureFixture[str]) -> None:
    """The mask lies where its five points are, and nowhere else."""
    points = np.array([(60.0, 60.0), (110.0, 60.0), (85.0, 88.0), (62.0, 110.0), (108.0, 110.0)])
    name = write_fixed_scrfd(Path("my det.onnx"), (40, 30, 130, 140), points, picture=(512, 512))
    assert apply(f"input={portrait_path()}", "output=out.png", f"faces.landmarks={name}") == 0
    assert "1 with masks on 1 faces" in capsys.readouterr().out
    before, after = (np.asarray(Image.open(path).convert("RGB")) for path in (portrait_path(), "out.png"))
    rows, columns = np.nonzero((before != after).any(axis=2))
    assert 20 < columns.min() < 60
    assert 110 < columns.max() < 160
    assert 60 < rows.min() < rows.max() < 190
    assert apply(f"input={portrait_path()}", "output=other.png", "faces.landmarks=dlib") == 2
    assert "known are mesh, file, mtcnn, scrfd:PATH" in capsys.readouterr().err


def test_pictures_to_post(capsys: pytest.CaptureFixture[str]) -> None:
    network = write_network(Path("tiny.onnx"))
    portrait = f"input={portrait_path()}"
    for share, size in (("square", (1080, 1080)), ("portrait", (1080, 1350)), ("gif", (1080, 1080))):
        assert apply(portrait, f"output={share}.png", f"share={share}") == 0
        name = f"{share}-{share}.{'gif' if share == 'gif' else 'jpg'}"
        assert f"To post: {name}" in capsys.readouterr().out
        with Image.open(name) as picture:
            assert (picture.size, getattr(picture, "n_frames", 1)) == (size, 1 + (share == "gif"))
            assert not picture.getexif()
    bare, worn = (
        np.asarray(Image.open("square-square.jpg"))[:, part].astype(int)
        for part in (slice(536), slice(544, None))
    )
    changed = (abs(bare - worn) > 40).any(axis=2)
    assert 0.05 < changed.mean() < 0.5
    reds = worn[changed].mean(axis=0)
    assert reds[0] > 2 * max(reds[1:])
    with_figures = ["figures=true", f"recognizers=[{network}]", "share=square"]
    assert apply(portrait, "output=b.png", *with_figures) == 0
    whole, lower = (
        np.asarray(Image.open(name).convert("L")) for name in ("square-square.jpg", "b-square.jpg")
    )
    assert (lower[-10:] > 245).all()
    assert not (whole[-10:] > 245).all()
    assert apply(portrait, "output=c.png", *with_figures, "enrolment=nowhere.jpg") == 3
    assert "nowhere.jpg" in capsys.readouterr().err
    # A photo of nobody is told of before anything is written.
    enrolled = ["enrolment=red.png", "output=e.png"]
    assert apply(portrait, *enrolled, *with_figures) == 3
    assert "No face was found on any photo of enrolment=" in capsys.readouterr().err
    assert not Path("e.png").exists()
    # What is there is kept.
    Path("d-square.jpg").write_bytes(b"mine")
    assert apply(portrait, "output=d.png", "share=square") == 0
    assert Path("d-square.jpg").read_bytes() == b"mine"
    assert Path("d-square-2.jpg").exists()


def test_a_picture_to_post_replaces_no_photo_and_no_result() -> None:
    Path("in").mkdir()
    Path("other").mkdir()
    portrait = Image.open(portrait_path()).convert("RGB")
    for name in ("me.png", "me-square.jpg"):
        portrait.save(Path("in", name))
    for _ in range(2):
        assert apply("input=in", "output=out", "share=square", "overwrite=true") == 0
        names = ["me-square-2.jpg", "me-square-square.jpg", "me-square.jpg", "me.png"]
        assert sorted(path.name for path in Path("out").iterdir()) == names
        sizes = [read_picture(Path("out", name)).size for name in names]
        assert sizes == [(1080, 1080), (1080, 1080), portrait.size, portrait.size]
    before = Path("in/me-square.jpg").read_bytes()
    words = ["input=in/me-square.jpg", "output=in/me.jpg", "share=square", "overwrite=true"]
    assert apply(*words) == 0
    assert Path("in/me-square.jpg").read_bytes() == before
    assert Path("in/me-square-2.jpg").exists()
    # Those of enrolment are photos, too.
    portrait.save("other/z-square.jpg")
    before = Path("other/z-square.jpg").read_bytes()
    words = ["input=in/me.png", "output=other/z.jpg", "share=square", "overwrite=true", "enrolment=other"]
    assert apply(*words) == 0
    assert Path("other/z-square.jpg").read_bytes() == before


def test_a_folder(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in/sub").mkdir(parents=True)
    portrait = Image.open(portrait_path()).convert("RGB")
    portrait.save("in/sub/one.png")
    portrait.save("in/two.jpg")
    Image.new("RGB", (90, 90), (40, 90, 40)).save("in/green.png")
    Path("in/broken.jpg").write_bytes(b"no picture")
    Path("in/notes.txt").write_text("notes")
    assert apply("input=in", "output=out") == 0
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert lines[:2] == ["Skipped 1 files that are not photos or videos:", "  in/notes.txt"]
    assert lines[-1] == (
        "Written to out: 2 with masks on 2 faces; 1 without a mask, copied as they are; 1 left out."
    )
    assert any(line.startswith("Left out in/broken.jpg is not") for line in lines)
    assert "in/green.png: No face of 30 px or more was found; it stays as it is." in lines
    assert [name for name in files() if name.startswith("out")] == [
        "out/green.png",
        "out/sub/one.png",
        "out/two.jpg",
    ]
    # A second time only what is missing is made.
    stamp = Path("out/two.jpg").stat().st_mtime_ns
    Path("out/sub/one.png").unlink()
    Path("in/broken.jpg").unlink()
    assert apply("input=in", "output=out") == 0
    out = capsys.readouterr().out
    assert "2 results were there already; make them again with overwrite=true." in out
    assert Path("out/two.jpg").stat().st_mtime_ns == stamp
    assert Path("out/sub/one.png").exists()
    # What cannot be read is no failure where there are results.
    Path("in/broken.jpg").write_bytes(b"no picture")
    assert apply("input=in", "output=out") == 0


def test_nothing_usable(capsys: pytest.CaptureFixture[str]) -> None:
    Path("in").mkdir()
    Path("in/broken.jpg").write_bytes(b"no picture")
    assert apply("input=in", "output=out") == 3
    assert "Nothing in in could be used" in capsys.readouterr().err
    assert apply("input=in/broken.jpg", "output=out.jpg") == 3
    assert capsys.readouterr().err.startswith("in/broken.jpg is not")


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["input=red.png", "output=red.png"], 2, "would replace"),
        (["input=red.png"], 2, "Setting output is missing; give it as output=VALUE."),
        (["output=b.png"], 2, "Setting input is missing; give it as input=VALUE."),
        (["input=none.jpg", "output=b.jpg"], 3, "There is no photo, video or folder at none.jpg"),
        (["input=red.png", "output=b.png", "steady.every=0"], 2, "steady.every=0 does not fit"),
        (["input=red.png", "output=b.png", "faces.landmarks=mesh"], 2, "needs faces.mesh_model=FILE"),
    ],
)
def test_bad_settings(words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert apply(*words) == code
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error


def test_a_texture_of_another_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    surface = build_mask(MaskSettings(pattern="pleated"))
    texels = torch.rand(3, *surface.texture_size(1.0))
    write_design(Path("other.png"), Design(texels, pattern="pleated", texels_per_mm=1.0))
    words = ["design=other.png", f"input={portrait_path()}", "output=a.png"]
    assert apply(*words) == 6
    assert "is made for pattern pleated and not for contour; add mask=pleated" in (capsys.readouterr().err)
    assert apply(*words, "mask=pleated") == 0


def test_a_video(capsys: pytest.CaptureFixture[str]) -> None:
    av = pytest.importorskip("av")
    picture = np.asarray(Image.open(portrait_path()).convert("RGB"))[20:180, 120:320]
    Path("in").mkdir()
    with av.open("in/film.mp4", "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
        for _ in range(4):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    shutil.copy(portrait_path(), "in/photo.png")
    assert apply("input=in", "output=out") == 0
    out = capsys.readouterr().out
    assert "in/film.mp4: 4 of 4 frames show a mask" in out
    assert [name for name in files() if name.startswith("out")] == ["out/film.mp4", "out/photo.png"]
