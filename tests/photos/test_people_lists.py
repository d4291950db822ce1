"""Who is on which photo: by lists, by folders one deeper, and what packed collections are told."""

from pathlib import Path

import pytest

from advmask.core.errors import PhotoError
from advmask.photos.loading import load_faces, portrait_path
from advmask.photos.people_folders import find_people
from advmask.photos.people_list import read_people
from advmask.photos.settings import FacesSettings


def photos(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "text",
    [
        "1.jpg,ann\n2.jpg,bob\n3.jpg,ann\n",
        "1.jpg ann\n2.jpg   bob\n3.jpg ann\n\n",
        "person;file\nann;1.jpg\nbob;2.jpg\nann;3.jpg\n",
        "\ufeffimage_id\tsize\tidentity\n1.jpg\t9\tann\n2.jpg\t9\tbob\n3.jpg\t9\tann\n",
        'file,person\n"1.jpg",ann\n"2.jpg",bob\n"3.jpg",ann\n',
    ],
    ids=["commas", "celeba", "semicolons", "tabs", "quotes"],
)
def test_lists_as_people_write_them(text: str, tmp_path: Path) -> None:
    photos(tmp_path, "1.jpg", "2.jpg", "3.jpg", "not_named.jpg")
    (tmp_path / "list.txt").write_text(text, encoding="utf-8")
    found, split, notices = read_people(tmp_path / "list.txt", None)
    assert [(one.name, [p.name for p in one.photos]) for one in found] == [
        ("ann", ["1.jpg", "3.jpg"]),
        ("bob", ["2.jpg"]),
    ]
    assert (split, notices) == (None, [])


def test_parts_and_files_that_are_not_there(tmp_path: Path) -> None:
    photos(tmp_path / "images", "a/1.jpg", "2.jpg", "3.jpg")
    (tmp_path / "list.csv").write_text("a/1.jpg,ann,train\n2.jpg,bob,1\n3.jpg,cid,Test\n9.jpg,cid,test\n")
    _, split, notices = read_people(tmp_path / "list.csv", tmp_path / "images")
    assert split is not None
    assert (split.train, split.validate, split.test, split.held_out) == (("ann",), ("bob",), ("cid",), True)
    assert notices == [f"Named in {tmp_path / 'list.csv'} and not in {tmp_path / 'images'}: 9.jpg."]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; lines of the form FILE,PERSON"),
        ("1.jpg\n", "line 1: a file and a person were expected"),
        ("file,person\n1.jpg,\n", "line 2: a file and a person were expected"),
        ("1.jpg,ann,some\n", "line 1: 'some' is no part"),
        ("1.jpg,ann,train\n2.jpg,ann,test\n", "line 2: ann is in train and in test; people are split"),
        ("7.jpg,ann\n8.jpg,ann\n", "None of the 2 files that .* names is in .*; set faces.root"),
    ],
)
def test_lists_that_do_not_fit(text: str, says: str, tmp_path: Path) -> None:
    photos(tmp_path, "1.jpg", "2.jpg")
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(PhotoError, match=says):
        read_people(tmp_path / "list.csv", None)


def test_a_list_that_is_no_text_or_not_there(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes(b"\xff\xfe1\x00")
    with pytest.raises(PhotoError, match="no text in UTF-8"):
        read_people(tmp_path / "list.csv", None)
    with pytest.raises(PhotoError, match=r"Cannot read the list .*: No such file"):
        read_people(tmp_path / "none.csv", None)


def test_faces_are_loaded_by_a_list(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(portrait_path().read_bytes() + bytes(number))
    (tmp_path / "list.csv").write_text("0.png,ann,train\n1.png,bob,validate\n2.png,cid,test\n")
    faces = load_faces(FacesSettings(people=tmp_path / "list.csv", size=112, cache=tmp_path / "cache"))
    assert faces.people == ("ann", "bob", "cid")
    assert (faces.split.train, faces.split.test) == (("ann",), ("cid",))


def test_people_one_folder_deeper(tmp_path: Path) -> None:
    photos(tmp_path / "casia" / "images", "ann/1.jpg", "bob/1.jpg", "cid/1.jpg")
    assert [one.name for one in find_people(tmp_path / "casia")] == ["ann", "bob", "cid"]
    photos(tmp_path / "vggface2", *(f"{part}/n0{i}/1.jpg" for part in ("train", "test") for i in range(3)))
    with pytest.raises(PhotoError, match=r"folders of people in .*test and .*train; name one of them"):
        find_people(tmp_path / "vggface2")


def test_photos_by_date_are_no_people(tmp_path: Path) -> None:
    photos(tmp_path, *(f"ann/{date}/1.jpg" for date in ("2023", "2024-05", "2024-06-01 Sea", "20240702")))
    with pytest.raises(PhotoError, match="photos one folder too deep"):
        find_people(tmp_path)


@pytest.mark.parametrize(
    ("name", "says"), [("train.rec", "unpack it"), ("lfw.bin", "pairs for verification")]
)
def test_packed_collections_are_refused_with_what_to_do(name: str, says: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(b"\x80\x02cos\nsystem\n")
    with pytest.raises(PhotoError, match=says):
        find_people(tmp_path / name)
