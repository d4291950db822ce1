"""advmask: printable face-mask patterns that make face recognition fail to match the wearer.

The rooms can be used by themselves; the names below are enough for a first design from Python. They are
imported when first used, so that `import advmask` is quick.

What a user should know is logged as sentences, by loggers below `advmask`; they are seen after
`logging.basicConfig(level="INFO")`.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advmask.applying.wear_design import wear_design as wear_design
    from advmask.core.errors import AdvmaskError as AdvmaskError
    from advmask.evaluation.evaluate import evaluate as evaluate
    from advmask.evaluation.findings import Evaluation as Evaluation
    from advmask.evaluation.settings import ProtocolSettings as ProtocolSettings
    from advmask.masks.placement import Wear as Wear
    from advmask.masks.settings import MaskSettings as MaskSettings
    from advmask.photos.landmarks_in_pictures import find_landmarks as find_landmarks
    from advmask.photos.loading import load_faces as load_faces
    from advmask.photos.settings import FacesSettings as FacesSettings
    from advmask.printing.design_export import export_design as export_design
    from advmask.recognizers.recognizer import Recognizer as Recognizer
    from advmask.recognizers.recognizer_names import build_recognizers as build_recognizers
    from advmask.render.checked_inputs import texture_size as texture_size
    from advmask.render.worn_masks import WornMasks as WornMasks
    from advmask.render.worn_masks import wear_mask as wear_mask
    from advmask.textures.design_files import Design as Design
    from advmask.training.reproduction import reproduce as reproduce
    from advmask.training.run import train as train
    from advmask.training.settings import TrainSettings as TrainSettings
    from advmask.training.settings import preset as preset
    from advmask.wearing.opened_design import load_design as load_design

__version__ = "0.1.0"

logging.getLogger(__name__).addHandler(logging.NullHandler())

_HOMES = {
    "AdvmaskError": "advmask.core.errors",
    "Design": "advmask.textures.design_files",
    "Evaluation": "advmask.evaluation.findings",
    "FacesSettings": "advmask.photos.settings",
    "MaskSettings": "advmask.masks.settings",
    "ProtocolSettings": "advmask.evaluation.settings",
    "Recognizer": "advmask.recognizers.recognizer",
    "TrainSettings": "advmask.training.settings",
    "Wear": "advmask.masks.placement",
    "WornMasks": "advmask.render.worn_masks",
    "build_recognizers": "advmask.recognizers.recognizer_names",
    "evaluate": "advmask.evaluation.evaluate",
    "export_design": "advmask.printing.design_export",
    "find_landmarks": "advmask.photos.landmarks_in_pictures",
    "load_design": "advmask.wearing.opened_design",
    "load_faces": "advmask.photos.loading",
    "preset": "advmask.training.settings",
    "reproduce": "advmask.training.reproduction",
    "texture_size": "advmask.render.checked_inputs",
    "train": "advmask.training.run",
    "wear_design": "advmask.applying.wear_design",
    "wear_mask": "advmask.render.worn_masks",
}

__all__ = [
    "AdvmaskError",
    "Design",
    "Evaluation",
    "FacesSettings",
    "MaskSettings",
    "ProtocolSettings",
    "Recognizer",
    "TrainSettings",
    "Wear",
    "WornMasks",
    "build_recognizers",
    "evaluate",
    "export_design",
    "find_landmarks",
    "load_design",
    "load_faces",
    "preset",
    "reproduce",
    "texture_size",
    "train",
    "wear_design",
    "wear_mask",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'advmask' has no attribute {name!r}")
