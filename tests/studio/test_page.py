"""The page in other languages, and for eyes that need contrast."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "advmask" / "studio" / "page"
CATALOGUES = sorted((PAGE / "words").glob("*.json"))
NAMES = {"advmask studio", "S", "M", "L", "2", "3", "4", "5", "6", "7", "8", "1"}  # the same everywhere


class Words(HTMLParser):
    """Every text of a page that a reader meets."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {"aria-label", "placeholder", "title", "alt"}
        self.found |= {value for name, value in attrs if name in named and value}

    def handle_data(self, data: str) -> None:
        self.found.add(" ".join(data.split()))


def english() -> set[str]:
    """All that the page says."""
    reader = Words()
    reader.feed((PAGE / "index.html").read_text(encoding="utf-8"))
    script = "".join(path.read_text(encoding="utf-8") for path in PAGE.glob("*.js"))
    return (reader.found | set(re.findall(r"\b[tw]\(\"([^\"]+)\"", script))) - NAMES - {""}


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.stem)
def test_a_catalogue_has_the_words_of_the_page_and_no_others(path: Path):
    catalogue = json.loads(path.read_text(encoding="utf-8"))
    assert catalogue.keys() - english() == set()
    assert english() - catalogue.keys() == set()
    for text, said in catalogue.items():
        assert said.strip() == said != ""
        assert re.findall(r"\{\d\}", said).sort() == re.findall(r"\{\d\}", text).sort()
        assert "<" not in said


def test_there_are_the_languages_that_are_offered():
    script = (PAGE / "words.js").read_text(encoding="utf-8")
    (listed,) = re.findall(r"LANGUAGES = \{([^}]*)\}", script)
    assert set(re.findall(r"(\w\w):", listed)) == {"en", *(path.stem for path in CATALOGUES)}


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize(
    ("text", "ground"),
    [
        ("ink", "paper"),
        ("soft", "paper"),
        ("soft", "card"),
        ("red", "paper"),
        ("white", "red"),
        ("white", "deep"),
    ],
)
def test_text_stands_out(text: str, ground: str):
    """Source: WCAG 2.2, success criterion 1.4.3: a ratio of 4.5 for plain text."""
    style = (PAGE / "studio.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", style)) | {"white": "#ffffff"}
    light, dark = sorted((_luminance(colours[text]), _luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
