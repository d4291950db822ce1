"""`advmask preview`: faces bare, with a plain mask and with the design; and what a preset of effects does."""

from pathlib import Path

import torch
from omegaconf import DictConfig

from advmask.commands.design_names import open_design
from advmask.commands.given_settings import as_mapping, beside_run, given_keys
from advmask.commands.output import output_dir
from advmask.commands.settings import PreviewCommand
from advmask.core.errors import ConfigError
from advmask.core.files import write_with
from advmask.core.shown_names import shown
from advmask.effects.settings import WearSettings
from advmask.evaluation.contact_sheet import contact_sheet
from advmask.evaluation.effects_sheet import effects_sheet
from advmask.evaluation.protocol import people_of
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet, load_faces
from advmask.render.renderer import MaskRenderer
from advmask.textures.picture_texels import read_picture_as_texels
from advmask.wearing.artwork import shipped_design
from advmask.wearing.placement_cache import placement_cache
from advmask.wearing.worn_photos import wear_masks

_SHOWN = "motif"  # where effects are looked at without a design


def run(config: DictConfig) -> None:
    """Draw `preview.png`, or `effects.png` where effects or a printer are given."""
    if {"effects", "printer"} & {key.split(".")[0] for key in given_keys()}:
        _draw_effects(config)
    else:
        _draw_faces(config)


def _draw_effects(config: DictConfig) -> None:
    mask = MaskSettings.build(as_mapping(config)["mask"])
    if config.design is None:
        given = as_mapping(config) | {"design": _SHOWN}
        settings = PreviewCommand.build(given)
        surface = build_mask(settings.mask)
        texels = shipped_design(_SHOWN, surface, texels_per_mm=settings.texels_per_mm)
    else:
        design = open_design(
            config.design,
            mask=mask,
            texels_per_mm=config.texels_per_mm,
            fit=config.fit,
            copy_mm=config.copy_mm,
        )
        values = beside_run(config, design.run, texels_per_mm=design.texels_per_mm, only=["faces"])
        settings = PreviewCommand.build(values)
        surface, texels = build_mask(settings.mask), design.texels
    faces = _faces(settings)
    sheet = effects_sheet(
        faces.crops[0],
        surface,
        texels,
        settings.effects,
        settings.printer,
        texels_per_mm=settings.texels_per_mm,
        render=settings.render,
    )
    path = output_dir() / "effects.png"
    write_with(path, sheet.save)
    print(f"Written to {path}")


def _draw_faces(config: DictConfig) -> None:
    mask = MaskSettings.build(as_mapping(config)["mask"])
    design = open_design(
        config.design, mask=mask, texels_per_mm=config.texels_per_mm, fit=config.fit, copy_mm=config.copy_mm
    )
    values = beside_run(config, design.run, texels_per_mm=design.texels_per_mm, only=["faces"])
    settings = PreviewCommand.build(values)
    faces = _faces(settings)
    crops = faces.of(people_of(faces, settings.people))
    if not crops:
        raise ConfigError(f"people={settings.people} names nobody here; choose all or another group.")
    step = max(1, len(crops) // settings.count)
    surface = build_mask(settings.mask)
    height, width = surface.texture_size(settings.texels_per_mm)
    photos = wear_masks(
        crops[::step][: settings.count],
        surface,
        wear=WearSettings(),
        ways=1,
        texels_per_mm=settings.texels_per_mm,
        render=settings.render,
        seed=0,
        stream="preview",
        cache=placement_cache(settings.faces),
    )
    for omission in photos.omissions:
        print(omission)
    renderer = MaskRenderer()
    everybody = range(len(photos.crops))
    bare, packed = photos.pictures(everybody), photos.packed(everybody, [0] * len(everybody))
    if Path(settings.plain).expanduser().is_file():
        plain = read_picture_as_texels(Path(settings.plain).expanduser(), height=height, width=width)
    else:
        plain = shipped_design(settings.plain, surface, texels_per_mm=settings.texels_per_mm)
    with torch.no_grad():
        worn = [renderer(texels, bare, packed) for texels in (plain, design.texels)]
    rows = list(zip(bare, *worn, strict=True))
    half = (len(rows) + 1) // 2 if len(rows) > 4 else len(rows)
    captions = ["bare", shown(Path(settings.plain).stem), "design"]
    if half < len(rows):
        blank = tuple(torch.ones_like(bare[0]) for _ in captions)
        right = rows[half:] + [blank] * (2 * half - len(rows))
        rows, captions = [(*a, *b) for a, b in zip(rows[:half], right, strict=True)], captions * 2
    path = output_dir() / "preview.png"
    write_with(path, contact_sheet(rows, columns=captions).save)
    print(f"Written to {path}")


def _faces(settings: PreviewCommand) -> FaceSet:
    faces = load_faces(settings.faces, progress=settings.progress)
    for sentence in [*faces.omissions, *faces.notices]:
        print(sentence)
    return faces
