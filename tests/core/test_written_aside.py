"""Files are written whole or not at all, and nothing is left lying about."""

import hashlib
import os
import stat
from pathlib import Path

import pytest

from advmask.core.errors import RunError
from advmask.core.files import sha256, write_text, write_with, written_aside


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.tar.gz"
    with written_aside(path) as aside:
        assert aside.parent == path.parent
        assert aside.suffix == path.suffix
        assert aside != path
        aside.write_bytes(b"one")
        assert not path.exists()
    assert path.read_bytes() == b"one"
    assert names(path.parent) == ["a.tar.gz"]


def test_an_old_file_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")
    with written_aside(path) as aside:
        aside.write_text("new", encoding="utf-8")
        assert path.read_text(encoding="utf-8") == "old"
    assert path.read_text(encoding="utf-8") == "new"
    assert names(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, MemoryError])
def test_a_failure_leaves_the_old_file_and_no_other(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def half(aside: Path) -> None:
        aside.write_text("ne", encoding="utf-8")
        raise error("stopped")

    with pytest.raises(error):
        write_with(path, half)
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old", encoding="utf-8")

    def half(aside: Path) -> None:
        aside.write_text("ne", encoding="utf-8")
        raise OSError(28, "No space left on device")

    with pytest.raises(RunError, match=r"^Cannot write .*a\.txt: No space left on device\. Choose another"):
        write_with(path, half)
    assert path.read_text(encoding="utf-8") == "old"
    assert names(tmp_path) == ["a.txt"]


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in (tmp_path / "file" / "a.txt", tmp_path / "file" / "b" / "a.txt"):
        with pytest.raises(RunError, match=rf"Cannot write {path}: (Not a directory|File exists)"):
            write_text(path, "x")


@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_told(tmp_path: Path) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(0o500)
    with pytest.raises(RunError, match="Permission denied"):
        write_text(folder / "a.txt", "x")


def test_a_refused_temporary_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> tuple[int, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("advmask.core.files.tempfile.mkstemp", refused)
    with pytest.raises(RunError, match=r"Cannot write .*: Permission denied\."):
        write_text(tmp_path / "a.txt", "x")


def test_a_folder_is_not_replaced_by_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.mkdir()
    with pytest.raises(RunError, match="Is a directory"):
        write_text(path, "x")
    assert path.is_dir()
    assert names(tmp_path) == ["a"]


def test_a_file_may_be_read_by_those_who_could_read_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_text(tmp_path / "a.txt", "x")
        (tmp_path / "b.txt").write_text("x", encoding="utf-8")
    finally:
        assert os.umask(before) == 0o027  # and the mask is left as it was
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a.txt", "b.txt")]
    assert modes[0] == modes[1] == 0o640


def test_text_is_utf8_with_plain_line_ends(tmp_path: Path) -> None:
    write_text(tmp_path / "a.txt", "Ä\nβ\n")
    assert (tmp_path / "a.txt").read_bytes() == "Ä\nβ\n".encode()


@pytest.mark.parametrize("size", [0, 1, 1_000_003])
def test_the_checksum_is_sha256(tmp_path: Path, size: int) -> None:
    content = bytes(i % 251 for i in range(size))
    (tmp_path / "a").write_bytes(content)
    assert sha256(tmp_path / "a") == hashlib.sha256(content).hexdigest()
