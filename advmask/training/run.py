"""A whole training run: from settings to a learned texture in a run folder."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.artwork import FACE_OF_NOBODY, FACES, shipped_design
from advmask.effects import WearSettings, generator
from advmask.errors import ConfigError
from advmask.masked_gallery import masked_templates
from advmask.masks import MaskSurface, build_mask
from advmask.masks.digest import surface_digest
from advmask.mean_face import FEWEST_PEOPLE, MEAN_FACE, mean_face
from advmask.objectives import Printability
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
from advmask.training.judging import Judging
from advmask.training.loop import fit
from advmask.training.module import DesignModule
from advmask.training.plot import write_plot
from advmask.training.processes import is_first_process
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings
from advmask.training.validation import build_probes
from advmask.worn import WornPhotos, wear_masks

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
    if not is_first_process():
        tell = _silent
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
    scene = _build_scene(settings)
    _check_aligners(settings, recognizers)
    faces = _faces(settings, tell)
    crops = faces.of(faces.split.train)
    if not crops:
        raise ConfigError("faces.split leaves nobody to train on; give its first number at least one person.")
    prepared = prepare_all(recognizers, faces.crops, tell=tell)
    probes = build_probes(settings, faces, surface, prepared, tell=tell)
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
    if settings.texture.start == MEAN_FACE:
        if len(set(photos.names)) >= FEWEST_PEOPLE:
            face = mean_face(photos, texels_per_mm=settings.texture.texels_per_mm)
            texture = build_texture(settings, surface, face=face)
        else:
            tell(
                f"A mean face takes at least {FEWEST_PEOPLE} people to train on, so that it is nobody's; "
                f"this design starts from {FACE_OF_NOBODY} instead."
            )
    templates = own_templates(prepared, faces.crops, photos.crops)
    masked = None
    if settings.objective.masked_gallery > 0:
        masked = _masked_templates(settings, surface, faces, prepared, photos)
    module = build_module(
        settings,
        texture,
        recognizers,
        templates,
        masked_templates=masked,
        people=photos.names,
        scene=scene,
    )

    def keep(texels: Tensor, name: str) -> Path:
        """Write a design into the run folder, exactly and as a picture; gives the picture."""
        design = _design(texels.float().cpu(), surface, settings)
        exact, picture = folder / f"{name}.safetensors", folder / f"{name}.png"
        about = {"pattern": design.pattern, "texels_per_mm": str(design.texels_per_mm)}
        save_texels(exact, design.texels, metadata=about)
        write_design(picture, design)
        return picture

    fitted = fit(module, photos, settings, run, tell=tell, keep=keep, probes=probes)
    design = _design(fitted.texels, surface, settings)
    if is_first_process():
        write_plot(run.metrics, run.plot)
        keep(fitted.texels, run.texture.stem)
        facts = _facts(settings, surface, faces, prepared) | {"steps": fitted.steps}
        course = {"validation": fitted.best, "stops": run.read_stops()}
        run.finish(facts | {name: value for name, value in course.items() if value})
    return TrainResult(design, folder, settings, faces, prepared)


def build_texture(
    settings: TrainSettings,
    surface: MaskSurface,
    *,
    face: Float[Tensor, "3 height width"] | None = None,
    tell: Tell | None = None,
) -> Texture:
    """Build what is learned, at its start.

    Args:
        settings: What to do.
        surface: The mask.
        face: The mean face, where the start is that.
        tell: Receives sentences for the user.

    Raises:
        DesignError: The start is neither a known word nor a picture that can be read.
        ConfigError: A face is to be repeated as a tile.
    """
    per_mm = settings.texture.texels_per_mm
    height, width = surface.texture_size(per_mm)
    start = settings.texture.start
    if start in (*FACES, MEAN_FACE) and settings.texture.repeat_mm is not None:
        raise ConfigError(
            f"texture.start={start} is one face, shown where it belongs, and texture.repeat_mm repeats a "
            "tile; use another start, or repeat_mm=null."
        )
    if face is None and start in (*FACES, MEAN_FACE):
        # The mean face is known when photos are; until then another face shows what else may be wrong.
        name = start if start in FACES else FACE_OF_NOBODY
        face = shipped_design(name, surface, texels_per_mm=per_mm)
    return texture_from(
        settings.texture,
        height=height,
        width=width,
        nose_column=-surface.origin_mm[0] * per_mm,
        generator=generator(settings.seed, 0, "start"),
        given=face,
        tell=tell,
    )


def _masked_templates(
    settings: TrainSettings,
    surface: MaskSurface,
    faces: FaceSet,
    prepared: Sequence[Prepared],
    photos: WornPhotos,
) -> list[Tensor]:
    """Templates of the people trained on, enrolled under a plain mask."""
    per_mm = settings.texture.texels_per_mm
    worn = wear_masks(
        photos.crops,
        surface,
        wear=WearSettings(),
        ways=1,
        texels_per_mm=per_mm,
        render=settings.render,
        seed=settings.seed,
        stream="enrolment",
        cache=placement_cache(settings.faces),
    )
    plain = shipped_design("surgical_blue", surface, texels_per_mm=per_mm)
    return masked_templates(prepared, faces.crops, photos.crops, worn, plain)


def build_module(
    settings: TrainSettings,
    texture: Texture,
    recognizers: Sequence[Recognizer],
    templates: Sequence[Tensor],
    *,
    masked_templates: Sequence[Tensor] | None = None,
    people: Sequence[str] | None = None,
    scene: Scene | None = None,
) -> DesignModule:
    """Build the Lightning module of a run.

    Args:
        settings: What to do.
        texture: What is learned.
        recognizers: Calibrated.
        templates: For each recognizer, the template of each photo (n, D).
        masked_templates: The same from photos under a plain mask; for `objective.masked_gallery`.
        people: Who is on each photo; for `objective.impostor`.
        scene: What a design goes through, where it is built from these settings already.

    Raises:
        ConfigError: The objective asks for what is not there: a printer, an aligner with a gradient, a second
            gallery, other people, or a layer half way through a network.
    """
    scene = _build_scene(settings) if scene is None else scene
    _check_aligners(settings, recognizers)
    ensemble = Ensemble(recognizers, settings.surrogates)
    if settings.objective.features:
        ensemble.find_middle_layers()
    return DesignModule(
        texture=texture,
        scene=scene,
        ensemble=ensemble,
        judging=Judging(
            settings.objective,
            templates,
            recognizers=recognizers,
            masked_templates=masked_templates,
            people=people,
        ),
        printability=Printability(
            settings.objective,
            texels_per_mm=settings.texture.texels_per_mm,
            colours=None if scene.printer.ideal else scene.printer.colours,
            finest_mm=settings.printer.finest_mm,
        ),
        asked=settings.objective,
        optimiser=settings.optimiser,
        steps=settings.trainer.steps,
        seed=settings.seed,
    )


def _build_scene(settings: TrainSettings) -> Scene:
    scene = Scene(
        settings.effects,
        settings.printer,
        texels_per_mm=settings.texture.texels_per_mm,
        draws=seeded(settings.seed, "train"),
    )
    if settings.objective.gamut and scene.printer.ideal:
        raise ConfigError("objective.gamut needs to know the printer; name one with printer=NAME.")
    return scene


def _check_aligners(settings: TrainSettings, recognizers: Sequence[Recognizer]) -> None:
    if not settings.objective.displacement:
        return
    plain = settings.surrogates.model_copy(update={"compile": False})  # networks are compiled once, later
    if not Ensemble(recognizers, plain).can_mislead:
        raise ConfigError(
            "objective.displacement needs an aligner that carries a gradient; name one, as in "
            "surrogates.aligners=[bare,mtcnn-box], or set objective.displacement=0."
        )


def _silent(_: str) -> None:
    """The processes of a run but the first say nothing."""


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
