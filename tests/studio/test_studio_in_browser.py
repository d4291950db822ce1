"""The whole way in a real browser: from a drawing to a ZIP, with the studio killed twice on the way."""

import base64
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browsers import browser
from PIL import Image

from advmask.photos.loading import portrait_path
from advmask.studio.work import Works

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and locks of Unix"),
]
STEPS = 120  # so many that none is done before it is stopped
PATIENCE_MS = 600_000  # of a machine that does much else
# Drops a file as a hand would.
DROP = """([zone, name, text]) => {
  const bytes = Uint8Array.from(atob(text), (each) => each.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name, {type: "image/png"}));
  for (const kind of ["dragover", "drop"])
    document.querySelector(zone).dispatchEvent(
      new DragEvent(kind, {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
# What a screen reader would find nothing to say about.
NAMELESS = """() => [...document.querySelectorAll("button, a, input, select, iframe, img")]
  .filter((each) => each.offsetParent !== null)
  .filter((each) => !(each.tagName === "IMG" ? each.hasAttribute("alt") :
    (each.getAttribute("aria-label") || each.title || each.textContent.trim() ||
     each.querySelector("img")?.alt ||
     [...(each.labels || [])].some((label) => label.textContent.trim()))))
  .map((each) => each.outerHTML)"""


class Server:
    """`advmask studio` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "advmask", "studio", str(self.folder), "browser=false"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line.startswith("The studio is open: http://127.0.0.1:"), line
        self.address = line.split()[-1]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path / "my masks")
    yield made
    made.kill()
    works = Works()
    for job in made.folder.glob("designs/*/job.json"):
        works.stop(job.parent)  # where a test failed half way


@pytest.fixture
def page() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with sync_api.sync_playwright() as playwright:
        camera = ["--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream"]
        opened = playwright.chromium.launch(executable_path=browser(), args=["--no-sandbox", *camera])
        context = opened.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
        context.set_default_timeout(PATIENCE_MS)
        yield context.new_page()
        opened.close()


def drawing() -> bytes:
    picture = Image.new("RGB", (900, 700), "#f2e8d5")
    for number, colour in enumerate(("#c03028", "#102040", "#3f7d58")):
        for row in range(4):
            left = 60 + 280 * number + 40 * row
            picture.paste(colour, (left, 60 + 160 * row, left + 150, 160 + 160 * row))
    stream = BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()


def downloaded(page: Any, selector: str) -> bytes:
    with page.expect_download() as found:
        page.click(selector)
    return Path(found.value.path()).read_bytes()


