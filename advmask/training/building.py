"""The parts of a run, built from its settings: scene, texture, templates, module."""

import logging
from collections.abc import Sequence
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import ConfigError
from advmask.effects.draws import generator
from advmask.effects.settings import WearSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.surface import MaskSurface
from advmask.masks.texels_on_mask import texels_on_mask
from advmask.objectives.own_terms import OwnTerms
from advmask.objectives.printability import Printability
from advmask.objectives.style import Style
from advmask.photos.loading import FaceSet
from advmask.recognizers.ensemble import Ensemble
from advmask.recognizers.preparation import Prepared
from advmask.recognizers.recognizer import Recognizer
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.textures.starts import existing_file, names_picture
from advmask.textures.texture import Texture
from advmask.textures.texture import build_texture as texture_from
from advmask.training.match_terms import Judging
from advmask.training.module import DesignModule
from advmask.training.own_parts import OwnParts
from advmask.training.settings import TrainSettings
from advmask.wearing.artwork import FACE_OF_NOBODY, FACES, shipped_design
from advmask.wearing.laid_picture import lay_picture
from advmask.wearing.masked_gallery import masked_templates
from advmask.wearing.mean_face import FEWEST_PEOPLE, MEAN_FACE, mean_face
from advmask.wearing.placement_cache import placement_cache
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import seeded
from advmask.wearing.worn_photos import WornPhotos, wear_masks

_log = logging.getLogger(__name__)


def build_texture(
    settings: TrainSettings,
    surface: MaskSurface,
    *,
    face: Float[Tensor, "3 height width"] | None = None,
) -> Texture:
    """Build what is learned, at its start.

    Args:
        settings: What to do.
        surface: The mask.
        face: The mean face, where the start is that.

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
    across = len(surface.pattern.panels) > 1 or settings.texture.fit == "template"
    if names_picture(start) and settings.texture.repeat_mm is None and across:
        path = existing_file(start)
        face = face if path is None else _laid_on_the_face(path, settings, surface)
    return texture_from(
        settings.texture,
        height=height,
        width=width,
        nose_column=-surface.origin_mm[0] * per_mm,
        generator=generator(settings.seed, 0, "start"),
        given=face,
    )


def _laid_on_the_face(path: Path, settings: TrainSettings, surface: MaskSurface) -> Tensor:
    """A picture across the pieces of a mask, so that it meets at their seams."""
    asked = settings.texture
    laid, _ = lay_picture(
        path,
        surface,
        texels_per_mm=asked.texels_per_mm,
        fit=asked.fit,
        copy_mm=asked.copy_mm,
        warn=True,
    )
    return laid.texels


def from_people(
    texture: Texture, settings: TrainSettings, surface: MaskSurface, photos: WornPhotos
) -> Texture:
    """The texture once more where its start is the mean face of the people on the photos, else as it is.

    Where there are too few people for one, that is logged.

    Args:
        texture: As `build_texture` gives it before photos are known.
        settings: What to do.
        surface: The mask.
        photos: Of those trained on, with the mask placed.
    """
    if settings.texture.start != MEAN_FACE:
        return texture
    if len(set(photos.names)) < FEWEST_PEOPLE:
        _log.warning(
            "A mean face takes at least %d people to train on, so that it is nobody's; this design starts "
            "from %s instead.",
            FEWEST_PEOPLE,
            FACE_OF_NOBODY,
        )
        return texture
    face = mean_face(photos, texels_per_mm=settings.texture.texels_per_mm)
    return build_texture(settings, surface, face=face)


def templates_under_a_mask(
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
    own: OwnParts | None = None,
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
        own: Terms, effects, aligners and an optimiser of the user's own.

    Raises:
        ConfigError: The objective asks for what is not there: a printer, an aligner with a gradient, a second
            gallery, other people, or an intermediate layer of a network.
    """
    own = OwnParts() if own is None else own
    terms = OwnTerms(own.terms)
    scene = build_scene(settings, own) if scene is None else scene
    ensemble = Ensemble(
        recognizers,
        settings.surrogates,
        aligners=own.aligners,
        bfloat16=settings.trainer.precision == "bf16-mixed",
    )
    _check_aligners(settings, ensemble)
    if settings.objective.features:
        ensemble.find_intermediate_layers()
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
            own=terms,
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
        own=terms,
        style=build_style(settings),
        factory=own.optimiser,
    )


def build_style(settings: TrainSettings) -> Style | None:
    """The distance to the artwork of `objective.style`, which covers the mask; None without a weight.

    Raises:
        DesignError: Its picture cannot be read.
    """
    style = settings.objective.style
    if not style.weight or style.picture is None:
        return None
    on_mask = texels_on_mask(build_mask(settings.mask), settings.texture.texels_per_mm)
    height, width = on_mask.shape
    artwork = read_picture_as_texels(Path(style.picture).expanduser(), height=height, width=width)
    return Style(artwork, on_mask=on_mask)


def build_scene(settings: TrainSettings, own: OwnParts | None = None) -> Scene:
    """Build what a design goes through in training.

    Raises:
        ConfigError: The objective asks what a printer prints, and there is none.
    """
    scene = Scene(
        settings.effects,
        settings.printer,
        texels_per_mm=settings.texture.texels_per_mm,
        draws=seeded(settings.seed, "train"),
        own_effects=() if own is None else own.effects,
        holes=settings.holes,
    )
    if settings.objective.gamut and scene.printer.ideal:
        raise ConfigError("objective.gamut needs to know the printer; name one with printer=NAME.")
    return scene


def check_aligners(
    settings: TrainSettings, recognizers: Sequence[Recognizer], own: OwnParts | None = None
) -> None:
    """Check aligners of the user's own, and that one has a gradient where the objective asks for it.

    Raises:
        ConfigError: One is not an aligner, or none carries a gradient.
    """
    aligners = None if own is None else own.aligners
    if settings.objective.displacement or aligners is not None:
        plain = settings.surrogates.model_copy(update={"compile": False})  # networks are compiled once, later
        _check_aligners(settings, Ensemble(recognizers, plain, aligners=aligners))


def _check_aligners(settings: TrainSettings, ensemble: Ensemble) -> None:
    if settings.objective.displacement and not ensemble.can_mislead:
        raise ConfigError(
            "objective.displacement needs an aligner that carries a gradient; name one, as in "
            "surrogates.aligners=[bare,mtcnn-box], or set objective.displacement=0."
        )
