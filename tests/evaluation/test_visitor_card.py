"""The card for a visitor: its figures are those of the record, and its sentence says what they are worth."""

import io
import json
import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from PIL import Image
from test_report_answer import record_of, result

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.visitor_card import SIDE_PX, card_png, card_svg, visitor_drawing
from advmask.evaluation.visitor_words import visitor_figures, visitor_sentence


def said(drawing: Any) -> list[str]:
    return [text for _, text, *_ in drawing.words]


LESS = Estimate(0.16, 0.05, 0.3)


def record(rate: float = 0.34, drop: Estimate = LESS, **facts: Any) -> dict[str, Any]:
    worse = result("mine", design=Estimate(rate, 0.2, 0.5), drop=drop)
    return record_of(
        worse, result("other", design=Estimate(0.03, 0, 0.1)), columns={"other": "other family"}, **facts
    )


def test_the_numbers_on_the_card_are_those_of_the_record():
    words = said(visitor_drawing(record(design={"name": "flowers", "texels_sha256": "0"}, date="2026-11-30")))
    assert words[0] == "flowers"
    for label, number, span in (
        ("no mask", "100", "83 to 100"),
        ("plain white mask", "50", "40 to 60"),
        ("this design", "34", "20 to 50"),
    ):
        assert words[words.index(label) : words.index(label) + 3] == [label, number, span]
    assert [word for word in words if word in ("0", "25", "75")] == ["0", "25", "75"]
    text = " ".join(words)
    assert visitor_sentence(record()) in text
    assert "Shown: mine, set so that about one stranger in 100 would match by mistake." in text
    assert "20 people, none of whom it was made with (2026-11-30)" in text
    assert "In the hardest set-up" not in text


def test_bars_are_as_long_as_their_rates_in_both_files():
    page = np.asarray(Image.open(io.BytesIO(card_png(record()))).convert("L")).astype(int)
    assert page.shape == (SIDE_PX, SIDE_PX)
    boxes = visitor_drawing(record()).boxes
    design = next(box for box, fill, _ in boxes if fill == "#111111")
    row = page[int(design[1]) + 5, :820]
    full = boxes_of_rates(boxes)
    assert full == pytest.approx([1.0, 0.5, 0.34])
    assert (row < 40).sum() == pytest.approx(500 * 0.34, abs=3)
    widths = [
        float(one)
        for one in re.findall(r'<rect x="300.0" .*?width="([\d.]+)" height="62', card_svg(record()))
    ]
    assert widths == pytest.approx([500, 250, 170])


def boxes_of_rates(boxes: list[Any]) -> list[float]:
    return [(x1 - 300) / 500 for (x0, y0, x1, y1), _, _ in boxes if x0 == 300 and y1 - y0 == 62]


@pytest.mark.parametrize(
    ("drop", "expected"),
    [
        (Estimate(0.3, 0.2, 0.4), " with no mask; this is a measurement and no promise."),
        (Estimate(0.06, 0.02, 0.1), "; a plain mask does nearly the same and this is a measurement"),
        (Estimate(0.2, -0.02, 0.4), "; a plain mask does nearly the same and"),
        (Estimate(0.0, 0.0, 0.0), "; a plain mask does nearly the same and"),
        (Estimate(-0.3, -0.4, -0.2), "; a plain mask hides better and"),
    ],
)
def test_the_sentence_says_what_a_plain_mask_does(drop: Estimate, expected: str):
    sentence = visitor_sentence(record(drop=drop))
    assert expected in sentence
    assert "tested on 20 people and 2 face recognizers (it was made with 1 of them)" in sentence
    assert "34 of 100 pictures with this design, 50 with a plain white mask and 100 with no mask" in sentence
    assert "protect" not in sentence
    assert sentence.count(".") == 1


@pytest.mark.parametrize(
    ("people", "expected"),
    [(1, "on one person and"), (1, "one person says nothing about others"), (6, "6 people say little")],
)
def test_few_people_are_told(people: int, expected: str):
    assert expected in visitor_sentence(record(people=people))
    assert "others and this is" not in visitor_sentence(record(people=10))


def test_few_pictures_are_counted_and_not_called_a_hundred():
    few = record_of(result("mine", design=Estimate(0.5), drop=Estimate(0.25)))
    few["results"][0]["probes"] = 4
    sentence = visitor_sentence(few)
    assert (
        "matched 2 of 4 pictures with this design, 2 with a plain white mask and 4 with no mask" in sentence
    )
    assert "these are too few pictures to tell it from a plain mask" in sentence
    assert "one face recognizer (it was made with it), which still matched" in sentence
    assert "Still matched by face recognition, of 4 pictures" in said(visitor_drawing(few))


def test_without_a_plain_mask_two_bars_and_a_word():
    alone = record_of(result("mine", plain=None))
    assert "no plain mask was tested beside it" in visitor_sentence(alone)
    assert len(boxes_of_rates(visitor_drawing(alone).boxes)) == 2


def test_nothing_compared_is_said_and_drawn():
    nothing = record_of(result("mine"))
    nothing["results"][0]["probes"] = 0
    assert visitor_figures(nothing) is None
    assert visitor_sentence(nothing).startswith("Nothing could be compared in this test")
    assert card_png(nothing)


def test_the_least_fooled_is_shown_and_eyes_alone_are_not():
    rows = [result("eyes", design=Estimate(0.9, 0.8, 1)), result("mine", design=Estimate(0.2, 0.1, 0.4))]
    harder = result("mine", aligner="bare", design=Estimate(0.57, 0.4, 0.7))
    seen = record_of(*rows, harder, columns={"eyes": "eyes only"})
    figures = visitor_figures(seen)
    assert figures is not None
    assert (figures.result["recognizer"], figures.recognizers) == ("mine", 1)
    assert "In the hardest set-up tested, 57 of 100 with this design." in said(visitor_drawing(seen))
    only = visitor_figures(record_of(rows[0], columns={"eyes": "eyes only"}))
    assert only is not None
    assert only.result["recognizer"] == "eyes"


def test_the_card_is_filled():
    for people in (1, 20):
        seen = record(people=people, design={"name": "flowers"}, date="2026-11-30")
        lowest = max(baseline for (_, baseline), *_ in visitor_drawing(seen).words)
        assert SIDE_PX - 110 < lowest < SIDE_PX - 50


def test_everything_lies_on_the_page_however_long_the_words():
    long = result(
        "a recognizer of a very long name " * 3,
        design=Estimate(0.47, 0.2, 0.5),
        drop=Estimate(0.03, -0.1, 0.2),
    )
    harder = result(long.recognizer, aligner="bare", design=Estimate(0.9, 0.8, 1.0))
    record = record_of(long, harder, people=3, date="2026-11-30", design={"name": "N" * 90})
    record["people"]["held_out"] = False
    baselines = [baseline for (_, baseline), *_ in visitor_drawing(record).words]
    assert max(baselines) < SIDE_PX - 20
    page = np.asarray(Image.open(io.BytesIO(card_png(record))).convert("L"))
    assert (page[:, :30] == 255).all()
    assert (page[:, -20:] == 255).all()
    below = [y for (x, y), *_ in visitor_drawing(record).words if x == 64 and y > 500]
    assert all(later > sooner for sooner, later in pairwise(below))


def test_the_same_record_gives_the_same_bytes_and_harmless_svg():
    nasty = record(design={"name": "<script>&", "texels_sha256": "0"})
    again = json.loads(json.dumps(nasty))
    assert card_png(nasty) == card_png(again)
    assert card_svg(nasty) == card_svg(again)
    assert "<script>" not in card_svg(nasty)
