"""The small YAML file next to a network that says how to feed it and how to compare its embeddings."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, FiniteFloat, field_validator, model_validator

from advmask.core.data_files import read_yaml
from advmask.core.errors import ConfigError, WeightsError
from advmask.core.settings import Settings

Point = tuple[FiniteFloat, FiniteFloat]
FivePoints = tuple[Point, Point, Point, Point, Point]

EXAMPLE = """\
size: [112, 112]
channels: rgb
range: [0, 1]
mean: [0.5, 0.5, 0.5]
std: [0.5, 0.5, 0.5]
template: arcface
distance: cosine
embedding: 512
"""
"""The keys a specification needs, as InsightFace's networks have them."""

BESIDE = {"insightface": EXAMPLE}
"""Specifications that are written next to weights known by name."""

_LARGEST_FILE = 2**16
_NAMED_TEMPLATES = ("arcface", "dlib", "facenet")


def _number(value: Any) -> Any:
    # YAML's yes and no would otherwise pass for 1 and 0.
    if isinstance(value, bool):
        raise ValueError("a number was expected")
    return value


Number = Annotated[FiniteFloat, BeforeValidator(_number)]
Side = Annotated[int, BeforeValidator(_number), Field(ge=8, le=2048)]


class StatedCalibration(Settings):
    """A threshold the user knows already, in the network's own similarity (cosine, or minus distance).

    Attributes:
        threshold: Similarity above which two pictures match.
        scale: Slope k of the match confidence `sigmoid(k (similarity - threshold))`.
        fmr: False match rate at the threshold, within 0..1.
    """

    threshold: Number
    scale: Annotated[Number, Field(gt=0)]
    fmr: Annotated[Number, Field(gt=0, lt=1)]


class NetworkSpecification(Settings):
    """How a network wants its input and how its embeddings compare.

    Attributes:
        size: Height and width of the input, px.
        channels: Order of the input channels.
        range: Lowest and highest input value before mean and deviation.
        mean: Subtracted per channel, in the network's channel order and in that range.
        std: Divided by, per channel.
        template: Name of a five-point alignment template, or the five (x, y) points themselves, px: left eye
            in the picture, right eye, nose, left and right corner of the mouth.
        distance: How embeddings compare.
        embedding: Length of the embedding.
        flip: Whether the embedding is the sum of those of the picture and its mirror image.
        gradient: False runs an ONNX network in onnxruntime, as a black box without gradient.
        output: Which output of an ONNX network is the embedding, by name; None takes the one of that length.
        adapter: What reads a .pth, .ckpt or .safetensors file: `iresnet50`, `magface`, `adaface`.
        aligner: What its maker finds and aligns faces by, such as `scrfd:det_10g.onnx` for a file next to it:
            `evaluate` then also runs it so, enrolment included.
        crop: With `aligner: box`, the side of the square that its maker cuts, in sides of the detector's box;
            `template` is then for the other aligners. None cuts by `template` there too.
        calibration: A known threshold, if any.
        family: Of the architecture, such as `mobilefacenet`; `user` if nobody says.
        licence: Licence of the weights.
        source: Where the weights come from.
    """

    size: tuple[Side, Side]
    channels: Literal["rgb", "bgr"]
    range: tuple[Number, Number]
    mean: tuple[Number, Number, Number]
    std: tuple[Number, Number, Number]
    template: Literal["arcface", "dlib", "facenet"] | FivePoints
    distance: Literal["cosine", "euclidean"]
    embedding: Annotated[int, BeforeValidator(_number), Field(ge=2, le=65536)]
    flip: bool = False
    gradient: bool = True
    output: str | None = None
    adapter: str | None = None
    aligner: str | None = None
    crop: Annotated[Number, Field(gt=0, le=4)] | None = None
    calibration: StatedCalibration | None = None
    family: str = "user"
    licence: str | None = None
    source: str | None = None

    @field_validator("channels", "distance", mode="before")
    @classmethod
    def _in_any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("size", "range", "mean", "std", mode="before")
    @classmethod
    def _counted(cls, value: Any, info: Any) -> Any:
        count = 2 if info.field_name in ("size", "range") else 3
        if not isinstance(value, list | tuple) or len(value) != count:
            raise ValueError(f"a list of {count} numbers was expected")
        return value

    @field_validator("template", mode="before")
    @classmethod
    def _template(cls, value: Any) -> Any:
        expected = f"{', '.join(_NAMED_TEMPLATES)} or five [x, y] pairs in px were expected"
        if isinstance(value, str):
            if value.lower() not in _NAMED_TEMPLATES:
                raise ValueError(expected)
            return value.lower()
        if not isinstance(value, list | tuple) or len(value) != 5:
            raise ValueError(expected)
        for point in value:
            pair = isinstance(point, list | tuple) and len(point) == 2
            if not pair or not all(type(part) in (int, float) and math.isfinite(part) for part in point):
                raise ValueError(expected)
        return value

    @field_validator("range")
    @classmethod
    def _ascending(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] >= value[1]:
            raise ValueError("the lowest value before the highest was expected")
        return value

    @field_validator("std")
    @classmethod
    def _divisors(cls, value: tuple[float, float, float]) -> tuple[float, float, float]:
        if min(value) <= 0:
            raise ValueError("three numbers above 0 were expected")
        return value

    @model_validator(mode="after")
    def _crop_of_a_box(self) -> "NetworkSpecification":
        if self.crop is not None and self.aligner != "box":
            raise ValueError("`crop` says how much of a detector's box is cut; it goes with `aligner: box`")
        return self

    @model_validator(mode="after")
    def _points_in_picture(self) -> "NetworkSpecification":
        if isinstance(self.template, str):
            return self
        height, width = self.size
        if not all(0 <= x <= width and 0 <= y <= height for x, y in self.template):
            raise ValueError(f"the points of `template` lie outside the input of {width} x {height} px")
        if math.dist(self.template[0], self.template[1]) < 1:
            raise ValueError("the first two points of `template`, the eyes, lie on each other")
        return self


