"""dlib's face recognition ResNet as a torch module: frozen, and quick in the gradient to its input."""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.recognizers.dlib_file import dlib_weights_path
from advmask.recognizers.dlib_reader import (
    BLOCKS,
    EMBEDDING,
    INPUT_SIZE,
    ConvolutionWeights,
    DlibWeights,
    read_dlib_resnet,
)
from advmask.recognizers.subnormal import without_subnormals

CHANNELS = "rgb"
VALUE_RANGE = (0.0, 255.0)
"""Range of the input before the mean is subtracted; the means are read from the file."""
STD = (256.0, 256.0, 256.0)


class DlibResNet(nn.Module):
    """The network of dlib's face recognition: 29 convolutions, 128 outputs, made for Euclidean distance.

    The affine map behind each convolution is folded into it. All parameters are frozen; they take any
    floating dtype (`.double()`) and any device.

    Args:
        weights: What `read_dlib_resnet` read.

    Attributes:
        mean: Red, green and blue mean, in 0..255: the input is `(x * 255 - mean) / 256` of a picture `x`.
        size: Side of the square input, px.
        embedding: Length of the embedding.

    Source:
        D. King, http://dlib.net/face_recognition_ex.cpp.html; weights in the public domain (CC0).
    """

    def __init__(self, weights: DlibWeights) -> None:
        super().__init__()
        self.mean = weights.means
        self.size = INPUT_SIZE
        self.embedding = EMBEDDING
        stem, *rest = (_folded(convolution) for convolution in weights.convolutions)
        self.stem = _convolution(*stem, stride=2, padding=0)
        self.blocks = nn.ModuleList(
            _Halving(first, second) if halves else _Residual(first, second)
            for (_, halves), first, second in zip(BLOCKS, rest[::2], rest[1::2], strict=True)
        )
        self.projection = nn.Parameter(weights.projection.clone(), requires_grad=False)
        self.eval()

    def forward(self, pictures: Float[Tensor, "batch 3 150 150"]) -> Float[Tensor, "batch 128"]:
        """Embed pictures.

        Args:
            pictures: RGB, already normalised: `(x * 255 - mean) / 256`.

        Returns:
            Embeddings, not normalised (their norm is about 1.4); dlib's own threshold is a distance of 0.6.
        """
        # The larger of two values commutes with cutting at zero, which then costs a quarter.
        features = F.relu_(F.max_pool2d(self.stem(pictures), 3, stride=2))
        for block in self.blocks:
            features = block(features)
        return features.mean(dim=(2, 3)) @ self.projection


def load_dlib_resnet(path: Path | None = None) -> DlibResNet:
    """Build the network with the weights of a file.

    Args:
        path: The .dat file; None takes the one of `dlib_weights_path`.

    Raises:
        MissingPackageError: No path is given and the package is not installed.
        WeightsError: The file is missing, damaged or another one.
    """
    return DlibResNet(read_dlib_resnet(dlib_weights_path() if path is None else path))


class _Residual(nn.Module):
    """Two convolutions and the shortcut."""

    def __init__(self, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.first = _convolution(*first, stride=1, padding=1)
        self.second = _convolution(*second, stride=1, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        # In place throughout: no convolution needs its own output for the gradient.
        return F.relu_(self.second(F.relu_(self.first(features))).add_(features))


class _Halving(nn.Module):
    """As `_Residual`, at half the size: the shortcut is a mean over 2 x 2, without weights.

    dlib pads neither way, so that the two differ in size, and takes what one of them lacks in channels, rows
    and columns as zero.
    """

    def __init__(self, first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        self.first = _convolution(*first, stride=2, padding=0)
        self.second = _convolution(*second, stride=1, padding=1)

    def forward(self, features: Tensor) -> Tensor:
        branch = self.second(F.relu_(self.first(features)))
        shortcut = F.avg_pool2d(features, 2)
        channels, rows, columns = (
            max(a, b) for a, b in zip(branch.shape[1:], shortcut.shape[1:], strict=True)
        )
        return F.relu_(
            _extended(branch, channels, rows, columns) + _extended(shortcut, channels, rows, columns)
        )


def _extended(features: Tensor, channels: int, rows: int, columns: int) -> Tensor:
    """Zeros behind the last channel, row and column; the features themselves where nothing is missing."""
    missing = [0, columns - features.shape[3], 0, rows - features.shape[2], 0, channels - features.shape[1]]
    return F.pad(features, missing) if any(missing) else features


def _folded(convolution: ConvolutionWeights) -> tuple[Tensor, Tensor]:
    """Weight and bias of the one convolution equal to convolution and affine map; computed in float64."""
    gamma = convolution.gamma.double()
    weight = convolution.weight.double() * gamma[:, None, None, None]
    bias = convolution.bias.double() * gamma + convolution.beta.double()
    return without_subnormals(weight.float()), without_subnormals(bias.float())


def _convolution(weight: Tensor, bias: Tensor, *, stride: int, padding: int) -> nn.Conv2d:
    filters, channels, kernel, _ = weight.shape
    # Made on the meta device: no memory, and no draw from torch's generator for weights replaced at once.
    layer = nn.Conv2d(channels, filters, kernel, stride=stride, padding=padding, device="meta")
    # Channels last saves an eighth of forward and backward on a CPU.
    layer.weight = nn.Parameter(weight.contiguous(memory_format=torch.channels_last), requires_grad=False)
    layer.bias = nn.Parameter(bias, requires_grad=False)
    return layer
