"""What happens between the design and the recognizer, as seeded, replayable draws."""

from advmask.effects.camera import CameraSettings, photograph
from advmask.effects.draws import Draws, LevelDraws, RandomDraws, draws, generator
from advmask.effects.fabric import FabricSettings, draw_fabric, fabric_field
from advmask.effects.light import LightSettings, draw_light, relight
from advmask.effects.settings import EffectsSettings
from advmask.effects.wear import WearSettings, draw_wear

__all__ = [
    "CameraSettings",
    "Draws",
    "EffectsSettings",
    "FabricSettings",
    "LevelDraws",
    "LightSettings",
    "RandomDraws",
    "WearSettings",
    "draw_fabric",
    "draw_light",
    "draw_wear",
    "draws",
    "fabric_field",
    "generator",
    "photograph",
    "relight",
]
