"""A whole training run: from settings to a learned texture in a run folder."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pytorch_lightning.callbacks import Callback
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.core.files import write_with
from advmask.effects.own_effects import Effect
from advmask.masks.mask_building import build_mask, more_than_named
from advmask.masks.surface import MaskSurface
from advmask.objectives.own_terms import Term
from advmask.photos.loading import FaceSet, check_photos_are_there, load_faces
from advmask.recognizers.aligners.aligner import Aligner
from advmask.recognizers.preparation import Prepared, own_templates, prepare_all
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.recognizer_names import build_recognizers, names_of
from advmask.textures.design_files import Design, write_design
from advmask.textures.ink_fields import INK_FIELDS, InkFields, kept_ink_fields, save_ink_fields
from advmask.textures.starts import stays_near_picture
from advmask.textures.texel_files import load_texels, save_texels
from advmask.textures.texture import Texture
from advmask.training.building import (
    build_module,
    build_scene,
    build_style,
    build_texture,
    check_aligners,
    from_people,
    templates_under_a_mask,
)
from advmask.training.loop import Fitted, fit
from advmask.training.machine import check_machine, device_on
from advmask.training.own_parts import OptimiserFactory, OwnParts, Progress
from advmask.training.plot import write_plot
from advmask.training.processes import is_first_process, only_the_first_speaks
from advmask.training.restored_state import as_found
from advmask.training.run_facts import facts_of, photos_csv
from advmask.training.run_folder import RunFolder
from advmask.training.settings import TrainSettings
from advmask.training.shared_embeddings import SharedEmbeddings
from advmask.training.validation import build_probes
from advmask.training.wandb_log import design_pictures, tell_wandb_after
from advmask.wearing.placement_cache import placement_cache
from advmask.wearing.worn_photos import WAYS_SEED, wear_masks

_log = logging.getLogger(__name__)

INKS = "inks.png"
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

    def __repr__(self) -> str:
        """One line."""
        against = ", ".join(self.settings.recognizers)
        return f"TrainResult({str(self.folder)!r}, {self.design!r}, trained against {against})"


@only_the_first_speaks()
@as_found()
def train(
    settings: TrainSettings,
    *,
    folder: Path | str,
    recognizers: Sequence[str | Recognizer] | None = None,
    validation_recognizers: Sequence[str | Recognizer] | None = None,
    terms: Sequence[Term] = (),
    effects: Sequence[Effect] = (),
    aligners: Sequence[str | Aligner] | None = None,
    optimiser: OptimiserFactory | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
) -> TrainResult:
    """Learn a design, or go on learning one, or return one that is finished.

    What the user should know on the way is logged. The process is left as it was found: its random
    generators, threads and so on (`as_found`).

    Parts of one's own are given as objects. The run folder keeps the settings, with objects by name
    (`module:NAME`, `object:NAME`), and in `objects.json` what the objects are: their class or `repr`, and the
    checksum of weights. A run is resumed with objects of which that is the same; what a function does is not
    looked at. Where several processes share a run, each runs the script that calls this and builds its own.

    Args:
        settings: What to do.
        folder: The run folder; the same folder and settings resume a run from its last checkpoint.
        recognizers: In place of `settings.recognizers`, by name or as objects (`Recognizer.from_module`).
        validation_recognizers: In place of `settings.trainer.validation_recognizers`, in the same way.
        terms: Further losses: called with a `Step`, or with a method `of_embedding`; see
            `advmask.objectives.own_terms`. Each is logged as `term/NAME`.
        effects: Further effects, after the camera: objects with `draw(batch, generator)`, which gives a
            record, and `apply(pictures, record)`; see `advmask.effects.own_effects`.
        aligners: In place of `settings.surrogates.aligners`, by name or as objects; see
            `advmask.recognizers.aligners.aligner`.
        optimiser: Called with the design's parameters, gives the `torch.optim.Optimizer` that is used in
            place of `settings.optimiser.kind` and its rate; the schedule of the settings scales its rate.
        callbacks: Of Lightning, called after ours; checkpoints keep their state.
        progress: Called as `progress(step, steps, values)` after each step, in place of the progress bar.

    Raises:
        AdvmaskError: Whatever the user can mend, in one sentence.
    """
    folder = Path(folder)
    own = OwnParts(
        terms=terms,
        effects=effects,
        aligners=aligners,
        optimiser=optimiser,
        callbacks=callbacks,
        progress=progress,
    )
    asked = settings.recognizers if recognizers is None else recognizers
    settings = _with_names(settings, recognizers, validation_recognizers, aligners)
    surface = build_mask(settings.mask)
    check_photos_are_there(settings.faces)
    run = RunFolder(folder)
    with run.alone(), SharedEmbeddings(folder, settings) as embed:
        run.begin(settings, objects=own.described([*asked, *(validation_recognizers or ())]))
        return _trained(run, settings, surface, asked, validation_recognizers, own, embed)


def _trained(
    run: RunFolder,
    settings: TrainSettings,
    surface: MaskSurface,
    asked: Sequence[str | Recognizer],
    validation_recognizers: Sequence[str | Recognizer] | None,
    own: OwnParts,
    embed: SharedEmbeddings,
) -> TrainResult:
    """Learn the design of a run that has begun; arguments as in `train`."""
    folder = run.path
    if settings.trainer.threads is not None:
        torch.set_num_threads(settings.trainer.threads)
    if run.finished:
        _log.info("%s holds this very run, finished; nothing is trained again.", folder)
        design = _design(load_texels(run.texture), surface, settings, folder, kept_ink_fields(folder))
        return TrainResult(design, folder, settings, _faces(settings))

    # What may be mistyped or lacking comes first, before minutes are spent on photos.
    check_machine(settings.trainer)
    texture = build_texture(settings, surface)
    _show_inks(texture, folder)
    build_style(settings)  # can the artwork be read?
    built = build_recognizers(asked, differentiable=True)
    scene = build_scene(settings, own)
    check_aligners(settings, built, own)
    faces = _faces(settings)
    crops = faces.of(faces.split.train)
    if not crops:
        raise ConfigError("faces.split leaves nobody to train on; give its first number at least one person.")
    run.note_photos(photos_csv(faces, settings.faces.root))
    prepared = prepare_all(
        [one.to(device_on(settings.trainer)) for one in built],
        faces.crops,
        needs_threshold=_needs_threshold(settings),
        embed=embed,
    )
    probes = build_probes(
        settings, faces, surface, prepared, recognizers=validation_recognizers, own_effects=own.effects
    )
    photos = wear_masks(
        crops,
        surface,
        wear=settings.effects.active().wear,
        ways=settings.trainer.placements or max(_FEWEST_WAYS, min(_MOST_WAYS, _WAYS_IN_ALL // len(crops))),
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=WAYS_SEED,
        stream="train",
        cache=placement_cache(settings.faces),
        progress=settings.trainer.progress,
    )
    for omission in photos.omissions:
        _log.warning(str(omission))
    _log.info(photos.fit())
    texture = from_people(texture, settings, surface, photos)
    _show_inks(texture, folder)
    templates = own_templates(prepared, faces.crops, photos.crops)
    masked = None
    if settings.objective.masked_gallery > 0:
        masked = templates_under_a_mask(settings, surface, faces, prepared, photos)
    module = build_module(
        settings,
        texture,
        [item.recognizer for item in prepared],
        templates,
        masked_templates=masked,
        people=photos.names,
        scene=scene,
        own=own,
    )

    def keep(texels: Tensor, name: str) -> Path:
        """Write a design into the run folder, exactly and as a picture; gives the picture."""
        design = _design(texels.float().cpu(), surface, settings)
        exact, picture = folder / f"{name}.safetensors", folder / f"{name}.png"
        about = {"pattern": design.pattern, "texels_per_mm": str(design.texels_per_mm)}
        save_texels(exact, design.texels, metadata=about)
        write_design(picture, design)
        return picture

    def draw(texels: Tensor, picture: Path) -> None:
        """Write a design as a picture alone."""
        write_design(picture, _design(texels, surface, settings))

    fitted = fit(module, photos, settings, run, keep=keep, draw=draw, probes=probes, own=own)
    if is_first_process():
        write_plot(run.metrics, run.plot)
        if fitted.ink_fields is not None:
            save_ink_fields(folder / INK_FIELDS, fitted.ink_fields)
        keep(fitted.texels, run.texture.stem)
        _finish(run, settings, fitted, facts_of(settings, surface, faces, prepared, fitted.texels))
    design = _design(fitted.texels, surface, settings, folder, fitted.ink_fields)
    return TrainResult(design, folder, settings, faces, prepared)


def _show_inks(texture: Texture, folder: Path) -> None:
    """Write `inks.png` of a palette: which colours were taken and which are left out."""
    choice = texture.ink_choice
    if choice is not None and is_first_process():
        write_with(folder / INKS, lambda aside: choice.picture().save(aside, "PNG"))


def _finish(run: RunFolder, settings: TrainSettings, fitted: Fitted, facts: dict[str, Any]) -> None:
    """Write the record that ends the run, and tell whoever keeps another."""
    course = {"validation": fitted.best, "stops": run.read_stops()}
    run.finish(facts | {"steps": fitted.steps} | {name: value for name, value in course.items() if value})
    tell_wandb_after(settings, run, pictures=design_pictures(settings.logger, run))


def _needs_threshold(settings: TrainSettings) -> bool:
    """Whether anything asked for compares with a threshold; the plain similarity does not."""
    validated = settings.trainer.validate_every > 0 and settings.trainer.validation_recognizers is None
    return settings.objective.match != "similarity" or settings.objective.impostor > 0 or validated


def _with_names(
    settings: TrainSettings,
    recognizers: Sequence[str | Recognizer] | None,
    validation_recognizers: Sequence[str | Recognizer] | None,
    aligners: Sequence[str | Aligner] | None,
) -> TrainSettings:
    """The settings with the names of what was given in their place."""
    changes: dict[str, Any] = {}
    if recognizers is not None:
        changes["recognizers"] = names_of(recognizers)
    if validation_recognizers is not None:
        names = {"validation_recognizers": names_of(validation_recognizers)}
        changes["trainer"] = settings.trainer.model_copy(update=names)
    if aligners is not None:
        names = {"aligners": [one if isinstance(one, str) else f"object:{one.name}" for one in aligners]}
        changes["surrogates"] = settings.surrogates.model_copy(update=names)
    return settings.model_copy(update=changes)


def _faces(settings: TrainSettings) -> FaceSet:
    trainer = settings.trainer
    faces = load_faces(settings.faces, progress=trainer.progress, device=device_on(trainer))
    for sentence in [*map(str, faces.omissions), *faces.notices]:
        _log.warning(sentence)
    return faces


def _design(
    texels: Tensor,
    surface: MaskSurface,
    settings: TrainSettings,
    folder: Path | None = None,
    ink_fields: InkFields | None = None,
) -> Design:
    near = stays_near_picture(settings.texture, fidelity=settings.objective.fidelity)
    return Design(
        texels,
        pattern=surface.name,
        texels_per_mm=settings.texture.texels_per_mm,
        size=settings.mask.size,
        own_mask=more_than_named(settings.mask),
        place=folder,
        around=texels if near else None,
        ink_fields=ink_fields,
    )
