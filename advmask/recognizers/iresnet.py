"""IResNet, the residual network of InsightFace's and MagFace's published weights."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.state_dicts import StateDict, fill, read_state_dict, under_prefix

DEPTHS: dict[int, tuple[int, int, int, int]] = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 14, 3),
    100: (3, 13, 30, 3),
    200: (6, 26, 60, 6),
}
"""Residual blocks of each of the four stages, by the name's number."""

_PREFIXES = (
    "",
    "module.",
    "backbone.",
    "module.backbone.",
    "model.net.",
    "net.",
    "features.module.",
    "module.features.",
    "features.",
)
_FINAL = 7  # rows and columns left of 112 px


class IResNet(nn.Module):
    """Four stages of blocks that normalise before they convolve; 112 px in, one embedding out.

    Layers bear the names under which the weights are published.

    Args:
        depth: One of `DEPTHS`.
        embedding: Length of the embedding.
        eps: Added to variances: 1e-5 in InsightFace's networks, 2e-5 in MagFace's.

    Source:
        Duta et al., "Improved Residual Networks for Image and Video Recognition", 2020; Deng et al.,
        "ArcFace", 2019 (embedding head).
    """

    def __init__(self, depth: int, *, embedding: int = 512, eps: float = 1e-5) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps=eps)
        self.prelu = nn.PReLU(64)
        channels = 64
        for stage, (width, count) in enumerate(zip((64, 128, 256, 512), DEPTHS[depth], strict=True), start=1):
            blocks = [
                _Block(channels if i == 0 else width, width, first=i == 0, eps=eps) for i in range(count)
            ]
            self.add_module(f"layer{stage}", nn.Sequential(*blocks))
            channels = width
        self.bn2 = nn.BatchNorm2d(512, eps=eps)
        self.fc = nn.Linear(512 * _FINAL * _FINAL, embedding)
        self.features = nn.BatchNorm1d(embedding, eps=eps)

    def forward(self, pictures: Float[Tensor, "batch 3 112 112"]) -> Float[Tensor, "batch embedding"]:
        """Embed normalised pictures; the embedding is not normalised."""
        values = self.prelu(self.bn1(self.conv1(pictures)))
        for stage in (1, 2, 3, 4):
            values = self.get_submodule(f"layer{stage}")(values)
        embedding: Tensor = self.features(self.fc(torch.flatten(self.bn2(values), 1)))
        return embedding


class _Block(nn.Module):
    """Two convolutions between three normalisations, and the shortcut; the first of a stage halves."""

    def __init__(self, channels: int, width: int, *, first: bool, eps: float) -> None:
        super().__init__()
        stride = 2 if first else 1
        self.bn1 = nn.BatchNorm2d(channels, eps=eps)
        self.conv1 = nn.Conv2d(channels, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width, eps=eps)
        self.prelu = nn.PReLU(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False)
        self.bn3 = nn.BatchNorm2d(width, eps=eps)
        self.downsample = (
            nn.Sequential(
                nn.Conv2d(channels, width, 1, stride=stride, bias=False), nn.BatchNorm2d(width, eps=eps)
            )
            if first
            else None
        )

    def forward(self, values: Tensor) -> Tensor:
        branch = self.prelu(self.bn2(self.conv1(self.bn1(values))))
        shortcut = values if self.downsample is None else self.downsample(values)
        result: Tensor = self.bn3(self.conv2(branch)) + shortcut
        return result


def load_iresnet(path: Path, *, depth: int | None, eps: float = 1e-5) -> IResNet:
    """Build the network with the weights of a file.

    Args:
        path: A state dict as InsightFace or MagFace publish it, or a checkpoint that holds one; names may
            stand under `module.`, `backbone.` or `features.module.`.
        depth: What the user said it is; None takes what the file holds.
        eps: See `IResNet`.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network or depth.
    """
    state = under_prefix(read_state_dict(path), key="layer1.0.bn1.weight", prefixes=_PREFIXES, path=path)
    found = _depth(state)
    if found is None or depth not in (None, found):
        what = f"iresnet{found}" if found else "an IResNet of another depth"
        hint = f"write iresnet{found}:{path}" if found else f"known depths: {', '.join(map(str, DEPTHS))}"
        raise WeightsError(f"{path} holds {what}, not iresnet{depth or ''}; {hint}.")
    last = state.get("fc.weight")
    embedding = last.shape[0] if last is not None and last.ndim == 2 else 512
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network = IResNet(found, embedding=min(embedding, 65536), eps=eps)
    fill(network, state, path=path)
    return network.to(memory_format=torch.channels_last)


def _depth(state: StateDict) -> int | None:
    counts = tuple(
        len({name.split(".")[1] for name in state if name.startswith(f"layer{stage}.")})
        for stage in (1, 2, 3, 4)
    )
    return next((depth for depth, blocks in DEPTHS.items() if blocks == counts), None)
