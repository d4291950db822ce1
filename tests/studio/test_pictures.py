"""What is dropped on the page: read with care, kept without what else is in the file, found by name alone."""

import io
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from studio_visitor import Visitor

from advmask.core.errors import DesignError, PhotoError
from advmask.studio.pictures import PORTRAIT, Pictures
from advmask.textures import svg_drawing


def kept(pictures: Pictures, content: bytes, kind: str = "drawing", *, length: int | None = None) -> str:
    stream = io.BytesIO(content)
    return pictures.keep(kind, stream, len(content) if length is None else length, called="mine.png")  # type: ignore[arg-type]


def huge_png(side: int) -> bytes:
    """A PNG of one colour, side x side pixels of one bit: a few hundred kilobytes for a billion pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    row = bytes(1 + (side + 7) // 8)
    deflate = zlib.compressobj(1)
    data = b"".join(deflate.compress(row) for _ in range(side)) + deflate.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_a_picture_of_30000_px_is_refused_before_it_is_decoded(visitor: Visitor):
    status, found = visitor.drop("drawing", huge_png(30_000), "big.png")
    assert status == 422
    assert found["error"].startswith("big.png has more than 120,000,000 pixels")
    assert str(visitor.server.studio.folder) not in found["error"]


def test_a_vector_drawing_is_kept_as_pixels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(svg_drawing, "SIDE_PX", 100)
    pictures = Pictures(tmp_path)
    head = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 20 10">'
    with Image.open(
        pictures.path("drawing", kept(pictures, head + b'<rect width="9" height="9"/></svg>'))
    ) as found:
        assert (found.format, found.size) == ("PNG", (100, 50))
    with pytest.raises(
        DesignError, match=r"^mine\.png asks for 'file:///a\.png', which lies outside the drawing"
    ):
        kept(pictures, head + b'<image href="file:///a.png"/></svg>')
    with pytest.raises(PhotoError, match=r"^mine\.png is not a JPEG"):
        kept(pictures, head + b"</svg>", "photo")


def test_a_photo_loses_its_place_and_its_camera(tmp_path: Path):
    image = Image.new("RGB", (50, 40), "#998877")
    exif = Image.Exif()
    exif[0x010F] = "camera"
    exif[0x0112] = 6  # lies on its side
    stream = io.BytesIO()
    image.save(stream, "JPEG", exif=exif, comment=b"secret")
    pictures = Pictures(tmp_path)
    path = pictures.path("photo", kept(pictures, stream.getvalue(), "photo"))
    with Image.open(path) as found:
        assert found.size == (40, 50)
        assert dict(found.getexif()) == {}
    assert b"camera" not in path.read_bytes()
    assert b"secret" not in path.read_bytes()


def test_the_same_picture_is_kept_once(tmp_path: Path, png: Callable[..., bytes]):
    pictures = Pictures(tmp_path)
    assert kept(pictures, png()) == kept(pictures, png()) != kept(pictures, png(colour="#ffffff"))
    assert len([name for name in pictures.names("drawing") if len(name) == 24]) == 2
    assert pictures.names("photo") == [PORTRAIT]
    assert "motif" in pictures.names("drawing")
    assert "large_face" not in pictures.names("drawing")


@pytest.mark.parametrize(
    "content", [b"", b"GIF89a", b"<svg onload='alert(1)'/>", b"\x89PNG\r\n\x1a\n" + b"0" * 50]
)
def test_what_is_no_picture_is_one_sentence_with_the_users_name(tmp_path: Path, content: bytes):
    with pytest.raises(DesignError, match=r"^mine\.png ") as refused:
        kept(Pictures(tmp_path / "pictures"), content)
    assert "/" not in str(refused.value).replace("PNG/", "")
    assert not (tmp_path / "pictures").exists()


def test_an_upload_that_breaks_off_is_not_kept(tmp_path: Path, png: Callable[..., bytes]):
    with pytest.raises(DesignError, match="broke off"):
        kept(Pictures(tmp_path), png(), length=10_000)


@pytest.mark.parametrize(
    "name", ["", "..", "../studio", "a/b", "0" * 24, "0" * 23 + "/", "portrait.png", "lower_face/../motif"]
)
def test_names_are_looked_up_and_never_become_paths(tmp_path: Path, name: str):
    pictures = Pictures(tmp_path)
    with pytest.raises(DesignError, match="not here"):
        pictures.path("drawing", name)
    with pytest.raises(PhotoError, match="not here"):
        pictures.path("photo", name)


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/pictures/drawing/..%2f..%2fstudio.json",
        "/pictures/other/motif",
        "/photos/..%2fportrait",
        "/runs/../worn.jpg",
        "/runs/..%2f..%2fpictures/worn.jpg",
        "/runs/a-1/prints/..%2f../config.yaml",
        "/runs/a-1/prints/../config.yaml",
        "/api/runs/..",
        "/api/runs/../glance",
        "/runs/..%2f..%2fa/turned.jpg",
        "/runs/a-1/videos/..%2f..%2fstudio.json.mp4",
        "/runs/..%2f..%2fa/card.png",
        "/pictures/drawing/gallery-..%2f..%2fmotif",
        "/page/index.html",
        "/server.py",
        "/index.html",
        "//evil.example/tools.js",
    ],
)
def test_no_address_leads_out_of_the_folder(visitor: Visitor, path: str):
    status, headers, content = visitor.get(path)
    assert status in {404, 422}
    assert headers["Content-Type"] == "application/json"
    assert b"root:" not in content


def test_what_ships_cannot_be_deleted_and_what_is_ones_own_can(visitor: Visitor, png: Callable[..., bytes]):
    name = visitor.drop("drawing", png())[1]["name"]
    assert visitor.post("/api/forget/drawing/motif")[0] == 422
    assert visitor.post("/api/forget/photo/portrait")[0] == 422
    assert visitor.post(f"/api/forget/drawing/{name}")[0] == 200
    assert visitor.get(f"/pictures/drawing/{name}")[0] == 422
    assert list(visitor.server.studio.pictures.folder.iterdir()) == []


def test_two_tabs_drop_the_same_picture_at_once(visitor: Visitor, png: Callable[..., bytes]):
    content, found = png((300, 200)), []
    tabs = [threading.Thread(target=lambda: found.append(visitor.drop("drawing", content))) for _ in range(4)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()
    assert [status for status, _ in found] == [200] * 4
    assert len({values["name"] for _, values in found}) == 1
    assert len(list(visitor.server.studio.pictures.folder.iterdir())) == 2
