"""The sheet that shows each effect of a preset by itself."""

import numpy as np
import pytest
import torch

from advmask.effects.settings import EffectsSettings
from advmask.evaluation.effects_sheet import LEVELS, effect_rows, effects_sheet
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import FaceSet
from advmask.printers.settings import PrinterSettings
from advmask.render.settings import RenderSettings

EFFECTS = {
    "wear": {"slip_mm": 12.0},
    "fabric": {"white": 0.4},
    "camera": {"optics": {"eyes_px": [10, 30]}, "jpeg": {"share": 0.2, "quality": [30, 90]}},
}


def test_only_what_does_anything_is_shown_and_alone():
    rows = effect_rows(EffectsSettings.build(EFFECTS), PrinterSettings(name="soft", spread_mm=1.0))
    assert [row.name.split("\n")[0] for row in rows] == ["slip", "print", "cloth darker", "distance", "JPEG"]
    assert [row.prints for row in rows] == [False, True, False, False, False]
    assert rows[0].name.endswith("12 mm")
    off = EffectsSettings()
    for row in rows:
        changed = [
            room
            for room in ("wear", "fabric", "light", "camera")
            if getattr(row.effects, room) != getattr(off, room)
        ]
        assert len(changed) == (0 if row.prints else 1)


def test_what_is_switched_off_is_not_shown():
    rows = effect_rows(
        EffectsSettings.build(EFFECTS | {"without": ["camera.jpeg", "wear"]}), PrinterSettings()
    )
    assert [row.name.split("\n")[0] for row in rows] == ["cloth darker", "distance"]


def test_effects_grow_from_left_to_right(portrait: FaceSet):
    surface = build_mask(MaskSettings())
    texels = torch.rand(3, *surface.texture_size(1.0), generator=torch.Generator().manual_seed(0))
    sheet = effects_sheet(
        portrait.crops[0],
        surface,
        texels,
        EffectsSettings.build({"fabric": {"white": 0.4}, "camera": {"tone": {"exposure_ev": 1.0}}}),
        PrinterSettings(),
        texels_per_mm=1.0,
        render=RenderSettings(),
    )
    side = portrait.crops[0].picture.shape[-1]
    left = sheet.width - len(LEVELS) * (side + 4)
    top = sheet.height - 3 * (side + 4)
    light = np.asarray(sheet.convert("L"), dtype=float)
    means = [
        [
            light[top + row * (side + 4) :, left + column * (side + 4) :][:side, :side].mean()
            for column in range(len(LEVELS))
        ]
        for row in range(2)
    ]
    assert means[0] == pytest.approx(sorted(means[0], reverse=True))
    assert means[0][0] - means[0][-1] > 2
    assert means[1] == pytest.approx(sorted(means[1]))
    assert means[1][-1] - means[1][0] > 10
