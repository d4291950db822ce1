"""From a folder to crops: the default portrait, everything that is left out, and what is said about it."""

import hashlib
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.core.errors import ConfigError, MissingPackageError, PhotoError
from advmask.photos import photo_to_crop
from advmask.photos.backends import landmark_backend
from advmask.photos.crop_cache import CropCache
from advmask.photos.crops import FaceCrop, canonical_points
from advmask.photos.detection import FaceDetector
from advmask.photos.loading import FaceSet, load_faces, portrait_path
from advmask.photos.photo_to_crop import CropCutter
from advmask.photos.settings import FacesSettings

HEAD = (120, 0, 320, 240)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, portrait: Image.Image) -> Path:
    """Ada has two usable photos of nine; Bob one, with a second face; Cid, Dot and Eve none."""
    root = tmp_path_factory.mktemp("faces")
    for name in ("Ada", "Bob", "Cid", "Dot", "Eve"):
        (root / name).mkdir()
    head = portrait.crop(HEAD)
    head.save(root / "Ada" / "1.png")
    head.resize((300, 360)).save(root / "Ada" / "2.jpg")
    shutil.copy(root / "Ada" / "1.png", root / "Ada" / "3.png")
    (root / "Ada" / "4.jpg").write_bytes(b"")
    (root / "Ada" / "5.jpg").write_text("no picture")
    Image.new("RGB", (200, 200), (90, 120, 60)).save(root / "Ada" / "6.png")
    head.resize((35, 42), Image.Resampling.LANCZOS).save(root / "Ada" / "7.png")
    Image.new("RGB", (20, 20)).save(root / "Ada" / "8.png")
    (root / "Ada" / "9.jpg").write_bytes((root / "Ada" / "2.jpg").read_bytes()[:900])
    both = Image.new("RGB", (520, 260), (128, 128, 128))
    both.paste(head.resize((120, 144)), (10, 10))
    both.paste(head, (260, 10))
    both.save(root / "Bob" / "1.png")
    (root / "Cid" / "1.jpg").write_text("no picture")
    (root / "Dot" / "notes.txt").write_text("later")
    shutil.copy(root / "Ada" / "1.png", root / "Eve" / "1.png")
    return root


@pytest.fixture(scope="module")
def faces(folder: Path) -> FaceSet:
    return load_faces(FacesSettings(root=folder, cache=False))


def test_the_default_needs_nothing(portrait: Image.Image) -> None:
    import skimage.data

    np.testing.assert_array_equal(np.asarray(portrait), skimage.data.astronaut())
    faces = load_faces(FacesSettings(cache=False))
    (crop,) = faces.crops
    assert faces.people == ("astronaut",)
    assert faces.split.train == faces.split.test == ("astronaut",)
    assert not faces.split.held_out
    assert faces.omissions == ()
    assert any("one photo of astronaut" in notice for notice in faces.notices)
    assert any("Nobody is held out" in notice for notice in faces.notices)
    assert crop.picture.shape == (3, 176, 176)
    assert crop.picture.is_contiguous()
    assert 35 < crop.face_px < 50
    assert crop.sha256 == hashlib.sha256(portrait_path().read_bytes()).hexdigest()


def test_the_crop_shows_the_face_where_it_should(portrait: Image.Image) -> None:
    (crop,) = load_faces(FacesSettings(cache=False, size=112)).crops
    landmarks = crop.landmarks.numpy()
    assert np.abs(landmarks - canonical_points(size=112)).max() < 4
    back = np.linalg.solve(crop.transform[:, :2].numpy(), (landmarks - crop.transform[:, 2].numpy()).T).T
    (face,) = FaceDetector().detect(portrait)
    np.testing.assert_allclose(back, face.landmarks, atol=1e-3)
    for (x, y), (u, v) in zip(landmarks, back, strict=True):
        near = np.asarray(portrait)[int(v) - 1 : int(v) + 2, int(u) - 1 : int(u) + 2].reshape(-1, 3).mean(0)
        there = crop.picture[:, int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].reshape(3, -1)
        assert np.abs(there.float().mean(1).numpy() - near).max() < 25


