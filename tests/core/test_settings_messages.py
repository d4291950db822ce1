"""Bad settings: one sentence each, with the key as the user would write it."""

from typing import Any, Literal

import pydantic
import pytest
from pydantic import Field, field_validator, model_validator

from advmask.core.errors import AdvmaskError, ConfigError
from advmask.core.settings import Settings


class Inner(Settings):
    blur_px: float = Field(default=0.0, ge=0, le=10)
    noise: float = 0.0


class Outer(Settings):
    name: str
    kind: Literal["one", "two"] = "one"
    camera: Inner = Inner()
    maybe: Inner | None = None
    pair: tuple[float, float] = (0.0, 1.0)
    count: int = 3

    @field_validator("count")
    @classmethod
    def _odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number was expected")
        return value


class Ordered(Settings):
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ascending(self) -> "Ordered":
        if self.low > self.high:
            raise ValueError("`low` is above `high`")
        return self


class Holder(Settings):
    range: Ordered = Ordered()


def said(values: dict[str, Any], room: type[Settings] = Outer) -> str:
    with pytest.raises(ConfigError) as caught:
        room.build(values)
    return str(caught.value)


def test_a_contradiction_within_a_group_does_not_repeat_the_group() -> None:
    assert said({"range": {"low": 2, "high": 1}}, Holder) == (
        "Setting range does not fit: `low` is above `high`."
    )


def test_good_values_are_taken_and_cannot_be_changed() -> None:
    given = {"name": "a", "camera": {"blur_px": 2}, "pair": [1, 2]}
    built = Outer.build(given)
    assert isinstance(built, Outer)
    assert (built.camera.blur_px, built.pair, built.count) == (2.0, (1.0, 2.0), 3)
    assert given == {"name": "a", "camera": {"blur_px": 2}, "pair": [1, 2]}
    with pytest.raises(pydantic.ValidationError):
        built.name = "b"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"nam": "a", "name": "a"}, "Unknown setting nam; did you mean name?"),
        ({"name": "a", "camera": {"blur": 1}}, "Unknown setting camera.blur; did you mean blur_px?"),
        ({"name": "a", "camera": {"zzz": 1}}, "Unknown setting camera.zzz; known here: blur_px, noise."),
        ({}, "Setting name is missing."),
        (
            {"name": "a", "camera": {"blur_px": "much"}},
            "Setting camera.blur_px='much' does not fit: input should be a valid number, unable to parse "
            "string as a number.",
        ),
        (
            {"name": "a", "camera": {"blur_px": 11}},
            "Setting camera.blur_px=11 does not fit: input should be less than or equal to 10.",
        ),
        ({"name": "a", "kind": "tow"}, "Setting kind='tow' does not fit: input should be 'one' or 'two'."),
        ({"name": "a", "count": 4}, "Setting count=4 does not fit: an odd number was expected."),
        (
            {"name": "a", "pair": [1, "x"]},
            "Setting pair.1='x' does not fit: input should be a valid number, unable to parse string as a "
            "number.",
        ),
        ({"name": None}, "Setting name=None does not fit: input should be a valid string."),
    ],
)
def test_each_mistake_has_its_sentence(values: dict[str, Any], sentence: str) -> None:
    assert said(values) == sentence


def test_all_mistakes_are_told_at_once() -> None:
    text = said({"camera": {"blurr_px": 1, "noise": "x"}, "knd": "one"})
    for part in (
        "Setting name is missing",
        "Unknown setting camera.blurr_px; did you mean blur_px?",
        "Setting camera.noise='x' does not fit",
        "Unknown setting knd; did you mean kind",
    ):
        assert part in text


def test_a_mapping_in_place_of_a_value_and_the_reverse() -> None:
    assert "Setting name={'a': 1} does not fit" in said({"name": {"a": 1}})
    assert "Setting camera=3 does not fit" in said({"name": "a", "camera": 3})


def test_bad_settings_end_with_their_own_exit_code() -> None:
    assert issubclass(ConfigError, AdvmaskError)
    assert ConfigError.exit_code == 2


def test_keys_of_an_optional_group_have_near_misses_too() -> None:
    assert said({"name": "a", "maybe": {"blur": 1}}) == "Unknown setting maybe.blur; did you mean blur_px?"


def test_a_rule_over_several_settings_is_told_without_an_empty_name() -> None:
    text = said({"low": 2.0}, Ordered)
    assert "`low` is above `high`" in text
    assert "Setting =" not in text


def test_a_long_value_is_not_repeated_to_its_end() -> None:
    sentence = said({"name": "a", "camera": {"noise": "9" * 5000 + "x"}})
    assert "99999..." in sentence
    assert len(sentence) < 400
