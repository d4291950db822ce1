"""advmask: printable face-mask patterns that make face recognition fail to match the wearer.

The rooms can be used by themselves; the names below are enough for a first design from Python. They are
imported when first used, so that `import advmask` is quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from advmask.core.errors import AdvmaskError as AdvmaskError
    from advmask.evaluation.conditions import Conditions as Conditions
    from advmask.evaluation.protocol import ProtocolSettings as ProtocolSettings
    from advmask.evaluation.protocol import evaluate_designs as evaluate_designs
    from advmask.photos.loading import FacesSettings as FacesSettings
    from advmask.photos.loading import load_faces as load_faces
    from advmask.recognizers.preparation import prepare_all as prepare_all
    from advmask.recognizers.recognizer_names import build_recognizers as build_recognizers
    from advmask.training.run import train as train
    from advmask.training.settings import TrainSettings as TrainSettings

__version__ = "0.1.0"

_HOMES = {
    "AdvmaskError": "advmask.core.errors",
    "Conditions": "advmask.evaluation.conditions",
    "FacesSettings": "advmask.photos.loading",
    "ProtocolSettings": "advmask.evaluation.protocol",
    "TrainSettings": "advmask.training.settings",
    "build_recognizers": "advmask.recognizers.recognizer_names",
    "evaluate_designs": "advmask.evaluation.protocol",
    "load_faces": "advmask.photos.loading",
    "prepare_all": "advmask.recognizers.preparation",
    "train": "advmask.training.run",
}

__all__ = [
    "AdvmaskError",
    "Conditions",
    "FacesSettings",
    "ProtocolSettings",
    "TrainSettings",
    "build_recognizers",
    "evaluate_designs",
    "load_faces",
    "prepare_all",
    "train",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'advmask' has no attribute {name!r}")
