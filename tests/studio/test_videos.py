"""Videos that are dropped on a design: kept in its folder, worked on by a process of its own, given back."""

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from studio_visitor import Visitor, begun, until, with_states

from advmask.studio.answers import OpenFile, file, part_of_file
from advmask.studio.studio import Studio
from advmask.studio.videos import MOST_VIDEO_BYTES, WORN, video_folders, video_states

av: Any = pytest.importorskip("av")
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no locks on Windows")


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        container.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        container.mux(stream.encode(None))
    return path.read_bytes()


@pytest.fixture
def name(visitor: Visitor, studio: Studio) -> str:
    made = begun(visitor)
    with_states(studio.runs.named(made), 10, 20)
    studio.works.stop(studio.runs.named(made).path)
    until(lambda: studio.works.at_work(studio.runs.named(made).path) is None)
    return made


def sent(
    visitor: Visitor, name: str, content: bytes, called: str = "me.mp4", more: str = ""
) -> tuple[int, Any]:
    status, _, found = visitor.send("POST", f"/api/video/{name}?name={called}{more}", content)
    return status, json.loads(found)


def test_a_video_is_worn_by_the_command_in_a_folder_of_its_own(
    visitor: Visitor, studio: Studio, name: str, clip: bytes
):
    run = studio.runs.named(name)
    status, state = sent(visitor, name, clip, more="&state=10")
    assert status == 200, state
    (video,) = state["videos"]
    assert (video["called"], video["state"], video["working"], video["done"]) == ("me.mp4", 10, True, False)
    (folder,) = video_folders(run.path)
    until(lambda: (folder / "log-try.txt").read_text() != "")
    words = (folder / "log-try.txt").read_text()
    design = run.path / "previews" / "design_000010.png"
    assert words.startswith(f"asked apply {design} mask=contour mask.size=M input={folder}/given.mp4")
    assert f"output={folder}/{WORN}" in words
    assert visitor.post(f"/api/runs/{name}/forget")[0] == 422, "it is worked on"
    assert sent(visitor, name, clip, more="&state=10")[0] == 422, "the same twice"
    assert visitor.get(f"/runs/{name}/videos/{folder.name}.mp4")[0] == 422, "not done"
    assert visitor.post(f"/api/forget-video/{name}/{folder.name}")[0] == 200
    assert list((run.path / "videos").iterdir()) == []
    assert visitor.post(f"/api/forget-video/{name}/{folder.name}")[0] == 422


def test_progress_and_what_became_of_it_are_read_off_what_the_command_says(
    visitor: Visitor, studio: Studio, name: str, clip: bytes
):
    sent(visitor, name, clip)
    run = studio.runs.named(name)
    (folder,) = video_folders(run.path)
    for text, share in (("faces:  40%|##", 20), ("faces: 100%|#\nx.mp4: masks:  50%|#", 75)):
        (folder / "log-try.txt").write_text(text)
        assert video_states(run.path, studio.works)[0]["share"] == share
    studio.works.stop(folder)
    until(lambda: studio.works.at_work(folder) is None)
    (folder / "log-try.txt").write_text("There is no video.\n")
    assert video_states(run.path, studio.works)[0]["trouble"] == "There is no video."
    (folder / "log-try.txt").write_text(
        "given.mp4: 3 of 5 frames show a mask, the others stay as they are.\n"
    )
    (folder / WORN).write_bytes(bytes(range(100)))
    (found,) = video_states(run.path, studio.works)
    assert (found["done"], found["masked"], found["trouble"]) == (True, [3, 5], None)


def test_a_player_gets_the_part_it_asks_for(visitor: Visitor, studio: Studio, name: str, clip: bytes):
    sent(visitor, name, clip)
    (folder,) = video_folders(studio.runs.named(name).path)
    (folder / WORN).write_bytes(bytes(range(100)))
    place = f"/runs/{name}/videos/{folder.name}.mp4"
    for asked, status, content in (
        (None, 200, bytes(range(100))),
        ("bytes=0-", 206, bytes(range(100))),
        ("bytes=10-19", 206, bytes(range(10, 20))),
        ("bytes=90-500", 206, bytes(range(90, 100))),
        ("bytes=100-", 416, b""),
        ("bytes=5-2", 416, b""),
        ("lines=1-2", 200, bytes(range(100))),
    ):
        found = visitor.get(place, Range=asked)
        assert (found[0], found[2]) == (status, content), asked
    assert visitor.get(place, Range="bytes=10-19")[1]["Content-Range"] == "bytes 10-19/100"
    assert visitor.get(f"{place}?keep=1")[1]["Content-Disposition"].startswith("attachment")


def test_a_long_video_is_sent_in_pieces_and_never_held_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("advmask.studio.answers._PIECE", 40)
    path = tmp_path / WORN
    path.write_bytes(bytes(range(100)))
    for made in (part_of_file(path, ""), part_of_file(path, "lines=1-2"), file(path, download="me.mp4")):
        assert isinstance(made.body, OpenFile)
        with made.body.opened:
            path.write_bytes(bytes(range(100)) + b"more than was promised")
            assert list(map(len, made.body.pieces())) == [40, 40, 20]
        path.write_bytes(bytes(range(100)))


@pytest.mark.parametrize(
    ("called", "content", "says"),
    [
        ("me.png", b"x", "me.png is no video by its name"),
        ("me.mp4", b"not a video", "Cannot open the video me.mp4"),
        ("..%2f..%2fme.mp4", b"not a video", "Cannot open the video ....me.mp4"),
    ],
)
def test_what_is_no_video_is_refused_and_not_kept(
    visitor: Visitor, studio: Studio, name: str, called: str, content: bytes, says: str
):
    status, found = sent(visitor, name, content, called)
    assert status == 422
    assert found["error"].startswith(says)
    assert str(studio.folder) not in found["error"]
    folder = studio.runs.named(name).path / "videos"
    assert not folder.exists() or list(folder.iterdir()) == []


def test_a_huge_video_is_refused_before_it_is_read(visitor: Visitor, name: str):
    for length in (2 << 30, MOST_VIDEO_BYTES + 1):
        status, headers, content = visitor.send(
            "POST", f"/api/video/{name}?name=a.mp4", b"", Content_Length=str(length)
        )
        assert (status, headers["Connection"]) == (413, "close")
        assert b"1024 MB" in content


def test_names_of_videos_are_looked_up_and_never_become_paths(visitor: Visitor, studio: Studio, name: str):
    outside = studio.runs.named(name).path / "video.json"
    outside.write_text("{}")
    for wrong in ("..", "%2e%2e", "..%2f..%2fa", "0" * 24, "0" * 24 + "-1"):
        assert visitor.get(f"/runs/{name}/videos/{wrong}.mp4")[0] in {404, 422}
        assert visitor.post(f"/api/forget-video/{name}/{wrong}")[0] in {404, 422}
    assert outside.exists()


def test_two_tabs_send_the_same_video_at_once(visitor: Visitor, studio: Studio, name: str, clip: bytes):
    with ThreadPoolExecutor(2) as tabs:
        answers = list(tabs.map(lambda _: sent(visitor, name, clip)[0], range(2)))
    assert sorted(answers) == [200, 422]
    assert len(list((studio.runs.named(name).path / "videos").iterdir())) == 1


def test_an_earlier_studio_that_was_killed_left_half_a_video(studio: Studio, name: str, tmp_path: Path):
    half = studio.runs.named(name).path / "videos" / "coming-x"
    half.mkdir(parents=True)
    (half / "video.json").write_text("{}")
    assert video_states(studio.runs.named(name).path, studio.works) == []
