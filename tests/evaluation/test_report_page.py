"""The report: one self-contained page that says what was found and what was not."""

import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from advmask.evaluation.estimates import MARKS_EXPLAINED, Estimate
from advmask.evaluation.protocol import Judgement
from advmask.evaluation.report.answer import answer
from advmask.evaluation.report.charts import bars_by_person, det_chart, distributions, roc_chart
from advmask.evaluation.report.names import verdict
from advmask.evaluation.report.page import TEMPLATES, report_page
from advmask.evaluation.report.pieces import Table
from advmask.evaluation.report.plain_part import plain_part
from advmask.evaluation.results import result_record
from advmask.evaluation.summary import ConditionResult, RecognizerResult

PIECES = TEMPLATES.get_template("pieces.html.j2").module
HOSTILE = (
    """<script>alert('{}')</script>"' onerror=x() {{{{ 7 * 7 }}}} {{% raw %}}</style></title></svg></pre>"""
)
VOID = {"meta", "wbr", "img", "br", "circle", "rect", "path"}


class Reader(HTMLParser):
    """Checks that elements close in order, and collects what the tests ask for."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(page)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.words.append(data)


def result(drop: Estimate, *, probes: int = 40, aligner: str = "mtcnn") -> RecognizerResult:
    def rates(value: float, own: Estimate | None = None) -> ConditionResult:
        estimate = Estimate(value, max(0.0, value - 0.1), min(1.0, value + 0.1))
        return ConditionResult(0.4, estimate, estimate, 1, own, estimate, Estimate(0.01), 0.05)

    conditions = {"bare": rates(0.9), "white": rates(0.5), "design": rates(0.2, drop)}
    return RecognizerResult(
        "mine", aligner, "bare", 0.01, 0.5, (0.4, 0.6), "here", probes, 2, "white", conditions
    )


@pytest.mark.parametrize(
    ("drop", "probes", "said"),
    [
        (Estimate(0.3, 0.2, 0.4), 40, "lower by 20 to 40 in 100"),
        (Estimate(0.0, 0.0, 0.0), 40, "no difference can be shown"),
        (Estimate(0.1, -0.1, 0.3), 40, "no difference can be shown"),
        (Estimate(-0.3, -0.4, -0.2), 40, "HIGHER by 20 to 40 in 100"),
        (Estimate(0.3, 0.2, 0.4), 4, "too few pictures to tell"),
        (Estimate(0.3), 40, "one person alone"),
        (Estimate(float("nan")), 40, "nothing can be compared"),
    ],
)
def test_the_verdict_follows_the_interval(drop: Estimate, probes: int, said: str):
    (one,) = result_record([result(drop, probes=probes)], {})["results"]
    assert verdict(one).startswith(said)


def test_the_upper_part_reads_without_knowing_anything():
    record = result_record(
        [result(Estimate(0.3, 0.2, 0.4))],
        {"people": {"probed": ["a", "b"], "held_out": True, "at_hand": 9}},
    )
    template = TEMPLATES.get_template("plain_part.html.j2")
    page = template.render(answer=answer(record), plain=plain_part(record), pictures=False)
    words = " ".join(" ".join(Reader(page).words).split())
    assert "of 100 pictures it still matches 20 with the design, 50 with a plain white mask, 90" in words
    assert "Photos of 2 people, in 42 pictures" in words
    assert "without ever seeing them" in words
    assert "about one stranger in 100" in words
    assert "up to 2 of 42" in words
    assert "Nothing was printed and worn here" in words
    assert "groups of people" in words


def hostile_page(judgement: Judgement, *, pictures: bool) -> str:
    """A page on which everything that a user may call something is an attempt to become markup."""
    hostile = HOSTILE.format
    judged = [
        replace(
            one,
            scores=replace(
                one.scores,
                recognizer=hostile("label"),
                people=tuple(hostile(name) for name in one.scores.people),
            ),
        )
        for one in judgement.judged
    ]
    photos = judgement.stage.photos
    crops = [replace(crop, person=hostile(crop.person)) for crop in photos.crops]
    stage = replace(judgement.stage, photos=replace(photos, crops=tuple(crops)))
    results = [one for each in judged for one in each.summaries(seed=0)]
    about = {
        "column": "trained on",
        "name": hostile("name"),
        "family": hostile("family"),
        "licence": hostile("l"),
    }
    facts = {
        "date": hostile("date"),
        "design": {"name": hostile("design"), "texels_sha256": hostile("sum")},
        "recognizers": {hostile("label"): about},
        "settings": {
            "design": hostile("path"),
            "faces": {"root": hostile("root")},
            hostile("key"): hostile("x"),
        },
        "packages": {"advmask": hostile("version")},
        "unsupported": [
            {"recognizer": hostile("label"), "gallery": hostile("g"), "fmr": 0.1, "reason": hostile("reason")}
        ],
        "people": {"probed": [hostile("someone")], "held_out": None, "at_hand": 1},
    }
    return report_page(result_record(results, facts), Judgement(stage, judged), pictures=pictures)


@pytest.mark.parametrize("pictures", [True, False])
def test_names_of_any_kind_stay_text(any_judgement: tuple[dict[str, Any], Judgement], pictures: bool):
    page = hostile_page(any_judgement[1], pictures=pictures)
    reader = check_page(page)
    words = " ".join(reader.words)
    shown = ["label", "date", "design", "family", "version", "reason", "key"]
    for name in [*shown, "astronaut"] if pictures else shown:
        assert HOSTILE.format(name) in words
    assert "<script" not in page.lower()


def test_words_of_the_user_are_escaped():
    assert "&lt;b&gt;" in PIECES.table(Table("a & b", [("x", str)], ["<b>"]))
    chart = PIECES.chart(roc_chart({"<b>": np.array([0.5])}, np.array([0.1]), title="<b>"))
    assert "&lt;b&gt;" in chart
    assert "<b>" not in chart


@pytest.mark.parametrize(
    "genuine", [{"bare": [0.5, 0.5]}, {"bare": []}, {"bare": [0.9], "design": [0.1, 0.2]}]
)
def test_charts_of_any_scores_are_whole(genuine: dict[str, list[float]]):
    values = {name: np.array(each, dtype=np.float64) for name, each in genuine.items()}
    impostor = np.array([0.5, 0.5, 0.1])
    for chart in (
        roc_chart(values, impostor, title="a", marked=[0.01]),
        det_chart(values, impostor, title="b"),
        distributions(values, impostor, threshold=0.5, title="c", axis="d"),
    ):
        drawn = str(PIECES.chart(chart))
        reader = Reader(drawn)
        assert reader.seen[0][1]["role"] == "img"
        assert "nan" not in drawn


def test_charts_tell_lines_apart_without_colour():
    values = {name: np.array([0.5, 0.6]) for name in ("bare", "white", "blue", "black", "noise", "design")}
    chart = PIECES.chart(roc_chart(values, np.array([0.1, 0.55]), title="a"))
    dashes = re.findall(r'stroke="#\w+" stroke-width="[\d.]+" stroke-dasharray="([\d. ]*)"', chart)
    assert len(set(dashes)) >= 5
    assert all(name in chart for name in values)


def test_each_person_has_a_line():
    rates = {"ada (3)": (1.0, 0.0), "ben (2)": (0.5, 0.5)}
    chart = PIECES.chart(bars_by_person(rates, title="t", names=("w", "d")))
    assert "ada (3)" in chart
    assert Reader(chart).open == []


def check_page(page: str) -> Reader:
    """What holds for every report."""
    reader = Reader(page.removeprefix("<!DOCTYPE html>\n"))
    tags = [tag for tag, _ in reader.seen]
    assert dict(reader.seen)["html"] == {"lang": "en"}
    assert not {"script", "link", "iframe", "object", "form"} & set(tags)
    for tag, attributes in reader.seen:
        assert not any(name.startswith("on") for name in attributes)
        assert attributes.get("href") is None
        if tag == "img":
            assert (attributes["src"] or "").startswith("data:image/png;base64,")
            assert attributes["alt"]
    assert "url(" not in page
    assert "@import" not in page
    assert "protected" not in page.lower()
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert not re.search(r"\bnan\b", " ".join(reader.words))
    return reader


def test_a_page_without_pictures_names_nobody(any_judgement: tuple[dict[str, Any], Any]):
    record, judgement = any_judgement
    reader = check_page(report_page(record, judgement, pictures=False))
    assert "img" not in [tag for tag, _ in reader.seen]
    assert "astronaut" not in " ".join(reader.words)


def test_a_page_with_pictures_is_self_contained(any_judgement: tuple[dict[str, Any], Any]):
    record, judgement = any_judgement
    reader = check_page(report_page(record, judgement))
    assert [tag for tag, _ in reader.seen].count("img") >= 4
    assert "astronaut: this design" in " ".join(reader.words)
    assert "".join(reader.words).count(MARKS_EXPLAINED) == 2
