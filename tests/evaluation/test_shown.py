"""What a mask shows besides who wears it: faces found, and masks seen."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from advmask.core.errors import ConfigError
from advmask.evaluation.evaluate import evaluate
from advmask.evaluation.protocol import Judgement
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_schema import problems
from advmask.evaluation.shown import shown
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.recognizers.mask_detector import MaskDetector

QUICK: dict[str, Any] = {"draws": 3, "people": "all", "progress": False, "aligners": ["bare"]}


def test_shares_are_those_of_the_pictures_as_scored(any_judgement: tuple[dict[str, Any], Judgement]) -> None:
    _, judgement = any_judgement
    seen: list[torch.Tensor] = []

    def detect(pictures: torch.Tensor, landmarks: torch.Tensor) -> torch.Tensor:
        seen.append(pictures)
        assert landmarks.shape == (len(pictures), 5, 2)
        return (pictures.mean(dim=(1, 2, 3)) > level).double()

    level = float(judgement.stage.picture("white", 0).mean())  # of the draws, no effects: all alike
    level -= 1e-4
    found = shown(judgement, MaskDetector("mine", detect))
    assert [one.condition for one in found] == ["bare", "white", "design"]
    assert [one.probes for one in found] == [3, 3, 3]
    expected = [
        np.mean([float(judgement.stage.picture(one.condition, n).mean()) > level for n in range(3)])
        for one in found
    ]
    assert [one.called_masked and one.called_masked.value for one in found] == expected
    assert expected[1] == 1.0
    scores = {one.scores.aligner: one.scores for one in judgement.judged}
    assert set(found[0].found) == set(scores) - {"bare"}
    for one in found:
        for aligner, share in one.found.items():
            assert share.value == np.isfinite(scores[aligner].similarity[one.condition]).mean()


def test_from_a_function_to_table_record_and_report(
    portrait: FaceSet, tiny_name: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.py").write_text(
        "def detector():\n    return lambda pictures, landmarks: 0.7 + 0 * pictures[:, 0, 0, 0]\n"
    )
    noise = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    name = f"python:{tmp_path / 'mine.py'}:detector"

    def judged(**more: Any) -> Any:
        return evaluate(
            noise, portrait, [tiny_name], controls=["white"], effects="none", protocol=QUICK | more
        )

    found = judged(mask_detector=name)
    assert [one["called_masked"]["value"] for one in found.record["shown"]] == [1.0] * 3
    assert problems(found.record) == []
    assert "called masked %" in found.text()
    page = report_page(found.record, found.judgement, pictures=False)
    assert "What else the masks show" in page
    assert "was asked of python:" in page
    without = judged()
    assert without.record["shown"][0]["called_masked"] is None
    assert "called masked" not in without.text()
    with pytest.raises(ConfigError, match="Unknown mask detector 'mine'"):
        judged(mask_detector="mine")
