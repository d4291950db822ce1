"""`advmask.evaluate`: what it takes, and its results as objects, rows, text and files."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from two_people import two_people

import advmask
from advmask.core.errors import ConfigError, DesignError
from advmask.effects.settings import EffectsSettings
from advmask.evaluation.evaluate import CONTROLS, evaluate
from advmask.evaluation.findings import Evaluation
from advmask.evaluation.report.page import report_page
from advmask.evaluation.results import load_results
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.textures.texel_files import save_texels
from advmask.wearing.opened_design import load_design

QUICK = {"draws": 2, "people": "all", "progress": False, "aligners": ["bare"]}


def noise() -> torch.Tensor:
    size = build_mask(MaskSettings()).texture_size(1.0)
    return torch.rand(3, *size, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def evaluation(portrait: FaceSet, tiny_name: str) -> Evaluation:
    return evaluate(noise(), portrait, [tiny_name], effects="none", protocol=QUICK)


def test_controls_and_design_are_its_conditions(evaluation: Evaluation) -> None:
    (result,) = evaluation.main
    assert tuple(result.conditions) == ("bare", *CONTROLS, "design")
    assert result.probes == 2
    assert result.conditions["design"].similarity != result.conditions["noise"].similarity


def test_a_row_is_a_figure_of_a_condition(evaluation: Evaluation) -> None:
    rows = evaluation.rows()
    assert {len(row) for row in rows} == {len(rows[0])}
    found = {(row["condition"], row["figure"]): row for row in rows if row["fmr"] == 0.01}
    assert len(found) == len(rows)
    result = evaluation.main[0]
    row = found["design", "tar"]
    assert row["recognizer"] == "tiny"
    assert row["n"] == 2
    estimate = result.conditions["white"].match_confidence
    row = found["white", "match_confidence"]
    assert (row["value"], row["low"], row["high"]) == (estimate.value, estimate.low, estimate.high)
    assert row["method"] == estimate.method
    assert found["black", "similarity"]["value"] == result.conditions["black"].similarity
    assert found["black", "similarity"]["low"] is None
    assert ("white", "drop") not in found
    assert found["design", "drop"]["value"] == result.conditions["design"].drop.value


def test_text_and_repr_say_what_was_found(evaluation: Evaluation) -> None:
    assert evaluation.table() in evaluation.text()
    assert "1 person; one person gives no intervals" in evaluation.text()
    assert "not a promise" in evaluation.text()
    assert repr(evaluation).startswith("Evaluation of design, TAR at FMR 0.01:\n  tiny, aligner bare")


def test_faces_that_wear_the_same_mask_are_matched_with_each_other(portrait: FaceSet, tiny_name: str) -> None:
    faces = two_people(portrait, photos=2)
    found = evaluate(noise(), faces, [tiny_name], effects="none", protocol=QUICK | {"draws": 1})
    linked = {one["condition"]: one for one in found.record["linkability"]}
    assert list(linked) == ["bare", "surgical_blue", "design"]
    assert {(one["aligner"], one["probes"]) for one in linked.values()} == {("bare", 4)}
    # Photos of one person are one picture here, under one mask.
    assert linked["design"]["same"]["value"] == 1.0
    assert "known under the same mask" in found.text()
    assert "Does the design link its wearers?" in report_page(found.record, found.judgement, pictures=False)
    without = evaluate(noise(), faces, [tiny_name], effects="none", protocol=QUICK | {"linkability": False})
    assert without.record["linkability"] == []
    assert "known under the same mask" not in without.text()


def test_what_is_written_is_what_the_command_writes(evaluation: Evaluation, tmp_path: Path) -> None:
    report = evaluation.write(tmp_path / "judged", pictures=False)
    names = {path.name for path in report.parent.iterdir()}
    assert names == {
        *("results.json", "results.csv", "results.md", "results.tex", "scores.csv.gz", "comparisons.csv.gz"),
        *("report.html", "card.png", "card.svg"),
    }
    record = load_results(tmp_path / "judged" / "results.json")
    assert record["results"] == json.loads(json.dumps(evaluation.record["results"]))
    assert record["settings"]["protocol"]["draws"] == 2


def test_settings_are_those_of_the_run_unless_given(
    portrait: FaceSet, tiny_name: str, tmp_path: Path
) -> None:
    mask = MaskSettings(pattern="panelled")
    values: dict[str, Any] = {
        "mask": mask.model_dump(),
        "texture": {"texels_per_mm": 1.0},
        "recognizers": [tiny_name],
        "effects": {"wear": {"shift_mm": 2.0}},
        "render": {"supersample": 2},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(values), encoding="utf-8")
    save_texels(tmp_path / "texture.safetensors", torch.rand(3, *build_mask(mask).texture_size(1.0)))

    def settings(**given: Any) -> dict[str, Any]:
        few = {"controls": ["white"], "protocol": QUICK | {"draws": 1}}
        return evaluate(tmp_path, portrait, **(few | given)).record["settings"]

    kept = settings()
    assert kept["recognizers"] == [tiny_name]
    assert kept["mask"] == mask.model_dump()
    assert kept["effects"]["wear"]["shift_mm"] == 2.0
    assert kept["render"]["supersample"] == 2
    assert kept["protocol"]["people"] == "all"
    changed = settings(effects={"wear": {"tilt_deg": 1.0}}, recognizers=build_recognizers([tiny_name]))
    assert changed["effects"]["wear"]["shift_mm"] == 2.0
    assert changed["effects"]["wear"]["tilt_deg"] == 1.0
    assert settings(effects=EffectsSettings())["effects"] == EffectsSettings().model_dump(mode="json")
    named = settings(effects="none", render={"supersample": 1})
    assert named["effects"] == advmask.preset("effects", "none").model_dump(mode="json")
    assert named["render"]["supersample"] == 1
    with pytest.raises(ConfigError, match=r"wear.*shift_m"):
        settings(effects={"wear": {"shift_m": 1.0}})
    with pytest.raises(ConfigError, match="cctv"):
        settings(effects="cctvv")


def test_an_effect_and_an_aligner_of_ones_own(portrait: FaceSet, tiny_name: str) -> None:
    class Darker:
        def draw(self, batch: int, generator: torch.Generator) -> dict[str, torch.Tensor]:
            return {"factor": 0.3 + 0.1 * torch.rand(batch, 1, 1, 1, generator=generator)}

        def apply(self, pictures: torch.Tensor, record: dict[str, torch.Tensor]) -> torch.Tensor:
            return pictures * record["factor"]

    def similarity(**given: Any) -> float:
        found = evaluate(noise(), portrait, [tiny_name], effects="none", controls=[], **given)
        return found.main[0].conditions["bare"].similarity

    few = QUICK | {"draws": 1, "aligners": ["mtcnn"]}
    plain = similarity(protocol=few, aligners=["bare"])
    assert plain == similarity(protocol=QUICK | {"draws": 1})
    assert plain != similarity(protocol=few, aligners=["bare"], own_effects=[Darker()])


def test_what_it_cannot_take_is_said(portrait: FaceSet) -> None:
    with pytest.raises(ValueError, match="fits no resolution of the mask contour"):
        evaluate(torch.rand(3, 100, 100), portrait)
    with pytest.raises(DesignError, match="Texels lie between 0 and 1"):
        evaluate(noise() * 2, portrait)
    with pytest.raises(DesignError, match="no run folder or picture file at nowhere"):
        evaluate("nowhere", portrait)
    with pytest.raises(ConfigError, match="brings its own mask"):
        evaluate(load_design("white", texels_per_mm=1.0), portrait, mask="pleated")
