"""Nobody but the studio's own page is answered, and nothing too large is read."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from studio_visitor import Visitor

from advmask.studio.access import HEADERS, Access
from advmask.studio.pictures import MOST_BYTES
from advmask.studio.server import StudioServer


def test_the_address_gives_a_cookie_and_leaves_the_secret_behind(visitor: Visitor):
    access = visitor.server.access
    path = access.address.removeprefix(f"http://{visitor.place}")
    status, headers, _ = visitor.get(path, cookie=None)
    assert (status, headers["Location"]) == (303, "/")
    assert {"HttpOnly", "SameSite=Strict"} <= set(headers["Set-Cookie"].split("; "))
    assert visitor.get("/", cookie=headers["Set-Cookie"].split(";")[0])[0] == 200


def test_what_a_browser_is_started_with_serves_once(visitor: Visitor):
    path = visitor.server.access.first_address.removeprefix(f"http://{visitor.place}")
    assert [visitor.get(path, cookie=None)[0] for _ in range(2)] == [303, 403]


@pytest.mark.parametrize("odd", ['a={"x":1}', "bare", "version=1", "a=b=c"])
def test_odd_cookies_of_other_programs_do_not_lock_out(visitor: Visitor, odd: str):
    own = visitor.server.access.cookie.split(";")[0]
    assert visitor.get("/api/offers", cookie=f"{odd}; {own}")[0] == 200


@pytest.mark.parametrize(
    "cookie", [None, "", "advmask-studio-PORT=wrong", "advmask-studio-1=TOKEN", '"\\;=;,']
)
def test_without_the_secret_nothing_is_answered(visitor: Visitor, cookie: str | None):
    access = visitor.server.access
    if cookie:
        cookie = cookie.replace("PORT", str(access.port)).replace("TOKEN", access.token)
    for path in (
        "/",
        "/tools.js",
        "/api/offers",
        "/pictures/photo/portrait",
        "/runs/a-1/turned.jpg?yaw=10",
        "/api/runs/a-1/glance",
        f"/runs/a-1/videos/{'0' * 24}.mp4",
        "/runs/a-1/card.png",
        "/?token=wrong",
        "/?token=%C3%A9",
    ):
        status, headers, content = visitor.get(path, cookie=cookie)
        assert status == 403
        assert "Set-Cookie" not in headers
        assert b"Open the address" in content
    assert visitor.post("/api/runs", cookie=cookie)[0] == 403


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:PORT", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:PORT", ""],
)
def test_another_name_for_this_machine_is_refused(visitor: Visitor, host: str):
    named = host.replace("PORT", str(visitor.server.access.port))
    assert visitor.get("/api/offers", host=named)[0] == 403
    assert visitor.get(f"/?token={visitor.server.access.token}", host=named)[0] == 403


def test_localhost_is_this_machine_too(visitor: Visitor):
    assert visitor.get("/api/runs", host=f"localhost:{visitor.server.access.port}")[0] == 200


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "null", "https://127.0.0.1:PORT", "http://127.0.0.1:1", None]
)
def test_another_page_changes_nothing(visitor: Visitor, origin: str | None):
    if origin:
        origin = origin.replace("PORT", str(visitor.server.access.port))
    assert visitor.post("/api/runs", origin=origin)[0] == 403
    assert visitor.server.studio.runs.all() == []


@pytest.mark.parametrize(
    "path",
    ["/api/video/a-1?name=a.mp4", f"/api/forget-video/a-1/{'0' * 24}", "/api/turned", "/api/frame/a-1"],
)
def test_another_page_sends_no_video_and_no_frame(visitor: Visitor, path: str):
    for wrong in ({"origin": "http://evil.example"}, {"host": "evil.example"}, {"cookie": None}):
        status, headers, _ = visitor.send("POST", path, b"{}", **wrong)
        assert (status, headers["Connection"]) == (403, "close")


def test_a_form_of_another_page_has_no_mark(visitor: Visitor):
    assert visitor.post("/api/runs", x_advmask_studio=None)[0] == 403
    assert visitor.get("/api/runs", sec_fetch_site="cross-site")[0] == 403
    assert visitor.get("/api/runs", sec_fetch_site="same-origin")[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/words/de.json",
        "/words/xx.json",
        "/studio.css",
        "/tools.js",
        "/icon.svg",
        "/nothing",
        "/api/runs",
    ],
)
def test_every_answer_keeps_the_page_to_itself(visitor: Visitor, path: str):
    _, headers, _ = visitor.get(path)
    assert HEADERS.items() <= headers.items()
    policy = headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "default-src 'none'" in policy


def test_every_script_of_the_page_is_there(visitor: Visitor):
    page = visitor.get("/")[2].decode()
    scripts = re.findall(r'<script src="([^"]+)" defer></script>', page)
    assert len(scripts) == page.count("<script") > 5
    for script in scripts:
        status, headers, _ = visitor.get(f"/{script}")
        assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")


def test_the_page_names_no_other_place():
    page = Path(__file__).parents[2] / "advmask" / "studio" / "page"
    for path in (each for each in page.rglob("*") if each.is_file()):
        text = path.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert "//" not in text.replace("// ", ""), path.name
        assert "innerHTML" not in text
        assert " style=" not in text


def test_it_listens_at_this_machine_alone(visitor: Visitor):
    assert visitor.server.server_address[0] == "127.0.0.1"
    assert visitor.server.access.token not in repr(visitor.server.access)
    assert Access(1).token != Access(1).token


def test_a_huge_upload_is_refused_before_it_is_read(visitor: Visitor):
    status, headers, content = visitor.send(
        "POST", "/api/pictures/drawing?name=a.png", b"", Content_Length=str(2 << 30)
    )
    assert (status, headers["Connection"]) == (413, "close")
    assert b"64 MB" in content
    assert visitor.send("POST", "/api/runs", b"", Content_Length=str(MOST_BYTES))[0] == 413


@pytest.mark.parametrize("length", ["-1", "abc", "1e3", None])
def test_a_length_that_is_none_is_refused(visitor: Visitor, length: str | None):
    assert visitor.send("POST", "/api/pictures/drawing", None, Content_Length=length)[0] == 411


def test_what_comes_in_pieces_without_a_length_is_refused(visitor: Visitor):
    assert visitor.send("POST", "/api/runs", b"{}", Transfer_Encoding="chunked")[0] == 411


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'"a"', b"[" * 9000])
def test_what_is_not_understood_is_refused(visitor: Visitor, body: bytes):
    assert visitor.send("POST", "/api/runs", body)[0] == 400


def test_a_port_that_is_taken_is_one_sentence(visitor: Visitor):
    from advmask.core.errors import RunError

    with pytest.raises(RunError, match="cannot be had"):
        StudioServer(visitor.server.studio, port=visitor.server.access.port)


def test_a_browser_that_goes_away_is_no_error(visitor: Visitor, capsys: pytest.CaptureFixture[str]):
    with socket.create_connection(("127.0.0.1", visitor.server.access.port)) as gone:
        gone.sendall(b"POST /api/pictures/drawing HTTP/1.1\r\nHost: a\r\n")
    assert visitor.get("/api/runs")[0] == 200
    assert capsys.readouterr().err == ""


def test_a_bug_is_told_in_the_terminal_and_not_to_the_page(
    visitor: Visitor, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def broken() -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(visitor.server.studio, "offers", broken)
    status, _, content = visitor.get("/api/offers")
    assert status == 500
    assert b"secret" not in content
    assert "ZeroDivisionError: secret" in capsys.readouterr().err


def test_a_picture_that_is_dropped_is_kept(visitor: Visitor, png: Callable[..., bytes]):
    status, found = visitor.drop("drawing", png())
    assert status == 200
    status, headers, _ = visitor.get(f"/pictures/drawing/{found['name']}")
    assert (status, headers["Content-Type"]) == (200, "image/png")
