"""Where a design acts: the shares of its texels add up to what it lowers the match confidence by."""

from typing import Any

import numpy as np
import pytest

from advmask.evaluation.figures.saliency import _spread, saliency
from advmask.evaluation.protocol import Judgement
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings


def test_shares_add_up_to_the_whole(any_judgement: tuple[dict[str, Any], Judgement]) -> None:
    record, judgement = any_judgement
    (found,) = saliency(judgement.stage, judgement.setups, "white", probes=3, steps=32)
    assert found.lowers.shape == judgement.stage.designs["design"].shape[-2:]
    whole = found.plain - found.design
    assert float(found.lowers.sum()) == pytest.approx(whole, abs=0.05 * max(abs(whole), 0.02))
    recorded = next(one for one in record["results"] if one["aligner"] == "bare")["conditions"]
    assert found.plain == pytest.approx(recorded["white"]["match_confidence"]["value"], abs=1e-4)
    assert found.design == pytest.approx(recorded["design"]["match_confidence"]["value"], abs=1e-4)


def test_nothing_acts_where_no_cloth_is_seen(any_judgement: tuple[dict[str, Any], Judgement]) -> None:
    _, judgement = any_judgement
    (found,) = saliency(judgement.stage, judgement.setups, "white", probes=1, steps=1)
    height, width = found.lowers.shape
    assert np.count_nonzero(found.lowers.numpy()) > 0.2 * height * width
    assert (height, width) == build_mask(MaskSettings()).texture_size(1.0)
    assert not found.lowers[-1, 0]
    assert not found.lowers[-1, -1]


def test_the_design_against_itself_acts_nowhere(any_judgement: tuple[dict[str, Any], Judgement]) -> None:
    _, judgement = any_judgement
    (found,) = saliency(judgement.stage, judgement.setups, "design", probes=1, steps=1)
    assert not found.lowers.any()


@pytest.mark.parametrize(
    ("probes", "wanted", "starts"), [(3, 32, [0]), (64, 32, [0, 32]), (160, 48, [0, 48, 96]), (20, 1, [0])]
)
def test_probes_are_spread_evenly(probes: int, wanted: int, starts: list[int]) -> None:
    assert _spread(probes, wanted) == starts
