"""In which column a recognizer stands: how far it is from those a design was trained on."""

from collections.abc import Sequence
from typing import Literal

from advmask.recognizers.recognizer import Recognizer

Column = Literal["trained on", "same family", "other family", "family not known", "eyes only", "not known"]

COLUMN_WORDS: dict[Column, str] = {
    "trained on": "the design was trained on this network",
    "same family": "the design was trained on another network of this architecture",
    "other family": "the design was trained on other architectures only",
    "family not known": "not trained on it, but its architecture, or one that was trained on, is not known",
    "eyes only": "sees only the eye region, which no mask covers: the bound of what a print can do",
    "not known": "it is not known which networks the design was trained on",
}
_UNSAID = "user"


def columns_of(judges: Sequence[Recognizer], trained: Sequence[Recognizer] | None) -> dict[str, Column]:
    """The column of each recognizer, by label.

    Args:
        judges: Recognizers that a design is judged by.
        trained: Those it was trained on; None where this is not known.
    """
    return {one.label: _column(one, trained) for one in judges}


def _column(judge: Recognizer, trained: Sequence[Recognizer] | None) -> Column:
    if judge.eyes_only:
        return "eyes only"
    if trained is None:
        return "not known"
    if any(_same(judge, one) for one in trained):
        return "trained on"
    families = {one.family for one in trained}
    if judge.family != _UNSAID and judge.family in families:
        return "same family"
    return "family not known" if _UNSAID in {judge.family, *families} else "other family"


def _same(first: Recognizer, second: Recognizer) -> bool:
    if first.weights_sha256 and second.weights_sha256:
        return first.weights_sha256 == second.weights_sha256 and not second.eyes_only
    return first.name == second.name
