"""Every setting says in a line what it is, as the command line has it, and no line outlives its setting."""

from typing import Literal

import pytest
from pydantic import Field

import advmask.commands.settings
import advmask.recognizers.specification
import advmask.recognizers.zoo  # noqa: F401  (their classes are settings too)
from advmask.core.settings import Settings
from advmask.core.settings_help import documented, help_of


def every_class(base: type[Settings] = Settings) -> list[type[Settings]]:
    found = [base] if base.__module__.startswith("advmask.") and base is not Settings else []
    return found + [one for kind in base.__subclasses__() for one in every_class(kind)]


@pytest.mark.parametrize(
    "kind", sorted(set(every_class()), key=lambda kind: (kind.__module__, kind.__name__))
)
def test_every_setting_has_its_line_and_every_line_its_setting(kind: type[Settings]) -> None:
    assert documented(kind).keys() == kind.model_fields.keys()
    assert all(documented(kind).values())


class Inner(Settings):
    """Of a group.

    Attributes:
        blur_px: Blur; None takes `kind`'s,
            px.
    """

    blur_px: float | None = Field(default=None, ge=0, le=10)


class Outer(Settings):
    """Some.

    Attributes:
        kind: Which.
        told: one, or two.
        share: Of all.
        inner: Group.
    """

    kind: Literal["one", "two", "three"] = "one"
    told: Literal["one", "two"] = "one"
    share: float = Field(default=0.5, gt=0, lt=1)
    inner: Inner | None = None


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("kind", "Which (one, two or three)"),
        ("told", "one, or two"),
        ("share", "Of all (above 0, below 1)"),
        ("inner.blur_px", "Blur; null takes kind's, px (0 to 10)"),
        ("inner", "Group"),
        ("inner.other", ""),
        ("other", ""),
    ],
)
def test_a_line_holds_bounds_and_choices_in_the_words_of_the_command_line(key: str, line: str) -> None:
    assert help_of(Outer, key) == line
