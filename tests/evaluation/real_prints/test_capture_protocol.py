"""The capture protocol as a PDF, read back by another library."""

from typing import Any

import pytest

from advmask.evaluation.estimates import binomial_estimate
from advmask.evaluation.real_prints.protocol_page import protocol_pdf
from advmask.evaluation.real_prints.situations import PICTURES, VIDEOS
from advmask.printing.chart.pages import PAGES_MM
from advmask.printing.settings import Paper

pymupdf: Any = pytest.importorskip("pymupdf")
MM_PER_PT = 25.4 / 72


@pytest.mark.parametrize("paper", ["a4", "letter"])
def test_two_pages_that_hold_everything(paper: Paper) -> None:
    content = protocol_pdf(paper, design="flowers.png, SHA-256 0123456789abcdef")
    assert content == protocol_pdf(paper, design="flowers.png, SHA-256 0123456789abcdef")
    document = pymupdf.open(stream=content, filetype="pdf")
    assert len(document) == 2
    texts = []
    for page in document:
        width, height = PAGES_MM[paper]
        assert (page.rect.width * MM_PER_PT, page.rect.height * MM_PER_PT) == pytest.approx(
            (width, height), abs=0.1
        )
        texts.append(page.get_text())
        boxes = [word[:4] for word in page.get_text("words")]
        boxes += [tuple(drawing["rect"]) for drawing in page.get_drawings()]
        for x0, y0, x1, y1 in boxes:
            assert x0 * MM_PER_PT > 12
            assert y0 * MM_PER_PT > 10
            assert x1 * MM_PER_PT < width - 12
            assert y1 * MM_PER_PT < height - 10
    first, second = texts
    for situation in (*PICTURES, *VIDEOS):
        assert situation.title in first
    for worn in ("bare", "plain", "design"):
        assert first.count(f"\n{worn}\n") == len(PICTURES) + len(VIDEOS)
        assert f"{worn}/" in second
    assert "flowers.png, SHA-256 0123456789abcdef" in first
    for people in (1, 20):
        assert f"{100 * (binomial_estimate(0.0, people).high or 0):.0f} %" in second
    assert "I can stop at any" in " ".join(second.split())
    assert "protect" not in (first + second).lower()


def test_drawings_do_not_lie_on_words() -> None:
    page = pymupdf.open(stream=protocol_pdf(), filetype="pdf")[0]
    grounds = [
        drawing["rect"]
        for drawing in page.get_drawings()
        if drawing["fill"] is not None and drawing["rect"].width * MM_PER_PT > 25
    ]
    assert len(grounds) == len(PICTURES) + len(VIDEOS)
    for word in page.get_text("words"):
        assert not any(ground.intersects(pymupdf.Rect(word[:4])) for ground in grounds), word[4]


def test_signs_that_no_font_has() -> None:
    document = pymupdf.open(stream=protocol_pdf(design="花柄 ž"), filetype="pdf")
    assert "Design: ?? z" in document[0].get_text()
