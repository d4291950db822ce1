"""A run made again from what its folder holds, and how what comes out differs."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.core.files import write_text
from advmask.evaluation.record_facts import texels_sha256
from advmask.recognizers.recognizer import Recognizer
from advmask.textures.ink_fields import INK_FIELDS
from advmask.textures.texel_files import load_texels
from advmask.training.made_with import check_readable, differences, not_recorded, same_file
from advmask.training.not_tested import not_tested
from advmask.training.processes import is_first_process
from advmask.training.run import train
from advmask.training.run_folder import REPRODUCTION, RunFolder
from advmask.training.settings import LoggerSettings, TrainSettings

__all__ = ["REPRODUCTION", "Reproduction", "reproduce"]


@dataclass(frozen=True)
class Reproduction:
    """What came of making a run again.

    Attributes:
        run: The folder of the run.
        folder: Where it was made again.
        equal: Whether every texel, and the borders of a palette's inks, are the same numbers.
        design: How the two designs differ, in a sentence.
        made_with: What they were made with that is not the same, a sentence each.
        not_recorded: What could not be compared, a sentence each.
        not_tested: The bill of what nobody has tested of the run, a sentence each.
    """

    run: str
    folder: str
    equal: bool
    design: str
    made_with: tuple[str, ...]
    not_recorded: tuple[str, ...]
    not_tested: tuple[str, ...]

    def text(self) -> str:
        """All of it, to be read."""
        lines = [self.design]
        if self.made_with:
            lines += ["", "What is not as it was when the run was made:" if self.equal else _REASONS]
            lines += [f"  {one}" for one in self.made_with]
        elif self.equal:
            lines += ["Versions, code, machine, photos, weights and files are those recorded."]
        else:
            lines += ["Nothing that was recorded differs, so that the reason is none of it."]
        for title, listed in (
            ("Not recorded:", self.not_recorded),
            ("Not tested:", self.not_tested),
        ):
            lines += ["", title, *(f"  {one}" for one in listed)] if listed else []
        return "\n".join(lines)


_REASONS = "What is not as it was when the run was made, and may be the reason:"


def reproduce(
    run: Path | str,
    *,
    folder: Path | str,
    faces: Mapping[str, Path] | None = None,
    recognizers: Sequence[str | Recognizer] | None = None,
    bars: bool = True,
    **objects: Any,
) -> Reproduction | None:
    """Make a run again from its folder: the same settings, seed, threads, and pictures that it kept.

    On a CPU the same versions give the same design, bit by bit. What comes of it stands in
    `reproduction.json` of the new folder, too; that folder is a run folder, and an interrupted reproduction
    goes on there.

    Args:
        run: The folder of a finished run.
        folder: Where it is made again.
        faces: Where things are that are not where they were: the folder of photos as `root`, their list as
            `people`, the network for landmarks as `mesh_model`. Photos are compared by content.
        recognizers: In place of the names that the run has, in the same order; weights are compared.
        bars: Show progress bars.
        objects: What the run was given as objects, as `train` takes it.

    Returns:
        What came of it; None in the processes beside the first where several share the run
        (`trainer.devices`), of which the first compares and writes.

    Raises:
        RunError: There is no finished run, it is damaged, or it was given objects that are not given now.
        ConfigError: The folder is that of the run.
        AdvmaskError: As `train`.
    """
    before, now = RunFolder(Path(run)), RunFolder(Path(folder))
    if before.path.resolve() == now.path.resolve():
        raise ConfigError(f"{folder} is the run itself; name another folder with hydra.run.dir=DIR.")
    record = before.read_record()
    check_readable(before)  # and its texels, before hours are spent on the comparison with them
    texels, bill = load_texels(before.texture), not_tested(before)
    settings = _as_run(before.read_settings(), record, faces or {}, bars=bars)
    given = list(settings.recognizers if recognizers is None else recognizers)
    if len(given) != len(settings.recognizers):
        raise ConfigError(
            f"The run was trained against {len(settings.recognizers)} recognizers "
            f"({', '.join(settings.recognizers)}), and {len(given)} are named; name one for each, in order."
        )
    earlier = [steps for steps in _made_longer_at(before) if not (now.path / f"steps-{steps}").exists()]
    for steps in [*earlier, settings.trainer.steps]:
        trainer = settings.trainer.model_copy(update={"steps": steps})
        asked = settings.model_copy(update={"trainer": trainer})
        train(asked, folder=now.path, recognizers=given if recognizers is not None else None, **objects)
    if not is_first_process():
        return None
    found = _compared(before, now, texels, bill)
    write_text(now.path / REPRODUCTION, json.dumps(asdict(found), indent=2) + "\n")
    return found


def _as_run(
    settings: TrainSettings,
    record: dict[str, Any],
    named: Mapping[str, Path],
    *,
    bars: bool,
) -> TrainSettings:
    """The settings of a run, on the photos that are here."""
    moved: dict[str, Any] = {key: path.expanduser().absolute() for key, path in named.items()}
    if isinstance(settings.faces.cache, Path) and not settings.faces.cache.exists():
        moved["cache"] = True
    faces = settings.faces.model_copy(update=moved)
    for key, path in (("root", faces.root), ("people", faces.people)):
        if path is not None and not path.exists():
            raise ConfigError(
                f"The photos of this run are not at {path}; say where they are with faces.{key}=PATH. They "
                "are compared by their content, not by their names."
            )
    threads = settings.trainer.threads or (record.get("machine") or {}).get("threads")
    trainer = settings.trainer.model_copy(update={"threads": threads, "progress": bars})
    return settings.model_copy(update={"faces": faces, "trainer": trainer, "logger": LoggerSettings()})


def _made_longer_at(run: RunFolder) -> list[int]:
    """After how many steps the run ended before it was made longer; see `RunFolder.begin`."""
    ends = [path.name.removeprefix("steps-") for path in run.path.glob("steps-*") if path.is_dir()]
    return sorted(int(end) for end in ends if end.isdecimal())


def _compared(before: RunFolder, now: RunFolder, one: Tensor, bill: Sequence[str]) -> Reproduction:
    other = load_texels(now.texture)
    inks = same_file(before.path / INK_FIELDS, now.path / INK_FIELDS)
    same = one.shape == other.shape and torch.equal(one.view(torch.int32), other.view(torch.int32))
    checksum = texels_sha256(one)
    if same and inks:
        sizes = " x ".join(map(str, one.shape))
        design = f"Bit-equal: all {sizes} numbers of the texture are the same (SHA-256 {checksum[:16]}...)."
    elif same:
        design = "The texture is bit-equal, but the borders between its inks are not (inks.safetensors)."
    elif one.shape != other.shape:
        design = f"Not equal: the texture had {tuple(one.shape)} numbers and has {tuple(other.shape)}."
    else:
        off = (one - other).abs()
        seen = 100 * float((off > 0.5 / 255).float().mean())
        design = (
            f"Not bit-equal: {100 * float((off > 0).float().mean()):.3g} % of the texture's numbers differ, "
            f"by {float(off.max()):.3g} at most and {float(off.mean()):.3g} in the mean (colours go from 0 "
            f"to 1); {seen:.3g} % by more than a picture file of 8 bits can hold."
        )
    return Reproduction(
        run=str(before.path),
        folder=str(now.path),
        equal=same and inks,
        design=design,
        made_with=tuple(differences(before, now)),
        not_recorded=tuple(not_recorded(before)),
        not_tested=tuple(bill),
    )
