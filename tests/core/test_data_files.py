"""Reading JSON and YAML: whatever is wrong with a file is a ValueError."""

from pathlib import Path

import pytest

from advmask.core.data_files import parse_json, read_json, read_yaml

DEEP = "[" * 100_000


@pytest.mark.parametrize("text", ["", "{", DEEP, "\x00", '{"a": 1}}'])
def test_what_is_no_json(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        read_json(tmp_path / "a.json")
    with pytest.raises(ValueError, match=r"\w"):
        parse_json(text)


@pytest.mark.parametrize("text", ["a: [", DEEP, "\x00", "day: 2020-13-45", "a: !!python/object:os.system x"])
def test_what_is_no_yaml(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"\w"):
        read_yaml(tmp_path / "a.yaml")


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"a: \xff\xfe")
    for read in (read_json, read_yaml):
        with pytest.raises(ValueError, match="utf-8"):
            read(tmp_path / "a")
        with pytest.raises(FileNotFoundError):
            read(tmp_path / "b")


def test_what_is_there_is_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_text('{"a": [1, "é"]}', encoding="utf-8")
    assert read_json(tmp_path / "a") == read_yaml(tmp_path / "a") == {"a": [1, "é"]}
