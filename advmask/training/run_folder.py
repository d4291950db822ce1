"""The run folder: what a run was asked to do, and how far it is."""

import json
import logging
import shutil
from collections.abc import Mapping, Set
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from typing import Any

import yaml

from advmask.core.data_files import read_json
from advmask.core.errors import ConfigError, RunError
from advmask.core.files import sha256, write_text, write_with, written_aside
from advmask.core.locks import alone_in
from advmask.core.made_on import software
from advmask.core.run_config import CONFIG, KEPT_FILES, TEXTURE, flat, part_of, settings_of_run
from advmask.evaluation.results import BESIDE
from advmask.masks.mask_building import own_pattern_file
from advmask.recognizers.recognizer_names import recorded_names
from advmask.textures.ink_fields import INK_FIELDS
from advmask.textures.starts import existing_file, names_picture
from advmask.training.processes import is_first_process
from advmask.training.settings import TrainSettings

_log = logging.getLogger(__name__)

REPRODUCTION = "reproduction.json"

# What `advmask train` records in addition to the settings of training.
_OF_THE_COMMAND = {"printing", "export", "check"}
# What may be mended in a run that stopped because a step was not finite.
_FREE_AFTER_STOP = {"optimiser.learning_rate"}
# What a run and the commands after it leave of a design; of the earlier one when the run is made longer.
_OF_A_DESIGN = (
    *("texture.png", "check.json", "exports", "preview.png", "effects.png", "inks.png", "figures"),
    *("results.json", *BESIDE, REPRODUCTION),
    INK_FIELDS,
    TEXTURE,
)
_LARGEST_KEPT = (
    50_000_000  # bytes of a picture started from or styled after; of a larger one only the checksum is kept
)


