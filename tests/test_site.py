"""The documentation builds without a warning, loads nothing from elsewhere, and answers newcomers."""

import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from browsers import browser

ROOT = Path(__file__).parents[1]
QUESTIONS = {  # asked of the search: a page that answers, among the first three
    "print at home": "export",
    "false match rate": "concepts/thresholds",
    "own network onnx": "recognizers",
    "interval few people": "concepts/intervals",
    "bleed": "export",
}

pytestmark = pytest.mark.slow


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for package in ("mkdocs", "material", "mkdocstrings", "nbconvert"):
        pytest.importorskip(package, reason="pip install 'advmask[docs]'")
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(site))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(
            r'<(?:script|img|iframe|link rel="(?:stylesheet|icon)")[^>]*(?:src|href)="([^"]+)"', text
        )
        assert not [one for one in loaded if one.startswith(("http", "//"))], page


def test_every_command_and_every_name_of_the_api_is_there(site: Path) -> None:
    import advmask
    from advmask.cli import COMMANDS

    commands = (site / "commands" / "index.html").read_text(encoding="utf-8")
    assert all(f'<h2 id="{name}">' in commands for name in COMMANDS)
    names = "".join(page.read_text(encoding="utf-8") for page in (site / "api").rglob("*.html"))
    assert not [name for name in advmask.__all__ if f'id="advmask.{name}"' not in names]


def test_questions_are_answered_by_the_search(address: str) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=browser(), args=["--no-sandbox"])
        page = chromium.new_page()
        asked, said = [], []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: said.append(message.text))
        for question, answer in QUESTIONS.items():
            page.goto(address)
            page.fill("input.md-search__input", question)
            page.wait_for_selector(".md-search-result__link", timeout=120_000)  # a busy machine
            found = page.eval_on_selector_all(
                ".md-search-result__item > a.md-search-result__link", "links => links.map(one => one.href)"
            )
            assert any(f"/{answer}/" in link for link in found[:3]), (question, found[:5])
        chromium.close()
    assert not [url for url in asked if not url.startswith(address)]
    assert not said
