"""Every setting says in a line what it is, as the command line has it, and no line outlives its setting."""

from importlib import import_module
from pathlib import Path
from typing import Literal

import pytest
from pydantic import Field

import advmask
from advmask.core.settings import Settings
from advmask.core.settings_help import documented, help_of

PACKAGE = Path(advmask.__file__).parent
# What users write by hand, and what comes next to it, is in these.
NAMES = ("settings.py", "specification.py", "zoo.py")
FILES = [path for path in PACKAGE.rglob("*.py") if path.name in NAMES]


def every_class() -> list[type[Settings]]:
    modules = [".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts) for path in sorted(FILES)]
    return [
        kind
        for module in map(import_module, modules)
        for kind in vars(module).values()
        if isinstance(kind, type) and issubclass(kind, Settings) and kind.__module__ == module.__name__
    ]


@pytest.mark.parametrize("kind", [kind for kind in every_class() if kind is not Settings])
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
