"""Searches side by side: each gets its own answers, and what is asked at once is answered at once."""

from advmask.core.together import Search, together


def halving(number: int) -> Search[int, int, list[int]]:
    seen = [number]
    while number > 1:
        (number,) = yield [number]
        seen.append(number)
    return seen


def asking_many() -> Search[int, int, int]:
    none = yield []
    return sum((yield [10, 20])) + len(none)


def test_each_search_gets_its_own_answers_in_batches():
    batches = []

    def answer(numbers: list[int]) -> list[int]:
        batches.append(numbers)
        return [number // 2 for number in numbers]

    found = together([halving(8), halving(1), asking_many(), halving(5)], answer)
    assert found == [[8, 4, 2, 1], [1], 15, [5, 2, 1]]
    assert batches == [[8, 5], [4, 10, 20, 2], [2]]
    assert together([], answer) == []
