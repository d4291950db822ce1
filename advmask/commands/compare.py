"""`advmask compare`: several designs side by side, paired over the same photos, placements and draws."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from omegaconf import DictConfig
from PIL import Image

from advmask.applying.apply_to_picture import faces_of
from advmask.applying.before_after import around_face
from advmask.applying.face_finding import FaceFinder
from advmask.applying.mask_drawing import draw_masks
from advmask.applying.settings import FindSettings
from advmask.applying.wear_design import worn_design
from advmask.commands.design_names import NamedDesign, labels, open_design
from advmask.commands.given_settings import as_mapping, beside_run
from advmask.commands.output import output_dir
from advmask.commands.settings import CompareCommand
from advmask.core.devices import device_of
from advmask.core.errors import ConfigError
from advmask.core.files import write_text, write_with
from advmask.core.memory import keep_freed_memory
from advmask.core.picture_reading import read_picture
from advmask.evaluation.compared_tables import (
    EXPLAINED,
    as_padded,
    compared_csv,
    compared_head,
    compared_latex,
    compared_markdown,
    compared_rows,
    heading,
)
from advmask.evaluation.comparing import side_by_side
from advmask.evaluation.conditions import conditions_of
from advmask.evaluation.contact_sheet import to_image
from advmask.evaluation.probe_scores import BARE
from advmask.evaluation.protocol import JudgedScores, judge_designs, people_of
from advmask.evaluation.result_tables import markdown_table
from advmask.evaluation.results import PLAIN_MASKS, json_text
from advmask.evaluation.score_files import write_comparisons, write_scores
from advmask.evaluation.variants_sheet import Variant, variants_sheet
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces
from advmask.recognizers.asked_answers import services_allowed
from advmask.recognizers.preparation import prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.recognizers.verification_set import calibrated_by
from advmask.wearing.artwork import shipped_design

T = TypeVar("T")
SCHEMA = 1
_SEARCHED_PX, _WORN_PX = 1600, (680, 800)


def run(config: DictConfig) -> None:
    """Score every design, print the table and write `compare.json`, tables and scores."""
    given = [str(name) for name in config.designs]
    if len(given) < 2:
        raise ConfigError("Name at least two designs: advmask compare runs/first runs/second.")
    keep_freed_memory()
    path = output_dir() / "compare.json"  # refused now, not after all scoring
    mask = MaskSettings.build(as_mapping(config)["mask"])
    opened = [open_design(name, mask=mask, texels_per_mm=config.texels_per_mm) for name in given]
    first = next((one for one in opened if one.run is not None), opened[0])
    values = beside_run(config, first.run, texels_per_mm=first.texels_per_mm)
    settings = CompareCommand.build(values)
    names = labels(given, taken=(BARE, *PLAIN_MASKS))
    device = device_of(settings.protocol.device, processes=settings.protocol.processes)
    faces = load_faces(settings.faces, progress=settings.protocol.progress, device=device)
    for sentence in [*faces.omissions, *faces.notices]:
        print(sentence)
    built = [one.to(device) for one in build_recognizers(settings.recognizers)]
    recognizers = calibrated_by(settings.protocol.calibration, built, fmr=settings.protocol.fmr)
    with services_allowed(settings.services):
        groups = _judged(settings, recognizers, faces, list(_by_mask(names, opened, mask)))
    compared = side_by_side(groups, names, seed=settings.protocol.seed)
    record: dict[str, Any] = {
        "schema": SCHEMA,
        "date": datetime.now(UTC).date().isoformat(),
        "designs": dict(zip(names, given, strict=True)),
        "settings": settings.model_dump(mode="json"),
        "weights_sha256": {item.label: item.weights_sha256 for item in recognizers},
        "results": [asdict(one) for one in compared],
    }
    write_text(path, json_text(record))
    write_text(path.with_suffix(".csv"), compared_csv(record))
    write_text(path.with_suffix(".md"), compared_markdown(record))
    write_text(path.with_suffix(".tex"), compared_latex(record))
    write_scores(path.with_name("compare-scores.csv.gz"), _scores(groups))
    write_comparisons(path.with_name("compare-comparisons.csv.gz"), groups[0])
    sheet = path.with_name("variants.png")
    photo = faces.of(people_of(faces, settings.protocol.people))[0].source if settings.pictures else None
    picture = variants_sheet(_variants(names, opened, photo), compared)
    write_with(sheet, lambda aside: picture.save(aside, "PNG"))
    print("\n\n".join(["", *(_block(one, names[0]) for one in record["results"])]))
    print(f"\n{EXPLAINED}\nWritten to {path}, .csv, .md and .tex, with the scores next to it")
    print(f"To look at: {sheet}")


def _variants(names: Sequence[str], opened: Sequence[NamedDesign], photo: Path | None) -> list[Variant]:
    """Designs flat and, where there is a photo, worn on its largest face."""
    flat = [to_image(one.design.texels) for one in opened]
    if photo is None:
        return [Variant(name, each, None) for name, each in zip(names, flat, strict=True)]
    bare = read_picture(photo)
    bare.thumbnail((_SEARCHED_PX,) * 2, Image.Resampling.LANCZOS)
    faces = faces_of(bare, None, finder=FaceFinder(FindSettings()))
    worn: list[Image.Image | None] = [None] * len(flat)
    if faces:
        face = max(faces, key=lambda one: one.box[2] - one.box[0])
        drawn = (draw_masks(np.asarray(bare), [face], worn_design(one.design)) for one in opened)
        worn = [around_face(Image.fromarray(one.picture), face, _WORN_PX) for one in drawn]
    return [Variant(*one) for one in zip(names, flat, worn, strict=True)]


def _judged(
    settings: CompareCommand,
    recognizers: Sequence[Recognizer],
    faces: FaceSet,
    masks: Sequence[tuple[MaskSettings, float, Mapping[str, NamedDesign]]],
) -> list[list[JudgedScores]]:
    """Scores of all designs, by the mask they belong on."""
    prepared = prepare_all(recognizers, faces.crops, fmr=settings.protocol.fmr)
    groups = []
    for own_mask, texels_per_mm, members in masks:
        surface = build_mask(own_mask)
        controls = {name: shipped_design(name, surface, texels_per_mm=texels_per_mm) for name in PLAIN_MASKS}
        groups.append(
            judge_designs(
                controls | {name: one.texels for name, one in members.items()},
                faces,
                prepared,
                conditions=replace(conditions_of(settings), mask=own_mask, texels_per_mm=texels_per_mm),
                protocol=settings.protocol,
            ).judged
        )
    return groups


def _by_mask(
    names: list[str], opened: list[NamedDesign], mask: MaskSettings
) -> list[tuple[MaskSettings, float, dict[str, NamedDesign]]]:
    """Designs that can be worn by one set of placements, the first one's first."""
    groups: list[tuple[MaskSettings, float, dict[str, NamedDesign]]] = []
    for name, one in zip(names, opened, strict=True):
        own = one.run.mask if one.run is not None else mask
        for group in groups:
            if group[:2] == (own, one.texels_per_mm):
                group[2][name] = one
                break
        else:
            groups.append((own, one.texels_per_mm, {name: one}))
    return groups


def _block(one: Mapping[str, Any], first: str) -> str:
    padded = as_padded([compared_head(first), *compared_rows(one)])
    return f"{heading(one)}\n{markdown_table(padded[0], padded[1:]).rstrip()}"


def _scores(groups: Sequence[Sequence[JudgedScores]]) -> list[JudgedScores]:
    """Of all masks, as one file: what is worn by several masks is called by its mask after the first."""
    found = list(groups[0])
    for number, group in enumerate(groups[1:], 2):
        found += [_called(one, number) for one in group]
    return found


def _called(judged: JudgedScores, mask: int) -> JudgedScores:
    scores = judged.scores

    def named(columns: dict[str, T]) -> dict[str, T]:
        return {
            f"{name} (mask {mask})" if name in {BARE, *PLAIN_MASKS} else name: values
            for name, values in columns.items()
        }

    renamed = replace(
        scores,
        similarity=named(scores.similarity),
        best_other=named(scores.best_other),
        displacement=named(scores.displacement),
        false_matches={fmr: named(columns) for fmr, columns in scores.false_matches.items()},
    )
    return replace(judged, scores=renamed)
