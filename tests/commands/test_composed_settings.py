"""One truth of settings: what Hydra composes is what the settings classes say, and what Python composes."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

import advmask
from advmask.commands.composition import composed
from advmask.commands.quoting import quote_overrides
from advmask.commands.settings import COMMAND_SETTINGS, TrainCommand
from advmask.core.changed_settings import changed
from advmask.core.config_folders import conf_dir
from advmask.core.errors import ConfigError
from advmask.core.presets import WHOLE, preset_groups, preset_names
from advmask.core.settings import Settings
from advmask.effects.settings import EffectsSettings
from advmask.printing.settings import ExportSettings, ShopSettings
from advmask.training.settings import TrainSettings

OF_EXPORT = ("shop",)  # groups that a run does not have
PRESETS = [
    (group, name) for group in preset_groups() if group not in OF_EXPORT for name in preset_names(group)
]
# What only the user can give.
GIVEN: dict[tuple[str, str], dict[str, Any]] = {("printer", "icc"): {"profile": "mine.icc"}}


def by_hydra(command: str, *words: str) -> dict[str, Any]:
    values: Any = OmegaConf.to_container(composed(command, quote_overrides(words))[0])
    return dict(values)


def by_class(kind: type[Settings]) -> dict[str, Any]:
    required = {name: "???" for name, field in kind.model_fields.items() if field.is_required()}
    return kind.model_construct().model_dump(mode="json", warnings=False) | required


def leaves(values: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(values, dict) and values:
        for key, value in values.items():
            yield from leaves(value, f"{prefix}.{key}" if prefix else key)
    else:
        yield prefix, values


@pytest.mark.parametrize("command", COMMAND_SETTINGS)
def test_the_composed_configuration_is_that_of_the_class(command: str) -> None:
    assert by_hydra(command) == by_class(COMMAND_SETTINGS[command])


@pytest.mark.parametrize("command", COMMAND_SETTINGS)
def test_a_command_file_holds_no_setting(command: str) -> None:
    values = yaml.safe_load((conf_dir() / f"{command}.yaml").read_text(encoding="utf-8"))
    assert values.keys() <= {"defaults", "hydra"}
    assert f"{command}_settings" in values["defaults"]


def test_python_trains_what_the_command_line_trains() -> None:
    values = by_hydra("train")
    assert TrainCommand.build(values) == TrainCommand()
    assert TrainSettings.build({key: values[key] for key in TrainSettings.model_fields}) == TrainSettings()
    assert TrainSettings().effects == advmask.preset("effects", "indoor") != EffectsSettings()
    assert TrainSettings().objective.smoothness == 0.02
    assert (TrainSettings().trainer.accelerator, TrainSettings().trainer.devices) == ("cpu", 1)


@pytest.mark.parametrize(("group", "name"), PRESETS)
def test_a_preset_is_the_same_from_python(group: str, name: str) -> None:
    given = GIVEN.get((group, name), {})
    words = [f"{group}={name}", *(f"{group}.{key}={value}" for key, value in given.items())]
    whole = TrainCommand.build(by_hydra("train", *words))
    assert TrainCommand.preset({group: given} if given else None, **{group: name}) == whole
    alone = advmask.preset(group, name, **given)
    if group in WHOLE:
        assert alone == TrainSettings.preset(**{group: name})
    else:
        assert alone == getattr(whole, group)


@pytest.mark.parametrize(("group", "name"), [pair for pair in PRESETS if pair[0] not in WHOLE])
def test_a_preset_holds_only_what_it_changes(group: str, name: str) -> None:
    kind: Any = TrainSettings.model_fields[group].annotation
    own = yaml.safe_load((conf_dir() / group / f"{name}.yaml").read_text(encoding="utf-8")) or {}
    own.pop("hydra", None)
    entries = [entry for entry in own.pop("defaults", []) if isinstance(entry, str) and entry != "_self_"]
    before = advmask.preset(group, entries[0].split("@")[0]) if entries else kind()
    own = own.get(group, own) if group == "trainer" else own
    unchanged = dict(leaves(before.model_dump(mode="json"))).items() & dict(leaves(_hashable(own))).items()
    assert not unchanged


@pytest.mark.parametrize("name", preset_names("shop"))
def test_a_shop_is_the_same_from_python_and_holds_only_what_it_changes(name: str) -> None:
    found = ExportSettings.build(
        {key: value for key, value in by_hydra("export", f"shop={name}").items() if key != "design"}
    ).shop
    own = yaml.safe_load((conf_dir() / "shop" / f"{name}.yaml").read_text(encoding="utf-8")) or {}
    assert changed(ExportSettings(), {"shop": name}).shop == found == ShopSettings.build(own)
    assert not ShopSettings().model_dump(mode="json").items() & own.items()


def _hashable(values: Any) -> Any:
    if isinstance(values, dict):
        return {key: _hashable(value) for key, value in values.items()}
    return tuple(values) if isinstance(values, list) else values


@pytest.mark.parametrize(
    ("words", "named", "values"),
    [
        (
            "experiment=universal effects=cctv faces.root=photos trainer.steps=100 seed=3",
            {"experiment": "universal", "effects": "cctv", "faces": {"root": "photos"}, "seed": 3},
            {"trainer": {"steps": 100}},
        ),
        (
            "experiment=universal effects=print-garment",
            {"experiment": "universal", "effects": "print-garment"},
            {},
        ),
        ("experiment=universal printer=none", {"experiment": "universal", "printer": "none"}, {}),
        ("effects=full printer=office_inkjet", {"effects": "full", "printer": "office_inkjet"}, {}),
        (
            "experiment=artist texture.palette.inks=3 ensemble=facenet",
            {"experiment": "artist", "ensemble": "facenet"},
            {"texture": {"palette": {"inks": 3}}},
        ),
        (
            "experiment=personal recognizers=[dlib] trainer=gpu",
            {"experiment": "personal", "recognizers": ["dlib"], "trainer": "gpu"},
            {},
        ),
        ("texture=pyramid texture.levels=2", {"texture": "pyramid"}, {"texture": {"levels": 2}}),
    ],
)
def test_what_wins_is_what_wins_on_the_command_line(
    words: str, named: dict[str, Any], values: dict[str, Any]
) -> None:
    assert TrainCommand.preset(values, **named) == TrainCommand.build(by_hydra("train", *words.split()))


def test_settings_stand_for_their_whole_group() -> None:
    own = EffectsSettings.build({"wear": {"slip_mm": 5}})
    assert TrainSettings.preset(experiment="universal", effects=own).effects == own


def test_printers_of_the_user_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADVMASK_CONFIG", str(tmp_path))
    folder = tmp_path / "conf" / "printer"
    folder.mkdir(parents=True)
    (folder / "mine.yaml").write_text("name: mine\nabout: 'at \\${home}'\nbleed_mm: 4\n", encoding="utf-8")
    printer = advmask.preset("printer", "mine")
    assert (printer.name, printer.about, printer.bleed_mm) == ("mine", "at ${home}", 4.0)
    assert TrainSettings.preset(printer="mine", experiment="universal").printer == printer


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (
            ("effect", "indoor"),
            "There is no group of presets 'effect'; did you mean effects? Known are effects",
        ),
        (("effects", "indor"), "There is no preset of effects 'indor'; did you mean indoor"),
        (("printer", "icc"), "Setting printer.profile='' does not fit: an empty path"),
    ],
)
def test_a_preset_that_is_not_there(call: tuple[str, str], sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        advmask.preset(*call)
    assert sentence in str(caught.value)


def test_a_mistake_beside_a_preset_is_told() -> None:
    with pytest.raises(ConfigError, match="Unknown setting efects; did you mean effects"):
        TrainSettings.preset(experiment="quick", efects="cctv")
    with pytest.raises(ConfigError, match=r"Unknown setting effects\.wear\.slip; did you mean"):
        advmask.preset("effects", "indoor", wear={"slip": 3})
