"""The whole protocol with a tiny network on the default portrait."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from advmask.core.errors import ConfigError, DesignError
from advmask.effects.settings import EffectsSettings
from advmask.evaluation import protocol
from advmask.evaluation.conditions import Conditions
from advmask.evaluation.protocol import evaluate_designs, people_of
from advmask.evaluation.results import RecognizerResult
from advmask.evaluation.settings import ProtocolSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.photos.people_folders import Split
from advmask.printers.settings import PrinterSettings
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.settings import RenderSettings

Judge = Callable[..., list[RecognizerResult]]
EFFECTS: dict[str, Any] = {
    "wear": {"shift_mm": 3.0, "tilt_deg": 3.0, "scale": 0.03},
    "fabric": {"sheen": 0.05, "white": 0.15, "shade": 0.15, "tint": 0.03},
    "light": {"direction": 0.3, "shadow": 0.3, "shadow_share": 0.5},
    "camera": {
        "optics": {"eyes_px": [20, 30], "focus_px": 0.6},
        "tone": {"exposure_ev": 0.2, "contrast": 0.1, "curve": 0.1},
        "sensor": {"noise": 0.03},
    },
}


def texels(value: float | None) -> Tensor:
    height, width = build_mask(MaskSettings()).texture_size(1.0)
    if value is None:
        return torch.rand(3, height, width, generator=torch.Generator().manual_seed(0))
    return torch.full((3, height, width), value)


@pytest.fixture(scope="module")
def judge(portrait: FaceSet, tiny_name: str) -> Judge:
    def run(
        designs: dict[str, Tensor], *, faces: FaceSet = portrait, **protocol: Any
    ) -> list[RecognizerResult]:
        values = {"draws": 6, "people": "all", "progress": False, "aligners": ["bare"]} | protocol
        return evaluate_designs(
            designs,
            faces,
            prepare_all(build_recognizers([tiny_name]), faces.crops),
            conditions=Conditions(
                texels_per_mm=1.0,
                effects=EffectsSettings.build(EFFECTS),
                printer=PrinterSettings(),
                mask=MaskSettings(),
                render=RenderSettings(),
            ),
            protocol=ProtocolSettings.build(values),
        )

    return run


def test_a_plain_mask_as_the_design_drops_by_exactly_nothing(judge: Judge):
    found = judge({"white": texels(1.0), "design": texels(1.0)}, draws=2, aligners=["mtcnn", "bare"])
    assert [result.aligner for result in found] == ["mtcnn", "bare"]
    for result in found:
        white, design = result.conditions["white"], result.conditions["design"]
        assert replace(design, drop=None) == white
        assert result.probes + result.left_out == 2
        assert result.probes > 0
        assert result.strongest_plain == "white"
        assert design.drop is not None
        assert design.drop.value == 0.0


def test_same_seed_same_numbers_other_seed_others(judge: Judge):
    designs = {"white": texels(1.0), "design": texels(None)}
    first = judge(designs)
    torch.rand(5)
    assert judge(designs) == first
    assert judge(designs, seed=2) != first


def test_conditions_do_not_disturb_each_other(judge: Judge):
    """Draws belong to the probe, not to the order of conditions: the design alone has the same numbers."""
    both = judge({"white": texels(1.0), "black": texels(0.0), "design": texels(None)})
    alone = judge({"design": texels(None)})
    assert replace(both[0].conditions["design"], drop=None) == alone[0].conditions["design"]
    assert both[0].conditions["bare"] == alone[0].conditions["bare"]


def test_masks_differ_from_bare_and_from_each_other(judge: Judge):
    (result,) = judge({"white": texels(1.0), "black": texels(0.0)})
    similarity = {name: condition.similarity for name, condition in result.conditions.items()}
    assert len({round(value, 6) for value in similarity.values()}) == 3
    assert max(similarity, key=lambda name: similarity[name]) == "bare"
    assert result.fmr == 0.01
    assert result.threshold == 0.5
    assert "tiny.onnx" in result.threshold_source


def test_probes_are_photos_times_draws(judge: Judge, monkeypatch: pytest.MonkeyPatch):
    (result,) = judge({"design": texels(0.5)}, draws=5)
    assert (result.probes, result.left_out) == (5, 0)
    assert protocol.PROBES_WANTED == 64
    monkeypatch.setattr(protocol, "PROBES_WANTED", 6)
    (result,) = judge({"design": texels(0.5)}, draws=None)
    assert result.probes == 6
    assert np.isfinite(result.conditions["design"].similarity)


def test_a_group_of_nobody_is_one_sentence(judge: Judge, portrait: FaceSet):
    nobody = replace(portrait, split=Split(("astronaut",), (), (), held_out=False))
    assert people_of(nobody, "test") == ()
    assert people_of(nobody, "train") == people_of(nobody, "all") == ("astronaut",)
    for draws in (None, 2):
        with pytest.raises(ConfigError, match=r"protocol.people=test names nobody here"):
            judge({"design": texels(0.5)}, faces=nobody, people="test", draws=draws)


@pytest.mark.parametrize(
    "wrong",
    [
        {"people": "everyone"},
        {"fmr": 0},
        {"fmr": 1.5},
        {"draws": 0},
        {"aligners": []},
        {"galleries": []},
        {"galleries": ["hidden"]},
    ],
)
def test_protocols_that_make_no_sense_are_refused(wrong: dict[str, Any]):
    with pytest.raises(ConfigError, match=f"Setting {next(iter(wrong))}"):
        ProtocolSettings.build(wrong)


def test_each_gallery_gives_its_own_block_and_pooled_is_never_below_either(judge: Judge):
    designs = {"surgical_blue": texels(0.6), "design": texels(None)}
    found = judge(designs, galleries=["bare", "masked", "pooled"])
    assert [result.gallery for result in found] == ["bare", "masked", "pooled"]
    by_name = {result.gallery: result.conditions["design"].similarity for result in found}
    assert by_name["bare"] != by_name["masked"]
    assert by_name["pooled"] >= max(by_name["bare"], by_name["masked"]) - 1e-9
    assert judge(designs)[0].conditions == found[0].conditions


def test_masked_enrolment_brings_masked_probes_closer(judge: Judge):
    """One photo, enrolled under the very mask of the probe: nothing but the effects lies between them."""
    bare, masked = judge({"surgical_blue": texels(0.6)}, galleries=["bare", "masked"])
    assert masked.conditions["surgical_blue"].similarity > bare.conditions["surgical_blue"].similarity


def test_masked_enrolment_needs_its_mask(judge: Judge):
    with pytest.raises(DesignError, match="surgical_blue mask, which is not among the designs"):
        judge({"design": texels(0.5)}, galleries=["pooled"])


def test_an_unknown_aligner_is_named_before_anything_is_done(judge: Judge):
    with pytest.raises(ConfigError, match="did you mean mtcnn"):
        judge({"design": texels(0.5)}, aligners=["mtccn"])
