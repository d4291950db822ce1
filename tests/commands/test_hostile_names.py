"""People, photos, designs, networks and folders of any name, through `evaluate` to its report and tables."""

import csv
import gzip
import json
import os
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image, ImageEnhance
from tiny_chain import write_network

from advmask import cli
from advmask.core.shown_names import shown
from advmask.photos.loading import portrait_path

NAMES = [
    b"<script>alert(1)<",
    b"\"'><img src=x onerror=alert(1)>",
    b"=cmd|' C'!A0",
    b"@SUM(1+1)*cmd",
    b"two\nlines\r, and; a\ttab",
    b"{{7*7}}{%raw%}${oc.env:HOME}%(x)s",
    b"M\xfcller",
    b"-rf * $(reboot) `id` &amp;",
]
FOLDER = "a 'b' \"c\" $(d) {e} [f], =g #h &i; ü"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="names of any bytes are known on Linux alone")


class _Page(HTMLParser):
    """The words and the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words, self.tags, self.handlers = "", set[str](), list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run folder of an evaluation in which every name is hostile."""
    place = tmp_path_factory.mktemp("hostile") / FOLDER
    photos = os.fsencode(place / "photos")
    face = Image.open(portrait_path()).convert("RGB").crop((130, 20, 330, 220))
    for number, name in enumerate(NAMES):
        folder = Path(os.fsdecode(os.path.join(photos, name)))  # noqa: PTH118
        folder.mkdir(parents=True)
        ImageEnhance.Brightness(face).enhance(0.8 + 0.05 * number).save(folder / os.fsdecode(name + b".jpg"))
    network = write_network(place / "net, =1.onnx")
    Image.new("RGB", (60, 40), (200, 30, 30)).save(place / "<b>design&amp;.png")
    given = [
        f"design={place / '<b>design&amp;.png'}",
        f"recognizers=[{network!r}]",
        f"faces.root={place / 'photos'}",
        f"hydra.run.dir={place / 'run'}",
        "faces.cache=false",
        "faces.size=112",
        "texels_per_mm=1",
        "protocol.people=all",
        "protocol.aligners=[bare]",
        "protocol.draws=1",
        "protocol.progress=false",
    ]
    assert cli.main(["evaluate", *given]) == 0
    return place / "run"


def people() -> list[str]:
    return sorted(shown(os.fsdecode(name)) for name in NAMES)


def test_the_record_holds_every_name(evaluated: Path) -> None:
    record = json.loads((evaluated / "results.json").read_text(encoding="utf-8"))
    assert sorted(record["people"]["probed"]) == people()
    assert record["settings"]["faces"]["root"] == str(evaluated.parent / "photos")


def test_names_stay_text_in_the_report(evaluated: Path) -> None:
    page = _Page((evaluated / "report.html").read_text(encoding="utf-8"))
    assert "script" not in page.tags
    assert not page.handlers
    words = " ".join(page.words.split())
    for name in people():
        assert " ".join(name.split()) in words
    assert "<b>design&amp;" in words


def test_names_stay_one_cell_in_the_tables(evaluated: Path) -> None:
    with gzip.open(evaluated / "scores.csv.gz", "rt", encoding="utf-8", newline="") as text:
        rows = list(csv.DictReader(text))
    assert sorted({row["person"] for row in rows}) == people()
    assert {row["photo"].rpartition("/")[2] for row in rows} == {f"{name}.jpg" for name in people()}
    assert all(None not in row and None not in row.values() for row in rows)
    with gzip.open(evaluated / "comparisons.csv.gz", "rt", encoding="utf-8", newline="") as text:
        assert {row["probe_person"] for row in csv.DictReader(text)} >= set(people())
    with (evaluated / "results.csv").open(encoding="utf-8", newline="") as text:
        assert all(None not in row for row in csv.DictReader(text))
