"""Networks, losses, effects, aligners, an optimiser and callbacks of one's own, given to a run as objects."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor, nn

from advmask.core.errors import ConfigError, RunError
from advmask.objectives.own_terms import Embedded, OwnTerms, Step
from advmask.recognizers.recognizer import Recognizer
from advmask.training.own_parts import OwnParts, described
from advmask.training.run import train
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

Build = Callable[..., TrainSettings]


class Shades(nn.Module):
    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        self.layer = nn.Conv2d(3, 6, 8, stride=8, bias=False)
        with torch.no_grad():
            draw = torch.Generator().manual_seed(seed)
            self.layer.weight.copy_(torch.randn(self.layer.weight.shape, generator=draw) / 8)

    def forward(self, pictures: Tensor) -> Tensor:
        return self.layer(pictures).relu().flatten(1) + 0.1


@dataclass
class Blue:
    weight: float = 0.1

    def __call__(self, step: Step) -> Tensor:
        assert step.pictures.shape == step.bare.shape
        assert step.landmarks.shape == (len(step.bare), 5, 2)
        return self.weight * (1 - step.texels[2]).mean()


class Away(nn.Module):
    name = "away"

    def of_embedding(self, seen: Embedded) -> Tensor:
        return 0.5 * seen.similarity.mean()


@dataclass
class Haze:
    most: float

    def draw(self, batch: int, generator: torch.Generator) -> Tensor:
        return self.most * torch.rand((batch, 1, 1, 1), generator=generator)

    def apply(self, pictures: Tensor, record: Tensor) -> Tensor:
        return pictures + record * (0.7 - pictures)


class Shifted:
    name = "shifted"
    differentiable = False

    def landmarks(self, pictures: Tensor, hint: Tensor) -> tuple[Tensor, Tensor]:
        return hint + 1.0, torch.ones(len(pictures), dtype=torch.bool)


class Counting(Callback):
    def __init__(self) -> None:
        self.steps: list[int] = []
        self.optimiser = ""

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps.append(trainer.global_step)
        self.optimiser = type(trainer.optimizers[0]).__name__


def mine(seed: int = 0) -> Recognizer:
    known = {"threshold": 0.5, "scale": 10.0, "fmr": 0.01}
    return Recognizer.from_module(
        Shades(seed), size=(32, 32), template="arcface", name="mine", calibration=known
    )


def nadam(parameters: Any) -> torch.optim.Optimizer:
    return torch.optim.NAdam(parameters, lr=0.05)


def objects(settings: TrainSettings, **changes: Any) -> dict[str, Any]:
    given = {
        "recognizers": [*settings.recognizers, mine()],
        "terms": [Blue(), Away()],
        "effects": [Haze(0.2)],
        "aligners": ["bare", Shifted()],
        "optimiser": nadam,
    }
    return given | changes


def test_a_run_with_everything_of_ones_own(tiny_settings: Build, tmp_path: Path) -> None:
    settings = tiny_settings(steps=4, preview_every=0)
    told: list[tuple[int, int, dict[str, float]]] = []
    counting = Counting()
    result = train(
        settings,
        folder=str(tmp_path),
        callbacks=[counting],
        progress=lambda step, steps, values: told.append((step, steps, dict(values))),
        **objects(settings),
    )
    assert counting.steps == [1, 2, 3, 4]
    assert counting.optimiser == "NAdam"
    rows = list(csv.DictReader((tmp_path / "metrics.csv").read_text().splitlines()))
    assert {"term/Blue", "term/away", "match_confidence/mine", "match_confidence/tiny"} <= set(rows[0])
    assert [step for step, _, _ in told] == [1, 2, 3, 4]
    assert {steps for _, steps, _ in told} == {4}
    for (_, _, values), row in zip(told, rows, strict=True):
        assert values["term/Blue"] == pytest.approx(float(row["term/Blue"]), rel=1e-4)
        assert values["loss"] == pytest.approx(float(row["loss"]), rel=1e-4)
    assert [one.recognizer.label for one in result.prepared] == ["tiny", "mine"]
    kept = RunFolder(tmp_path).read_settings()
    assert kept == result.settings.model_copy(update={"recognizers": kept.recognizers})
    assert kept.recognizers[1] == "module:mine"
    assert kept.surrogates.aligners == ["bare", "object:shifted"]
    said = json.loads((tmp_path / "objects.json").read_text())
    assert said["terms"] == [f"{__name__}: Blue(weight=0.1)", f"{__name__}: Away()"]
    assert said["effects"] == [f"{__name__}: Haze(most=0.2)"]
    assert said["aligners"] == [f"{__name__}: Shifted"]
    assert said["optimiser"] == [f"{__name__}: nadam"]
    assert said["recognizers"] == [f"module:mine, weights {mine().weights_sha256}"]
    assert repr(result).startswith(f"TrainResult({str(tmp_path)!r}, Design(")


def test_it_goes_on_with_the_same_objects_alone(tiny_settings: Build, tmp_path: Path) -> None:
    """Stopped by a callback after the first checkpoint; ends where a run that was never stopped ends."""
    settings = tiny_settings(steps=6, checkpoint_every=2, preview_every=0)

    class Stop(Callback):
        def on_train_batch_start(self, trainer: pl.Trainer, *_: Any) -> None:
            if trainer.global_step == 3:
                raise KeyboardInterrupt

    whole = train(settings, folder=tmp_path / "whole", **objects(settings)).design.texels
    with pytest.raises(KeyboardInterrupt):
        train(settings, folder=tmp_path / "run", callbacks=[Stop()], **objects(settings))
    for changes, kind in (
        ({"terms": [Blue(0.2), Away()]}, r"terms was \[.*weight=0\.1.*, now \[.*weight=0\.2"),
        ({"effects": []}, r"effects was .*, now \[\]"),
        ({"recognizers": [*settings.recognizers, mine(1)]}, "recognizers was .*module:mine"),
        ({"optimiser": None}, "optimiser was .*nadam"),
    ):
        with pytest.raises(RunError, match=kind):
            train(settings, folder=tmp_path / "run", **objects(settings, **changes))
    resumed = train(settings, folder=tmp_path / "run", **objects(settings)).design.texels
    torch.testing.assert_close(resumed, whole, rtol=0, atol=1e-6)


def test_terms_and_effects_do_not_mind_parts(
    tiny_settings: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Taken three photos at a time a step has the gradient that it has with six."""
    from advmask.training.module import DesignModule

    settings = tiny_settings(steps=3, batch=6, preview_every=0)
    camera = settings.effects.model_copy(update={"without": ("camera.sensor",)})
    settings = settings.model_copy(update={"effects": camera})
    given = {"terms": [Blue(), Away(), _squares], "effects": [Haze(0.5)]}
    whole = train(settings, folder=tmp_path / "whole", **given).design.texels
    real = DesignModule.loss

    def small(self: DesignModule, batch: Any) -> Any:
        if len(batch.photo) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(self, batch)

    monkeypatch.setattr(DesignModule, "loss", small)
    halved = train(settings, folder=tmp_path / "halved", **given).design.texels
    torch.testing.assert_close(halved, whole, rtol=0, atol=2e-4)
    without = train(settings, folder=tmp_path / "plain", **given | {"effects": []}).design.texels
    assert float((without - whole).abs().max()) > 0.01


