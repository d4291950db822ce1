"""The card as a picture: what it says, and that it can be read."""

import io
import json
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from advmask.core.errors import RunError
from advmask.core.shown_names import drawable
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.printing.card import card as card_of
from advmask.printing.card import read_card
from advmask.printing.card_picture import SIZE_PX, card_png
from advmask.printing.card_words import heading, percent, shown_cases, small_print
from advmask.printing.job_files import card_files
from advmask.textures.design_files import Design

PATTERN = build_mask(MaskSettings()).pattern
EDGE = 30  # px on every side that stay white


def rate(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high}


def entry(name: str = "dlib", *, plain: Any = None, design: Any = None, drop: Any = None, **more: Any) -> Any:
    less = drop or rate(0.55, 0.4, 0.7)
    condition = {"similarity": 0.1, "match_confidence": rate(0.5), "undetected": 0, "drop": None}
    return {
        "recognizer": name, "aligner": "mtcnn", "gallery": "bare", "fmr": 0.01, "threshold": 0.5,
        "probes": 92, "left_out": 3, "strongest_plain": "white",
        "conditions": {
            "bare": condition | {"tar": rate(1.0, 0.83, 1.0)},
            "white": condition | {"tar": plain or rate(0.8, 0.7, 0.9)},
            "design": condition | {"tar": design or rate(0.25, 0.1, 0.4), "drop": less},
        },
    } | more  # fmt: skip


def measured(*entries: Any, people: int = 20, held_out: bool | None = True) -> dict[str, Any]:
    record = {
        "schema": 3,
        "date": "2026-11-21",
        "people": {"probed": [f"p{i}" for i in range(people)], "held_out": held_out, "at_hand": 60},
        "results": list(entries),
    }
    return card_of(record, design="first", pattern="contour", size="M", facts={})


