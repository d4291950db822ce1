"""The module and one batch of a tiny run, without Lightning around them."""

from advmask.masks.mask_building import build_mask
from advmask.photos.loading import load_faces
from advmask.recognizers.preparation import own_templates, prepare_all
from advmask.recognizers.recognizer_names import build_recognizers
from advmask.training.building import build_module, build_texture
from advmask.training.data import Batch, StepDataset
from advmask.training.module import DesignModule
from advmask.training.settings import TrainSettings
from advmask.wearing.worn_photos import WornPhotos, wear_masks


def photos_of(settings: TrainSettings) -> WornPhotos:
    return wear_masks(
        load_faces(settings.faces).crops,
        build_mask(settings.mask),
        wear=settings.effects.wear,
        ways=2,
        texels_per_mm=settings.texture.texels_per_mm,
        render=settings.render,
        seed=0,
        stream="train",
    )


def module_and_batch(settings: TrainSettings) -> tuple[DesignModule, Batch]:
    faces, surface = load_faces(settings.faces), build_mask(settings.mask)
    prepared = prepare_all(build_recognizers(settings.recognizers), faces.crops)
    photos = photos_of(settings)
    module = build_module(
        settings,
        build_texture(settings, surface),
        [one.recognizer for one in prepared],
        own_templates(prepared, faces.crops, photos.crops),
    )
    data = StepDataset(
        photos, module.scene.drawer, feeder=module.feeder, batch=settings.trainer.batch, seed=0
    )
    return module, data[3]
