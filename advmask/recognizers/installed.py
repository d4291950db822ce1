"""Networks that other programs have put on this machine: used where they lie, never moved nor downloaded."""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from advmask.core.config_folders import has_home
from advmask.core.errors import ConfigError, WeightsError

_RESEARCH = "non-commercial research only"
_NOT_FOR_FACES = ("1k3d68", "2d106det", "genderage", "inswapper")  # of a pack; landmarks, age, another task
_DETECTORS = ("det_", "scrfd", "retinaface")
_SFACE = "face_recognition_sface_2021dec.onnx"
_FAMILIES = {"r18": "iresnet", "r34": "iresnet", "r50": "iresnet", "r100": "iresnet", "mbf": "mobilefacenet"}
# uniface's files by its own names: order of channels, family, licence.
_UNIFACE = {
    "arcface_mnet": ("rgb", "mobilefacenet", _RESEARCH),
    "arcface_resnet": ("rgb", "iresnet", _RESEARCH),
    **dict.fromkeys(
        ("mobilenetv1_025", "mobilenetv2", "mobilenetv3_small", "mobilenetv3_large"),
        ("rgb", "mobilenet", "not stated (code MIT)"),
    ),
    **dict.fromkeys(("sphere20", "sphere36"), ("rgb", "sphereface", "not stated (code MIT)")),
    **dict.fromkeys(("adaface_ir_18", "adaface_ir_101"), ("bgr", "iresnet", "not stated (code MIT)")),
}
# How CVLface's networks with KP-RPE are told the landmarks.
_KPRPE = {
    "rpe_on": "k",
    "method": "product",
    "ratio": 1.9,
    "ctx_type": "rel_keypoint_splithead_unshared",
    "num_keypoints": 5,
}
_LARGEST_JSON = 2**20


@dataclass(frozen=True)
class Installed:
    """A network where another program put it.

    Attributes:
        name: As users write it, such as `insightface:buffalo_l`.
        path: Its file; where it lacks one, the folder.
        reader: What reads it: `onnx`, `adaface`, `iresnet` or `vit`.
        feeding: Keys of the specification that differ from InsightFace's.
        detector: The file of the detector that its program aligns by, where it lies next to it.
        problem: Why it cannot be used, as a sentence; empty where it can.
    """

    name: str
    path: Path
    reader: str = "onnx"
    feeding: Mapping[str, Any] = field(default_factory=dict)
    detector: Path | None = None
    problem: str = ""


def installed() -> list[Installed]:
    """All that is found, by program and name."""
    return [one for _, find in _PLACES.values() for one in find()]


def find_installed(name: str) -> Installed:
    """A network by its name.

    Raises:
        ConfigError: There is none; the sentence says what there is, and where was looked.
        WeightsError: It cannot be used.
    """
    folder, find = _PLACES[name.partition(":")[0]]
    here = list(find())
    found = next((one for one in here if one.name == name), None)
    if found is None:
        names = ", ".join(one.name for one in here)
        what = f"found there: {names}" if names else "nothing of it is there"
        looked = folder() or "the home folder, which there is none of,"
        raise ConfigError(f"{name} is not installed; {looked} was looked in, and {what}.")
    if found.problem:
        raise WeightsError(found.problem)
    return found


def torch_hub_file(name: str) -> Path | None:
    """A file where facenet-pytorch and torch's hub keep what they have downloaded, or None."""
    home = os.environ.get("TORCH_HOME")
    above = Path(home) if home else _below_home(".cache", "torch")
    places = [] if above is None else [above / "checkpoints" / name, above / "hub" / "checkpoints" / name]
    return next((path for path in places if path.is_file()), None)


def _insightface() -> Iterator[Installed]:
    for pack in _folders(_packs()):
        inner = pack / pack.name
        files = sorted((inner if inner.is_dir() else pack).glob("*.onnx"))
        detectors = [file for file in files if file.stem.startswith(_DETECTORS)]
        networks = [file for file in files if not file.stem.startswith((*_DETECTORS, *_NOT_FOR_FACES))]
        if not files:
            continue
        name = f"insightface:{pack.name}"
        if not networks:
            problem = (
                f"The pack {pack} has no recognition network, only {', '.join(file.name for file in files)}; "
                "get it again."
            )
            yield Installed(name, pack, problem=problem)
            continue
        stem = networks[0].stem
        family = next((kind for part, kind in _FAMILIES.items() if part in stem), None)
        family = "iresnet" if stem == "glintr100" else family
        about = {"licence": _RESEARCH, "source": f"InsightFace model pack {pack.name}"}
        yield Installed(
            name,
            networks[0],
            feeding=about | ({"family": family} if family else {}) | ({"aligner": name} if detectors else {}),
            detector=detectors[0] if detectors else None,
        )


def _uniface() -> Iterator[Installed]:
    folder = _uniface_folder()
    for name, (channels, family, licence) in _UNIFACE.items():
        if folder is not None and (folder / f"{name}.onnx").is_file():
            about = {"channels": channels, "family": family, "licence": licence, "source": "uniface"}
            yield Installed(f"uniface:{name}", folder / f"{name}.onnx", feeding=about)


