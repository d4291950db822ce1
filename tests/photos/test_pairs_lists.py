"""Pairs of photos as LFW, CVLface and people write them, found among the photos at hand."""

from pathlib import Path

import pytest

from advmask.core.errors import PhotoError
from advmask.photos.pairs_list import read_pairs
from advmask.photos.people_folders import PersonPhotos

ROOT = Path("lfw")
PEOPLE = [
    PersonPhotos(name, tuple(ROOT / name / f"{name}_{number:04d}.jpg" for number in range(1, 4)))
    for name in ("Ann_Lee", "Bob")
]
PLAIN = [PersonPhotos(name, tuple(ROOT / name / f"{number}.png" for number in (1, 2))) for name in "ab"]


def read(tmp_path: Path, text: str, people: list[PersonPhotos] = PEOPLE) -> list[tuple[str, str, bool]]:
    (tmp_path / "pairs.txt").write_text(text, encoding="utf-8")
    return [
        ("/".join(one.first.parts[-2:]), "/".join(one.second.parts[-2:]), one.same)
        for one in read_pairs(tmp_path / "pairs.txt", people)
    ]


ANN = ("Ann_Lee/Ann_Lee_0001.jpg", "Ann_Lee/Ann_Lee_0003.jpg", True)
OTHERS = ("Ann_Lee/Ann_Lee_0002.jpg", "Bob/Bob_0001.jpg", False)


@pytest.mark.parametrize(
    "text",
    [
        "1\t1\nAnn_Lee\t1\t3\nAnn_Lee\t2\tBob\t1\n",
        "2\nAnn_Lee 1 3\nAnn_Lee 2 Bob 1\n",
        "name,imagenum1,imagenum2,\nAnn_Lee,1,3,\nAnn_Lee,2,Bob,1\n",
        ",A,B\n0,Ann_Lee_0001.jpg,Ann_Lee_0003.jpg\n1,Ann_Lee_0002.jpg,Bob_0001.jpg\n",
        "A,B,same\nAnn_Lee/Ann_Lee_0001.jpg,Ann_Lee_0003,1\n./Ann_Lee/Ann_Lee_0002,Bob/Bob_0001,0\n",
        "lfw/Ann_Lee/Ann_Lee_0001.jpg Ann_Lee_0003.jpg True\nAnn_Lee_0002.jpg Bob_0001.jpg false\n",
        "is_same;path2;path1\nyes;Ann_Lee_0003;Ann_Lee_0001\nno;Bob_0001;Ann_Lee_0002\n",
    ],
    ids=["lfw", "lfw-dev", "kaggle", "cvlface", "same", "spaces", "columns"],
)
def test_lists_as_people_write_them(text: str, tmp_path: Path) -> None:
    assert read(tmp_path, text) == [ANN, OTHERS]


def test_numbers_alone_name_photos_of_collections_that_are_not_called_as_lfw(tmp_path: Path) -> None:
    found = read(tmp_path, "a 1 2\na 2 b 1\n", PLAIN)
    assert found == [("a/1.png", "a/2.png", True), ("a/2.png", "b/1.png", False)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "is empty; lines of the form A,B,same"),
        ("Ann_Lee 1 9\nCid 1 2\n", r"not at hand: Ann_Lee/Ann_Lee_0009 \(line 1\), Cid/Cid_0001 \(line 2\)"),
        ("Ann_Lee 1 7 8 9\n", "line 1: A,B,same, or NAME 1 2 and NAME 1 OTHER 2"),
        ("Ann_Lee_0001,Bob_0001,perhaps\n", "line 1: 'perhaps' does not say whether"),
        ("Ann_Lee_0001,Bob_0001,1\n", "are said to show one person, and by faces.root they show Ann_Lee and"),
        ("Ann_Lee_0001,Ann_Lee_0002,0\n", "said to show two people, and by faces.root they show Ann_Lee;"),
        ("Ann_Lee_0001,Ann_Lee_0001,1\n", "line 1: Ann_Lee_0001 is paired with itself"),
        ("A,B,same\n", "holds no pairs; lines A,B,same"),
        (".,Bob_0001,1\n", r"not at hand: \. \(line 1\)"),
        ("A,B,same\nAnn_Lee_0001\n", "line 2: 3 columns were expected"),
    ],
)
def test_lists_that_do_not_fit(text: str, says: str, tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=says):
        read(tmp_path, text)


def test_a_first_line_of_numbers_may_be_a_pair(tmp_path: Path) -> None:
    people = [PersonPhotos("a", tuple(ROOT / "a" / f"{number}.png" for number in (1, 2, 3)))]
    assert read(tmp_path, "1,2\n1,3\n", people) == [
        ("a/1.png", "a/2.png", True),
        ("a/1.png", "a/3.png", True),
    ]


def test_a_name_that_two_people_have(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"line 1: 1 may be lfw/a/1.png or lfw/b/1.png; write PERSON/FILE"):
        read(tmp_path, "1,a/2,1\n", PLAIN)


def test_what_is_packed_is_no_list(tmp_path: Path) -> None:
    (tmp_path / "lfw.bin").write_bytes(b"\x80\x02")
    with pytest.raises(PhotoError, match="no list of photos, but packs some"):
        read_pairs(tmp_path / "lfw.bin", PEOPLE)
