"""From a name as users write it to an aligner."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from advmask.core.errors import ConfigError
from advmask.recognizers.aligners.aligner import Aligner, BareAligner
from advmask.recognizers.aligners.coarse import BoxAligner, ThreePointAligner
from advmask.recognizers.aligners.detector_file import detector_of_pack, load_detector
from advmask.recognizers.aligners.detector_layouts import LAYOUTS
from advmask.recognizers.aligners.dlib5 import DlibAligner
from advmask.recognizers.aligners.mesh468 import MeshAligner
from advmask.recognizers.aligners.mtcnn import MtcnnAligner, MtcnnBoxAligner
from advmask.recognizers.aligners.own_aligner import load_own_aligner, own_aligner

_BUILDERS: dict[str, Callable[[], Aligner]] = {
    "bare": BareAligner,
    "mtcnn": MtcnnAligner,
    "mtcnn-box": MtcnnBoxAligner,
    "box": BoxAligner,
    "three-point": ThreePointAligner,
    "dlib5": DlibAligner,
    "dlib5-box": partial(DlibAligner, given_box=True),
}
_DETECTORS = tuple(LAYOUTS)
_MESHES = ("mesh468", "mesh468-box")

ALIGNER_NAMES = (*_BUILDERS, *_MESHES)
"""The aligners that need no code of the user's."""


def build_aligner(name: str, *, mesh_model: Path | None = None) -> Aligner:
    """Build an aligner from its name.

    `bare` gives back the landmarks of the bare picture. `mtcnn`, `dlib5` and `mesh468` re-detect the face on
    the picture; with `-box` they are given its place and find its landmarks only. `box` takes MTCNN's box
    alone, `three-point` its eyes and mouth. `scrfd:PATH`, `retinaface:PATH` and `yunet:PATH` run a detector's
    ONNX file, `insightface:PACK` that of an installed pack.
    `python:module:function` calls a function without arguments that returns an object like `Aligner`.

    Args:
        name: One of those.
        mesh_model: File of the face mesh network; None takes what ADVMASK_FACE_MESH names.

    Raises:
        ConfigError: The name is unknown; the message names the near misses. Or the user's aligner is wrong.
        MissingPackageError: dlib is not installed.
        WeightsError: A weights file is missing or damaged.
    """
    if name.startswith("python:"):
        return load_own_aligner(name)
    if name.startswith("insightface:"):
        return load_detector(name, *detector_of_pack(name))
    if name.partition(":")[0] in _DETECTORS:
        if not name.partition(":")[2]:
            raise ConfigError(f"{name}: needs the detector's ONNX file, such as {name.rstrip(':')}:PATH.")
        return load_detector(name)
    if name in _MESHES:
        return MeshAligner(given_box=name.endswith("-box"), model=mesh_model)
    if name not in _BUILDERS:
        near = get_close_matches(name.lower(), ALIGNER_NAMES, n=2, cutoff=0.5)
        files = ", ".join([*(f"{each}:PATH" for each in _DETECTORS), "insightface:PACK"])
        known = f"known: {', '.join(ALIGNER_NAMES)}, {files}, python:module:function"
        hint = f"did you mean {' or '.join(near)}?" if near else f"{known}."
        raise ConfigError(f"Unknown aligner {name!r}; {hint}")
    return _BUILDERS[name]()


def build_aligners(names: Sequence[str | Aligner], *, mesh_model: Path | None = None) -> list[Aligner]:
    """Build several aligners; at least one, all different.

    Args:
        names: As `build_aligner` takes them, or objects like `Aligner`, which are checked.
        mesh_model: As for `build_aligner`.

    Raises:
        ConfigError: None is named, or one twice, or an object is not an aligner.
    """
    if not names:
        raise ConfigError("aligners=[] names none; give at least one, such as aligners=[bare].")
    built = [
        build_aligner(one, mesh_model=mesh_model) if isinstance(one, str) else own_aligner(one)
        for one in names
    ]
    called = [one.name for one in built]
    twice = sorted({name for name in called if called.count(name) > 1})
    if twice:
        raise ConfigError(f"The aligner {', '.join(twice)} is named more than once.")
    return built
