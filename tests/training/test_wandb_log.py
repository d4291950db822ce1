"""Weights & Biases, offline: what reaches its record, read back from its file; and that faces do not."""

import json
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from advmask.commands.told_wandb import tell_of
from advmask.core.errors import ConfigError
from advmask.training.module import DesignModule
from advmask.training.run import train
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings
from advmask.training.wandb_log import _config, tell_wandb, tell_wandb_after

Build = Callable[..., TrainSettings]
_BLOCK, _HEAD = 32768, 7  # of LevelDB's log format


def records_of(path: Path) -> Iterator[Any]:
    """The records in a `.wandb` file, which are messages in LevelDB's log format."""
    from wandb.proto import wandb_internal_pb2 as messages

    content, place, held = path.read_bytes(), _HEAD, b""
    while place + _HEAD <= len(content):
        if _BLOCK - place % _BLOCK < _HEAD:
            place += _BLOCK - place % _BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[place : place + _HEAD])
        held += content[place + _HEAD : place + _HEAD + length]
        place += _HEAD + length
        if kind in (1, 4):  # whole, or the last part
            record = messages.Record()
            record.ParseFromString(held)
            held = b""
            yield record


def read_back(folder: Path) -> dict[str, Any]:
    """Ids, names, configuration, rows and summary of all that a run folder holds of wandb's records."""
    import wandb

    wandb.teardown()  # ends the service that writes, whose last lines may not be on the disk yet
    found: dict[str, Any] = {"ids": set(), "names": set(), "config": {}, "rows": [], "summary": {}}
    for path in sorted(folder.glob("wandb/offline-run-*/*.wandb")):
        for record in records_of(path):
            kind = record.WhichOneof("record_type")
            if kind == "run":
                found["ids"].add(record.run.run_id)
                found["names"].add((record.run.project, record.run.run_group, record.run.display_name))
                found["config"] |= {one.key: json.loads(one.value_json) for one in record.run.config.update}
            elif kind == "history":
                row = {".".join(one.nested_key) or one.key: one.value_json for one in record.history.item}
                found["rows"].append({key: json.loads(value) for key, value in row.items()})
            elif kind == "summary":
                for one in record.summary.update:
                    found["summary"][".".join(one.nested_key) or one.key] = json.loads(one.value_json)
    return found


@pytest.fixture
def settings(tiny_settings: Build, monkeypatch: pytest.MonkeyPatch) -> TrainSettings:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_ERROR_REPORTING", "false")
    values = tiny_settings(steps=4, checkpoint_every=2, preview_every=2).model_dump()
    values["logger"] = {"kind": "wandb", "project": "masks", "group": "study"}
    return TrainSettings.build(values)