def test_from_a_drawing_to_a_zip(server: Server, page: Any, tmp_path: Path) -> None:
    shots = Path(os.environ.get("ADVMASK_SCREENSHOTS", tmp_path))
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.location['url']} {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.context.on("request", lambda request: asked.append(request.url))
    begun = time.monotonic()
    first = server.address.split("/?")[0]

    def shot(name: str) -> None:
        page.wait_for_timeout(300)
        page.screenshot(path=shots / f"{name}.png", full_page=True)

    # Choose.
    page.goto(server.address)
    assert "token" not in page.url
    page.wait_for_selector("#worn:not([hidden])")
    page.evaluate(DROP, ["#drop-drawing", "blocks.png", base64.b64encode(drawing()).decode()])
    page.wait_for_selector("#easel[data-dropped]")
    print("from drop to worn, ms:", page.get_attribute("#easel", "data-dropped"))
    inks = [each.input_value() for each in page.query_selector_all("#inks input")]
    assert set(inks) == {"#f2e8d5", "#c03028", "#102040", "#3f7d58"}
    page.click("[aria-label='Add an ink']")
    page.focus("input[name=mask]:checked")
    while page.input_value("input[name=mask]:checked") != "panelled":
        page.keyboard.press("ArrowRight")  # the keyboard alone will do
    page.click("[aria-label='Remove ink 5']")
    page.locator("#swatches button").first.click()
    assert page.locator("#inks input").count() == 3
    page.click("#undo")
    assert page.locator("#inks input").count() == page.locator("#swatches [aria-pressed=true]").count() == 4
    page.get_by_label("Left and right alike").check()
    page.wait_for_selector("#easel:not(.busy)")
    assert page.evaluate(NAMELESS) == []
    shot("1-choose")
    page.get_by_label("On a head").first.check()
    page.focus("#turn")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#easel:not(.busy)")
    print("turned, ms:", page.get_attribute("#easel", "data-took"))
    shot("1-on-a-head")
    page.evaluate(
        f"sessionStorage.setItem('advmask-choices', JSON.stringify({{...choices, steps: {STEPS}}}))"
    )
    page.reload()
    page.wait_for_selector("#worn:not([hidden])")

    # Design; stop; the studio is killed, and started anew.
    page.fill("#title", "Blocks")
    page.click("#design")
    page.wait_for_selector("#run-worn:not([hidden])")
    page.wait_for_selector("#meters .meter.this")  # the first quick look, beside bare and plain masks
    assert page.locator("#meters .meter").count() == 5
    shot("2-designing")
    page.click("#stop")
    page.wait_for_selector("#go-on")
    assert page.text_content("#run-state").startswith("Stopped after ")
    server.kill()
    page.wait_for_selector("#notice:not([hidden])")
    assert "does not answer" in page.text_content("#notice")
    server.start()
    page.goto(server.address)
    page.click("text=My designs")
    page.wait_for_selector("#gallery img")
    shot("3-gallery")
    page.click("#gallery a")
    page.click("#go-on")
    page.wait_for_selector("#stop")

    # It goes on while the studio is killed once more.
    gone = re.compile(f"{first}/|{server.address.split('/?')[0]}/")
    server.kill()
    server.start()
    page.goto(f"{server.address}#/design/blocks-1")
    page.wait_for_selector("#run-state:text-is('Done.')")
    assert page.locator("#meters .meter").count() == 5  # bare, three plain masks, this one
    assert page.locator("#film button").count() > 3

    # Measure, print, share.
    page.click("#measure")
    report = page.frame_locator("#report")
    report.locator("h1").wait_for()
    page.select_option("#print-printer", "sublimation")
    page.click("#print")
    page.wait_for_selector(".print-set img")
    content = downloaded(page, ".print-set .button")
    print("from nothing to a ZIP, s:", round(time.monotonic() - begun))
    with Image.open(BytesIO(downloaded(page, "#share-square"))) as picture:
        assert picture.size == (1080, 1080)
    assert page.text_content("#label") == page.get_attribute("#card", "alt") != ""
    notes = [note.text_content() for note in page.query_selector_all("#prints .note")]
    assert any("Print at 100 %" in note for note in notes)
    assert not any("ruler_mm" in note or "=" in note for note in notes)
    # In a picture of the whole page, a frame below the window is white: it is not drawn until it is seen.
    page.locator("#report").scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    with Image.open(BytesIO(page.locator("#report").screenshot())) as picture:
        assert len(picture.convert("L").getcolors() or range(99)) > 30, "the report is written in the frame"
    shot("4-done")
    assert page.evaluate(NAMELESS) == []

    # The camera (a drawn one, without a face), other languages, and a telephone.
    page.click("#camera")
    page.wait_for_selector("#run-says:has-text('pictures a second')")
    page.wait_for_selector("#camera-says:text-is('No face is seen.')")
    page.click("#camera")
    in_a_video(page, tmp_path)
    side_by_side(page, server.folder)
    shot("5-side-by-side")
    page.evaluate("location.hash = '#/design/blocks-1'")
    for language in ("de", "fr", "es", "en"):
        page.select_option("#language", language)
        page.wait_for_selector(f"html[lang={language}] #run-title:not(:empty)")
        if language == "de":
            page.wait_for_selector("#measure:text-is('Messen')")
            page.wait_for_selector("#run-worn:not([hidden])")
            shot("5-german")
    page.wait_for_selector("#measure:text-is('Measure')")
    page.wait_for_selector("#run-worn:not([hidden])")
    page.set_viewport_size({"width": 390, "height": 844})
    for name, place in (
        ("6-phone-done", "#/design/blocks-1"),
        ("7-phone-gallery", "#/designs"),
        ("8-phone", "#/"),
    ):
        page.evaluate(f"location.hash = '{place}'")
        page.wait_for_timeout(2000)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        shot(name)
    assert_true_size(content, tmp_path)

    # Studios that were killed do not answer, or break off.
    assert [each for each in complaints if not ("net::ERR_" in each and gone.match(each))] == []
    place = server.address.split("/?")[0].rpartition(":")[0]
    assert all(url.startswith((f"{place}:", "blob:", "data:")) for url in asked)


def in_a_video(page: Any, folder: Path) -> None:
    """One is dropped, and comes back with masks."""
    av = pytest.importorskip("av")
    portrait = Image.open(portrait_path()).convert("RGB")
    with av.open(str(folder / "me.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=4)
        stream.width, stream.height, stream.pix_fmt = 160, 160, "yuv420p"
        for left in range(100, 112, 4):
            picture = portrait.resize((160, 160), box=(left, 0, left + 300, 300))
            container.mux(stream.encode(av.VideoFrame.from_image(picture)))
        container.mux(stream.encode(None))
    page.set_input_files("#file-video", folder / "me.mp4")
    page.wait_for_selector("#videos video")
    assert "All 3 pictures show the mask" in page.text_content("#videos")
    (folder / "worn.mp4").write_bytes(downloaded(page, "#videos .button"))
    with av.open(str(folder / "worn.mp4")) as container:
        assert sum(1 for _ in container.decode(video=0)) == 3


def side_by_side(page: Any, folder: Path) -> None:
    """A second design, the first once more, is picked and compared."""
    shutil.copytree(folder / "designs" / "blocks-1", folder / "designs" / "blocks-2")
    page.evaluate("location.hash = '#/designs'")
    page.wait_for_selector(".pick >> nth=1")
    for box in page.locator(".pick input").all():
        box.check()
    page.click("#beside")
    page.wait_for_selector("#variants .meter >> nth=9")
    assert page.locator("#variants article").count() == 2


def assert_true_size(content: bytes, folder: Path) -> None:
    """The artwork in the PDF of the ZIP is as large as the mask."""
    import pymupdf

    from advmask.masks.mask_building import build_mask
    from advmask.masks.settings import MaskSettings

    with zipfile.ZipFile(BytesIO(content)) as archive:
        archive.extractall(folder / "zip")
    (sheet,) = (folder / "zip").glob("*-sheet*.pdf")
    panels = build_mask(MaskSettings(pattern="panelled")).pattern.panels
    inked = np.concatenate([panel.bleed_mm(6.0) for panel in panels])  # as sublimation has it
    with pymupdf.open(sheet) as document:
        boxes = np.array([info["bbox"] for info in document[0].get_image_info()]) / 72 * 25.4
    size = boxes[:, 2:].max(axis=0) - boxes[:, :2].min(axis=0)
    assert size == pytest.approx(np.ptp(inked, axis=0), abs=0.5)
