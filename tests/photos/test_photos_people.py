"""Folders of people, and their split."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from advmask.core.errors import ConfigError, PhotoError
from advmask.photos.people_folders import PersonPhotos, find_people, passed_over_notices, split_people

DEFAULT = (0.61, 0.11, 0.28)


def touch(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return root


def test_one_folder_per_person(tmp_path: Path) -> None:
    touch(
        tmp_path,
        *("b/2.JPG", "b/1.jpeg", "b/10.Png", "b/notes.txt", "b/.hidden.jpg", "b/._1.jpg", "b/raw.heic"),
        *("Z/x.WEBP", "Z/y.bmp", "Z/z.tif", "Z/w.TIFF", "Z/deeper/a.jpg", "é/a.png"),
        *(".git/a.jpg", "README.md", "a/b.txt"),
    )
    (tmp_path / "Z" / "folder.jpg").mkdir()
    found = find_people(tmp_path)
    assert [person.name for person in found] == ["Z", "a", "b", "é"]
    assert [path.name for path in found[0].photos] == ["w.TIFF", "x.WEBP", "y.bmp", "z.tif"]
    assert found[1].photos == ()
    assert [path.name for path in found[2].photos] == ["1.jpeg", "10.Png", "2.JPG", "raw.heic"]
    assert found[0].passed_over.startswith("photos one folder too deep (1 in deeper)")
    assert found[1].passed_over == "1 file that is not a picture (b.txt)"


def test_one_person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = touch(tmp_path / "Ada", "1.jpg", "2.jpg", "exports/notes.txt")
    expected = PersonPhotos("Ada", (root / "1.jpg", root / "2.jpg"))
    assert find_people(root) == [expected]
    monkeypatch.chdir(root)
    assert find_people(Path())[0].name == "Ada"
    assert find_people(root / "1.jpg") == [PersonPhotos("1", (root / "1.jpg",))]


def test_what_cannot_be_used(tmp_path: Path) -> None:
    mixed = touch(tmp_path / "mixed", "1.jpg", "Ada/1.jpg")
    empty = touch(tmp_path / "empty", "Ada/notes.txt")
    (tmp_path / "bare").mkdir()
    os.mkfifo(tmp_path / "pipe")
    cases = {
        mixed: "both photos and folders",
        empty: "No photos were found",
        tmp_path / "bare": "No photos were found",
        tmp_path / "gone": "no folder of photos",
        tmp_path / "pipe": "no folder of photos",
    }
    for root, match in cases.items():
        with pytest.raises(PhotoError, match=match) as caught:
            find_people(root)
        assert str(root) in str(caught.value)


def test_what_phones_and_systems_leave(tmp_path: Path) -> None:
    jpeg = b"\xff\xd8\xff\xe0"
    touch(
        tmp_path,
        *("ada/1.JFIF", "ada/2.jpe", "ada/3.GIF", "ada/4.HEIF", "ada/5.avif", "ada/clip.MOV", "ada/6.DNG"),
        *("__MACOSX/ada/._1.jpg", "@eaDir/ada/1.jpg", "ada/@eaDir/1.jpg", "ada/Thumbs.db", "ada/.DS_Store"),
        *("ada/1.occluder.png", "ada/1.points.json", "ada/desktop.ini", "ben/2024/05/1.jpg", "list.csv"),
    )
    for name in ("plain", "of.2024", "raw.dng"):
        (tmp_path / "ada" / name).write_bytes(jpeg)
    (tmp_path / "ada" / "scan").write_bytes(b"II*\0")
    (tmp_path / "ada" / "camera.raw2").write_bytes(b"II*\0")
    (tmp_path / "ada" / "gone.jpg").symlink_to("/nowhere/1.jpg")
    (tmp_path / "cid").symlink_to("/nowhere/cid")
    ada, ben = find_people(tmp_path)
    names = [path.name for path in ada.photos]
    assert names == ["1.JFIF", "2.jpe", "3.GIF", "4.HEIF", "5.avif", "of.2024", "plain", "scan"]
    assert ben.photos == ()
    said = passed_over_notices(tmp_path, [ada, ben])
    assert (
        said[0] == f"Passed over in {tmp_path}: 1 broken link (cid); 1 file that is not a picture (list.csv)."
    )
    assert "2 raw photos, to be exported as JPEG (6.DNG, raw.dng)" in said[1]
    assert "1 video (clip.MOV)" in said[1]
    assert "1 broken link (gone.jpg)" in said[1]
    assert "1 file that is not a picture (camera.raw2)" in said[1]
    assert said[2].startswith("Passed over of ben: photos one folder too deep (1 in 2024)")
    assert passed_over_notices(tmp_path / "ada" / "1.JFIF", find_people(tmp_path / "ada" / "1.JFIF")) == []
    with pytest.raises(PhotoError, match=r"No photos were found in .* \(photos one|ben: photos one folder"):
        find_people(touch(tmp_path / "deep", "ben/2024/1.jpg"))


def test_unreadable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Path) -> None:
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(PhotoError, match="Permission denied"):
        find_people(tmp_path)


def people(count: int) -> list[str]:
    return [f"p{number:03}" for number in range(count)]


@pytest.mark.parametrize("split", [DEFAULT, (44, 8, 20), (44.0, 8.0, 20.0)])
def test_the_split_of_the_benchmark(split: tuple[float, ...]) -> None:
    names = people(72)
    result = split_people(names[::-1], split)
    assert result.train == tuple(names[:44])
    assert result.validate == tuple(names[44:52])
    assert result.test == tuple(names[52:])
    assert result.held_out


@given(st.integers(3, 400), st.lists(st.integers(0, 1000), min_size=3, max_size=3).filter(any))
def test_fractions(count: int, weights: list[int]) -> None:
    fractions = [weight / sum(weights) for weight in weights]
    result = split_people(people(count), fractions)
    parts = [result.train, result.validate, result.test]
    assert [name for part in parts for name in part] == people(count)
    for part, fraction in zip(parts, fractions, strict=True):
        assert (len(part) > 0) == (fraction > 0)
        # Within one person of the share, and within two where someone was given to an empty part.
        assert abs(len(part) - count * fraction) < (1 if min(map(len, parts)) > 1 else 3)
    assert result.held_out == (len(result.test) > 0)


@pytest.mark.parametrize(
    ("count", "expected"), [(3, (1, 1, 1)), (4, (2, 1, 1)), (10, (6, 1, 3)), (100, (61, 11, 28))]
)
def test_small_numbers(count: int, expected: tuple[int, ...]) -> None:
    result = split_people(people(count), DEFAULT)
    assert (len(result.train), len(result.validate), len(result.test)) == expected


def test_code_point_order_and_leftovers() -> None:
    result = split_people(["b", "B", "a", "É", "A"], (2, 0, 1))
    assert (result.train, result.validate, result.test) == (("A", "B"), (), ("a",))
    assert not split_people(people(5), (5, 0, 0)).held_out
    assert split_people(people(5), (1, 0, 0)).train == tuple(people(5))


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_to_hold_out(count: int) -> None:
    result = split_people(people(count), DEFAULT)
    assert result.train == result.validate == result.test == tuple(people(count))
    assert not result.held_out


def test_more_people_asked_for_than_there_are() -> None:
    with pytest.raises(ConfigError, match=r"\[44,8,20\] asks for 72 people, but there are 71"):
        split_people(people(71), (44, 8, 20))


@pytest.mark.parametrize(
    "split",
    [(0.5, 0.1, 0.1), (1.5, 2, 3), (-1, 1, 1), (0, 0, 0), (1, 2), (float("nan"), 1, 0), (5, 5, float("inf"))],
)
def test_impossible_splits(split: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="does not fit"):
        split_people(people(9), split)
