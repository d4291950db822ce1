"""A whole training run: from settings to a learned texture in a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from advmask.effects import generator
from advmask.errors import ConfigError
from advmask.masks import MaskSurface, build_mask
from advmask.masks.digest import surface_digest
from advmask.objectives import MatchObjective, Printability
from advmask.photos import FaceSet, load_faces
from advmask.placement_cache import placement_cache
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.preparation import Prepared, own_templates, prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.registry import build_recognizers
from advmask.scene import Scene, seeded
from advmask.textures import Texture
from advmask.textures import build_texture as texture_from
from advmask.textures.design_files import Design, write_design
from advmask.textures.texel_files import load_texels, save_texels
from advmask.training.loop import fit
from advmask.training.module import DesignModule
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings
from advmask.worn import wear_masks

Tell = Callable[[str], None]
_WAYS_IN_ALL = 320  # ways of wearing over all photos: enough variety, bounded memory and start-up
_FEWEST_WAYS, _MOST_WAYS = 2, 64


@dataclass(frozen=True)
class TrainResult:
    """What a run leaves.

    Attributes:
        design: The learned texture.
        folder: The run folder.
        settings: What was asked for.
        faces: The photos it was made from.
        prepared: The recognizers, made ready on those photos; empty where the run had been finished before.
    """

    design: Design
    folder: Path
    settings: TrainSettings
    faces: FaceSet
    prepared: Sequence[Prepared] = ()


def train(settings: TrainSettings, *, folder: Path, tell: Tell = print) -> TrainResult:
    """Learn a design, or go on learning one, or return one that is finished.

    Args:
        settings: What to do.
        folder: The run folder; the same folder and settings resume a run from its last checkpoint.
        tell: Receives sentences for the user.

    Raises:
        AdvmaskError: Whatever the user can mend, in one sentence.
    """
    surface = build_mask(settings.mask)
    run = RunFolder(folder)
    run.begin(settings)
    if settings.trainer.threads is not None:
        torch.set_num_threads(settings.trainer.threads)
    if run.finished:
        tell(f"{folder} holds this very run, finished; nothing is trained again.")
        design = _design(load_texels(run.texture), surface, settings)
        return TrainResult(design, folder, settings, _faces(settings, tell))

    # What may be mistyped comes first, before minutes are spent on photos.
    texture = build_texture(settings, surface, tell=tell)
    recognizers = build_recognizers(settings.recognizers, differentiable=True, tell=tell)
    faces = _faces(settings, tell)
    crops = faces.of(faces.split.train)
    if not crops:
        raise ConfigError("faces.split leaves nobody to train on; give its first number at least one person.")
    prepared = prepare_all(recognizers, faces.crops, tell=tell)
    photos = wear_masks(
        crops,
        surface,
        wear=settings.effects.active().wear,
        ways=settings.trainer.placements or max(_FEWEST_WAYS, min(_MOST_WAYS, _WAYS_IN_ALL // len(crops))),
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=settings.seed,
        stream="train",
        cache=placement_cache(settings.faces),
        progress=settings.trainer.progress,
    )
    for omission in photos.omissions:
        tell(str(omission))
    tell(photos.fit())
    templates = own_templates(prepared, faces.crops, photos.crops)
    module = build_module(settings, texture, recognizers, templates)
    fit(module, photos, settings, run, tell=tell)
    texels = module.finished().float().cpu()
    design = _design(texels, surface, settings)
    save_texels(
        run.texture, texels, metadata={"pattern": design.pattern, "texels_per_mm": str(design.texels_per_mm)}
    )
    write_design(run.texture_picture, design)
    run.finish(_facts(settings, surface, faces, prepared))
    return TrainResult(design, folder, settings, faces, prepared)


def build_texture(settings: TrainSettings, surface: MaskSurface, *, tell: Tell | None = None) -> Texture:
    """Build what is learned, at its start.

    Raises:
        DesignError: The start is neither a known word nor a picture that can be read.
    """
    per_mm = settings.texture.texels_per_mm
    height, width = surface.texture_size(per_mm)
    return texture_from(
        settings.texture,
        height=height,
        width=width,
        nose_column=-surface.origin_mm[0] * per_mm,
        generator=generator(settings.seed, 0, "start"),
        tell=tell,
    )


def build_module(
    settings: TrainSettings,
    texture: Texture,
    recognizers: Sequence[Recognizer],
    templates: Sequence[Tensor],
) -> DesignModule:
    """Build the Lightning module of a run.

    Args:
        settings: What to do.
        texture: What is learned.
        recognizers: Calibrated.
        templates: For each recognizer, the template of each photo (n, D).

    Raises:
        ConfigError: The objective asks for what only a printer can tell.
    """
    per_mm = settings.texture.texels_per_mm
    scene = Scene(
        settings.effects, settings.printer, texels_per_mm=per_mm, draws=seeded(settings.seed, "train")
    )
    if settings.objective.gamut and scene.printer.ideal:
        raise ConfigError("objective.gamut needs to know the printer; name one with printer=NAME.")
    return DesignModule(
        texture=texture,
        scene=scene,
        ensemble=Ensemble(recognizers, settings.surrogates),
        templates=templates,
        objective=MatchObjective(settings.objective.match),
        printability=Printability(
            settings.objective,
            texels_per_mm=per_mm,
            colours=None if scene.printer.ideal else scene.printer.colours,
            finest_mm=settings.printer.finest_mm,
        ),
        optimiser=settings.optimiser,
        steps=settings.trainer.steps,
        seed=settings.seed,
    )


def _faces(settings: TrainSettings, tell: Tell) -> FaceSet:
    faces = load_faces(settings.faces, progress=settings.trainer.progress)
    for sentence in [*map(str, faces.omissions), *faces.notices]:
        tell(sentence)
    return faces


def _design(texels: Tensor, surface: MaskSurface, settings: TrainSettings) -> Design:
    return Design(
        texels,
        pattern=surface.name,
        texels_per_mm=settings.texture.texels_per_mm,
        size=settings.mask.size,
    )


def _facts(
    settings: TrainSettings, surface: MaskSurface, faces: FaceSet, prepared: Sequence[Prepared]
) -> dict[str, Any]:
    return {
        "seed": settings.seed,
        "mask_sha256": surface_digest(surface),
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
                "calibration": item.recognizer.calibrated.model_dump(),
            }
            for item in prepared
        ],
    }
