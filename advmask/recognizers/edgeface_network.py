"""EdgeFace, the EdgeNeXt of its published weights, with linear layers whole or as two of low rank."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.constants import constant
from advmask.core.errors import WeightsError
from advmask.recognizers.state_dicts import fill, read_state_dict, under_prefix

_PREFIXES = ("model.", "", "module.model.", "module.", "backbone.model.", "backbone.")
# By the width of the first layer: blocks and widths of the four stages, and heads of attention.
_SIZES = {
    24: ((2, 2, 6, 2), (24, 48, 88, 168), 4),  # xxs
    32: ((3, 3, 9, 3), (32, 64, 100, 192), 4),  # xs
    48: ((3, 3, 9, 3), (48, 96, 160, 304), 8),  # s
    80: ((3, 3, 9, 3), (80, 160, 288, 584), 8),  # base
}
_KERNELS = (3, 5, 7, 9)
_PARTS = (2, 2, 3, 4)  # into which a stage's last block cuts its channels
_POSITIONS_IN = 1  # the stage whose attention is told where each place lies
_WAVES, _LONGEST = 32, 10000.0
_EPS = 1e-6


class EdgeFace(nn.Module):
    """Stages of depthwise convolutions, each but the first ended by attention among channels; 112 px in.

    Layers bear the names under which the weights are published.

    Args:
        width: Of the first layer: 24 (xxs), 32 (xs), 48 (s) or 80 (base).
        embedding: Length of the embedding.

    Source:
        George et al., "EdgeFace: Efficient Face Recognition Model for Edge Devices", 2024; Maaz et al.,
        "EdgeNeXt: Efficiently Amalgamated CNN-Transformer Architecture", 2022; names as in timm.
    """

    def __init__(self, width: int, *, embedding: int = 512) -> None:
        super().__init__()
        depths, widths, heads = _SIZES[width]
        self.stem = nn.Sequential(nn.Conv2d(3, width, 4, stride=4), _ChannelNorm(width))
        self.stages = nn.ModuleList(
            _Stage(number, depths[number], widths[max(number - 1, 0)], widths[number], heads)
            for number in range(4)
        )
        self.head = nn.ModuleDict({"norm": _ChannelNorm(widths[-1]), "fc": nn.Linear(widths[-1], embedding)})

    def forward(self, pictures: Float[Tensor, "batch 3 112 112"]) -> Float[Tensor, "batch embedding"]:
        """Embed normalised pictures; the embedding is not normalised."""
        values = self.stem(pictures)
        for stage in self.stages:
            values = stage(values)
        pooled = self.head["norm"](values.mean(dim=(2, 3), keepdim=True))
        embedding: Tensor = self.head["fc"](pooled.flatten(1))
        return embedding


class _ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of maps (B, C, H, W)."""

    def __init__(self, width: int) -> None:
        super().__init__(width, eps=_EPS)

    def forward(self, values: Tensor) -> Tensor:
        return super().forward(values.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class _Stage(nn.Module):
    def __init__(self, number: int, depth: int, before: int, width: int, heads: int) -> None:
        super().__init__()
        smaller = [_ChannelNorm(before), nn.Conv2d(before, width, 2, stride=2)] if number else []
        self.downsample = nn.Sequential(*smaller)
        mixing = depth - 1 if number else depth
        self.blocks = nn.ModuleList(
            _Local(width, _KERNELS[number])
            if place < mixing
            else _Global(width, _PARTS[number], heads, positions=number == _POSITIONS_IN)
            for place in range(depth)
        )

    def forward(self, values: Tensor) -> Tensor:
        values = self.downsample(values)
        for block in self.blocks:
            values = block(values)
        return values


class _Block(nn.Module):
    """What both kinds end with: each place by itself through two layers, scaled and added."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width, eps=_EPS)
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, 4 * width), "fc2": nn.Linear(4 * width, width)})
        self.gamma = nn.Parameter(torch.ones(width))

    def each_place(self, values: Float[Tensor, "batch ... width"]) -> Float[Tensor, "batch ... width"]:
        inner = F.gelu(self.mlp["fc1"](self.norm(values)))
        scaled: Tensor = self.gamma * self.mlp["fc2"](inner)
        return scaled


class _Local(_Block):
    def __init__(self, width: int, kernel: int) -> None:
        super().__init__(width)
        self.conv_dw = nn.Conv2d(width, width, kernel, padding=kernel // 2, groups=width)

    def forward(self, values: Float[Tensor, "batch width rows columns"]) -> Tensor:
        seen = self.conv_dw(values).permute(0, 2, 3, 1)
        return values + self.each_place(seen).permute(0, 3, 1, 2)


class _Global(_Block):
    """Groups of channels convolved one upon the other, then attention of channels to channels."""

    def __init__(self, width: int, parts: int, heads: int, *, positions: bool) -> None:
        super().__init__(width)
        group = math.ceil(width / parts)
        self.convs = nn.ModuleList(
            nn.Conv2d(group, group, 3, padding=1, groups=group) for _ in range(parts - 1)
        )
        self.pos_embd = (
            nn.ModuleDict({"token_projection": nn.Conv2d(2 * _WAVES, width, 1)}) if positions else None
        )
        self.norm_xca = nn.LayerNorm(width, eps=_EPS)
        self.gamma_xca = nn.Parameter(torch.ones(width))
        self.xca = _ChannelAttention(width, heads)

    def forward(self, values: Float[Tensor, "batch width rows columns"]) -> Tensor:
        groups = values.chunk(len(self.convs) + 1, dim=1)
        carried, found = torch.zeros_like(groups[0]), []
        for conv, group in zip(self.convs, groups, strict=False):
            carried = conv(carried + group)
            found.append(carried)
        mixed = torch.cat([*found, groups[-1]], dim=1)
        if self.pos_embd is not None:
            mixed = mixed + self.pos_embd["token_projection"](_waves(mixed, *mixed.shape[2:]))
        places = mixed.flatten(2).transpose(1, 2)
        places = places + self.gamma_xca * self.xca(self.norm_xca(places))
        ended = self.each_place(places).transpose(1, 2).reshape(values.shape)
        return values + ended


class _ChannelAttention(nn.Module):
    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.temperature = nn.Parameter(torch.ones(heads, 1, 1))
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, places: Float[Tensor, "batch places width"]) -> Float[Tensor, "batch places width"]:
        batch, count, width = places.shape
        three = self.qkv(places).reshape(batch, count, 3, len(self.temperature), -1)
        query, key, value = three.permute(2, 0, 3, 4, 1)  # each (batch, heads, channels, places)
        alike = F.normalize(query, dim=-1) @ F.normalize(key, dim=-1).transpose(-2, -1)
        seen = (alike * self.temperature).softmax(dim=-1) @ value
        mixed: Tensor = self.proj(seen.permute(0, 3, 1, 2).reshape(batch, count, width))
        return mixed


class _LowRank(nn.Module):
    """A linear layer as the product of two."""

    def __init__(self, into: int, rank: int, out: int) -> None:
        super().__init__()
        self.linear1, self.linear2 = nn.Linear(into, rank, bias=False), nn.Linear(rank, out)

    def forward(self, values: Tensor) -> Tensor:
        product: Tensor = self.linear2(self.linear1(values))
        return product


@constant
def _waves(rows: int, columns: int) -> Float[Tensor, "1 waves rows columns"]:
    """Sines and cosines of the place down, then across: a whole turn over the map, then ever longer waves."""
    length = _LONGEST ** (torch.arange(0, _WAVES, 2, dtype=torch.float64) / _WAVES)

    def along(count: int) -> Tensor:
        turn = torch.arange(1, count + 1, dtype=torch.float64) / (count + 1e-6) * 2 * math.pi
        angle = turn / length[:, None]
        return torch.stack([angle.sin(), angle.cos()], dim=1).flatten(0, 1)  # sine and cosine in turn

    down = along(rows)[:, :, None].expand(-1, -1, columns)
    across = along(columns)[:, None].expand(-1, rows, -1)
    return torch.cat([down, across])[None]


def load_edgeface(path: Path) -> EdgeFace:
    """Build the network with the weights of a file, from which size and ranks are read.

    Args:
        path: A state dict as EdgeFace publishes it (`edgeface_xs_gamma_06.pt`), or a checkpoint with one.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network.
    """
    state = under_prefix(read_state_dict(path), key="stem.0.weight", prefixes=_PREFIXES, path=path)
    width = len(state["stem.0.weight"]) if state["stem.0.weight"].dim() else 0
    if width not in _SIZES:
        raise WeightsError(
            f"{path} holds no EdgeFace that is known: its first layer has {width} channels; "
            f"{', '.join(map(str, _SIZES))} were expected (xxs, xs, s, base)."
        )
    last = state.get("head.fc.linear2.weight", state.get("head.fc.weight"))
    embedding = len(last) if last is not None and last.dim() == 2 else 512
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network = EdgeFace(width, embedding=min(embedding, 65536))
        for name, layer in list(network.named_modules()):
            low = state.get(f"{name}.linear1.weight")
            if isinstance(layer, nn.Linear) and low is not None and low.dim() == 2:
                above, _, last_name = name.rpartition(".")
                rank = min(len(low), 65536)
                network.get_submodule(above).add_module(
                    last_name, _LowRank(layer.in_features, rank, layer.out_features)
                )
    fill(network, state, path=path)
    return network