def _squares(step: Step) -> Tensor:
    return (step.pictures - step.bare).square().mean()


def test_others_may_validate(tiny_settings: Build, tmp_path: Path) -> None:
    settings = tiny_settings(steps=2, validate_every=1, preview_every=0)
    train(settings, folder=tmp_path, validation_recognizers=[mine()])
    assert "val_match_confidence/mine" in (tmp_path / "metrics.csv").read_text().splitlines()[0]
    assert RunFolder(tmp_path).read_settings().trainer.validation_recognizers == ["module:mine"]


def test_a_plain_run_says_nothing_of_objects(tiny_settings: Build, tmp_path: Path) -> None:
    train(tiny_settings(steps=1, preview_every=0), folder=tmp_path)
    assert not (tmp_path / "objects.json").exists()


class _Wide(nn.Module):
    def forward(self, step: Step) -> Tensor:
        return step.texels.mean(dim=0)


class _Trained(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, step: Step) -> Tensor:
        return step.texels.mean()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"terms": [nn.Module()]}, "Module is not a term: it can neither be called with a step"),
        ({"terms": [Blue]}, "Blue is not a term"),
        ({"terms": [3]}, "int is not a term"),
        ({"terms": [_Trained()]}, "The term _Trained has parameters that ask for a gradient"),
        ({"terms": [Blue(), Blue()]}, "Two terms are called Blue"),
        ({"effects": [Haze]}, "Haze is not an effect; an object with draw"),
        ({"effects": [Blue()]}, "Blue is not an effect"),
        ({"callbacks": [Blue()]}, "Blue is not a pytorch_lightning"),
        ({"optimiser": 0.1}, "optimiser takes a function, not float"),
        ({"progress": True}, "progress takes a function, not bool"),
    ],
)
def test_what_is_none_is_refused_before_photos_are_read(
    tiny_settings: Build, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        train(tiny_settings(), folder=tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"terms": [_Wide()]}, r"The term _Wide gave shape \(\d+, \d+\); a tensor that is one number"),
        ({"terms": [lambda step: 1.0]}, "The term <lambda> gave float"),
        ({"optimiser": list}, "optimiser gave list"),
        ({"aligners": [Blue()]}, "Blue is not an aligner; it needs `name`"),
        ({"aligners": [Shifted(), Shifted(), "bare", "mtcnn-bx"]}, "mtcnn-bx"),
    ],
)
def test_what_gives_something_else_is_a_sentence(
    tiny_settings: Build, tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigError, match=said):
        train(tiny_settings(preview_every=0), folder=tmp_path, **given)


def test_a_term_may_be_both() -> None:
    class Both:
        def __call__(self, step: Step) -> Tensor:
            return step.texels.mean()

        def of_embedding(self, seen: Embedded) -> Tensor:
            return seen.similarity.mean()

    terms = OwnTerms([Both(), Away()])
    seen = Embedded("r", torch.ones(2, 3), torch.ones(2, 3), torch.ones(2), None)
    step = Step(0, torch.ones(3, 4, 4), torch.ones(1, 3, 8, 8), torch.ones(1, 3, 8, 8), torch.ones(1, 5, 2))
    assert set(terms.of_step(step)) == {"term/Both"}
    assert set(terms.of_embedding(seen)) == {"term/Both/embedding", "term/away"}


def test_objects_are_described_alike_in_every_process() -> None:
    assert described(Shifted()) == f"{__name__}: Shifted"  # not by its address
    assert described(lambda: 0).endswith("<lambda>")
    first, second = (described(Shades(seed)) for seed in (0, 1))
    assert first.startswith(f"{__name__}: Shades( (layer): Conv2d(3, 6")
    assert first != second
    assert OwnParts().described([]) == {}
