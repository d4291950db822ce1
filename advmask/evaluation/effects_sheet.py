"""Each effect of a preset by itself, from low to high, as one picture."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from PIL import Image
from torch import Tensor

from advmask.effects.settings import EffectsSettings
from advmask.effects.wear import draw_wear
from advmask.evaluation.contact_sheet import contact_sheet
from advmask.masks.placement import Wear
from advmask.masks.surface import MaskSurface
from advmask.photos.crops import FaceCrop
from advmask.printers.settings import PrinterSettings
from advmask.render.batching import collate
from advmask.render.packing import PackedPlacement
from advmask.render.settings import RenderSettings
from advmask.wearing.placing import place_masks
from advmask.wearing.scene import Scene
from advmask.wearing.scene_draw import DrawsOf, at_level, seeded

LEVELS = (0.0, 0.25, 0.5, 0.75, 1.0)

# What is shown as one row: name, where it stands, and the settings that belong to it.
_ROWS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("shift", "wear", ("shift_mm",)),
    ("slip", "wear", ("slip_mm",)),
    ("tilt", "wear", ("tilt_deg",)),
    ("size", "wear", ("scale",)),
    ("stretch", "wear", ("stretch",)),
    ("folds", "wear", ("folds", "fold_mm")),
    ("cloth darker", "fabric", ("white",)),
    ("cloth colour", "fabric", ("base",)),
    ("sheen", "fabric", ("sheen",)),
    ("translucency", "fabric", ("translucency",)),
    ("lit otherwise", "fabric", ("shade",)),
    ("tint", "fabric", ("tint",)),
    ("weave", "fabric", ("weave", "weave_mm")),
    ("wrinkles", "fabric", ("wrinkles", "wrinkle_mm")),
    ("direction of light", "light", ("direction", "softness")),
    ("colour of light", "light", ("temperature_k",)),
    ("cast shadow", "light", ("shadow", "shadow_share", "shadow_softness")),
    ("distance", "camera.optics", ("eyes_px",)),
    ("focus", "camera.optics", ("focus_px",)),
    ("motion", "camera.motion", ("length_px", "share")),
    ("exposure", "camera.tone", ("exposure_ev",)),
    ("white balance", "camera.tone", ("temperature_ev",)),
    ("white balance, channels", "camera.tone", ("colour_ev",)),
    ("contrast", "camera.tone", ("contrast",)),
    ("tone curve", "camera.tone", ("curve",)),
    ("noise", "camera.sensor", ("noise", "read_share")),
    ("sharpening", "camera.sharpening", ("amount", "radius_px", "share")),
    ("JPEG", "camera.jpeg", ("quality", "share", "subsampled")),
)


@dataclass(frozen=True)
class EffectRow:
    """One effect of a preset alone.

    Attributes:
        name: With the range, over two lines.
        effects: Everything else off.
        prints: Whether the printer is on.
    """

    name: str
    effects: EffectsSettings
    prints: bool = False


def effect_rows(effects: EffectsSettings, printer: PrinterSettings) -> list[EffectRow]:
    """The effects of a preset that do anything, each by itself, in the order of the chain."""
    active, off = effects.active(), EffectsSettings()
    rows = []
    for name, place, fields in _ROWS:
        given, plain = _at(active, place), _at(off, place)
        if _does(given, plain, fields):
            kept = {field: getattr(given, field) for field in fields}
            rows.append(EffectRow(f"{name}\n{_range(kept[fields[0]], fields[0])}", _with(off, place, kept)))
    if printer != PrinterSettings():
        rows.insert(
            sum(row.effects.wear != off.wear for row in rows), EffectRow(f"print\n{printer.name}", off, True)
        )
    return rows


def effects_sheet(
    crop: FaceCrop,
    surface: MaskSurface,
    texels: Float[Tensor, "3 height width"],
    effects: EffectsSettings,
    printer: PrinterSettings,
    *,
    texels_per_mm: float,
    render: RenderSettings,
    seed: int = 0,
) -> Image.Image:
    """Draw one face under each effect alone, from low to high, and below under all, drawn at random.

    Args:
        crop: The face.
        surface: The mask.
        texels: The design.
        effects: The preset.
        printer: What the design is printed with.
        texels_per_mm: Of the design.
        render: How masks are drawn.
        seed: Of the last row.
    """
    placed: dict[Wear, PackedPlacement] = {}  # most effects leave the mask where it is

    def drawn(chosen: EffectsSettings, own: PrinterSettings, draws: DrawsOf, step: int = 0) -> Tensor:
        wear = draw_wear(chosen.active().wear, draws=draws(step, "wear"))
        if wear not in placed:
            (placed[wear],) = place_masks(crop, surface, [wear], texels_per_mm, render)
        side = crop.picture.shape[-1]
        packed = collate([placed[wear]], height=side, width=side)
        scene = Scene(chosen, own, texels_per_mm=texels_per_mm, draws=draws)
        with torch.no_grad():
            record = scene.draw(step, range(1), (side, side), texels=texels)
            picture: Tensor = scene(texels, crop.as_float()[None], packed, record)[0]
        return picture

    rows: list[list[Tensor]] = []
    names: list[str] = []
    for row in effect_rows(effects, printer):
        names.append(row.name)
        own = printer if row.prints else PrinterSettings()
        rows.append([drawn(row.effects, own, at_level(level)) for level in LEVELS])
    names.append("all, drawn\nat random")
    draws = seeded(seed, "sheet")
    rows.append([drawn(effects, printer, draws, step=step) for step in range(len(LEVELS))])
    return contact_sheet(rows, columns=[f"{level:.0%}" for level in LEVELS], names=names)


def _at(effects: EffectsSettings, place: str) -> Any:
    part: Any = effects
    for name in place.split("."):
        part = getattr(part, name)
    return part


def _with(effects: EffectsSettings, place: str, kept: dict[str, Any]) -> EffectsSettings:
    room, _, part = place.partition(".")
    own = getattr(effects, room)
    changed = (
        own.model_copy(update={part: getattr(own, part).model_copy(update=kept)})
        if part
        else own.model_copy(update=kept)
    )
    return effects.model_copy(update={room: changed})


def _does(given: Any, plain: Any, fields: Sequence[str]) -> bool:
    strength = "share" if "share" in fields else fields[0]
    return bool(getattr(given, strength) != getattr(plain, strength))


def _range(value: Any, field: str) -> str:
    unit = {"mm": " mm", "deg": " degrees", "px": " px", "ev": " EV", "k": " K"}.get(
        field.rpartition("_")[2], ""
    )
    if isinstance(value, tuple):
        return f"{value[0]:g} to {value[1]:g}{unit}"
    return f"up to {value:g}{unit}"
