"""Names that are not UTF-8, and terminals whose encoding lacks a character."""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from advmask.cli import main
from advmask.core.files import append_text, write_text
from advmask.core.shown_names import shown
from advmask.evaluation.real_prints.condition_folders import read_folders
from advmask.evaluation.results import json_text
from advmask.photos.crop_cache import CachedFailure, CropCache
from advmask.photos.people_folders import find_people, passed_over_notices
from advmask.textures.design_files import name_of
from advmask.textures.png_bytes import encode_png

LATIN = os.fsdecode(b"M\xfcller")


@given(st.binary(min_size=1, max_size=12), st.binary(min_size=1, max_size=12))
def test_every_name_can_be_written_and_names_stay_apart(one: bytes, other: bytes) -> None:
    first, second = (name.decode("utf-8", "surrogateescape") for name in (one, other))
    assert shown(first).encode("utf-8").decode() == shown(first)
    if b"\\" not in one + other:
        assert (shown(first) == shown(second)) == (one == other)


def test_what_is_shown() -> None:
    assert shown(LATIN) == r"M\xfcller"
    assert shown("Müller 李 ☃ 😀") == "Müller 李 ☃ 😀"
    assert shown("\ud800") == r"\ud800"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_files_and_people_of_such_names(tmp_path: Path) -> None:
    folder = tmp_path / LATIN
    folder.mkdir()
    (folder / os.fsdecode(b"besch\xe4digt.jpg")).write_bytes(b"junk")
    (folder / os.fsdecode(b"n\xf6te.txt")).write_bytes(b"junk")
    (tmp_path / os.fsdecode(b"M\xf6ller")).mkdir()
    people = find_people(tmp_path)
    assert [one.name for one in people] == [r"M\xf6ller", r"M\xfcller"]
    assert people[1].photos[0].read_bytes() == b"junk", "the path still opens"
    assert r"n\xf6te.txt" in passed_over_notices(tmp_path, people)[0]
    assert name_of(folder) == r"M\xfcller"
    for condition in ("bare", "design"):
        (folder / condition).mkdir()
        (folder / condition / os.fsdecode(b"\xfc.jpg")).write_bytes(condition.encode())
    found = read_folders(tmp_path)
    assert {(one.person, one.name) for one in found.captures} == {
        (r"M\xfcller", r"M\xfcller/bare/\xfc.jpg"),
        (r"M\xfcller", r"M\xfcller/design/\xfc.jpg"),
    }


def test_what_is_written(tmp_path: Path) -> None:
    write_text(tmp_path / "a", f"{LATIN}\n")
    append_text(tmp_path / "a", LATIN)
    assert (tmp_path / "a").read_text(encoding="utf-8") == "M\\xfcller\nM\\xfcller"
    text = json_text({"names": [LATIN], "deep": {"one": LATIN}})
    assert json.loads(text) == {"names": [r"M\xfcller"], "deep": {"one": r"M\xfcller"}}
    content = encode_png(np.zeros((2, 2, 3), np.uint8), pixels_per_mm=1.0, text={"design": LATIN})
    assert Image.open(io.BytesIO(content)).text["design"] == r"M\xfcller"
    cache = CropCache(tmp_path / "crops")
    cache.put("0" * 64, {}, CachedFailure(f"{LATIN}.occluder.png is not a picture."))
    assert cache.get("0" * 64, {}) == CachedFailure(r"M\xfcller.occluder.png is not a picture.")


@pytest.mark.parametrize("encoding", ["cp1252", "cp437", "ascii", "utf-8"])
def test_output_never_raises(encoding: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    raw = io.BytesIO()
    for name in ("stdout", "stderr"):
        monkeypatch.setattr(sys, name, io.TextIOWrapper(raw, encoding=encoding, errors="strict"))
    for name in ("李 ☃.jpg", f"{LATIN}.jpg"):
        assert main(["preview", f"design={name}"]) not in (0, 1)
        print(name, file=sys.stdout, flush=True)
    sys.stderr.flush()
    lines = raw.getvalue().decode(encoding)
    assert lines.count(r"M\xfcller.jpg") == 2
    assert lines.count("李 ☃.jpg" if encoding == "utf-8" else r"\u674e \u2603.jpg") == 2


def test_an_odd_stream_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (None, io.StringIO(), open(os.devnull, "w")):  # noqa: PTH123, SIM115
        if stream is not None and not isinstance(stream, io.StringIO):
            stream.close()
        monkeypatch.setattr(sys, "stderr", stream)
        assert main(["--version"]) == 0
    monkeypatch.undo()
