"""Which files of a folder of people are read, passed over and refused."""

from pathlib import Path

import pytest

from advmask.core.errors import PhotoError
from advmask.evaluation.real_prints.condition_folders import read_folders


def make(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return root


WHOLE = ("ada/bare/1.jpg", "ada/plain/1.jpg", "ada/design/1.jpg", "ada/design/walk.MP4")


def test_people_conditions_and_kinds(tmp_path: Path) -> None:
    make(tmp_path, *WHOLE, "ben/Bare/x.png", "ben/DESIGN/x.png", "ben/plain/x.png", ".hidden/bare/1.jpg")
    found = read_folders(tmp_path)
    assert found.people == ("ada", "ben")
    assert found.notices == ()
    assert [(one.name, one.condition, one.is_video) for one in found.captures] == [
        ("ada/bare/1.jpg", "bare", False),
        ("ada/plain/1.jpg", "plain", False),
        ("ada/design/1.jpg", "design", False),
        ("ada/design/walk.MP4", "design", True),
        ("ben/Bare/x.png", "bare", False),
        ("ben/plain/x.png", "plain", False),
        ("ben/DESIGN/x.png", "design", False),
    ]


def test_one_person_needs_no_folder_of_a_name(tmp_path: Path) -> None:
    found = read_folders(make(tmp_path / "ada", "bare/1.jpg", "design/1.jpg"))
    assert found.people == ("ada",)
    assert found.notices == ("ada has no plain/: the drop below a plain mask cannot be given.",)


def test_what_is_passed_over_is_named(tmp_path: Path) -> None:
    make(tmp_path, *WHOLE, "ada/bare/IMG_1.HEIC", "ada/bare/notes.txt", "ada/desing/1.jpg", "ada/loose.jpg")
    make(tmp_path, "ada/bare/__MACOSX/1.jpg", "ada/bare/Thumbs.db", "@eaDir/bare/1.jpg")
    (tmp_path / "ada" / "bare" / "gone.jpg").symlink_to("/nowhere")
    make(tmp_path, "ben/plain/2.jpg", "eve/bare/3.jpg", "other/readme.txt")
    found = read_folders(tmp_path)
    said = "\n".join(found.notices)
    assert found.people == ("ada", "eve")
    assert "ada/bare/IMG_1.HEIC" in {capture.name for capture in found.captures}  # it is a photo as others
    assert "2 in" in said
    assert "gone.jpg (a broken link), notes.txt." in said
    assert "only bare, plain and design are read; should it be called design?" in said
    assert "Passed over 1 pictures in" in said
    assert "ben has no bare photos and cannot be enrolled; left out." in said
    assert "eve has no pictures of a mask; enrolled only." in said


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ((), "holds nothing"),
        (("ada/1.jpg", "ada/2.jpg"), "holds ada; expected are PERSON/bare"),
        (("ada/naked/1.jpg", "ada/masked/2.jpg"), "holds ada, with masked, naked"),
        (("ada/plain/1.jpg", "ada/design/2.jpg"), "ada has no bare photos"),
        (("ada/bare/1.jpg",), "ada has no pictures of a mask"),
        (("ada/bare/1.jpg", "ada/Bare/2.jpg", "ada/design/1.jpg"), "are both taken for bare"),
    ],
)
def test_other_layouts_are_refused(tmp_path: Path, names: tuple[str, ...], sentence: str) -> None:
    make(tmp_path, *names)
    with pytest.raises(PhotoError, match=sentence):
        read_folders(tmp_path)


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match=r"There is no folder .*none; check photos="):
        read_folders(tmp_path / "none")


def test_a_copy_in_another_place_is_refused(tmp_path: Path) -> None:
    make(tmp_path, *WHOLE)
    (tmp_path / "ada/design/copy.jpg").write_bytes((tmp_path / "ada/bare/1.jpg").read_bytes())
    with pytest.raises(PhotoError, match=r"bare/1.jpg and .*design/copy.jpg are the same file"):
        read_folders(tmp_path)


def test_a_copy_in_the_same_place_counts_once(tmp_path: Path) -> None:
    make(tmp_path, *WHOLE)
    (tmp_path / "ada/plain/copy.jpg").write_bytes((tmp_path / "ada/plain/1.jpg").read_bytes())
    found = read_folders(tmp_path)
    assert [one.name for one in found.captures if one.condition == "plain"] == ["ada/plain/1.jpg"]
    assert "it counts once" in found.notices[0]


def test_another_enrolment(tmp_path: Path) -> None:
    photos = make(tmp_path / "photos", *WHOLE, "ben/design/1.jpg")
    known = make(tmp_path / "known", "ada/pass.jpg", "eve/pass.jpg")
    (known / "ada/1.jpg").write_bytes((photos / "ada/bare/1.jpg").read_bytes())
    found = read_folders(photos, known)
    assert found.enrolled_by == "enrolment"
    assert [(one.name, one.condition) for one in found.captures] == [
        ("ada/1.jpg", "enrolment"),
        ("ada/pass.jpg", "enrolment"),
        ("ada/plain/1.jpg", "plain"),
        ("ada/design/1.jpg", "design"),
        ("ada/design/walk.MP4", "design"),
    ], "the bare file that is enrolled is not a probe"
    said = "\n".join(found.notices)
    assert "eve is enrolled" in said
    assert "ben has no photos in enrolment=" in said
    assert "it counts once" in said


def test_the_enrolment_of_one_person(tmp_path: Path) -> None:
    photos = make(tmp_path / "me", "plain/1.jpg", "design/1.jpg")
    found = read_folders(photos, make(tmp_path / "known", "1.jpg", "2.jpg"))
    assert found.people == ("me",)
    assert [one.name for one in found.captures if one.condition == "enrolment"] == ["1.jpg", "2.jpg"]