def drawn(card: Mapping[str, Any] | None, *, name: str = "first", shade: float = 0.5) -> bytes:
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    design = Design(torch.full((3, height, width), shade), pattern="contour", texels_per_mm=1.0)
    return card_png(card, design, PATTERN, name=name, size="M", facts={"advmask:design": "first"})


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.format == "PNG"
        return np.asarray(picture.convert("RGB"))


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Everything that is written on pictures."""
    words: list[str] = []
    real = ImageDraw.ImageDraw.text

    def heard(self: ImageDraw.ImageDraw, xy: Any, text: str, *args: Any, **more: Any) -> None:
        words.append(text)
        real(self, xy, text, *args, **more)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", heard)
    return words


def test_same_card_same_bytes_of_a6_with_its_facts() -> None:
    content = drawn(measured(entry()))
    assert content == drawn(json.loads(json.dumps(measured(entry()))))
    with Image.open(io.BytesIO(content)) as picture:
        assert picture.size == SIZE_PX
        assert picture.info["dpi"] == pytest.approx((200, 200), abs=0.1)
        assert picture.text == {"advmask:design": "first"}
    assert SIZE_PX[0] / 200 * 25.4 == pytest.approx(105, abs=0.1)
    assert SIZE_PX[1] / 200 * 25.4 == pytest.approx(148, abs=0.1)


def test_what_a_card_says(said: list[str]) -> None:
    drawn(measured(entry(), entry("other", strongest_plain=None, conditions=entry()["conditions"])))
    assert said[:2] == ["first", "contour mask, size M"]
    for words in ("dlib", "55 points less often than under the plain white mask.", "80 % [70, 90]"):
        assert words in said
    assert "No plain mask was measured for comparison." in said
    assert said.count("this design") == said.count("25 % [10, 40]") == 2
    text = " ".join(said)
    assert "Measured on 20 people, none of whom it was trained on (2026-11-21)." in text
    assert "Not tested: a real print: everything is simulated; recognizers that are not listed" in text
    assert "not a promise" in text
    assert "protect" not in text


def test_a_design_that_was_never_evaluated_says_so(said: list[str]) -> None:
    drawn(None)
    text = " ".join(said)
    assert "Not measured" in said
    assert "This design has not been evaluated." in text
    assert "Nothing is promised." in text
    assert "%" not in text


def bars(picture: np.ndarray) -> list[tuple[int, int, int]]:
    """Top, left and right of the dark lines that are longer than a letter, as an outline or a bar has."""
    dark = (picture < 60).all(axis=2)
    found = []
    for y in range(SIZE_PX[1] // 3, SIZE_PX[1] - 300):
        ends = np.flatnonzero(np.diff(np.r_[0, dark[y].astype(int), 0]))
        found += [
            (y, left, right) for left, right in zip(ends[::2], ends[1::2], strict=True) if right - left > 50
        ]
    return found


def test_bars_are_as_long_as_rates_and_told_apart_without_colour() -> None:
    picture = pixels(drawn(measured(entry(plain=rate(0.75), design=rate(0.5)))))
    lines = bars(picture)
    lengths = {right - left for _, left, right in lines}
    longest, shortest = max(lengths), min(lengths)
    assert longest / shortest == pytest.approx(0.75 / 0.5, rel=0.01)
    plain = [line for line in lines if line[2] - line[1] == longest]
    design = [line for line in lines if line[2] - line[1] == shortest]
    assert plain[0][1] == design[0][1], "both begin at zero"
    assert len(plain) < 8, "hollow: only its outline is dark"
    assert len(design) > 18, "full"
    assert all(y < design[0][0] for y, *_ in plain), "the plain mask's is above"
    whole = 590 - 226
    assert longest == pytest.approx(0.75 * whole, abs=3)


def test_the_interval_is_drawn_where_it_is() -> None:
    without = pixels(drawn(measured(entry(plain=rate(0.75), design=rate(0.0), drop=rate(0.75, 0.5, 0.9)))))
    within = pixels(
        drawn(measured(entry(plain=rate(0.75), design=rate(0.0, 0.0, 0.5), drop=rate(0.75, 0.5, 0.9))))
    )
    changed = np.flatnonzero((without != within).any(axis=(0, 2)))
    bar = changed[changed < 590]
    assert (bar.min(), bar.max()) == (
        pytest.approx(226, abs=6),
        pytest.approx(226 + 0.5 * (590 - 226), abs=6),
    )


@pytest.mark.parametrize(("count", "shown"), [(1, 1), (2, 2), (3, 3), (4, 3), (9, 3), (40, 3)])
def test_those_that_matched_most_are_shown_and_the_others_counted(
    count: int, shown: int, said: list[str]
) -> None:
    order = np.random.default_rng(0).permutation(count)
    drawn(measured(*(entry(f"net{i}", design=rate(i / 50)) for i in order)))
    names = [word for word in said if word.startswith("net")]
    assert names == [f"net{i}" for i in range(count - 1, count - 1 - shown, -1)]
    more = [word for word in said if word.startswith("and ")]
    assert more == ([f"and {count - shown} more, matched no more often: card.json"] if count > shown else [])


@settings(max_examples=12, deadline=None)
@given(st.text(max_size=200), st.text(min_size=1, max_size=200), st.integers(1, 9), st.integers(1, 10**6))
def test_nothing_runs_over_the_edge_whatever_the_names(
    name: str, label: str, count: int, probes: int
) -> None:
    entries = [entry(f"{label}{i}", probes=probes, left_out=probes, gallery="pooled") for i in range(count)]
    picture = pixels(drawn(measured(*entries), name=name))
    picture = picture.copy()
    picture[EDGE:-EDGE, EDGE:-EDGE] = 255
    assert (picture == 255).all()


@given(st.text())
def test_text_is_left_in_signs_the_font_has(text: str) -> None:
    plain = drawable(text)
    assert all(" " <= sign <= "~" for sign in plain)
    assert drawable(plain) == plain


def test_words_the_font_lacks() -> None:
    assert drawable("Blumenwiese für Zoë – Straße") == "Blumenwiese fur Zoe - Strasse"
    assert drawable("花\n") == "??"


def test_of_several_cases_the_worst_at_the_first_rate_is_shown() -> None:
    cases = shown_cases(
        measured(
            entry(design=rate(0.2)),
            entry(design=rate(0.4), plain=rate(0.9), aligner="another"),
            entry(design=rate(0.4), plain=rate(0.7), aligner="bare"),
            entry(design=rate(0.3), gallery="pooled"),
            entry(design=rate(0.9), fmr=0.1),
            entry("unknown", design=rate(None), probes=0),
        )
    )
    assert [case.recognizer for case in cases] == ["dlib", "unknown"]
    assert cases[0].bars[1] == ("this design", rate(0.4))
    assert cases[0].about == "aligned on the bare photo; 92 pictures, 3 left out"
    redetected = shown_cases(measured(entry(aligner="mtcnn")))[0].about
    assert redetected.startswith("re-detected and aligned by mtcnn; ")
    assert cases[1].sentence == "Nothing could be compared: some mask hid every face."


@pytest.mark.parametrize(
    ("drop", "sentence"),
    [
        (rate(0.5, 0.3, 0.7), "50 points less often than under the plain white mask."),
        (rate(-0.1, -0.2, -0.05), "10 points more often than under the plain white mask."),
        (rate(0.1, -0.1, 0.3), "No certain difference from the plain white mask."),
        (rate(0.1, 0.0, 0.3), "No certain difference from the plain white mask."),
        (rate(1.0), "100 points less often than under the plain white mask (one person)."),
        (rate(-1.0), "100 points more often than under the plain white mask (one person)."),
        (rate(0.0), "As often as under the plain white mask (one person)."),
    ],
)
def test_sentences_fit_and_claim_no_more_than_the_interval(drop: Any, sentence: str) -> None:
    (case,) = shown_cases(measured(entry(drop=drop)))
    assert case.sentence == sentence
    assert ImageFont.load_default(22).getlength(sentence) < SIZE_PX[0] - 72


def test_the_false_match_rate_is_said_in_people() -> None:
    assert heading(measured(entry())) == "where 1 stranger in 100 would pass too (FMR 1 %)"
    assert "1 stranger in 1,000 " in heading(measured(entry(fmr=0.001), entry(fmr=0.01)))
    assert "card.json" in heading(measured(entry(fmr=0.001), entry("other", fmr=0.01)))


@pytest.mark.parametrize(
    ("people", "held_out", "says"),
    [
        (1, False, "Measured on 1 person, on whom it was trained (2026-11-21)."),
        (1, True, "Measured on 1 person, on whom it was not trained (2026-11-21)."),
        (2, False, "Measured on 2 people, some or all of whom it was trained on (2026-11-21)."),
        (2, None, "Measured on 2 people (2026-11-21)."),
    ],
)
def test_who_was_measured(people: int, held_out: bool | None, says: str) -> None:
    lines = small_print(measured(entry(), people=people, held_out=held_out))
    assert lines[0] == says
    assert ("95 %" in lines[1]) == (people > 1)


def test_rates_in_short() -> None:
    assert [percent(one) for one in (None, rate(None), rate(0.5), rate(0.5, 0.25, 0.75))] == [
        "not known",
        "not known",
        "50 %",
        "50 % [25, 75]",
    ]


def test_an_export_of_a_run_has_both_cards_or_the_picture_alone(tmp_path: Path, said: list[str]) -> None:
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    design = Design(torch.full((3, height, width), 0.5), pattern="contour", texels_per_mm=1.0)
    job: Any = SimpleNamespace(design=design, pattern=PATTERN, facts={})
    assert set(card_files(tmp_path, job, size="M")) == {"card.png"}
    assert "Not measured" in said
    record = {"schema": 3, "people": {"probed": ["ann"]}, "results": [entry()]}
    (tmp_path / "results.json").write_text(json.dumps(record), encoding="utf-8")
    said.clear()
    assert set(card_files(tmp_path, job, size="M")) == {"card.json", "card.png"}
    assert {tmp_path.name[:8], "dlib"} <= {said[0][:8], *said}
    assert "ann" not in " ".join(said[1:]).split()


def test_white_and_black_designs_stand_out_from_the_ground() -> None:
    for shade in (0.0, 1.0):
        picture = pixels(drawn(None, shade=shade))[130:500, 40:-40]
        values, counts = np.unique(picture.reshape(-1, 3), axis=0, return_counts=True)
        common = values[np.argsort(-counts)[:2]].astype(int)
        assert all(abs(int(a[0]) - int(b[0])) > 20 for a, b in pairwise(common))


@pytest.mark.parametrize("people", ["nobody", 3, [1], {"probed": 3}])
def test_results_of_another_shape_are_refused_in_a_sentence(tmp_path: Path, people: object) -> None:
    record = {"schema": 3, "protocol": {}, "people": people, "results": []}
    (tmp_path / "results.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RunError, match=r"results.json is incomplete .*; evaluate the design again\."):
        read_card(tmp_path, pattern="contour", size="M", facts={})


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("fmr", 0), ("fmr", "x"), ("fmr", -1.0), ("probes", None), ("probes", -3), ("left_out", "x"),
        ("recognizer", None), ("aligner", 3), ("threshold", float("nan")), ("strongest_plain", 7),
    ],
)  # fmt: skip
def test_odd_figures_are_refused_in_a_sentence(tmp_path: Path, key: str, value: object) -> None:
    record = {"schema": 4, "people": {"probed": ["ann"]}, "results": [entry(**{key: value})]}
    (tmp_path / "results.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(RunError, match=r"results.json is incomplete .*; evaluate the design again\."):
        read_card(tmp_path, pattern="contour", size="M", facts={})


@pytest.mark.parametrize("odd", [{}, 3, {"value": "x"}, {"value": 1e308, "low": None, "high": None}])
def test_odd_rates_are_refused_in_a_sentence(tmp_path: Path, odd: object) -> None:
    one = entry()
    one["conditions"]["design"]["tar"] = odd
    (tmp_path / "results.json").write_text(json.dumps({"schema": 4, "results": [one]}), encoding="utf-8")
    with pytest.raises(RunError, match=r"results.json is incomplete .*; evaluate the design again\."):
        read_card(tmp_path, pattern="contour", size="M", facts={})


def test_a_record_nested_too_deep_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text("[" * 100_000)
    with pytest.raises(RunError, match="cannot be read"):
        read_card(tmp_path, pattern="contour", size="M", facts={})
