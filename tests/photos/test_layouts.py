"""Collections in the layouts they are unpacked in: read rightly, or refused with the sentence that helps."""

from pathlib import Path

import pytest

from advmask.core.errors import PhotoError
from advmask.photos.loading import load_faces, people_at_hand, portrait_path
from advmask.photos.people_folders import find_people
from advmask.photos.people_list import read_people
from advmask.photos.settings import FacesSettings

LFW = [f"{name}/{name}_{n:04d}.jpg" for name in ("Abdel_Aziz", "Aaron_Peirsol", "Zoe_Ball") for n in (1, 2)]
VGG_TRAIN = [f"n{number:06d}/{n:04d}_01.jpg" for number in (2, 3, 4) for n in (1, 2)]
VGG_TEST = [f"n{number:06d}/{n:04d}_01.jpg" for number in (1, 9, 29) for n in (1, 2)]
CASIA = [f"{number:07d}/{n:03d}.jpg" for number in (45, 99, 100) for n in (1, 2)]


def made(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"\xff\xd8\xff" if name.endswith(".jpg") else b"text")
    return root


def under(folder: str, names: list[str]) -> list[str]:
    return [f"{folder}/{name}" for name in names]


@pytest.mark.parametrize(
    ("names", "people"),
    [
        (LFW, ["Aaron_Peirsol", "Abdel_Aziz", "Zoe_Ball"]),
        (
            ["lfw-names.txt", "pairs.txt", *under("lfw_funneled", LFW)],
            ["Aaron_Peirsol", "Abdel_Aziz", "Zoe_Ball"],
        ),
        (under("archive/lfw-deepfunneled", LFW), ["Aaron_Peirsol", "Abdel_Aziz", "Zoe_Ball"]),
        (under("CASIA-WebFace", CASIA), ["0000045", "0000099", "0000100"]),
        ([".DS_Store", "__MACOSX/._x", *under("CASIA-WebFace", CASIA)], ["0000045", "0000099", "0000100"]),
        (under("test", VGG_TEST), ["n000001", "n000009", "n000029"]),
        (under("faces_emore/imgs", [f"{n}/{n}.jpg" for n in range(3)]), ["0", "1", "2"]),
    ],
    ids=["lfw", "lfw-wrapped", "lfw-twice", "casia", "casia-mac", "vggface2-test", "ms1m-export"],
)
def test_people_are_the_folders(names: list[str], people: list[str], tmp_path: Path) -> None:
    found = find_people(made(tmp_path / "collection", *names))
    assert [one.name for one in found] == people
    assert all(one.photos for one in found)
    assert {one.part for one in found} == {""}


@pytest.mark.parametrize("wrapper", ["", "VGG-Face2/"])
def test_vggface2_brings_its_parts(wrapper: str, tmp_path: Path) -> None:
    made(tmp_path, *under(f"{wrapper}train", VGG_TRAIN), *under(f"{wrapper}test", VGG_TEST))
    _, found, split, notices = people_at_hand(FacesSettings(root=tmp_path))
    assert [one.name for one in found] == ["n000001", "n000002", "n000003", "n000004", "n000009", "n000029"]
    assert split is not None
    assert (split.train, split.validate) == (("n000002", "n000003", "n000004"), ())
    assert (split.test, split.held_out) == (("n000001", "n000009", "n000029"), True)
    assert any("split as the folders in" in one and "(3 test, 3 train)" in one for one in notices)


@pytest.mark.parametrize("few", ["train", "test"])
def test_a_part_of_few_people_is_a_part_too(few: str, tmp_path: Path) -> None:
    parts = {"train": VGG_TRAIN, "test": VGG_TEST}
    parts[few] = parts[few][:2]
    made(tmp_path, *(name for part, names in parts.items() for name in under(part, names)))
    _, _, split, _ = people_at_hand(FacesSettings(root=tmp_path))
    assert split is not None
    assert (len(split.train), len(split.test)) == ((1, 3) if few == "train" else (3, 1))


def test_the_same_people_in_train_and_val_are_no_parts(tmp_path: Path) -> None:
    """An ImageFolder for classification splits the photos of each person."""
    made(tmp_path, *under("train", CASIA), *under("val", CASIA))
    says = r"in .*train and .*val; name one of them. .* 0000045, 0000099, 0000100 would be in more than one"
    with pytest.raises(PhotoError, match=says):
        find_people(tmp_path)


def test_folders_of_people_that_are_no_parts_are_not_guessed(tmp_path: Path) -> None:
    made(tmp_path, *under("lfw", LFW), *under("casia", CASIA))
    with pytest.raises(PhotoError, match=r"folders of people in .*casia and .*lfw; name one of them\.$"):
        find_people(tmp_path)


@pytest.mark.parametrize("names", [["2024/trip/1.jpg", "2024/home/1.jpg", "2024/party/1.jpg"]])
def test_albums_of_a_year_are_no_people(names: list[str], tmp_path: Path) -> None:
    made(tmp_path / "ann", *names)
    with pytest.raises(PhotoError, match="No photos were found"):
        find_people(tmp_path)


def test_a_flat_folder_of_thousands_is_not_silently_one_person(tmp_path: Path) -> None:
    celeba = made(tmp_path / "celeba" / "img_align_celeba", *(f"{n:06d}.jpg" for n in range(1001)))
    with pytest.raises(PhotoError) as caught:
        find_people(celeba)
    said = str(caught.value)
    assert "holds 1,001 photos and no folders: are they of many people, or of one?" in said
    assert "faces.people=FILE (lines FILE,PERSON)" in said
    (tmp_path / "celeba" / "identity_CelebA.txt").write_text("000000.jpg 1\n")
    with pytest.raises(PhotoError, match=r"faces\.people=.*celeba/identity_CelebA\.txt "):
        find_people(celeba)
    (celeba / "000000.jpg").unlink()
    (one,) = find_people(celeba)
    assert len(one.photos) == 1000


def test_thousands_of_photos_by_list(tmp_path: Path) -> None:
    images = made(tmp_path / "img", *(f"{n:06d}.jpg" for n in range(2_000)))
    lines = (f"{n:06d}.jpg {(7919 * n) % 200}" for n in range(2_000))
    (tmp_path / "identity.txt").write_text("\n".join(lines))
    found, _, notices = read_people(tmp_path / "identity.txt", images)
    assert (len(found), sum(len(one.photos) for one in found), notices) == (200, 2_000, [])


def test_people_may_be_called_by_one_letter(tmp_path: Path) -> None:
    made(tmp_path, *(f"{letter}/1.jpg" for letter in "abcdefghijklmnopqrstuvwxyz"), "lost+found/1.jpg")
    assert "".join(one.name for one in find_people(tmp_path)) == "abcdefghijklmnopqrstuvwxyz"


def test_what_is_said_of_many_people_is_one_line(tmp_path: Path) -> None:
    content = portrait_path().read_bytes()
    for name in "abcdef":
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.png").write_bytes(content + name.encode())
    for name in "wxyz":
        made(tmp_path, f"{name}/1.jpg")
    faces = load_faces(FacesSettings(root=tmp_path, size=112, landmarks="arcface112", cache=False))
    same = "who are enrolled with the same photo that the mask is put on"
    assert f"There is one photo each of a, b, c and 3 more, {same}." in faces.notices
    assert "There is no usable photo of w, x, y and 1 more; these people are left out." in faces.notices
