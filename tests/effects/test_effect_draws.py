"""Draws: functions of seed, step and stream, random in the ranges named or all at one level of them."""

import math
import subprocess
import sys

import pytest
import torch
from scipy import stats

from advmask.effects.counter import mixed, normals, signed
from advmask.effects.draws import LevelDraws, draws, generator


def numbers(seed: int, step: int, stream: str) -> list[float]:
    return torch.rand(5, generator=generator(seed, step, stream)).tolist()


def test_a_draw_is_a_function_of_seed_step_and_stream() -> None:
    keys = [
        (s, t, name) for s in (0, 1, 11, 2**40) for t in (0, 1, 10) for name in ("tone", "camera", "1/tone")
    ]
    seen = [tuple(numbers(*key)) for key in keys]
    assert len(set(seen)) == len(keys)
    assert [tuple(numbers(*key)) for key in reversed(keys)] == seen[::-1]


def test_draws_neither_read_nor_move_the_global_generator() -> None:
    torch.manual_seed(1)
    first = numbers(3, 4, "x")
    torch.manual_seed(2)
    torch.rand(17)
    before = torch.get_rng_state()
    assert numbers(3, 4, "x") == first
    for source in (draws(0, 0, "y"), LevelDraws(0.5)):
        source.uniform((3,), 0.0, 1.0)
        source.symmetric((3,), 1.0)
        source.chance((3,), 0.5)
        source.integers((3,), 4)
        source.normal((3,))
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.slow
def test_another_process_draws_the_same() -> None:
    code = (
        "import torch; from advmask.effects.draws import generator;"
        "print(torch.rand(5, generator=generator(7, 3, 'camera')).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(numbers(7, 3, "camera"))


def test_steps_are_independent_of_each_other() -> None:
    values = torch.tensor([numbers(0, step, "tone")[:2] for step in range(2000)], dtype=torch.float64)
    assert stats.kstest(values[:, 0].numpy(), "uniform").pvalue > 1e-3
    for a, b in [(values[:-1, 0], values[1:, 0]), (values[:, 0], values[:, 1])]:
        assert abs(float(torch.corrcoef(torch.stack([a, b]))[0, 1])) < 4 / math.sqrt(2000)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-3.0, 5.0), (2.0, 2.0)])
def test_uniform_numbers_fill_their_range(low: float, high: float) -> None:
    values = draws(0, 0, "u").uniform((4000,), low, high)
    assert float(values.min()) >= low
    assert float(values.max()) <= high
    if high > low:
        share = (values.double().numpy() - low) / (high - low)
        assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_symmetric_numbers_are_centred() -> None:
    values = draws(0, 1, "u").symmetric((4000,), 0.3).double().numpy()
    assert stats.kstest(values / 0.6 + 0.5, "uniform").pvalue > 1e-3


def test_chances_and_whole_numbers_come_as_often_as_they_should() -> None:
    source = draws(0, 2, "u")
    hits = int(source.chance((4000,), 0.3).sum())
    assert stats.binomtest(hits, 4000, 0.3).pvalue > 1e-3
    assert not source.chance((1000,), 0.0).any()
    assert source.chance((1000,), 1.0).all()
    counts = source.integers((4000,), 4).bincount(minlength=5)
    assert len(counts) == 5
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    assert not source.integers((10,), 0).any()


def test_normal_numbers_are_normal_and_places_are_even() -> None:
    assert stats.kstest(draws(0, 3, "u").normal((4000,)).double().numpy(), "norm").pvalue > 1e-3
    places = draws(0, 4, "u").even((40, 100)).double().flatten().numpy()
    assert stats.kstest(places, "uniform").pvalue > 1e-3
    assert places.min() >= 0
    assert places.max() <= 1


@pytest.mark.parametrize("level", [0.0, 0.25, 1.0])
def test_a_level_puts_every_strength_in_one_place_of_its_range(level: float) -> None:
    source = LevelDraws(level)
    assert source.uniform((2,), 3.0, 5.0).tolist() == [3 + 2 * level] * 2
    assert source.symmetric((2,), 0.5).tolist() == [0.5 * level] * 2
    assert source.integers((2,), 8).tolist() == [8 * level] * 2
    assert source.chance((2,), 0.1).tolist() == [level > 0] * 2
    assert not source.chance((2,), 0.0).any()


def test_places_stay_where_they_are_at_every_level() -> None:
    low, high = (LevelDraws(level).even((50,)) for level in (0.0, 1.0))
    assert torch.equal(low, high)
    assert float(low.std()) > 0.2


def test_what_a_photo_draws_depends_on_its_place_alone() -> None:
    def all_kinds(count: int, first: int) -> list[torch.Tensor]:
        source = draws(4, 2, "place", first=first)
        firsts = [torch.rand(1, generator=one) for one in source.generators(count)]
        return [
            source.even((count, 3)),
            source.normal((count, 5)),
            source.integers((count,), 9),
            source.keys(count),
            normals(source.keys(count), 7),
            torch.cat(firsts),
        ]

    for part, whole in zip(all_kinds(4, 3), all_kinds(9, 0), strict=True):
        assert torch.equal(part, whole[3:7])
        assert len(torch.unique(whole, dim=0)) > 4


def test_large_fields_are_normal_and_independent() -> None:
    fields = normals(draws(0, 5, "n").keys(4), 40_001).double()
    assert fields.shape == (4, 40_001)
    for field in fields:
        assert stats.kstest(field.numpy(), "norm").pvalue > 1e-3
        for gap in (1, 2, 4, 176):
            assert abs(float((field[gap:] * field[:-gap]).mean())) < 4 / math.sqrt(40_000)
    assert float((torch.corrcoef(fields) - torch.eye(4)).abs().max()) < 5 / math.sqrt(40_000)


def test_words_are_mixed_as_splitmix64_does() -> None:
    """The first numbers of the published generator for the seed 1234567."""
    golden, seed = 0x9E3779B97F4A7C15, 1234567
    words = torch.tensor([signed(seed + step * golden) for step in (1, 2, 3)])
    expected = (6457827717110365317, 3203168211198807973, 9817491932198370423)
    assert [word % 2**64 for word in mixed(words).tolist()] == list(expected)


def test_one_draw_tells_nothing_of_another() -> None:
    """Of the same photo, of the next photo, and of the next number: also when the streams differ by one."""
    source = draws(11, 0, "pairs")
    drawn = [source.even((4000, 2)).double() for _ in range(6)]
    drawn += [draws(11, 1, "pairs").even((4000, 2)).double()]
    columns = [each[:, number] for each in drawn for number in (0, 1)]
    columns += [column.roll(1) for column in columns[:4]]
    table = torch.stack(columns)
    for values in (table, (table - 0.5).abs(), (64 * table).floor() % 2):
        apart = torch.corrcoef(values) - torch.eye(len(values), dtype=torch.float64)
        assert float(apart.abs().max()) < 5 / math.sqrt(4000)
