"""The box at the head of the report: what it must say in every case, however favourable the figures."""

import re
from typing import Any

import pytest

from advmask.evaluation.estimates import Estimate
from advmask.evaluation.report.answer import answer, caveat
from advmask.evaluation.report.page import TEMPLATES
from advmask.evaluation.report.plain_part import plain_part
from advmask.evaluation.results import result_record
from advmask.evaluation.summary import ConditionResult, RecognizerResult

Columns = dict[str, str]
RATE, DROP, RANK1 = Estimate(0.2, 0.1, 0.4), Estimate(0.3, 0.2, 0.4), Estimate(0.24, 0.09, 0.46)


def result(
    recognizer: str = "mine",
    *,
    aligner: str = "mtcnn",
    gallery: str = "bare",
    fmr: float = 0.01,
    design: Estimate = RATE,
    drop: Estimate = DROP,
    rank1: Estimate | None = RANK1,
    strangers: float = 0.01,
    undetected: int = 2,
    plain: str | None = "white",
) -> RecognizerResult:
    def condition(tar: Estimate, *, missed: int = 0, own: Estimate | None = None) -> ConditionResult:
        return ConditionResult(0.4, tar, tar, missed, own, rank1, Estimate(strangers), 0.05)

    conditions = {"bare": condition(Estimate(1.0, 0.83, 1.0))}
    if plain:
        conditions[plain] = condition(Estimate(0.5, 0.4, 0.6))
    conditions["design"] = condition(design, missed=undetected, own=drop if plain else None)
    return RecognizerResult(
        recognizer, aligner, gallery, fmr, 0.5, (0.4, 0.6), "here", 88, 4, plain, conditions
    )


def record_of(
    *results: RecognizerResult, columns: Columns | None = None, people: int = 20, **facts: Any
) -> dict[str, Any]:
    about = {one.recognizer: {"column": (columns or {}).get(one.recognizer, "trained on")} for one in results}
    probed = [str(number) for number in range(people)]
    return result_record(
        list(results),
        {"people": {"probed": probed, "held_out": True, "at_hand": 72}, "recognizers": about} | facts,
    )


def words_of(markup: str) -> str:
    return re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", markup)).replace(" :", ":")


def said(*results: RecognizerResult, **facts: Any) -> str:
    box = TEMPLATES.get_template("answer.html.j2").render(answer=answer(record_of(*results, **facts)))
    return words_of(box)


def upper_part(record: dict[str, Any]) -> str:
    template = TEMPLATES.get_template("plain_part.html.j2")
    return words_of(template.render(answer=answer(record), plain=plain_part(record), pictures=False))


@pytest.mark.parametrize(
    ("columns", "expected"),
    [
        (
            {"a": "trained on", "b": "trained on"},
            "the 2 networks this design was trained on. Networks it was not",
        ),
        (
            {"a": "trained on", "b": "other family"},
            "2 networks: 1 this design was trained on and 1 it was not trained on",
        ),
        ({"a": "trained on"}, "against the network this design was trained on. Networks it was not"),
        ({"a": "same family", "b": "other family"}, "2 networks this design was not trained on"),
        ({"a": "trained on", "b": "not known"}, "1 for which this is not known"),
        ({"a": "not known", "b": "not known"}, "it is not known whether the design was trained on them"),
        ({"a": "family not known", "b": "eyes only"}, "2 networks this design was not trained on"),
    ],
)
def test_the_box_begins_with_what_the_figures_are_of(columns: Columns, expected: str):
    words = said(*map(result, columns), columns=columns)
    assert words.strip().startswith(
        "This was measured in a computer simulation, not with a printed mask, against"
    )
    assert expected in words


def test_networks_not_trained_on_stand_apart_and_first():
    words = said(result("a"), result("b"), columns={"a": "trained on", "b": "other family"})
    assert words.index("design was not trained on: b: of 100") < words.index(
        "design was trained on: a: of 100"
    )


def test_people_the_design_was_made_with_are_part_of_the_caveat():
    record = record_of(result())
    record["people"]["held_out"] = False
    assert "expect worse on others" in caveat(record)


