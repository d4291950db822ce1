"""What is said of a judgement: less, more, nothing shown, or no verdict."""

import pytest
from made_up_scores import Row, made_up

from advmask.evaluation.real_prints.judgement_table import NOT_SHOWN, in_a_sentence
from advmask.evaluation.real_prints.judging import RecognizerVerdict
from advmask.evaluation.real_prints.rates import rates_of


def said(*, bare: float, plain: float, design: float, people: int = 12, files: int = 1) -> str:
    rows: list[Row] = []
    for number in range(people):
        for file in range(files):
            for worn, level in (("bare", bare), ("plain", plain), ("design", design)):
                hit = (number * files + file) / (people * files) < level
                rows.append((f"p{number:02}", worn, f"{file}.jpg", None, 0.9 if hit else 0.1))
    seen, scored = made_up(rows)
    names = sorted({row[0] for row in rows})
    rates = rates_of(seen, scored, [], names)
    return in_a_sentence(RecognizerVerdict(scored, (), rates, {}))


@pytest.mark.parametrize(
    ("figures", "sentence"),
    [
        ({"bare": 1, "plain": 1, "design": 0}, "tiny: these people were matched less with the design than"),
        ({"bare": 1, "plain": 1, "design": 0}, "by 100 points; with the design 0 of 12 people were matched"),
        ({"bare": 1, "plain": 0, "design": 1}, "the design was matched MORE than a plain mask"),
        ({"bare": 1, "plain": 0.6, "design": 0.5}, "the interval holds 0: it takes more people"),
        ({"bare": 1, "plain": 0.5, "design": 0.6}, "points MORE with the design"),
        (
            {"bare": 0.5, "plain": 1, "design": 0},
            "it matches these people in 50% of their bare pictures only",
        ),
        ({"bare": 1, "plain": 1, "design": 0, "people": 3}, "3 files of the design are too few"),
        ({"bare": 1, "plain": 1, "design": 0, "people": 1, "files": 12}, "this person was matched less"),
        ({"bare": 1, "plain": 1, "design": 0, "people": 1, "files": 12}, "this person was never matched"),
    ],
)
def test_sentences(figures: dict[str, float], sentence: str) -> None:
    found = said(**figures)  # type: ignore[arg-type]
    assert sentence in found
    assert "protect" not in (found + NOT_SHOWN).lower()