def read_specification(
    weights_path: Path, *, defaults: Mapping[str, Any] | None = None
) -> NetworkSpecification:
    """Read the specification next to a weight file: the same name with the ending .yaml or .yml.

    Args:
        weights_path: The weight file; it need not exist.
        defaults: Values for the keys that the YAML does not name, where the network is a known one. The YAML
            may then name few keys, or be missing.

    Raises:
        WeightsError: There is no such file, and there are no defaults.
        ConfigError: There are two, or one that is not readable YAML, or has an unknown key, a missing key or
            a value that does not fit; the sentence names file and key.
    """
    path = specification_path(weights_path)
    if path is None:
        if defaults is not None:
            return NetworkSpecification.build(defaults)
        raise WeightsError(
            f"{weights_path} needs a file {weights_path.with_suffix('.yaml').name} next to it that says how "
            f"to feed the network, for example:\n{EXAMPLE}"
        )
    try:
        read = NetworkSpecification.build({**(defaults or {}), **_mapping(path)})
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    kind, colon, file = (read.aligner or "").partition(":")
    if colon and file and (path.parent / file).is_file():
        return read.model_copy(update={"aligner": f"{kind}:{path.parent / file}"})
    return read


def named_adapter(weights_path: Path) -> str | None:
    """The `adapter:` that the YAML next to a weight file names, or None.

    Raises:
        ConfigError: As `read_specification`, for a file that is not readable YAML.
    """
    path = specification_path(weights_path)
    try:
        adapter = None if path is None else _mapping(path).get("adapter")
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    return None if adapter is None else str(adapter)


def specification_path(weights_path: Path) -> Path | None:
    """The YAML file next to a weight file, or None.

    Raises:
        ConfigError: There are two.
    """
    found = [path for ending in (".yaml", ".yml") if (path := weights_path.with_suffix(ending)).is_file()]
    if len(found) > 1:
        raise ConfigError(f"There are both {found[0]} and {found[1].name}; keep one of them.")
    return found[0] if found else None


def _mapping(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ConfigError(f"A few lines of YAML were expected, not more than {_LARGEST_FILE} bytes.")
        values = read_yaml(path)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"This is not readable YAML ({reason}); mend or replace it.") from error
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError("Lines of the form `key: value` were expected.")
    return values
