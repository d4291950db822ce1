"""Steady landmarks: noise goes, movement stays, gaps are filled or not."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from advmask.applying.face_finding import FoundFace
from advmask.applying.settings import SteadySettings
from advmask.applying.steadying import steadied
from advmask.photos.crops import canonical_points

RATE = 25.0
STILL = canonical_points(size=176)


def track(movement: np.ndarray, *, noise: float, seed: int = 0) -> dict[int, FoundFace]:
    random = np.random.default_rng(seed)
    faces = {}
    for number, (x, y) in enumerate(movement):
        five = STILL + np.array([x, y]) + random.normal(0, noise, STILL.shape)
        faces[number] = FoundFace((x, y, x + 100, y + 120), five)
    return faces


def errors(found: dict[int, FoundFace], movement: np.ndarray) -> np.ndarray:
    """Root mean square error of each frame's landmarks, px."""
    return np.array(
        [
            np.sqrt(((found[number].five - STILL - movement[number]) ** 2).sum(axis=1).mean())
            for number in sorted(found)
        ]
    )


def test_a_still_face_stands_still() -> None:
    movement = np.zeros((60, 2))
    seen = track(movement, noise=1.0)
    steady = steadied(seen, rate=RATE, settings=SteadySettings())
    assert sorted(steady) == list(range(60))
    five = np.stack([face.five for face in steady.values()])
    raw = np.stack([face.five for face in seen.values()])
    assert np.diff(five, axis=0).std() < 0.1 * np.diff(raw, axis=0).std()
    assert errors(steady, movement).mean() < 0.4 * errors(seen, movement).mean()


def test_an_even_movement_is_not_late() -> None:
    movement = np.linspace([0.0, 0.0], [300.0, 100.0], 60)
    exact = steadied(track(movement, noise=0.0), rate=RATE, settings=SteadySettings())
    assert errors(exact, movement).max() < 1e-6, "not even at both ends"
    noisy = track(movement, noise=1.0)
    steady = steadied(noisy, rate=RATE, settings=SteadySettings())
    assert errors(steady, movement).mean() < 0.5 * errors(noisy, movement).mean()


def test_a_nod_is_followed() -> None:
    moment = np.arange(100) / RATE
    movement = np.stack([20 * np.sin(2 * np.pi * moment), 5 * np.cos(2 * np.pi * moment)], axis=1)
    noisy = track(movement, noise=0.8)
    steady = steadied(noisy, rate=RATE, settings=SteadySettings())
    assert errors(steady, movement).mean() < errors(noisy, movement).mean()
    assert errors(steady, movement).max() < 4


def test_a_cut_is_not_smoothed_over() -> None:
    movement = np.zeros((40, 2))
    movement[20:] = 60.0
    steady = steadied(track(movement, noise=0.0), rate=RATE, settings=SteadySettings())
    assert errors(steady, movement).max() < 1e-6


def test_short_gaps_are_filled_and_long_ones_not() -> None:
    movement = np.linspace([0.0, 0.0], [60.0, 0.0], 60)
    seen = track(movement, noise=0.0)
    for number in (*range(10, 14), *range(30, 45)):
        del seen[number]
    steady = steadied(seen, rate=RATE, settings=SteadySettings(gap_s=0.4))
    assert sorted(steady) == [*range(30), *range(45, 60)]
    assert errors(steady, movement).max() < 1e-6
    assert sorted(steadied(seen, rate=RATE, settings=SteadySettings(gap_s=0))) == sorted(seen)


def test_nothing_asked_nothing_done() -> None:
    seen = track(np.zeros((10, 2)), noise=1.0)
    same = steadied(seen, rate=RATE, settings=SteadySettings(span_s=0))
    for number, face in seen.items():
        assert same[number].five == pytest.approx(face.five)


def test_a_mesh_is_steadied_and_filled_too() -> None:
    random = np.random.default_rng(0)
    mesh = random.normal(80, 30, (468, 3))
    seen = {
        number: FoundFace(
            face.box, face.five, None if number == 5 else mesh + random.normal(0, 1, mesh.shape)
        )
        for number, face in track(np.zeros((30, 2)), noise=1.0).items()
    }
    steady = steadied(seen, rate=RATE, settings=SteadySettings())
    dense = [face.dense for face in steady.values()]
    assert all(points is not None for points in dense)
    assert np.abs(np.stack([points for points in dense if points is not None]) - mesh).mean() < 0.4


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.sets(st.integers(0, 80), min_size=1, max_size=30),
    span=st.sampled_from([0.0, 0.01, 0.4, 5.0]),
    gap=st.sampled_from([0.0, 0.4, 10.0]),
)
def test_any_frames(numbers: set[int], span: float, gap: float) -> None:
    seen = {number: FoundFace((0.0, 0.0, 1.0, 1.0), STILL + number) for number in numbers}
    steady = steadied(seen, rate=RATE, settings=SteadySettings(span_s=span, gap_s=gap))
    assert set(seen) <= set(steady) <= set(range(min(numbers), max(numbers) + 1))
    for number, face in steady.items():
        assert face.five == pytest.approx(STILL + number, abs=1e-5)