def test_all_that_is_promised_stands_in_one_record(
    settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    real = DesignModule.training_step

    def failing(self: DesignModule, batch: Any, batch_idx: int) -> Any:
        if batch.step == 3:
            raise ZeroDivisionError
        return real(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(DesignModule, "training_step", failing)
        with pytest.raises(ZeroDivisionError):
            train(settings, folder=tmp_path / "mine")
    train(settings, folder=tmp_path / "mine")
    run = RunFolder(tmp_path / "mine")
    (run.path / "card.png").write_bytes((run.path / "texture.png").read_bytes())
    tell_wandb(settings, run, pictures={"card": run.path / "card.png"}, figures={"evaluate/tar": 0.25})

    found = read_back(run.path)
    assert found["ids"] == {json.loads((run.path / "wandb.json").read_text())["id"]}
    assert found["names"] == {("masks", "study", "mine")}
    assert found["config"]["optimiser"]["learning_rate"] == settings.optimiser.learning_rate
    assert found["config"]["trainer"]["steps"] == 4
    assert str(tmp_path.parent) not in json.dumps(found["config"])
    steps = [row for row in found["rows"] if "loss" in row]
    assert [row["step"] for row in steps] == [0, 1, 2, 2, 3]  # step 2 again after the failure
    assert {"match_confidence", "match_confidence/tiny", "learning_rate"} <= set(steps[0])
    assert steps[0]["learning_rate"] == settings.optimiser.learning_rate > steps[-1]["learning_rate"]
    pictures = [
        key.partition(".")[0]
        for row in found["rows"]
        for key, value in row.items()
        if key.endswith("._type") or isinstance(value, dict)
    ]
    assert {one for one in pictures if one != "_wandb"} == {"texture", "progress", "card"}
    sent = {path.name.split("_")[0] for path in run.path.glob("wandb/*/files/media/images/*.png")}
    assert sent == {"texture", "progress", "card"}
    assert found["summary"]["evaluate/tar"] == 0.25


def test_a_record_of_the_users_own_is_left_alone(
    settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("wandb.run", object())
    with pytest.raises(ConfigError, match=r"close it first, by wandb\.finish"):
        tell_wandb(settings, RunFolder(tmp_path))


def test_no_folder_of_this_machine_is_named_anywhere(settings: TrainSettings):
    def dotted(values: dict[str, Any], **named: Any) -> None:
        for key, value in named.items():
            *groups, last = key.split("__")
            place = values
            for group in groups:
                place = place[group]
            place[last] = value

    values = settings.model_dump()
    names = [f"onnx:/home/byron/nets/{name}.onnx" for name in "abc"]
    dotted(
        values,
        recognizers=names[:2],
        texture__start="/home/byron/art/start.png",
        texture__locked=[{"mask": "/home/byron/art/where.png", "content": "../byron/art/what.png"}],
        objective__style__picture="/home/byron/art/style.jpg",
        objective__style__weight=1.0,
        mask__pattern="/home/byron/art/mine.svg",
        printer__profile="/home/byron/print/paper.icc",
        trainer__validate_every=2,
        trainer__validation_recognizers=names[2:],
        surrogates__weights={names[0]: 1.0, names[1]: 2.0},
        faces__root="/home/byron/photos",
    )
    asked = TrainSettings.build(values)
    table = asked.printer.model_copy(update={"profile": None, "table": Path("/home/byron/print/table.csv")})
    for one in (asked, asked.model_copy(update={"printer": table})):
        told = _config(one)
        assert "byron" not in json.dumps(told)
    assert told["printer"]["table"] == "table.csv"
    assert told["recognizers"] == ["onnx:a.onnx", "onnx:b.onnx"]
    assert told["surrogates"]["weights"] == {"onnx:a.onnx": 1.0, "onnx:b.onnx": 2.0}
    assert told["texture"]["locked"][0]["content"] == "what.png"


def test_a_refusal_after_the_work_is_a_warning(
    settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("wandb.init", lambda **_: (_ for _ in ()).throw(OSError("no way\nout")))
    tell_wandb_after(settings, RunFolder(tmp_path / "run"), figures={"a": 1.0})
    assert "The record at Weights & Biases lacks this: no way out" in caplog.text


def test_an_evaluation_sends_nothing(
    settings: TrainSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    online = settings.model_copy(update={"logger": settings.logger.model_copy(update={"offline": False})})
    run = RunFolder(tmp_path / "run")
    run.begin(online)
    modes = []
    monkeypatch.setattr("wandb.init", lambda **given: modes.append(given["mode"]))  # None, which is refused
    for what, here_only in (("check", False), ("evaluate", True)):
        tell_of(run.path, [], what=what, here_only=here_only)
    assert modes == ["online", "offline"]


@pytest.mark.slow
def test_faces_are_given_where_asked(settings: TrainSettings, tmp_path: Path):
    asked = settings.model_copy(update={"logger": settings.logger.model_copy(update={"faces": True})})
    train(asked, folder=tmp_path / "mine")
    assert list((tmp_path / "mine").glob("wandb/*/files/media/images/faces_*.png"))
