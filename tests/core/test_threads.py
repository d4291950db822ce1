"""Threads that work ahead: order, how far ahead, exceptions."""

import threading

import pytest

from advmask.core.threads import ahead


@pytest.mark.parametrize("threads", [1, 3])
def test_results_come_in_order_and_few_items_are_taken_ahead(threads):
    taken = []

    def items():
        for number in range(30):
            taken.append(number)
            yield number

    results = ahead(lambda number: number**2, items(), threads=threads)
    assert next(results) == 0
    assert len(taken) <= 2 * threads + 1
    assert list(results) == [number**2 for number in range(1, 30)]


def test_they_work_while_the_caller_does():
    begun = threading.Event()
    results = ahead(lambda number: begun.set() if number else None, range(2), threads=1)
    next(results)
    assert begun.wait(10)  # before it is asked for


def test_an_exception_is_raised_in_its_place():
    results = ahead(int, ["1", "x", "3"], threads=2)
    assert next(results) == 1
    with pytest.raises(ValueError, match="'x'"):
        next(results)