def test_who_and_what_is_left_out(folder: Path, faces: FaceSet) -> None:
    assert [(crop.person, crop.source.name) for crop in faces.crops] == [
        ("Ada", "1.png"),
        ("Ada", "2.jpg"),
        ("Bob", "1.png"),
        ("Eve", "1.png"),
    ]
    assert faces.people == ("Ada", "Bob", "Eve")
    reasons = {f"{one.source.parent.name}/{one.source.name}": one.reason for one in faces.omissions}
    expected = {
        "Ada/3.png": "same photo as 1.png",
        "Ada/4.jpg": "is empty",
        "Ada/5.jpg": "is not a JPEG",
        "Ada/6.png": "No face of 20 px",
        "Ada/7.png": "No face of|px apart",
        "Ada/8.png": "No face of 20 px",
        "Ada/9.jpg": "cut short",
        "Cid/1.jpg": "is not a JPEG",
    }
    assert reasons.keys() == expected.keys()
    for name, match in expected.items():
        assert re.search(match, reasons[name]), reasons[name]
        assert reasons[name].endswith(".")
        assert "\n" not in reasons[name]


def test_what_is_said(folder: Path, faces: FaceSet) -> None:
    notices = "\n".join(faces.notices)
    assert f"{folder / 'Bob' / '1.png'} shows 2 faces" in notices
    assert "no usable photo of Cid" in notices
    assert "no usable photo of Dot" in notices
    assert "one photo of Bob" in notices
    assert "one photo of Ada" not in notices
    assert f"{folder / 'Eve' / '1.png'} and {folder / 'Ada' / '1.png'} are the same photo" in notices
    assert "Nobody is held out" not in notices
    assert all(notice.endswith(".") for notice in faces.notices)


def test_the_larger_of_two_faces_is_cut(faces: FaceSet) -> None:
    by_name = {(crop.person, crop.source.name): crop for crop in faces.crops}
    alone, beside = by_name["Ada", "1.png"], by_name["Bob", "1.png"]
    assert (alone.as_float() - beside.as_float()).abs().mean() < 0.05


def test_people_remaining_are_split(faces: FaceSet, folder: Path) -> None:
    assert (faces.split.train, faces.split.validate, faces.split.test) == (("Ada",), ("Bob",), ("Eve",))
    with pytest.raises(ConfigError, match="asks for 4 people, but there are 3"):
        load_faces(FacesSettings(root=folder, cache=False, split=(2, 1, 1)))


def test_of(faces: FaceSet) -> None:
    assert [crop.person for crop in faces.of(["Eve", "Ada"])] == ["Ada", "Ada", "Eve"]
    assert faces.of(()) == ()
    with pytest.raises(PhotoError, match="no photo of Cid"):
        faces.of(["Cid"])


def test_eyes_too_close(tmp_path: Path, portrait: Image.Image) -> None:
    portrait.resize((110, 110), Image.Resampling.LANCZOS).save(tmp_path / "1.png")
    with pytest.raises(PhotoError, match=r"1\.png: The eyes are [89]\.\d px apart, and 10 px are needed"):
        load_faces(FacesSettings(root=tmp_path, cache=False))


