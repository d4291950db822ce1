"""`advmask evaluate`: a design against plain masks: a table, `results.json`, scores and a report."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from omegaconf import DictConfig

from advmask.commands.design_names import CONTROLS, open_design
from advmask.commands.facts import about_recognizers, package_versions, texels_sha256
from advmask.commands.given import as_mapping, beside_run
from advmask.commands.output import output_dir
from advmask.commands.scoring_settings import ScoringSettings
from advmask.core.files import write_text
from advmask.core.memory import keep_freed_memory
from advmask.evaluation.protocol import Judgement, judge_designs, people_of
from advmask.evaluation.report.page import report_page
from advmask.evaluation.result_tables import csv_table, latex_of, markdown_of
from advmask.evaluation.results import result_record, write_record
from advmask.evaluation.score_files import write_comparisons, write_scores
from advmask.evaluation.terminal_table import results_table
from advmask.evaluation.traits import break_down, photo_traits
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.settings import TrainSettings
from advmask.wearing.artwork import shipped_design


class EvaluateSettings(ScoringSettings):
    """Everything an evaluation depends on."""

    design: str
    pictures: bool = True


_KNOWN_OF_THEM = {
    True: " (whom the design was not trained on)",
    False: " (the design was trained on some or all of them)",
    None: "",
}


def run(config: DictConfig) -> None:
    """Evaluate, print the table and write `results.json` with all that belongs to it."""
    keep_freed_memory()
    mask = MaskSettings.build(as_mapping(config)["mask"])
    design = open_design(config.design, mask=mask, texels_per_mm=config.texels_per_mm)
    values = beside_run(config, design.run, texels_per_mm=design.texels_per_mm)
    settings = EvaluateSettings.build(values)
    faces = load_faces(settings.faces, progress=settings.protocol.progress)
    for omission in faces.omissions:
        print(omission)
    for notice in faces.notices:
        print(notice)
    recognizers = build_recognizers(settings.recognizers)
    surface = build_mask(settings.mask)
    controls = {
        name: shipped_design(name, surface, texels_per_mm=settings.texels_per_mm) for name in CONTROLS
    }
    judgement = judge_designs(
        controls | {"design": design.texels},
        faces,
        prepare_all(recognizers, faces.crops, fmr=settings.protocol.fmr),
        conditions=settings.conditions(),
        protocol=settings.protocol,
    )
    names = people_of(faces, settings.protocol.people)
    held_out = _held_out(settings, design.run, faces)
    results = [one for each in judgement.judged for one in each.summaries(seed=settings.protocol.seed)]
    unsupported = _unsupported(judgement)
    facts = {
        "date": datetime.now(UTC).date().isoformat(),
        "settings": settings.model_dump(mode="json"),
        "people": {"probed": list(names), "held_out": held_out, "at_hand": len(faces.people)},
        "design": {
            "name": Path(settings.design).resolve().name,
            "texels_sha256": texels_sha256(design.texels),
        },
        "recognizers": about_recognizers(recognizers, design.run),
        "unsupported": unsupported,
        "breakdown": _breakdown(judgement, seed=settings.protocol.seed),
        "weights_sha256": {item.label: item.weights_sha256 for item in recognizers},
        "packages": package_versions(),
    }
    path = output_dir() / "results.json"
    record = result_record(results, facts)
    write_record(path, record)
    _write_beside(path.parent, record, judgement, pictures=settings.pictures)
    who = "1 person" if len(names) == 1 else f"{len(names)} people"
    brackets = "in brackets 95 % intervals over people" if len(names) > 1 else "one person gives no intervals"
    print(f"\n{who}{_KNOWN_OF_THEM[held_out]}; {brackets}.\n")
    main = [one for one in results if one.fmr == results[0].fmr]
    print(results_table(main))
    for sentence in dict.fromkeys(
        f"Not given at FMR {one['fmr']:g} for {one['recognizer']} ({one['gallery']} gallery): {one['reason']}"
        for one in unsupported
        if one["fmr"] == settings.protocol.fmr
    ):
        print(f"\n{sentence}")
    print(
        "\nMeasured on these photos, recognizers and simulated effects only: not a printed mask, not other "
        f"recognizers, not a promise.\nWritten to {path}\nTo read: {path.with_name('report.html')}"
    )


def _write_beside(folder: Path, record: dict[str, Any], judgement: Judgement, *, pictures: bool) -> None:
    write_scores(folder / "scores.csv.gz", judgement.judged)
    write_comparisons(folder / "comparisons.csv.gz", judgement.judged)
    write_text(folder / "results.csv", csv_table(record))
    write_text(folder / "results.md", markdown_of(record))
    write_text(folder / "results.tex", latex_of(record))
    write_text(folder / "report.html", report_page(record, judgement, pictures=pictures))


def _unsupported(judgement: Judgement) -> list[dict[str, Any]]:
    lines = {
        (one.recognizer, one.gallery, one.fmr): one.reason
        for each in judgement.judged
        for one in each.gallery.unsupported
    }
    return [
        {"recognizer": recognizer, "gallery": gallery, "fmr": fmr, "reason": reason}
        for (recognizer, gallery, fmr), reason in lines.items()
    ]


def _breakdown(judgement: Judgement, *, seed: int) -> list[Any]:
    stage = judgement.stage
    traits = photo_traits(stage.photos.crops, [photo for photo, _ in stage.probes])
    return [
        found
        for each in judgement.judged
        for found in break_down(
            each.scores, traits, stage.conditions, threshold=each.threshold.threshold, seed=seed
        )
    ]


def _held_out(settings: EvaluateSettings, run: TrainSettings | None, faces: FaceSet) -> bool | None:
    """Whether the design never saw the people probed; None where this cannot be told from the settings."""
    if run is None or run.faces.split != settings.faces.split:
        return None
    roots = [None if root is None else root.absolute() for root in (run.faces.root, settings.faces.root)]
    if roots[0] != roots[1]:
        return None
    return faces.split.held_out and settings.protocol.people in {"validate", "test"}