class RunFolder:
    """Names and checks of a run folder; the files themselves are written by those who know them.

    Args:
        path: The folder; need not exist.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config = path / CONFIG
        self.record = path / "run.json"
        self.checkpoint = path / "checkpoints" / "last.ckpt"
        self.metrics = path / "metrics.csv"
        self.texture = path / TEXTURE
        self.previews = path / "previews"
        self.plot = path / "progress.png"
        self.stops = path / "stopped.json"
        self.objects = path / "objects.json"
        self.photos = path / "photos.csv"
        self.sittings = self.checkpoint.parent / "sittings.json"

    @property
    def finished(self) -> bool:
        """Whether the run has ended; the record is written last."""
        return self.record.exists() and self.texture.exists()

    def alone(self) -> AbstractContextManager[None]:
        """Keep other runs out of the folder while this one is at work; of its processes the first one does.

        Raises:
            RunError: Another run is at work in it.
        """
        if not is_first_process():
            return nullcontext()
        held = self.checkpoint.parent
        with suppress(OSError):  # told by whoever writes
            held.mkdir(parents=True, exist_ok=True)
        taken = (
            f"Another advmask is training in {self.path}; wait until it ends, stop it, or choose another "
            "folder with hydra.run.dir=DIR."
        )
        return alone_in(held, wait_s=0.0, taken=taken)

    def begin(self, settings: TrainSettings, *, objects: Mapping[str, list[str]] | None = None) -> None:
        """Start a run here, or make sure that the run begun here was asked for the same.

        Of a finished run nothing is rewritten. With a larger `trainer.steps` a run is made longer: what it
        left so far is moved into `steps-N`, which is itself a run folder, and it goes on from its last
        checkpoint, with the schedules of the longer run from there on.

        Args:
            settings: Of the run.
            objects: What was given as objects, in words; see `OwnParts.described`.

        Raises:
            RunError: The folder holds a run with other settings, or cannot be written.
        """
        own = _own_files(settings)
        if self.config.exists():
            free = settings.free_on_resume | (_FREE_AFTER_STOP if self.stops.exists() else set())
            before = settings_of_run(self.path, type(settings), beside=_OF_THE_COMMAND)
            longer = settings.trainer.steps > before.trainer.steps and self.checkpoint.exists()
            differing = _differences(before, settings, free=free | ({"trainer.steps"} if longer else set()))
            for key, path in own.items():
                copy = self._copy(key, path)
                if copy.exists() and sha256(copy) != sha256(path):
                    differing.append(f"{path.name} has changed since")
            before_objects, now = self._read_objects(), dict(objects or {})
            differing += [
                f"{kind} was {before_objects.get(kind, [])}, now {now.get(kind, [])}"
                for kind in sorted(before_objects.keys() | now.keys())
                if before_objects.get(kind) != now.get(kind)
            ]
            # Before the first checkpoint nothing is lost: a mistyped setting may be mended in place.
            if differing and (self.checkpoint.exists() or self.texture.exists()):
                raise RunError(
                    f"{self.path} holds a run with other settings ({'; '.join(differing)}); choose another "
                    "folder with hydra.run.dir=DIR, or repeat its settings to resume it."
                )
            if longer and is_first_process():
                self._set_aside(before.trainer.steps)
        if self.finished or not is_first_process():
            return
        for key, path in own.items():
            copy = self._copy(key, path)
            if path.absolute() != copy.absolute():
                # A run must stay what it was when its user goes on drawing or calibrates the printer again.
                content = path.read_bytes()
                with written_aside(copy) as aside:
                    aside.write_bytes(content)
        write_text(self.config, yaml.safe_dump(_recorded(settings), sort_keys=False))
        if objects:
            write_text(self.objects, json.dumps(dict(objects), indent=2) + "\n")
        else:
            self.objects.unlink(missing_ok=True)

    def read_settings(self) -> TrainSettings:
        """Settings of the run in this folder.

        Raises:
            RunError: There is no run here, or its configuration cannot be read.
        """
        return settings_of_run(self.path, TrainSettings, beside=_OF_THE_COMMAND)

    def note_stop(self, stop: dict[str, Any]) -> None:
        """Add to the record of steps that were not finite."""
        write_text(self.stops, json.dumps([*self.read_stops(), stop], indent=2) + "\n")

    def read_stops(self) -> list[dict[str, Any]]:
        """Steps at which the run stopped because they were not finite, in order.

        Raises:
            RunError: Their record cannot be read.
        """
        if not self.stops.exists():
            return []
        try:
            stops = read_json(self.stops)
        except (OSError, ValueError) as error:
            raise RunError(f"{self.stops} is damaged; delete it to go on without it.") from error
        return stops if isinstance(stops, list) else []

    def _set_aside(self, steps: int) -> None:
        """Move what the run left after so many steps into a run folder of its own.

        The record first and the texture last: a process that is killed meanwhile is not finished here.
        """
        if not self.texture.exists():
            return
        earlier = self.path / f"steps-{steps}"
        earlier.mkdir(exist_ok=True)
        for path in (self.config, self.metrics, self.plot, self.photos):
            if path.exists():
                _copied(path, earlier / path.name)
        for name in {*KEPT_FILES.values()}:
            if (self.path / name).is_dir():
                shutil.copytree(self.path / name, earlier / name, dirs_exist_ok=True, copy_function=_copied)
        for name in (self.record.name, *_OF_A_DESIGN):
            if (self.path / name).exists():
                (self.path / name).rename(earlier / name)
        _log.info("The design after %d steps is kept in %s.", steps, earlier)

    def _read_objects(self) -> dict[str, Any]:
        try:
            found = read_json(self.objects)
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            raise RunError(f"{self.objects} is damaged; restore it, or start a new run.") from error
        return found if isinstance(found, dict) else {}

    def _copy(self, key: tuple[str, str], own: Path) -> Path:
        """Where the run keeps its copy of a user's file, under the name that the file is called by."""
        return self.path / KEPT_FILES[key] / own.name

    def note_photos(self, table: str) -> None:
        """Keep the table of the photos used; of others that the run began with it is kept under a number.

        Args:
            table: As `photos_csv` gives it.
        """
        others = self.checkpoint.exists() and self.photos.exists() and self.photos.read_text("utf-8") != table
        if others:
            _log.warning(
                "The photos, or their order, are not those that %s began with (%s); it goes on with those "
                "that are here, and cannot be made again.",
                self.path,
                self.photos.name,
            )
        if is_first_process():
            if others:
                self.photos.rename(self.path / f"photos.{len(self._earlier_photos()) + 1}.csv")
            write_text(self.photos, table)

    def _earlier_photos(self) -> list[str]:
        """Names of the tables of photos that the run went on without, in order."""
        return sorted(
            (path.name for path in self.path.glob("photos.*.csv")), key=lambda name: (len(name), name)
        )

    def note_sitting(self, step: int, machine: Mapping[str, Any]) -> None:
        """Keep what the steps from here on are made with; where that is as before nothing is added.

        Args:
            step: The first of them.
            machine: See `machine_facts`.
        """
        made_with = software() | {"machine": dict(machine)}
        before = self._read_sittings() if step else []
        if not before or {k: v for k, v in before[-1].items() if k != "step"} != made_with:
            write_text(self.sittings, json.dumps([*before, {"step": step} | made_with], indent=2) + "\n")

    def finish(self, facts: dict[str, Any]) -> None:
        """Write the record that ends a run: the versions and the machine that made it, and facts."""
        *earlier, last = self._read_sittings() or [software()]
        made_with = {key: value for key, value in last.items() if key != "step"}
        changed: dict[str, Any] = {"sittings": [*earlier, last]} if earlier else {}
        if names := self._earlier_photos():
            changed["earlier_photos"] = names
        write_text(self.record, json.dumps(made_with | facts | changed, indent=2) + "\n")

    def read_record(self) -> dict[str, Any]:
        """The record of a finished run.

        Raises:
            RunError: There is none, or it cannot be read.
        """
        try:
            found = read_json(self.record)
        except FileNotFoundError as error:
            raise RunError(
                f"{self.path} holds no finished run: it has no {self.record.name}. Let it end first, by the "
                "command that began it."
            ) from error
        except (OSError, ValueError) as error:
            raise RunError(f"{self.record} is damaged; restore it, or train again.") from error
        return found if isinstance(found, dict) else {}

    def _read_sittings(self) -> list[dict[str, Any]]:
        with suppress(OSError, ValueError):  # a damaged one is made anew
            found = read_json(self.sittings)
            if isinstance(found, list) and all(isinstance(one, dict) for one in found):
                return found
        return []


