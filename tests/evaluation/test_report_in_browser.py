"""The report in a real browser, where one is installed: no complaints, no requests, and it prints."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from browsers import browser

from advmask.evaluation.report.page import report_page


def opened(page: Path, *words: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    flags += ["--disable-quic", "--disable-background-networking", "--disable-component-update"]
    flags += [f"--user-data-dir={folder}", "--enable-logging=stderr", "--log-level=0", "--v=0"]
    command = [browser(), *flags, *words, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.slow
def test_a_browser_has_nothing_to_complain_of(any_judgement: tuple[dict[str, Any], Any], tmp_path: Path):
    record, judgement = any_judgement
    page = tmp_path / "report.html"
    page.write_text(report_page(record, judgement), encoding="utf-8")
    log = tmp_path / "net.json"
    shown = opened(page, f"--log-net-log={log}", "--dump-dom", folder=tmp_path / "profile")
    assert shown.returncode == 0, shown.stderr
    assert "<h1" in shown.stdout
    assert not re.findall(r".*CONSOLE.*", shown.stderr)
    asked = set(
        re.findall(r'"url":"((?:https?|wss?):[^"]*)', log.read_text(encoding="utf-8", errors="replace"))
    )
    ours = {url for url in asked if not re.search("google|gstatic|gvt1", url)}  # the browser's own errands
    assert not ours
    pdf = tmp_path / "report.pdf"
    printed = opened(page, f"--print-to-pdf={pdf}", folder=tmp_path / "profile")
    assert printed.returncode == 0, printed.stderr
    assert pdf.read_bytes().startswith(b"%PDF")
