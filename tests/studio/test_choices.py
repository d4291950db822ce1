"""What is chosen on the page and what is typed as a command are the same."""

import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import OmegaConf

from advmask.commands.arguments import parse
from advmask.commands.composition import composed
from advmask.commands.settings import COMMAND_SETTINGS, TrainCommand
from advmask.core.errors import ConfigError
from advmask.masks.mask_building import build_mask
from advmask.studio.choices import Choices, evaluate_words, export_words
from advmask.studio.run_state import shown_command
from advmask.studio.studio import Studio
from advmask.training.building import build_texture

HARD = Path("/home/ada lovelace/st=udio, [1]/a-1")


def typed(words: list[str]) -> Any:
    """The settings of a command that is typed into a shell as the page shows it."""
    program, command, *rest = shlex.split(shown_command(words))
    assert program == "advmask"
    positionals = {"evaluate": ("design",), "export": ("design",)}.get(command, ())
    values = OmegaConf.to_container(composed(command, parse(command, rest, positionals).overrides)[0])
    assert isinstance(values, dict)
    return COMMAND_SETTINGS[command].build({str(key): value for key, value in values.items()})


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"drawing": "motif", "style": "palette", "inks": ["#000000", "#ffffff"], "kept": 0.05, "fit": "tile"},
        {
            "drawing": "motif",
            "style": "motif",
            "change": 0.3,
            "mask": "pleated",
            "size": "child",
            "mirror": True,
        },
        {"style": "free", "printer": "sublimation", "where": "cctv", "steps": 5, "everything": True},
    ],
)
def test_the_command_makes_what_the_page_shows(given: dict[str, Any]):
    choices = Choices.build(given)
    drawing = HARD / "given" / "drawing.png" if choices.drawing else None
    settings = typed(["train", *choices.train_words(HARD, drawing=drawing, photos=HARD / "photos")])
    assert isinstance(settings, TrainCommand)
    assert settings.texture == choices.texture_settings(drawing)
    assert settings.mask == choices.mask_settings()
    assert settings.printer == choices.printer_settings()
    assert settings.trainer.steps == choices.steps
    assert settings.faces.root == HARD / "photos"
    assert settings.recognizers == (["present"] if choices.everything else ["dlib"])
    assert settings.objective.fidelity == (choices.kept if choices.style == "palette" and drawing else 0)
    assert (settings.export, settings.check) == (False, True)
    assert settings.trainer.preview_every == settings.trainer.checkpoint_every <= 10


@pytest.mark.parametrize(("mask", "style"), [("panelled", "motif"), ("contour", "palette")])
def test_what_is_seen_at_once_is_what_the_command_begins_with(tmp_path: Path, mask: str, style: str):
    studio = Studio(tmp_path)
    choices = studio.choices({"drawing": "stripes", "style": style, "mask": mask})
    drawing = studio.pictures.path("drawing", "stripes")
    settings = typed(["train", *choices.train_words(tmp_path, drawing=drawing, photos=None)])
    begun = build_texture(settings, build_mask(settings.mask))
    assert torch.equal(studio.start_of(choices).texels, begun.finish())


def test_the_portrait_that_ships_needs_no_photos():
    words = Choices().train_words(HARD, drawing=None, photos=None)
    assert not any(word.startswith(("faces", "texture.start")) for word in words)
    assert typed(["train", *words]).faces.root is None


def test_measuring_and_printing_name_the_design():
    assert typed(["evaluate", *evaluate_words(HARD)]).design == str(HARD)
    plain = typed(
        ["export", *export_words(HARD, HARD / "x", printer="sublimation", paper="a3", of_picture=None)]
    )
    assert (plain.design, plain.paper, plain.out) == (str(HARD), "a3", HARD / "x")
    assert plain.printer.mirrored
    choices = Choices.build({"mask": "panelled", "size": "L"})
    early = typed(["export", *export_words(HARD, HARD, printer="none", paper="none", of_picture=choices)])
    assert (early.mask.pattern, early.mask.size) == ("panelled", "L")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"mask": "tea-towel"}, "no mask called"),
        ({"printer": "icc"}, "no printer called"),
        ({"where": "moon"}, "no effects called"),
        ({"style": "motif"}, "needs a drawing"),
        ({"inks": ["red; rm -rf /"]}, "inks"),
        ({"steps": 10**9}, "steps"),
        ({"photos": []}, "photos"),
        ({"colour": 1}, "colour"),
    ],
)
def test_a_choice_that_is_none_is_refused(given: dict[str, Any], said: str):
    with pytest.raises(ConfigError, match=said):
        Choices.build(given)
