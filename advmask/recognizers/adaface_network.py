"""The residual network of AdaFace's published weights: like IResNet, with other layers and other names."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.iresnet import DEPTHS
from advmask.recognizers.state_dicts import StateDict, fill, read_state_dict, under_prefix

_PREFIXES = ("model.", "", "model.net.", "module.model.", "module.", "net.", "backbone.")
_DEPTHS = {depth: blocks for depth, blocks in DEPTHS.items() if depth <= 100}
_FINAL = 7  # rows and columns left of 112 px
_REDUCTION = 16


class AdaFaceNetwork(nn.Module):
    """Input layer, a row of residual blocks and an embedding head; 112 px in, one unit vector out.

    Layers bear the names under which the weights are published.

    Args:
        depth: One of 18, 34, 50 and 100; what AdaFace calls 101 is 100 here.
        squeeze: Blocks end in squeeze and excitation.

    Source:
        Kim et al., "AdaFace: Quality Adaptive Margin for Face Recognition", 2022; the blocks are those of
        Tencent TFace's IRNet.
    """

    def __init__(self, depth: int, *, squeeze: bool = False) -> None:
        super().__init__()
        self.input_layer = nn.Sequential(
            nn.Conv2d(3, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.PReLU(64)
        )
        blocks: list[nn.Module] = []
        channels = 64
        for width, count in zip((64, 128, 256, 512), _DEPTHS[depth], strict=True):
            for index in range(count):
                blocks.append(_Block(channels, width, stride=1 if index else 2, squeeze=squeeze))
                channels = width
        self.body = nn.Sequential(*blocks)
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(512),
            nn.Dropout(0.4),
            nn.Flatten(),
            nn.Linear(512 * _FINAL * _FINAL, 512),
            nn.BatchNorm1d(512, affine=False),
        )

    def forward(self, pictures: Float[Tensor, "batch 3 112 112"]) -> Float[Tensor, "batch 512"]:
        """Embed normalised pictures; embeddings have length 1, as the published network gives them."""
        embedding = self.output_layer(self.body(self.input_layer(pictures)))
        return nn.functional.normalize(embedding, dim=1)


class _Block(nn.Module):
    """Two convolutions between three normalisations, and the shortcut."""

    def __init__(self, channels: int, width: int, *, stride: int, squeeze: bool) -> None:
        super().__init__()
        self.shortcut_layer: nn.Module = (
            nn.MaxPool2d(1, stride)
            if channels == width
            else nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width)
            )
        )
        self.res_layer = nn.Sequential(
            nn.BatchNorm2d(channels),
            nn.Conv2d(channels, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.PReLU(width),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
        )
        if squeeze:
            self.res_layer.add_module("se_block", _Squeeze(width))

    def forward(self, values: Tensor) -> Tensor:
        result: Tensor = self.res_layer(values) + self.shortcut_layer(values)
        return result


class _Squeeze(nn.Module):
    """Squeeze and excitation: channels weighed by what their means say."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(channels, channels // _REDUCTION, 1, bias=False)
        self.fc2 = nn.Conv2d(channels // _REDUCTION, channels, 1, bias=False)

    def forward(self, values: Tensor) -> Tensor:
        means = values.mean(dim=(2, 3), keepdim=True)
        return values * torch.sigmoid(self.fc2(torch.relu(self.fc1(means))))


def load_adaface(path: Path) -> AdaFaceNetwork:
    """Build the network with the weights of a file; depth and squeeze are read from it.

    Args:
        path: A checkpoint as AdaFace publishes it, names under `model.`, or its state dict.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network.
    """
    state = under_prefix(read_state_dict(path), key="input_layer.0.weight", prefixes=_PREFIXES, path=path)
    depth = _depth(state)
    if depth is None:
        raise WeightsError(
            f"{path} holds a network of another depth; known depths: {', '.join(map(str, _DEPTHS))}."
        )
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network = AdaFaceNetwork(depth, squeeze="body.0.res_layer.se_block.fc1.weight" in state)
    fill(network, state, path=path)
    return network.to(memory_format=torch.channels_last)


def _depth(state: StateDict) -> int | None:
    count = len({name.split(".")[1] for name in state if name.startswith("body.")})
    return next((depth for depth, blocks in _DEPTHS.items() if sum(blocks) == count), None)
