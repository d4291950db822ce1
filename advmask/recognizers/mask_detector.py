"""A mask detector of the user's: the probability that a face wears a mask."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NoReturn

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor

from advmask.core.data_files import read_yaml
from advmask.core.errors import ConfigError, WeightsError
from advmask.core.settings import Settings
from advmask.recognizers.alignment import cut_chips, similarity_to_template
from advmask.recognizers.black_box import load_black_box
from advmask.recognizers.own_network import built_by_function
from advmask.recognizers.preprocessing import preprocess
from advmask.recognizers.specification import FivePoints, Number, Side
from advmask.recognizers.templates import template_points

MASKED = 0.5
"""Probability from which a face counts as masked."""

_EXAMPLE = "size: [224, 224]\nrange: [0, 1]\nmean: [0.5, 0.5, 0.5]\nstd: [0.5, 0.5, 0.5]\nmasked: 0\n"
_ROUNDING = 1e-3

Detect = Callable[[Tensor, Tensor], Tensor]


class MaskDetectorSpecification(Settings):
    """How an ONNX mask detector is fed and read: the YAML next to it.

    Attributes:
        size: Height and width of the input, px.
        channels: Order of the input channels.
        range: Lowest and highest input value before mean and deviation.
        mean: Subtracted per channel, in that order and range.
        std: Divided by, per channel.
        template: What is cut: `facenet`, a detector's face box, or another template of five points.
        masked: Which number of the output is that of a mask, from 0.
        softmax: Whether the outputs are logits that softmax makes probabilities; of one, a sigmoid.
    """

    size: tuple[Side, Side]
    channels: Literal["rgb", "bgr"] = "rgb"
    range: tuple[Number, Number] = (0.0, 1.0)
    mean: tuple[Number, Number, Number] = (0.0, 0.0, 0.0)
    std: tuple[Number, Number, Number] = (1.0, 1.0, 1.0)
    template: Literal["arcface", "dlib", "facenet"] | FivePoints = "facenet"
    masked: int = Field(default=0, ge=0)
    softmax: bool = False


class MaskDetector:
    """Says for each face how probable a mask on it is; its answers are checked.

    Args:
        name: As written by the user.
        detect: Takes pictures (B, 3, H, W) in [0, 1], RGB, and five landmarks each (B, 5, 2), px; gives (B,)
            probabilities.
    """

    def __init__(self, name: str, detect: Detect) -> None:
        self.name, self._detect = name, detect

    def __call__(
        self, pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"]
    ) -> Float[Tensor, " batch"]:
        """Probabilities of a mask.

        Args:
            pictures: In [0, 1], RGB.
            landmarks: Of the bare pictures.

        Raises:
            ConfigError: It fails, or its answer is no probability for each picture.
        """
        try:
            with torch.no_grad():
                found = torch.as_tensor(self._detect(pictures.cpu(), landmarks.cpu())).double()
        except (ConfigError, WeightsError):
            raise
        except Exception as error:  # whatever a user's function raises
            raise ConfigError(f"{self.name} failed ({type(error).__name__}: {error}).") from error
        if found.shape != (len(pictures),):
            self._refuse(f"numbers of the shape {tuple(found.shape)} for {len(pictures)} pictures")
        if not bool(torch.isfinite(found).all()):
            self._refuse("numbers that are not finite")
        low, high = float(found.min()), float(found.max())
        if low < -_ROUNDING or high > 1 + _ROUNDING:
            self._refuse(f"numbers from {low:.3g} to {high:.3g}")
        return found.clamp(0, 1)

    def _refuse(self, what: str) -> NoReturn:
        raise ConfigError(
            f"{self.name} gives {what}; one probability of a mask in [0, 1] for each picture was expected "
            "(for logits of an ONNX file write `softmax: true` into its YAML)."
        )


def build_mask_detector(name: str) -> MaskDetector:
    """Build a mask detector from its name.

    Args:
        name: `python:MODULE:FUNCTION` or `python:FILE.py:FUNCTION`, whose function takes nothing and gives
            what `MaskDetector` calls; or `onnx:PATH`, with a YAML next to it.

    Raises:
        ConfigError: It is neither, or the function or YAML does not fit.
        WeightsError: The file is missing or damaged.
        MissingPackageError: onnxruntime is not installed.
    """
    scheme, _, rest = name.partition(":")
    if scheme == "python" and rest:
        detect = built_by_function(name, rest)
        if not callable(detect):
            raise ConfigError(
                f"{name}: {rest.rpartition(':')[2]}() gives {type(detect).__name__}; a function of pictures "
                "and landmarks was expected."
            )
        return MaskDetector(name, detect)
    if scheme == "onnx" and rest:
        return MaskDetector(name, _onnx(Path(rest).expanduser()))
    raise ConfigError(
        f"Unknown mask detector {name!r}; known: python:MODULE:FUNCTION, python:FILE.py:FUNCTION, onnx:PATH."
    )


def _onnx(path: Path) -> Detect:
    told = _specification(path)
    network = load_black_box(path)
    template = template_points(told.template, size=told.size)

    def detect(pictures: Tensor, landmarks: Tensor) -> Tensor:
        chips = cut_chips(pictures, similarity_to_template(landmarks, template), size=told.size)
        fed = preprocess(chips, channels=told.channels, value_range=told.range, mean=told.mean, std=told.std)
        found: Tensor = network(fed).reshape(len(pictures), -1)
        if found.shape[1] <= told.masked:
            raise ConfigError(
                f"{path} gives {found.shape[1]} numbers for a picture; `masked: {told.masked}` in its YAML "
                "names none of them (they count from 0)."
            )
        if told.softmax:
            found = found.sigmoid() if found.shape[1] == 1 else found.softmax(dim=1)
        return found[:, told.masked]

    return detect


def _specification(path: Path) -> MaskDetectorSpecification:
    beside = path.with_suffix(".yaml")
    try:
        content = read_yaml(beside)
    except FileNotFoundError as error:
        raise WeightsError(
            f"{path} needs a file {beside.name} next to it that says how to feed it, for example:\n{_EXAMPLE}"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"{beside} cannot be read ({error}).") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{beside} holds no keys; for example:\n{_EXAMPLE}")
    try:
        return MaskDetectorSpecification.build(content)
    except ConfigError as error:
        raise ConfigError(f"{beside}: {error}") from error
