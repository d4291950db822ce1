"""Photos of real plain masks as a control of the drawn ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from two_people import two_people

from advmask.core.errors import PhotoError
from advmask.evaluation.evaluate import evaluate
from advmask.evaluation.findings import Evaluation
from advmask.evaluation.real_masks import worn_results
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_schema import problems
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_masked
from advmask.photos.settings import FacesSettings

QUICK: dict[str, Any] = {"draws": 2, "people": "all", "progress": False, "linkability": False}


class Half:
    """An aligner that finds the landmarks of bright pictures alone."""

    name, differentiable = "half", False

    def landmarks(self, pictures: torch.Tensor, hint: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return hint + 1, pictures.mean(dim=(1, 2, 3)) > 0.3


@pytest.fixture(scope="module")
def faces(portrait: FaceSet) -> FaceSet:
    return two_people(portrait, photos=2, gain=0.9)


@pytest.fixture(scope="module")
def found(faces: FaceSet, tiny_name: str) -> Evaluation:
    noise = torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0))
    controls = ["white", "black", "surgical_blue"]
    return evaluate(
        noise,
        faces,
        [tiny_name],
        controls=controls,
        effects="none",
        protocol=QUICK,
        aligners=["bare", Half()],
    )


def test_as_loops_say(found: Evaluation, faces: FaceSet) -> None:
    bob = faces.crops[2]
    dark = replace(bob, picture=(bob.picture * 0.2).byte())
    worn = replace(faces, crops=(faces.crops[0], bob, dark), omissions=())
    (one,) = worn_results(found.judgement, worn)  # the set-up bare has no landmarks for these
    (_, _), (setup, (judged,)) = found.judgement.by_setup()
    assert (one.aligner, one.photos, one.not_found, one.people) == ("half", 2, 1, 2)
    matches = []
    for crop in worn.crops[:2]:
        with torch.no_grad():
            probe = setup.recognizer(crop.as_float()[None], crop.landmarks[None] + 1)
        template = judged.gallery.templates[0][["ann", "bob"].index(crop.person)]
        matches.append(float(setup.recognizer.similarity(probe, template)) >= judged.threshold.threshold)
    assert one.tar.value == np.mean(matches)
    kept = judged.scores.detected()
    drawn = {name: judged.scores.similarity[name][kept] >= judged.threshold.threshold for name in one.drawn}
    assert set(one.drawn) == {"white", "black", "surgical_blue"}
    for name, values in drawn.items():
        assert one.drawn[name].value == pytest.approx(values.mean())
    people = np.array(judged.scores.people)[kept]
    by_person = [
        np.mean([values[people == name].mean() for values in drawn.values()]) for name in ("ann", "bob")
    ]
    assert one.drawn_lower_by is not None
    assert one.drawn_lower_by.value == pytest.approx(np.mean(matches) - np.mean(by_person))


def test_from_a_folder_to_table_record_and_report(
    faces: FaceSet, tiny_name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for person in ("bob", "cid"):
        (tmp_path / person).mkdir()
        Image.fromarray(faces.crops[0].picture.permute(1, 2, 0).numpy()).save(tmp_path / person / "1.png")
    monkeypatch.setattr("advmask.evaluation.evaluate.load_faces", lambda *_, **__: faces)
    found = evaluate(
        torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0)),
        {"masked": str(tmp_path), "landmarks": "arcface112", "size": 112, "cache": False},
        [tiny_name],
        controls=["white"],
        effects="none",
        protocol=QUICK,
        aligners=[Half()],
    )
    (one,) = found.record["worn"]
    assert (one["recognizer"], one["aligner"], one["gallery"], one["people"]) == ("tiny", "half", "bare", 1)
    assert problems(found.record) == []
    assert "TAR % under real plain masks (faces.masked), 1 person" in found.text()
    assert "Real plain masks" in report_page(found.record, found.judgement, pictures=False)


def test_people_who_are_not_probed(tmp_path: Path) -> None:
    (tmp_path / "cid").mkdir()
    Image.new("RGB", (112, 112)).save(tmp_path / "cid" / "1.png")
    settings = FacesSettings(masked=tmp_path, landmarks="arcface112", cache=False)
    with pytest.raises(
        PhotoError, match="called as somebody who is probed: there are cid, and here ann, bob"
    ):
        load_masked(settings, ["ann", "bob"])
    (tmp_path / "ann").mkdir()
    Image.new("RGB", (112, 112)).save(tmp_path / "ann" / "1.png")
    found = load_masked(settings, ["ann", "bob"])
    assert found.people == ("ann",)
    assert any("being of nobody who is probed: cid" in one for one in found.notices)


def test_nothing_usable_is_said_before_anything_is_scored(tmp_path: Path) -> None:
    (tmp_path / "ann").mkdir()
    Image.new("RGB", (112, 40)).save(tmp_path / "ann" / "1.png")
    settings = FacesSettings(masked=tmp_path, landmarks="arcface112", cache=False)
    with pytest.raises(PhotoError, match=r"No photo in faces.masked=.* is usable; the first: .*1.png"):
        load_masked(settings, ["ann"])


def test_a_mask_drawn_onto_the_very_photo_that_is_enrolled_is_left_out(
    faces: FaceSet, tiny_name: str
) -> None:
    alone = replace(faces, crops=faces.crops[:3])  # one photo of bob
    found = evaluate(
        torch.rand(3, *build_mask(MaskSettings()).texture_size(1.0)),
        alone,
        [tiny_name],
        controls=["white"],
        effects="none",
        protocol=QUICK,
        aligners=[Half()],
    )
    ((_, (judged,)),) = found.judgement.by_setup()
    of_ann = np.array(judged.scores.people) == "ann"
    matched = judged.scores.similarity["white"] >= judged.threshold.threshold
    (one,) = worn_results(found.judgement, replace(alone, omissions=()))
    assert one.people == 2
    assert one.drawn["white"].value == pytest.approx(matched[of_ann & judged.scores.detected()].mean())
    (bob,) = worn_results(found.judgement, replace(alone, crops=alone.crops[2:], omissions=()))
    assert (bob.drawn, bob.drawn_lower_by) == ({}, None)
