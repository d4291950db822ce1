"""Further terms in training: their values by hand, what they need, and that they do something."""

import csv
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from advmask.core.config_folders import designs_dir
from advmask.core.errors import ConfigError
from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.objectives.settings import ObjectiveSettings
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.render.renderer import MaskRenderer
from advmask.training.building import build_module, build_texture
from advmask.training.match_terms import Judging
from advmask.training.run import train
from advmask.training.settings import TrainSettings
from advmask.wearing.masked_gallery import masked_templates
from advmask.wearing.worn_photos import wear_masks

Build = Callable[..., TrainSettings]
PEOPLE = ("bea", "ada", "bea", "cleo")


@pytest.fixture
def member(tiny_settings: Build) -> Recognizer:
    (only,) = build_recognizers(tiny_settings().recognizers)
    return only


def judging(member: Recognizer, templates: Tensor, **objective: Any) -> Judging:
    return Judging(
        ObjectiveSettings.build(objective),
        [templates],
        recognizers=[member],
        masked_templates=[templates.flip(0)],
        people=PEOPLE,
    )


def test_each_comparison_by_hand(member: Recognizer) -> None:
    templates, embedding = torch.randn(4, 8), torch.randn(3, 8)
    photo = torch.tensor([2, 1, 3])

    def margin(others: Tensor) -> Tensor:
        return 10.0 * (F.cosine_similarity(embedding, others, dim=1) - 0.5)

    bare, masked = margin(templates[photo]), margin(templates.flip(0)[photo])
    plain = judging(member, templates)(0, member, embedding, photo)
    torch.testing.assert_close(plain.term, F.softplus(bare).mean())
    torch.testing.assert_close(plain.margin, bare)
    assert not plain.further

    both = judging(member, templates, masked_gallery=0.5)(0, member, embedding, photo)
    torch.testing.assert_close(both.term, F.softplus(bare).mean() + 0.5 * F.softplus(masked).mean())
    torch.testing.assert_close(both.further["masked_gallery"], torch.sigmoid(masked).mean())
    torch.testing.assert_close(both.margin, bare)

    unit = F.normalize(templates, dim=1)
    ada, bea, cleo = unit[1], unit[[0, 2]].mean(dim=0), unit[3]
    others = [(ada, cleo), (bea, cleo), (ada, bea)]  # photo 2 shows bea, 1 ada, 3 cleo
    rows = []
    for row, people in enumerate(others):
        margins = torch.stack([margin(one.expand(3, 8))[row] for one in people])
        rows.append(F.softplus(0.25 * torch.logsumexp(margins / 0.25, dim=0)))
    led = judging(member, templates, impostor=2.0)(0, member, embedding, photo)
    torch.testing.assert_close(led.further["impostor"], torch.stack(rows).mean())
    torch.testing.assert_close(led.term, F.softplus(bare).mean() + 2 * torch.stack(rows).mean())


@pytest.mark.parametrize(
    ("objective", "surrogates", "people", "says"),
    [
        ({"displacement": 1.0}, {}, None, r"carries a gradient.*surrogates\.aligners=\[bare,mtcnn-box\]"),
        ({"masked_gallery": 1.0}, {}, None, "needs people enrolled under a plain mask"),
        ({"impostor": 1.0}, {}, None, "at least two people to train on, not 0"),
        ({"impostor": 1.0}, {}, ["ada"], "at least two people to train on, not 1"),
    ],
)
def test_what_a_term_needs_is_asked_for(
    tiny_settings: Build,
    objective: dict[str, Any],
    surrogates: dict[str, Any],
    people: Sequence[str] | None,
    says: str,
) -> None:
    settings = tiny_settings(objective=objective)
    settings = settings.model_copy(update={"surrogates": settings.surrogates.model_copy(update=surrogates)})
    texture = build_texture(settings, build_mask(settings.mask))
    recognizers = build_recognizers(settings.recognizers)
    with pytest.raises(ConfigError, match=says):
        build_module(settings, texture, recognizers, [torch.randn(1, 8)], people=people)


@pytest.mark.parametrize(
    "wrong",
    [
        {"tail": 0.0},
        {"tail": 1.5},
        {"temperature": 0.0},
        {"over_recognizers": "max"},
        {"displacement": -1.0},
        {"displacement_reach": 0.0},
    ],
)
def test_settings_outside_their_range_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=f"Setting {next(iter(wrong))}="):
        ObjectiveSettings.build(wrong)


def rows_of(folder: Path) -> list[dict[str, str]]:
    with (folder / "metrics.csv").open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_landmarks_are_driven_away_and_every_term_is_logged(tiny_settings: Build, tmp_path: Path) -> None:
    settings = tiny_settings(
        steps=24,
        preview_every=0,
        checkpoint_every=100,
        objective={
            "displacement": 20.0,
            "features": 0.1,
            "fidelity": 0.001,
            "style": {"picture": str(designs_dir() / "checks.png"), "weight": 0.001},
            "tail": 0.5,
            "over_recognizers": "smooth_max",
            "smoothness": 0.0,
        },
    )
    surrogates = settings.surrogates.model_copy(update={"aligners": ["mtcnn-box"]})
    train(settings.model_copy(update={"surrogates": surrogates}), folder=tmp_path)
    rows = rows_of(tmp_path)
    assert {"displacement", "features", "fidelity", "style"} <= set(rows[0])
    assert all(value != "" for row in rows for value in row.values())
    moved = [float(row["displacement"]) for row in rows]
    assert all(0 <= each < 0.5 for each in moved)
    assert sum(moved[-4:]) > 1.5 * sum(moved[:4])
    assert float(rows[0]["fidelity"]) == pytest.approx(0, abs=1e-4)
    assert float(rows[-1]["fidelity"]) > 1
    assert float(rows[0]["style"]) > 0.05


def test_masked_templates_leave_the_photo_itself_out(tiny_settings: Build) -> None:
    settings = tiny_settings()
    (portrait,) = load_faces(settings.faces).crops
    dark = [
        replace(portrait, picture=(portrait.picture * share).to(torch.uint8), source=Path(f"{share}.png"))
        for share in (0.8, 0.6)
    ]
    crops = [portrait, *dark]
    recognizers = build_recognizers(settings.recognizers)
    worn = wear_masks(
        crops,
        build_mask(settings.mask),
        wear=WearSettings(),
        ways=1,
        texels_per_mm=1.0,
        render=settings.render,
        seed=0,
        stream="enrolment",
    )
    texels = build_texture(settings, build_mask(settings.mask))().detach()
    found = masked_templates(prepare_all(recognizers, crops), crops, crops[1:], worn, texels)
    embeddings = []
    for photo in range(3):
        masked = MaskRenderer()(texels, worn.pictures([photo]), worn.packed([photo], [0]))
        embeddings.append(F.normalize(recognizers[0](masked, worn.landmarks([photo])), dim=1)[0])
    expected = torch.stack([(embeddings[0] + embeddings[2]) / 2, (embeddings[0] + embeddings[1]) / 2])
    assert len(found) == 1
    torch.testing.assert_close(found[0], expected, rtol=1e-4, atol=1e-5)