def take_away_unbegun(folder: Path) -> None:
    """Remove what a run wrote into a folder of its own making, where it failed before its first step.

    Files of other names stay, and with them the folder.

    Args:
        folder: It was not there before the run; of folders that were, nothing may be removed.
    """
    run = RunFolder(folder)
    if any(path.exists() for path in (run.checkpoint, run.metrics, run.stops, run.texture)):
        return
    kept = [path for name in {*KEPT_FILES.values()} for path in (folder / name).glob("*") if path.is_file()]
    with suppress(OSError):
        for path in (run.config, run.objects, run.photos, run.sittings, folder / "inks.png", *kept):
            path.unlink(missing_ok=True)
    for inner in (*{path.parent for path in kept}, run.checkpoint.parent):
        with suppress(OSError):  # it holds something else
            inner.rmdir()


def _copied(source: Path | str, target: Path | str) -> None:
    write_with(Path(target), lambda aside: shutil.copyfile(source, aside))


def _own_files(settings: TrainSettings) -> dict[tuple[str, str], Path]:
    """The user's own files that a run depends on.

    Raises:
        ConfigError: One of them is not there.
    """
    named = {
        ("mask", "pattern"): own_pattern_file(settings.mask),
        ("printer", "profile"): settings.printer.profile,
        ("printer", "table"): settings.printer.table,
    }
    files = {key: path for key, path in named.items() if path is not None}
    for (group, key), path in files.items():
        if not path.is_file():
            raise ConfigError(f"There is no file {path}; check {group}.{key}.")
    start, style = settings.texture.start, settings.objective.style
    pictures = {
        ("texture", "start"): existing_file(start) if names_picture(start) else None,
        ("objective.style", "picture"): existing_file(style.picture or "") if style.weight else None,
    }
    for place, picture in pictures.items():
        if picture is not None and picture.is_file() and picture.stat().st_size <= _LARGEST_KEPT:
            files[place] = picture
    return files


def _recorded(settings: TrainSettings) -> dict[str, Any]:
    """Settings as they are kept: paths absolute, for a run is used from wherever its user stands."""
    values = settings.model_dump(mode="json")
    faces = values["faces"]
    for key in ("root", "people"):
        path = getattr(settings.faces, key)
        faces[key] = None if path is None else str(path.absolute())
    for (group, key), path in _own_files(settings).items():
        part_of(values, group)[key] = f"{KEPT_FILES[group, key]}/{path.name}"
    values["recognizers"] = recorded_names(settings.recognizers)
    if settings.trainer.validation_recognizers is not None:
        values["trainer"]["validation_recognizers"] = recorded_names(settings.trainer.validation_recognizers)
    return values


def _differences(old: TrainSettings, new: TrainSettings, *, free: Set[str]) -> list[str]:
    before, after = flat(_recorded(old)), flat(_recorded(new))
    return [
        f"{key} was {before.get(key)}, now {after.get(key)}"
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key) and key not in free
    ]
