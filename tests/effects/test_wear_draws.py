"""How a mask sits, drawn: in the ranges named, replayed, and from low to high."""

import math
from collections.abc import Callable

import pytest
import torch
from scipy import stats

from advmask.core.errors import ConfigError
from advmask.effects.draws import LevelDraws, draws
from advmask.effects.settings import WearSettings
from advmask.effects.wear import draw_wear
from advmask.masks.placement import Wear

FULL = WearSettings(shift_mm=4, slip_mm=15, tilt_deg=6, scale=0.05, stretch=0.08, folds=6, fold_mm=1.5)
VALUES: dict[str, tuple[Callable[[Wear], float], float, float]] = {
    "right": (lambda wear: wear.shift_mm[0], -4, 4),
    "up": (lambda wear: wear.shift_mm[1], -4, 4),
    "tilt": (lambda wear: wear.tilt_deg, -6, 6),
    "scale": (lambda wear: wear.scale, 0.95, 1.05),
    "slip": (lambda wear: wear.slip_mm, 0, 15),
    "stretch": (lambda wear: wear.stretch, -0.08, 0.08),
}


def many(settings: WearSettings, count: int) -> list[Wear]:
    source = draws(0, 0, "wear")
    return [draw_wear(settings, draws=source) for _ in range(count)]


def test_no_wear_is_a_perfect_fit() -> None:
    assert draw_wear(WearSettings(), draws=draws(0, 0, "wear")) == Wear()
    assert draw_wear(FULL, draws=LevelDraws(0)) == Wear()


def test_wear_fills_its_ranges_evenly_and_independently() -> None:
    wears = many(FULL, 2000)
    drawn = {}
    for name, (value, low, high) in VALUES.items():
        values = torch.tensor([value(wear) for wear in wears], dtype=torch.float64)
        drawn[name] = values
        assert stats.kstest(((values - low) / (high - low)).numpy(), "uniform").pvalue > 1e-3, name
    mixed = torch.corrcoef(torch.stack(list(drawn.values()))) - torch.eye(len(drawn))
    assert float(mixed.abs().max()) < 5 / math.sqrt(2000)


def test_folds_start_at_all_corners_and_go_up_and_down() -> None:
    wears = many(FULL, 600)
    counts = torch.tensor([len(wear.folds) for wear in wears]).bincount(minlength=7)
    assert stats.chisquare(counts.numpy()).pvalue > 1e-3
    folds = [fold for wear in wears for fold in wear.folds]
    corners = torch.tensor([2 * fold.left + (fold.start > 0.5) for fold in folds]).bincount(minlength=4)
    assert stats.chisquare(corners.numpy()).pvalue > 1e-3
    heights = torch.tensor([fold.height_mm for fold in folds], dtype=torch.float64)
    assert stats.kstest((heights / 3 + 0.5).numpy(), "uniform").pvalue > 1e-3
    assert all(0 <= fold.start <= 0.2 or 0.8 <= fold.start <= 1 for fold in folds)
    assert all(0.35 <= fold.end[0] <= 0.85 and 0.3 <= fold.end[1] <= 0.8 for fold in folds)


def test_wear_is_replayed() -> None:
    assert many(FULL, 5) == many(FULL, 5)
    assert draw_wear(FULL, draws=draws(0, 1, "wear")) != many(FULL, 1)[0]


def test_levels_lead_from_the_ideal_place_to_the_worst() -> None:
    half, worst = (draw_wear(FULL, draws=LevelDraws(level)) for level in (0.5, 1.0))
    for name, (value, _, high) in VALUES.items():
        assert value(worst) == pytest.approx(high, rel=1e-6), name
        assert value(half) - value(Wear()) == pytest.approx(0.5 * (high - value(Wear())), rel=1e-5), name
    assert (len(half.folds), len(worst.folds)) == (3, 6)
    assert {abs(fold.height_mm) for fold in worst.folds} == {1.5}
    # Folds do not all lie in one place.
    assert len({fold.end for fold in worst.folds}) == 6


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("shift_mm", 31),
        ("slip_mm", -1),
        ("slip_mm", 31),
        ("tilt_deg", float("nan")),
        ("scale", float("inf")),
        ("stretch", 0.3),
    ],
)
def test_ranges_beyond_belief_are_refused(key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"Setting {key}="):
        WearSettings.build({key: value})
