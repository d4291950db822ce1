"""Draws: functions of seed, step and stream, in the ranges that the settings name."""

import math
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from scipy import stats

from advmask.effects import ToneSettings, WearSettings, draw_tone, draw_wear, generator
from advmask.effects.draws import symmetric, uniform
from advmask.errors import ConfigError


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
    state = torch.get_rng_state()
    torch.manual_seed(2)
    torch.rand(17)
    before = torch.get_rng_state()
    assert numbers(3, 4, "x") == first
    draws = generator(0, 0, "y")
    draw_tone(ToneSettings(black=0.1, white=0.2, brightness=0.3, tint=0.1), batch=3, draws=draws)
    draw_wear(WearSettings(shift_mm=3, tilt_deg=4, scale=0.1), draws=draws)
    assert torch.equal(torch.get_rng_state(), before)
    assert not torch.equal(state, before)


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
    values = uniform((4000,), low, high, draws=generator(0, 0, "u"))
    assert float(values.min()) >= low
    assert float(values.max()) <= high
    assert float(values.mean()) == pytest.approx(
        (low + high) / 2, abs=5 * (high - low) / math.sqrt(12 * 4000)
    )
    if high > low:
        share = (values.double().numpy() - low) / (high - low)
        assert stats.kstest(share, "uniform").pvalue > 1e-3


def test_symmetric_numbers_are_centred() -> None:
    values = symmetric((4000,), 0.3, draws=generator(0, 1, "u"))
    assert float(values.abs().max()) <= 0.3
    assert float(values.min()) < -0.29
    assert float(values.max()) > 0.29
    assert abs(float(values.mean())) < 5 * 0.3 / math.sqrt(3 * 4000)


def test_no_wear_is_a_perfect_fit() -> None:
    wear = draw_wear(WearSettings(), draws=generator(0, 0, "wear"))
    assert (wear.shift_mm, wear.tilt_deg, wear.scale) == ((0, 0), 0, 1)


def test_wear_fills_its_ranges_about_a_perfect_fit() -> None:
    settings = WearSettings(shift_mm=4, tilt_deg=6, scale=0.05)
    draws = generator(0, 0, "wear")
    wears = [draw_wear(settings, draws=draws) for _ in range(3000)]
    columns: dict[str, tuple[Callable[[int], float], float, float]] = {
        "right": (lambda i: wears[i].shift_mm[0], 0, 4),
        "up": (lambda i: wears[i].shift_mm[1], 0, 4),
        "tilt": (lambda i: wears[i].tilt_deg, 0, 6),
        "scale": (lambda i: wears[i].scale, 1, 0.05),
    }
    drawn = {}
    for name, (value, centre, reach) in columns.items():
        values = torch.tensor([value(i) for i in range(3000)], dtype=torch.float64)
        assert float((values - centre).abs().max()) <= reach * (1 + 1e-6), name
        assert float((values - centre).abs().max()) > 0.98 * reach, name
        assert abs(float((values - centre).mean())) < 5 * reach / math.sqrt(3 * 3000), name
        drawn[name] = values
    mixed = torch.corrcoef(torch.stack(list(drawn.values()))) - torch.eye(4)
    assert float(mixed.abs().max()) < 5 / math.sqrt(3000)


def test_no_tone_leaves_black_and_white() -> None:
    tone = draw_tone(ToneSettings(), batch=4, draws=generator(0, 0, "tone"))
    assert torch.equal(tone.black, torch.zeros(4, 3))
    assert torch.equal(tone.white, torch.ones(4, 3))


@pytest.mark.parametrize(
    ("settings", "black", "white"),
    [
        ({"black": 0.2}, (0, 0.2), (1, 1)),
        ({"white": 0.3}, (0, 0), (0.7, 1)),
        ({"brightness": 0.4}, (0, 0), (0.6, 1.4)),
        ({"tint": 0.25}, (0, 0), (0.75, 1.25)),
    ],
)
def test_each_part_of_the_tone_fills_its_range(
    settings: dict[str, float], black: tuple[float, float], white: tuple[float, float]
) -> None:
    tone = draw_tone(ToneSettings(**settings), batch=4000, draws=generator(0, 0, "tone"))
    for values, (low, high) in ((tone.black, black), (tone.white, white)):
        assert values.dtype == torch.float32
        width = high - low
        assert float(values.min()) == pytest.approx(low, abs=0.01 * width + 1e-6)
        assert float(values.max()) == pytest.approx(high, abs=0.01 * width + 1e-6)
        # Colour channels may share one draw, so that 4000 numbers count.
        error = 5 * width / math.sqrt(12 * 4000) + 1e-6
        assert float(values.mean()) == pytest.approx((low + high) / 2, abs=error)
    grey = "tint" not in settings
    assert torch.equal(tone.white, tone.white[:, :1].expand(-1, 3)) is grey


def test_light_falls_on_black_and_white_alike() -> None:
    """Print reflects a share of the light, so that light cancels in the ratio of black to white."""
    plain = draw_tone(ToneSettings(black=0.2, white=0.3), batch=500, draws=generator(0, 0, "tone"))
    lit = draw_tone(
        ToneSettings(black=0.2, white=0.3, brightness=0.5, tint=0.3), batch=500, draws=generator(0, 0, "tone")
    )
    torch.testing.assert_close(lit.black / lit.white, plain.black / plain.white)


def test_the_largest_tone_keeps_every_texel_apart() -> None:
    """Colours are compressed, not cut: white stays above black, so that all texels keep a gradient."""
    settings = ToneSettings(black=0.3, white=0.5, brightness=0.8, tint=0.5)
    tone = draw_tone(settings, batch=5000, draws=generator(0, 0, "tone"))
    assert float(tone.black.min()) >= 0
    # Darkest light and strongest tint leave a tenth; print leaves 0.5 - 0.3 of it.
    assert float((tone.white - tone.black).min()) > 0.2 * 0.2 * 0.5 - 1e-6
    texels = torch.linspace(0, 1, 32)[None, :, None].requires_grad_()
    shown = tone.black[:, None] + (tone.white - tone.black)[:, None] * texels
    assert bool((shown.diff(dim=1) > 0).all())
    (gradient,) = torch.autograd.grad(shown.sum(), texels)
    assert bool((gradient > 0).all())


def test_a_tone_is_replayed_and_moves_as_one() -> None:
    settings = ToneSettings(black=0.1, white=0.2, brightness=0.3, tint=0.1)
    first = draw_tone(settings, batch=6, draws=generator(5, 9, "tone"))
    again = draw_tone(settings, batch=6, draws=generator(5, 9, "tone"))
    other = draw_tone(settings, batch=6, draws=generator(5, 10, "tone"))
    assert torch.equal(first.black, again.black)
    assert torch.equal(first.white, again.white)
    assert not torch.equal(first.white, other.white)
    moved = first.to("meta")
    assert (moved.black.device.type, moved.white.device.type) == ("meta", "meta")


@pytest.mark.parametrize(
    ("room", "key", "value"),
    [
        (ToneSettings, "black", 0.31),
        (ToneSettings, "white", -0.1),
        (WearSettings, "shift_mm", 31),
        (WearSettings, "tilt_deg", float("nan")),
        (WearSettings, "scale", float("inf")),
    ],
)
def test_ranges_beyond_belief_are_refused(room: type[ToneSettings], key: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"Setting {key}="):
        room.build({key: value})