def _opencv() -> Iterator[Installed]:
    """SFace, wherever deepface put it; a file of one's own has its YAML next to it."""
    folder = _deepface()
    if folder is not None and (folder / _SFACE).is_file():
        about = {
            "range": (0.0, 255.0),
            "mean": (0.0,) * 3,
            "std": (1.0,) * 3,
            "embedding": 128,
            "family": "sface",
            "licence": "Apache-2.0",
            "source": "OpenCV Zoo, SFace",
        }
        yield Installed("opencv:sface", folder / _SFACE, feeding=about)


def _cvlface() -> Iterator[Installed]:
    """CVLface's networks: in the cache of Hugging Face, or where CVLface's own examples copy them."""
    taken = set()
    own = _below_home(".cvlface_cache")
    for folder in [
        *(snapshot for repo in _folders(_hub()) for snapshot in _folders(repo / "snapshots")),
        *(inner for outer in _folders(own) for inner in _folders(outer)),
    ]:
        repo = folder.parent.parent.name if folder.parent.name == "snapshots" else folder.name
        repo = repo.rpartition("--")[2]
        if repo.startswith("cvlface_") and "dfa" not in repo and (folder / "model.safetensors").is_file():
            one = _of_cvlface(f"cvlface:{repo.removeprefix('cvlface_')}", folder)
            if one.name not in taken:
                taken.add(one.name)
                yield one


def _of_cvlface(name: str, folder: Path) -> Installed:
    path = folder / "model.safetensors"
    try:
        conf = _json(folder / "config.json")
        conf = conf.get("conf", conf)
        colours, size, length = conf["color_space"], conf["input_size"], conf["output_dim"]
        keys = _tensor_names(path)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"{folder} says not how its network is fed ({type(error).__name__}: {error}); get it again."
        return Installed(name, path, problem=problem)
    kinds = {"input_layer.0.weight": "adaface", "layer1.0.bn1.weight": "iresnet", "pos_embed": "vit"}
    reader = next((kind for end, kind in kinds.items() if any(key.endswith(end) for key in keys)), "")
    problem = ""
    if str(colours).lower() not in ("rgb", "bgr"):
        problem = f"{folder / 'config.json'} names the colour order {colours!r}; RGB or BGR was expected."
    elif not reader or any(".rpe_" in key for key in keys):
        problem = f"{path} holds a network that is not read here: IR, IResNet, ViT and ViT with KP-RPE are."
    elif any("keypoint_linear" in key for key in keys) and (odd := _unlike_kprpe(conf)):
        problem = f"{folder / 'config.json'} says rpe_config.{odd}, which is not read here."
    about = {
        "channels": str(colours).lower(),
        "size": tuple(size[-2:]) if isinstance(size, list) else size,
        "embedding": length,
        "family": "vit" if reader == "vit" else "iresnet",
        "licence": "as of its training data",
        "source": f"CVLface, {name.partition(':')[2]}",
    }
    return Installed(name, path, reader, about, problem=problem)


def _unlike_kprpe(conf: Mapping[str, Any]) -> str:
    """What a configuration says of KP-RPE otherwise than the published networks do; empty for nothing."""
    said = conf.get("rpe_config") or {}
    return next((f"{key}: {said[key]!r}" for key, own in _KPRPE.items() if said.get(key, own) != own), "")


def _json(path: Path) -> Any:
    if path.stat().st_size > _LARGEST_JSON:
        raise ValueError(f"{path.name} is no configuration")
    return json.loads(path.read_text(encoding="utf-8"))


def _tensor_names(path: Path) -> list[str]:
    """The names in the head of a safetensors file, without its weights."""
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        if not 0 < length < path.stat().st_size:
            raise ValueError(f"{path.name} is not whole")
        return list(json.loads(stream.read(length)))


def _below_home(*parts: str) -> Path | None:
    return Path.home().joinpath(*parts) if has_home() else None


def _packs() -> Path | None:
    return _below_home(".insightface", "models")


def _uniface_folder() -> Path | None:
    named = os.environ.get("UNIFACE_CACHE_DIR")
    return Path(named) if named else _below_home(".uniface", "models")


def _deepface() -> Path | None:
    named = os.environ.get("DEEPFACE_HOME")
    return Path(named) / ".deepface" / "weights" if named else _below_home(".deepface", "weights")


def _hub() -> Path | None:
    if named := os.environ.get("HF_HUB_CACHE"):
        return Path(named)
    if named := os.environ.get("HF_HOME"):
        return Path(named) / "hub"
    return _below_home(".cache", "huggingface", "hub")


def _folders(above: Path | None) -> list[Path]:
    try:
        return [] if above is None else sorted(each for each in above.iterdir() if each.is_dir())
    except OSError:  # it is not there, or may not be read
        return []


_PLACES: dict[str, tuple[Callable[[], Path | None], Callable[[], Iterator[Installed]]]] = {
    "insightface": (_packs, _insightface),
    "uniface": (_uniface_folder, _uniface),
    "cvlface": (_hub, _cvlface),
    "opencv": (_deepface, _opencv),
}
PROGRAMS = tuple(_PLACES)
"""What stands before the colon in their names."""
