"""`advmask judge`: the physical test, pictures of people who wear a printed mask, and its protocol."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from advmask.commands.design_names import open_design
from advmask.commands.given_settings import as_mapping, over
from advmask.commands.output import output_dir
from advmask.commands.settings import JudgeCommand
from advmask.core.errors import ConfigError, DesignError
from advmask.core.files import sha256, write_text, write_with
from advmask.core.locks import alone_in
from advmask.core.near_names import near_file
from advmask.evaluation.real_prints.judged_sheet import judge_sheet
from advmask.evaluation.real_prints.judgement_table import NOT_SHOWN, in_a_sentence, judge_table
from advmask.evaluation.real_prints.judging import PhysicalVerdict, judge_folder
from advmask.evaluation.real_prints.protocol_page import protocol_pdf
from advmask.evaluation.real_prints.records import CSV, JSON, SHEET, judge_csv, judge_record
from advmask.evaluation.record_facts import about_recognizers, package_versions, texels_sha256
from advmask.evaluation.results import json_text, keep_earlier
from advmask.masks.settings import MaskSettings
from advmask.photos.settings import FacesSettings
from advmask.recognizers.asked_answers import services_allowed
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.verification_set import calibrated_by
from advmask.textures.design_files import name_of
from advmask.textures.gallery import gallery_picture
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings

ACTIONS = ("pictures", "protocol")
PROTOCOL = "capture_protocol.pdf"
_PATIENCE_S = 60.0  # writing takes a second or two


def run(config: DictConfig) -> None:
    """Judge pictures of a real print, or write the page that tells which to take."""
    given = JudgeCommand.build(as_mapping(config))
    if given.action not in ACTIONS:
        raise ConfigError(
            f"advmask judge cannot {given.action!r}; write `advmask judge protocol`, or leave it out and "
            "give photos=FOLDER."
        )
    of_run = _run_behind(given.design)
    design = _about_design(given.design)
    if given.action == "protocol":
        _write_protocol(given, design)
        return
    if given.photos is None:
        raise ConfigError(
            "No pictures are given; name their folder with photos=FOLDER. `advmask judge protocol` writes a "
            "page that tells which to take."
        )
    folder = output_dir()  # refused now, not after all scoring
    settings = given if of_run is None else JudgeCommand.build(over(_from_run(of_run, given), config))
    recognizers = calibrated_by(
        settings.protocol.calibration, build_recognizers(settings.recognizers), fmr=settings.protocol.fmr
    )
    with services_allowed(settings.services):
        verdict = judge_folder(
            given.photos.expanduser(),
            recognizers,
            faces=FacesSettings.build(settings.faces.model_dump()),
            protocol=settings.protocol,
            enrolment=None if given.enrolment is None else given.enrolment.expanduser(),
        )
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "settings": settings.model_dump(mode="json"),
        "design": design,
        "recognizers": about_recognizers(recognizers, None if of_run is None else of_run.recognizers),
        "packages": package_versions(),
    }
    record = judge_record(verdict, facts)
    taken = f"Another advmask is writing to {folder}; wait until it ends, or use another hydra.run.dir=DIR."
    with alone_in(folder, wait_s=_PATIENCE_S, taken=taken):
        keep_earlier(folder / JSON, record, beside=(CSV, SHEET))
        write_text(folder / CSV, judge_csv(verdict))
        if settings.pictures:
            sheet = judge_sheet(verdict)
            write_with(folder / SHEET, lambda path: sheet.save(path, "PNG"))
        write_text(folder / JSON, json_text(record))
    _report(verdict, folder, pictures=settings.pictures)


def _report(verdict: PhysicalVerdict, folder: Path, *, pictures: bool) -> None:
    if len(verdict.people) > 1:
        print(f"\n{len(verdict.people)} people; in brackets 95 % intervals over people.\n")
    else:
        print(
            f"\n1 person ({verdict.people[0]}): nothing is said of others. In brackets 95 % intervals over "
            "files, as if these were independent, which they are not.\n"
        )
    print(judge_table(verdict))
    print("\n" + "\n".join(in_a_sentence(one) for one in verdict.verdicts))
    print(f"{NOT_SHOWN}\nWritten to {folder / JSON}")
    if pictures:
        print(f"To look at (it shows faces): {folder / SHEET}")


def _write_protocol(settings: JudgeCommand, design: dict[str, str] | None) -> None:
    path = output_dir() / PROTOCOL
    words = "" if design is None else f"{design['name']}, SHA-256 {design['sha256'][:16]}"
    content = protocol_pdf(settings.paper, design=words)
    write_with(path, lambda aside: aside.write_bytes(content))
    print(f"Written to {path}\nPrint it, take the pictures, then:\n  advmask judge photos=FOLDER design=...")


def _run_behind(design: Path | None) -> TrainSettings | None:
    if design is None or not design.expanduser().is_dir():
        return None
    return RunFolder(design.expanduser()).read_settings()


def _from_run(run: TrainSettings, given: JudgeCommand) -> dict[str, Any]:
    """What the run behind the design tells unless the user does: its recognizers, its people as others."""
    root = run.faces.root
    if root is not None and not root.exists():
        root = None
    faces = given.faces.model_dump()
    return {"recognizers": list(run.recognizers), "faces": faces | {"root": root}}


def _about_design(design: Path | None) -> dict[str, str] | None:
    """What identifies a design: a run by its texels, a file by its bytes."""
    if design is None:
        return None
    path = gallery_picture(design) or design.expanduser()
    name = name_of(path)
    if path.is_dir():
        named = open_design(str(path), mask=MaskSettings(), texels_per_mm=1.0)
        return {"name": name, "kind": "run", "sha256": texels_sha256(named.texels)}
    if not path.is_file():
        raise DesignError(
            f"There is no run folder or file at {design}; check its name, or leave it out.{near_file(path)}"
        )
    return {"name": name, "kind": "file", "sha256": sha256(path)}
