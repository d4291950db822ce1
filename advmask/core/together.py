"""Searches that run side by side, so that what they ask at the same time is answered in one batch."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

Asked = TypeVar("Asked")
Answer = TypeVar("Answer")
Result = TypeVar("Result")

Search = Generator[list[Asked], list[Answer], Result]
"""Yields questions, is sent an answer to each, and returns what it came to."""


def together(
    searches: Sequence[Search[Asked, Answer, Result]], answer: Callable[[list[Asked]], list[Answer]]
) -> list[Result]:
    """What each search comes to.

    Args:
        searches: Not begun yet.
        answer: Answers questions of any of them, in order.
    """
    results: dict[int, Result] = {}
    asked: dict[int, list[Asked]] = {}

    def go_on(number: int, answers: list[Answer] | None) -> None:
        try:
            search = searches[number]
            asked[number] = next(search) if answers is None else search.send(answers)
        except StopIteration as end:
            results[number] = end.value

    for number in range(len(searches)):
        go_on(number, None)
    while asked:
        waiting, asked = asked, {}
        answers = iter(answer([one for questions in waiting.values() for one in questions]))
        for number, questions in waiting.items():
            go_on(number, [next(answers) for _ in questions])
    return [results[number] for number in range(len(searches))]
