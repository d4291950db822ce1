"""The camera: what lies between the light of a scene and the values that a recognizer is given."""

from advmask.effects.camera.developing import develop
from advmask.effects.camera.jpeg import JpegDraw, JpegSettings, apply_jpeg, draw_jpeg
from advmask.effects.camera.motion import MotionDraw, MotionSettings, apply_motion, draw_motion
from advmask.effects.camera.optics import OpticsDraw, OpticsSettings, apply_optics, draw_optics, enlarge
from advmask.effects.camera.photograph import photograph
from advmask.effects.camera.sensor import SensorDraw, SensorSettings, draw_sensor
from advmask.effects.camera.settings import CameraSettings
from advmask.effects.camera.sharpening import (
    SharpeningDraw,
    SharpeningSettings,
    apply_sharpening,
    draw_sharpening,
)
from advmask.effects.camera.tone import CameraToneDraw, CameraToneSettings, draw_tone

__all__ = [
    "CameraSettings",
    "CameraToneDraw",
    "CameraToneSettings",
    "JpegDraw",
    "JpegSettings",
    "MotionDraw",
    "MotionSettings",
    "OpticsDraw",
    "OpticsSettings",
    "SensorDraw",
    "SensorSettings",
    "SharpeningDraw",
    "SharpeningSettings",
    "apply_jpeg",
    "apply_motion",
    "apply_optics",
    "apply_sharpening",
    "develop",
    "draw_jpeg",
    "draw_motion",
    "draw_optics",
    "draw_sensor",
    "draw_sharpening",
    "draw_tone",
    "enlarge",
    "photograph",
]
