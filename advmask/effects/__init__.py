"""What happens between the design and the recognizer, as seeded, replayable draws."""

from advmask.effects.camera import CameraSettings, photograph
from advmask.effects.draws import generator
from advmask.effects.settings import EffectsSettings
from advmask.effects.tone import ToneSettings, draw_tone
from advmask.effects.wear import WearSettings, draw_wear

__all__ = [
    "CameraSettings",
    "EffectsSettings",
    "ToneSettings",
    "WearSettings",
    "draw_tone",
    "draw_wear",
    "generator",
    "photograph",
]