def test_no_usable_photo_lists_the_first_reasons(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.jpg").write_text("no picture")
    with pytest.raises(PhotoError, match=r"No photo in .* is usable") as caught:
        load_faces(FacesSettings(root=tmp_path, cache=False))
    text = str(caught.value)
    assert all(f"{number}.jpg:" in text for number in range(3))
    assert "3.jpg" not in text
    assert text.endswith("and 2 more).")


def test_the_second_time_needs_no_detector(
    folder: Path, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = FacesSettings(root=folder, cache=tmp_path / "crops")
    load_faces(settings)

    def never(**_: object) -> None:
        raise AssertionError("the detector was built")

    monkeypatch.setattr("advmask.photos.backends.FaceDetector", never)
    again = load_faces(settings)
    assert again.notices == faces.notices
    assert again.omissions == faces.omissions
    for one, other in zip(again.crops, faces.crops, strict=True):
        assert (one.person, one.source, one.sha256, one.face_px) == (
            other.person,
            other.source,
            other.sha256,
            other.face_px,
        )
        assert torch.equal(one.picture, other.picture)
        assert torch.equal(one.landmarks, other.landmarks)
        assert torch.equal(one.transform, other.transform)
    with pytest.raises(AssertionError, match="detector was built"):
        load_faces(FacesSettings(root=folder, cache=tmp_path / "crops", size=112))


def test_every_photo_is_looked_at_once(
    folder: Path, faces: FaceSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a cache, without one, and with one that cannot be written."""
    (tmp_path / "file").write_bytes(b"")
    looked: list[Path] = []
    real = CropCutter._looked_at_all

    def counted(self: CropCutter, paths: list[Path | None]) -> object:
        looked.extend(path for path in paths if path is not None)
        return real(self, paths)

    monkeypatch.setattr(CropCutter, "_looked_at_all", counted)
    usable = [crop.source for crop in faces.crops if crop.person != "Eve"]  # whose photo is Ada's
    for cache in (tmp_path / "crops", False, tmp_path / "file" / "crops"):
        looked.clear()
        again = load_faces(FacesSettings(root=folder, cache=cache))
        assert again.omissions == faces.omissions
        assert all(looked.count(path) == 1 for path in usable)
        assert [crop.source for crop in again.crops] == [crop.source for crop in faces.crops]


def test_large_photos_are_looked_at_a_few_at_a_time(tmp_path: Path) -> None:
    """By their pixels: a plain picture of many is a small file."""
    paths = [tmp_path / f"{side}-{number}.png" for side in (40, 3000) for number in range(4)]
    for path in paths:
        Image.new("L", (int(path.name.partition("-")[0]),) * 2).save(path)
    paths.append(tmp_path / "missing.png")
    assert [len(part) for part in photo_to_crop._parts(paths, most=128)] == [6, 3]
    assert [len(part) for part in photo_to_crop._parts(paths, most=1)] == [1] * 9


@pytest.mark.slow
def test_several_processes_find_the_same_faces(folder: Path, faces: FaceSet, tmp_path: Path) -> None:
    paths = [*(crop.source for crop in faces.crops), tmp_path / "missing.png"]
    crops: list[list[FaceCrop]] = []
    for cache, processes in ((None, 1), (None, 2), (tmp_path / "crops", 2)):
        landmarks = landmark_backend("mtcnn", mesh_model=None, min_face_px=20, min_probability=0.9)
        cutter = CropCutter(CropCache(cache), size=112, landmarks=landmarks)
        assert len(list(cutter.prepare(paths, processes=processes))) == len(paths)
        crops.append([cutter.cut(path, person=str(path))[0] for path in paths[:-1]])
    for other in crops[1:]:
        for one, two in zip(crops[0], other, strict=True):
            assert torch.equal(one.picture, two.picture)
            assert torch.equal(one.landmarks, two.landmarks)


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs the memory map of Linux")
def test_crops_are_mapped_also_when_fresh(folder: Path, tmp_path: Path) -> None:
    again = load_faces(FacesSettings(root=folder, cache=tmp_path / "crops"))
    lines = Path("/proc/self/maps").read_text().splitlines()
    maps = [line.split()[0].split("-") for line in lines if str(tmp_path / "crops") in line]
    assert len(maps) <= 2  # one, and one of the file as it was when the first crop was in it
    for crop in again.crops:
        at = crop.picture.data_ptr()
        assert any(int(first, 16) <= at < int(last, 16) for first, last in maps)


def test_progress_goes_to_the_error_stream(capsys: pytest.CaptureFixture[str]) -> None:
    load_faces(FacesSettings(cache=False, size=112), progress=True)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "photo" in captured.err
    load_faces(FacesSettings(cache=False, size=112))
    assert capsys.readouterr().err == ""


def test_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    built = FacesSettings.build({"root": "~/faces", "cache": "~/crops", "split": [44, 8, 20]})
    assert built.root == tmp_path / "faces"
    assert built.cache == tmp_path / "crops"
    assert built.split == (44, 8, 20)
    assert FacesSettings.build({}).root is None
    assert FacesSettings.build({"cache": False}).cache is False
    bad = [
        {"size": 100},
        {"size": 2000},
        {"root": ""},
        {"split": [0.5, 0.5, 0.5]},
        {"split": [1, 2]},
        {"min_probability": 2},
        {"folder": "x"},
        {"landmarks": "dlib"},
        {"landmarks": "mesh"},
        {"mesh_model": ""},
    ]
    for values in bad:
        with pytest.raises(ConfigError):
            FacesSettings.build(values)


def test_scikit_image_without_its_portrait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install scikit-image"):
        portrait_path()


@pytest.mark.shared
@pytest.mark.slow
def test_every_research_photo_gives_a_crop(shared_dir: Path) -> None:
    faces = load_faces(FacesSettings(root=shared_dir / "faces", cache=False))
    assert [len(part) for part in (faces.split.train, faces.split.validate, faces.split.test)] == [44, 8, 20]
    assert faces.omissions == ()
    eyes = [float(torch.linalg.norm(crop.landmarks[1] - crop.landmarks[0])) for crop in faces.crops]
    assert 40 < np.median(eyes) < 47
