"""The run folder: what a run was asked to do, and how far it is."""

import json
from importlib import metadata
from pathlib import Path
from typing import Any

import yaml

import advmask
from advmask.errors import RunError
from advmask.files import sha256, write_text, written_aside
from advmask.masks.settings import own_pattern_file
from advmask.recognizers.registry import recorded_names
from advmask.training.settings import TrainSettings

# None of these changes what is learned.
_FREE_ON_RESUME = {"faces.cache", "trainer.progress", "trainer.threads", "trainer.preview_every"}
_PATTERNS = "pattern"  # folder in the run folder that holds the user's own pattern
_PACKAGES = ("torch", "kornia", "facenet-pytorch", "pytorch-lightning", "numpy", "pillow", "onnx2torch")


class RunFolder:
    """Names and checks of a run folder; the files themselves are written by those who know them.

    Args:
        path: The folder; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / "config.yaml"
        self.record = path / "run.json"
        self.checkpoint = path / "checkpoints" / "last.ckpt"
        self.metrics = path / "metrics.csv"
        self.texture = path / "texture.safetensors"
        self.texture_picture = path / "texture.png"
        self.previews = path / "previews"

    @property
    def finished(self) -> bool:
        """Whether the run has ended; the record is written last."""
        return self.record.exists() and self.texture.exists()

    def begin(self, settings: TrainSettings) -> None:
        """Start a run here, or make sure that the run begun here was asked for the same.

        Of a finished run nothing is written anew.

        Raises:
            RunError: The folder holds a run with other settings, or cannot be written.
        """
        own = own_pattern_file(settings.mask)
        if self.config.exists():
            differing = _differences(self.read_settings(), settings)
            if own is not None and self._pattern(own).exists() and sha256(self._pattern(own)) != sha256(own):
                differing.append(f"{own.name} has changed since")
            # Before the first checkpoint nothing is lost: a mistyped setting may be mended in place.
            if differing and (self.checkpoint.exists() or self.texture.exists()):
                raise RunError(
                    f"{self.path} holds a run with other settings ({'; '.join(differing)}); choose another "
                    "folder with hydra.run.dir=DIR, or repeat its settings to resume it."
                )
        if self.finished:
            return
        if own is not None and own.absolute() != self._pattern(own).absolute():
            # A run must stay what it was when its user goes on drawing.
            content = own.read_bytes()
            with written_aside(self._pattern(own)) as aside:
                aside.write_bytes(content)
        write_text(self.config, yaml.safe_dump(_recorded(settings), sort_keys=False))

    def read_settings(self) -> TrainSettings:
        """Settings of the run in this folder.

        Raises:
            RunError: There is no run here, or its configuration cannot be read.
        """
        try:
            values = yaml.safe_load(self.config.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise RunError(f"{self.path} is not a run folder: it has no config.yaml.") from error
        except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
            raise RunError(f"{self.config} cannot be read; restore it or start a new run.") from error
        if not isinstance(values, dict):
            raise RunError(f"{self.config} holds no settings; restore it or start a new run.")
        mask = values.get("mask")
        if isinstance(mask, dict) and str(mask.get("pattern", "")).startswith(f"{_PATTERNS}/"):
            mask["pattern"] = str(self.path.absolute() / mask["pattern"])
        return TrainSettings.build(values)

    def _pattern(self, own: Path) -> Path:
        """Where the run keeps its copy of a user's pattern, under the name that the pattern is called by."""
        return self.path / _PATTERNS / own.name

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the record that ends a run: facts, and the versions of the packages used."""
        versions = {"advmask": advmask.__version__} | {name: metadata.version(name) for name in _PACKAGES}
        write_text(self.record, json.dumps({"packages": versions} | facts, indent=2) + "\n")


def _recorded(settings: TrainSettings) -> dict[str, Any]:
    """Settings as they are kept: paths absolute, for a run is used from wherever its user stands."""
    values = settings.model_dump(mode="json")
    faces = values["faces"]
    if settings.faces.root is not None:
        faces["root"] = str(settings.faces.root.absolute())
    if (own := own_pattern_file(settings.mask)) is not None:
        values["mask"]["pattern"] = f"{_PATTERNS}/{own.name}"
    values["recognizers"] = recorded_names(settings.recognizers)
    return values


def _differences(old: TrainSettings, new: TrainSettings) -> list[str]:
    before, after = _flat(_recorded(old)), _flat(_recorded(new))
    return [
        f"{key} was {before.get(key)}, now {after.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and key not in _FREE_ON_RESUME
    ]


def _flat(values: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict):
            flat |= _flat(value, f"{prefix}{key}.")
        else:
            flat[f"{prefix}{key}"] = value
    return flat
