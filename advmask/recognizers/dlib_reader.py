"""Reading dlib's serialised face network (`dlib_face_recognition_resnet_model_v1.dat`) without dlib.

The stream is fully determined by the network, so the reader knows every name, version and size before it
comes to it, compares, and never allocates by a number found in the file.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jaxtyping import Float
from torch import Tensor

from advmask.core.errors import WeightsError
from advmask.recognizers.dlib_stream import DlibStream

INPUT_SIZE = 150
EMBEDDING = 128
STEM = (32, 7)
"""Filters and kernel of the first convolution (stride 2, no padding)."""
BLOCKS: tuple[tuple[int, bool], ...] = (
    *((32, False),) * 3,
    (64, True),
    *((64, False),) * 3,
    (128, True),
    *((128, False),) * 2,
    (256, True),
    *((256, False),) * 2,
    (256, True),
)
"""Filters of each residual block from the input on, and whether it halves the picture."""

_LARGEST_FILE = 32 * 2**20
_EMPTY = (0, 0, 0, 0)


@dataclass(frozen=True, kw_only=True)
class ConvolutionWeights:
    """One convolution with the per-channel affine map that follows it: `gamma * (w * x + bias) + beta`."""

    weight: Float[Tensor, "filters channels rows columns"]
    bias: Float[Tensor, " filters"]
    gamma: Float[Tensor, " filters"]
    beta: Float[Tensor, " filters"]


@dataclass(frozen=True, kw_only=True)
class DlibWeights:
    """What the file holds: float32, subnormal values set to zero.

    Attributes:
        means: Red, green and blue mean, in 0..255, subtracted from the picture before division by 256.
        size: Height and width of the input, px.
        convolutions: The first convolution, then two for each of `BLOCKS`, from the input on.
        projection: The last matrix; the embedding is `features @ projection`.
    """

    means: tuple[float, float, float]
    size: int
    convolutions: tuple[ConvolutionWeights, ...]
    projection: Float[Tensor, "features embedding"]


def read_dlib_resnet(path: Path) -> DlibWeights:
    """Read the weights of dlib's face recognition network.

    Args:
        path: The .dat file.

    Raises:
        WeightsError: The file is missing, truncated, damaged or holds another network; the sentence says at
            which byte something else was expected.

    Source:
        The format as written by dlib 19 and 20, http://dlib.net.
    """
    return _network(DlibStream(path, _content(path)))


def _content(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise WeightsError(
                f"There is no weight file {path}; give the path of the dlib network's .dat file."
            )
        if path.stat().st_size > _LARGEST_FILE:
            raise WeightsError(
                f"{path} is larger than {_LARGEST_FILE >> 20} MiB; the dlib network has 21 MiB. Get it again."
            )
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise WeightsError(f"Cannot read {path}: {error}. Check the path and its rights.") from error


def _versions() -> Iterator[int]:
    """Versions of the nested layers from the output on: 2 a layer, 1 a tag or skip, 3 the innermost."""
    yield from (2, 2)
    for _, halves in reversed(BLOCKS):
        yield from (2, 2)
        yield from (2, 1, 1) if halves else ()
        yield from (2, 2, 2, 2, 2, 1)
    yield from (2, 2, 2, 3)


def _network(stream: DlibStream) -> DlibWeights:
    stream.integers((1,), "version of the loss:")
    stream.text("loss_metric_2")
    stream.reals(2, "setting of the loss")
    stream.integers(tuple(_versions()), "version of a layer:")
    stream.text("input_rgb_image_sized")
    means = tuple(_mean(stream, name) for name in ("red", "green", "blue"))
    stream.integers((INPUT_SIZE, INPUT_SIZE), "input size")
    filters, kernel = STEM
    convolutions = [_convolution(stream, 3, filters, kernel=kernel, stride=2, padding=0, first=True)]
    _plain(stream, "relu_")
    _plain(stream, "max_pool_2", (3, 3, 2, 2, 0, 0))
    channels = filters
    for filters, halves in BLOCKS:
        stride, padding = (2, 0) if halves else (1, 1)
        convolutions.append(_convolution(stream, channels, filters, stride=stride, padding=padding))
        _plain(stream, "relu_")
        convolutions.append(_convolution(stream, filters, filters, stride=1, padding=1))
        if halves:
            _plain(stream, "avg_pool_2", (2, 2, 2, 2, 0, 0))
        _plain(stream, "add_prev_")
        _plain(stream, "relu_")
        channels = filters
    _plain(stream, "avg_pool_2", (0, 0, 1, 1, 0, 0))
    projection = _projection(stream, channels)
    if stream.place != len(stream.data):
        left = len(stream.data) - stream.place
        stream.fail("the end of the file", f"{left} more bytes", stream.place)
    return DlibWeights(
        means=(means[0], means[1], means[2]),
        size=INPUT_SIZE,
        convolutions=tuple(convolutions),
        projection=projection,
    )


def _after_layer(stream: DlibStream) -> None:
    """State of training that every layer carries: three truth values and three tensors, here empty."""
    for _ in range(3):
        start = stream.place
        if (flag := stream.take(1, "a truth value (0 or 1)")) not in (b"0", b"1"):
            stream.fail("a truth value (0 or 1)", flag, start)
    for name in ("input gradient", "output", "parameter gradient"):
        stream.tensor(_EMPTY, f"an empty stored {name}")


def _mean(stream: DlibStream, name: str) -> float:
    start = stream.place
    mean = stream.real(f"{name} mean")
    if not 0 <= mean <= 255:
        stream.fail(f"a {name} mean within 0..255", mean, start)
    return mean


def _plain(stream: DlibStream, name: str, settings: tuple[int, ...] = ()) -> None:
    """A layer without weights."""
    stream.text(name)
    stream.integers(settings, f"setting of {name}:")
    _after_layer(stream)


def _convolution(
    stream: DlibStream,
    channels: int,
    filters: int,
    *,
    stride: int,
    padding: int,
    kernel: int = 3,
    first: bool = False,
) -> ConvolutionWeights:
    """A convolution and the affine layer behind it."""
    shape = (filters, channels, kernel, kernel)
    count = math.prod(shape)
    stream.text("con_4")
    values = stream.tensor((count + filters, 1, 1, 1), "convolution weights")
    stream.integers(
        (filters, kernel, kernel, stride, stride, padding, padding), "setting of the convolution:"
    )
    stream.alias(shape, "convolution filters")
    stream.alias((1, filters, 1, 1), "convolution bias")
    stream.reals(4, "learning rate")
    _after_layer(stream)
    if first:
        stream.integers((1,), "number of pictures per sample:")
    stream.text("affine_")
    affine = stream.tensor((2 * filters, 1, 1, 1), "affine weights")
    stream.alias((1, filters, 1, 1), "affine gamma")
    stream.alias((1, filters, 1, 1), "affine beta")
    stream.integers((0,), "mode of the affine layer:")
    _after_layer(stream)
    return ConvolutionWeights(
        weight=values[:count].reshape(shape),
        bias=values[count:],
        gamma=affine[:filters],
        beta=affine[filters:],
    )


def _projection(stream: DlibStream, features: int) -> Tensor:
    stream.text("fc_2")
    stream.integers((EMBEDDING, features), "outputs or inputs of the last layer:")
    values = stream.tensor((features, EMBEDDING, 1, 1), "weights of the last layer")
    stream.alias((features, EMBEDDING, 1, 1), "weights of the last layer")
    stream.alias(_EMPTY, "bias of the last layer")
    stream.integers((1,), "bias mode of the last layer:")
    stream.reals(4, "learning rate")
    _after_layer(stream)
    return values.reshape(features, EMBEDDING)
