"""What a run was made from, for its record: photos by content, weights, files, versions, machine."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import Tensor

from advmask.core.files import sha256
from advmask.evaluation.record_facts import texels_sha256
from advmask.masks.digest import surface_digest
from advmask.masks.surface import MaskSurface
from advmask.photos.landmark_files import points_path
from advmask.photos.loading import FaceSet
from advmask.photos.occluders import occluder_path
from advmask.recognizers.preparation import Prepared
from advmask.textures.starts import existing_file, names_picture
from advmask.training.settings import TrainSettings

PHOTO_COLUMNS = ("person", "photo", "sha256", "beside")
"""Of `photos.csv`: whose, where below the folder of photos, and checksums of the photo and of its sidecars
(occluder, landmarks), in the order in which they are trained on."""


def photos_csv(faces: FaceSet, root: Path | None) -> str:
    """The photos used, with checksums of their content.

    Args:
        faces: The photos.
        root: Their folder, which is not named; None for the portrait that ships.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(PHOTO_COLUMNS)
    for crop in faces.crops:
        inside = root is not None and crop.source.is_relative_to(root)
        name = crop.source.relative_to(root).as_posix() if inside and root else crop.source.name
        beside = [occluder_path(crop.source), points_path(crop.source)]
        sums = [sha256(path) for path in beside if path.is_file()]
        writer.writerow([crop.person, name, crop.sha256, "+".join(sums)])
    return text.getvalue()


def facts_of(
    settings: TrainSettings,
    surface: MaskSurface,
    faces: FaceSet,
    prepared: Sequence[Prepared],
    texels: Tensor,
) -> dict[str, Any]:
    """What stands in `run.json` beside versions, machine and the course of the run.

    Args:
        settings: Of the run.
        surface: Its mask.
        faces: Its photos.
        prepared: Its recognizers.
        texels: What it came to.
    """
    return {
        "seed": settings.seed,
        "mask_sha256": surface_digest(surface),
        "texture_sha256": texels_sha256(texels),
        "files": _files(settings),
        "steps": settings.trainer.steps,
        "split": {
            "train": faces.split.train,
            "validate": faces.split.validate,
            "test": faces.split.test,
            "held_out": faces.split.held_out,
        },
        "photos": {"used": len(faces.crops), "left_out": len(faces.omissions)},
        "recognizers": [
            {
                "name": item.recognizer.name,
                "weights_sha256": item.recognizer.weights_sha256,
                "calibration": kept.model_dump() if (kept := item.recognizer.calibration) else None,
            }
            for item in prepared
        ],
    }


def _files(settings: TrainSettings) -> dict[str, str]:
    """Checksums of the pictures that a design starts from, is styled after or keeps parts of, by setting."""
    named = {"texture.start": settings.texture.start}
    for number, part in enumerate(settings.texture.locked):
        named[f"texture.locked.{number}.mask"] = part.mask
        named[f"texture.locked.{number}.content"] = part.content
    found = {key: existing_file(name) for key, name in named.items() if names_picture(name)}
    if settings.objective.style.weight:
        found["objective.style.picture"] = existing_file(settings.objective.style.picture or "")
    return {key: sha256(path) for key, path in found.items() if path is not None and path.is_file()}