def test_one_line_for_each_network_and_the_rest_as_harder_cases():
    words = said(
        result("a", aligner="bare", gallery="pooled", design=Estimate(0.35, 0.17, 0.57)),
        result("a", gallery="pooled", design=Estimate(0.12, 0.03, 0.33)),
        result("a", design=Estimate(0.02, 0.0, 0.19)),
        result("b", gallery="pooled", design=Estimate(0.11, 0.03, 0.33)),
        result("b", design=Estimate(0.02, 0.0, 0.19)),
    )
    assert words.count("of 100 pictures it still matches") == 2
    assert "Harder cases." in words
    assert "also knows people in a plain mask: up to 12 (3 to 33), a" in words
    assert "and gets the location of the face from a picture without a mask: 35 (17 to 57), a" in words


def test_a_set_up_that_is_not_harder_is_not_called_so():
    words = said(result(design=Estimate(0.4, 0.3, 0.5)), result(gallery="pooled"))
    assert "Harder cases" not in words
    assert "Other set-ups, none harder" in words


def test_what_is_added_to_a_set_up_is_what_it_lacked():
    words = said(result(gallery="masked"), result(gallery="pooled"))
    assert "if the system also knows people without a mask: 20" in words


def test_zero_has_a_range():
    words = said(result(design=Estimate(0.0, 0.0, 0.168)))
    assert "0 of 88 pictures (the true rate could be up to 17 in 100: only 20 people)" in words


def test_search_by_name_is_reported_as_what_it_is():
    words = said(result(design=Estimate(0.02, 0.0, 0.19)))
    assert "Search by name is worse for the wearer." in words
    assert "the most similar of 72 people, it is right in 24 of 100 pictures (9 to 46)" in words
    assert "is worse" not in said(result(design=Estimate(0.5, 0.4, 0.6)))
    assert "not measured: there is nobody else" in said(result(rank1=None))


def test_a_gain_that_fades_at_a_stricter_setting_is_said():
    faded = result(fmr=0.001, drop=Estimate(0.03, -0.14, 0.2))
    words = said(result(), faded)
    assert "Set more strictly. Where one stranger in 1,000 would match by mistake, no improvement" in words
    assert "can be shown for mine (design 20, plain white mask 50 of 100)" in words
    assert "can be shown for" not in said(result(), result(fmr=0.001))


def test_detection_is_said_plainly():
    assert "MTCNN still detected 90 of 92 with the design (plain white mask 92)" in said(result())
    hidden = said(result(undetected=60))
    assert "does not hide" not in hidden
    assert "not counted as a success" in hidden


def test_where_the_place_was_given_only_nothing_is_said_of_detection():
    words = said(result(aligner="bare"))
    assert "its location was given" in words
    assert "is told where the face is" in words
    assert "MTCNN" not in words


def test_one_person_has_no_ranges():
    words = said(
        result(design=Estimate(0.0), drop=Estimate(0.5), rank1=None),
        people=1,
    )
    assert "one person alone: no range can be given" in words
    assert "could be up to" not in words
    page = upper_part(record_of(result(design=Estimate(0.0), drop=Estimate(0.5)), people=1))
    assert "One person gives no ranges" in page
    assert "Numbers in brackets" not in page


def test_without_a_plain_mask_nothing_is_compared():
    assert "No plain mask was tested" in said(result(plain=None))


def test_strangers_who_match_in_plain_masks_are_said():
    words = upper_part(record_of(result(gallery="pooled", strangers=0.24)))
    assert "up to 24 in 100 strangers in a plain mask also match, where 1 was asked for" in words
    assert "no proof of identity" not in upper_part(record_of(result()))


@pytest.mark.parametrize("columns", ["trained on", "same family", "other family", "eyes only", "not known"])
def test_no_promise_is_made(columns: str):
    words = upper_part(record_of(result(), columns={"mine": columns}))
    assert not re.search(
        r"\b(protects?|protection|safe|anonymous|invisible|guarantee)\b", words, re.IGNORECASE
    )
