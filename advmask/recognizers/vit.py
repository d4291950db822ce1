"""The vision transformer of InsightFace's, CVLface's and TransFace's published weights."""

import math
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.constants import constant
from advmask.core.errors import WeightsError
from advmask.recognizers.state_dicts import StateDict, fill, read_state_dict, under_prefix

_PREFIXES = ("", "module.", "backbone.", "model.net.", "net.", "model.")
_HEAD_EPS = 2e-5
_ONLY_IN_TRAINING = ("mask_token",)


# Offsets between patches that KP-RPE tells apart along each axis: none, one and so on to this many or more.
_FARTHEST = 3
_OFFSETS = (2 * _FARTHEST + 1) ** 2
_RATIO = 1.9


class VisionTransformer(nn.Module):
    """Patches without a class token, a row of blocks, and a head over all patches; 112 px in.

    Layers bear the names under which the weights are published.

    Args:
        patch: Side of a patch, px; what is left over at the right and below is not seen.
        patches: How many.
        width: Numbers for each patch.
        depth: Blocks.
        embedding: Length of the embedding.
        hidden: Width inside the blocks' second half.
        heads: Of attention.
        bias: Whether queries, keys and values have one.
        told: Whether it is told the landmarks: attention then depends on where patches lie to them (KP-RPE).
        gated: Whether patches are weighed before the head (TransFace).

    Attributes:
        told_landmarks: As `told`; such networks are called with landmarks, see `embedded`.

    Source:
        InsightFace's arcface_torch (vit_t, vit_s, vit_b); Kim et al., CVLface; after Dosovitskiy et al., "An
        Image is Worth 16x16 Words", 2021. Kim et al., "KeyPoint Relative Position Encoding for Face
        Recognition", 2024. Dan et al., "TransFace", 2023.
    """

    def __init__(
        self,
        *,
        patch: int,
        patches: int,
        width: int,
        depth: int,
        embedding: int,
        hidden: int,
        heads: int,
        bias: bool = False,
        told: bool = False,
        gated: bool = False,
    ) -> None:
        super().__init__()
        self.told_landmarks = told
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, stride=patch)})
        self.pos_embed = nn.Parameter(torch.zeros(1, patches, width))
        self.blocks = nn.ModuleList(_Block(width, hidden, heads, bias=bias) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.feature = nn.Sequential(
            nn.Linear(width * patches, width, bias=False),
            nn.BatchNorm1d(width, eps=_HEAD_EPS),
            nn.Linear(width, embedding, bias=False),
            nn.BatchNorm1d(embedding, eps=_HEAD_EPS),
        )
        self.keypoint_linear = nn.Linear(10, _OFFSETS * heads * depth) if told else None
        self.senet = (
            nn.Sequential(
                nn.Linear(width * patches, patches, bias=False),
                nn.ReLU(),
                nn.Linear(patches, patches, bias=False),
                nn.Sigmoid(),
            )
            if gated
            else None
        )

    def forward(
        self, pictures: Float[Tensor, "batch 3 112 112"], landmarks: Float[Tensor, "batch 5 2"] | None = None
    ) -> Float[Tensor, "batch embedding"]:
        """Embed normalised pictures; the embedding is not normalised.

        Args:
            pictures: As the network was trained on them.
            landmarks: (x, y) in the pictures, as shares of their sides; for a network that is told them. No
                gradient goes through them, as in its publication.
        """
        values = self.patch_embed["proj"](pictures).flatten(2).transpose(1, 2) + self.pos_embed
        for number, block in enumerate(self.blocks):
            values = block(values, self._biases(landmarks, number))
        values = self.norm(values)
        if self.senet is not None:
            values = values * self.senet(values.flatten(1))[..., None]
        embedding: Tensor = self.feature(values.flatten(1))
        return embedding

    def _biases(
        self, landmarks: Float[Tensor, "batch 5 2"] | None, number: int
    ) -> Float[Tensor, "batch heads patches patches"] | None:
        """What a block adds to the products of queries and keys."""
        if self.keypoint_linear is None or landmarks is None:
            return None
        weight, bias = (
            each.unflatten(0, (len(self.blocks), -1))[number] for each in self.keypoint_linear.parameters()
        )
        side = math.isqrt(self.pos_embed.shape[1])
        away = _centres(landmarks, side) - landmarks.detach()[:, None]  # of patches, to each point
        told = F.linear(away.flatten(2).to(weight.dtype), weight, bias)
        told = told.unflatten(2, (-1, _OFFSETS)).transpose(1, 2)
        chosen = _offsets(told, side).long().expand(*told.shape[:2], -1, -1)
        return torch.gather(told, 3, chosen)


@constant
def _centres(side: int) -> Float[Tensor, "patches 1 2"]:
    """(x, y) of every patch, row by row, as shares of the sides of the picture."""
    middle = (torch.arange(side, dtype=torch.float64) + 0.5) / side
    row, column = torch.meshgrid(middle, middle, indexing="ij")
    return torch.stack([column, row], dim=-1).reshape(-1, 1, 2)


@constant
def _offsets(side: int) -> Float[Tensor, "patches patches"]:
    """Number of the offset from the second patch of a pair to the first, rows before columns."""
    far = torch.arange(side, dtype=torch.float64)
    share = torch.log((far / _RATIO).clamp(min=1)) / math.log(8)  # 1 at eight times the ratio
    beyond = (_RATIO + share * _RATIO).round().clamp(max=_FARTHEST)
    number = torch.where(far > _RATIO, beyond, far)
    away = torch.arange(side)[:, None] - torch.arange(side)
    signed = number[away.abs()] * away.sign() + _FARTHEST
    row, column = signed[:, None, :, None], signed[None, :, None, :]
    return (row * (2 * _FARTHEST + 1) + column).reshape(side * side, side * side)


class _Block(nn.Module):
    def __init__(self, width: int, hidden: int, heads: int, *, bias: bool) -> None:
        super().__init__()
        self._heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict(
            {"qkv": nn.Linear(width, 3 * width, bias=bias), "proj": nn.Linear(width, width)}
        )
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})

    def forward(
        self, values: Float[Tensor, "batch patches width"], biases: Tensor | None
    ) -> Float[Tensor, "batch patches width"]:
        three = self.attn["qkv"](self.norm1(values)).unflatten(2, (3, self._heads, -1))
        query, key, value = three.permute(2, 0, 3, 1, 4)
        biases = None if biases is None else biases.to(query)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=biases)
        seen = seen.transpose(1, 2).reshape(values.shape)
        values = values + self.attn["proj"](seen)
        result: Tensor = values + self.mlp["fc2"](F.relu6(self.mlp["fc1"](self.norm2(values))))
        return result


def load_vit(path: Path) -> VisionTransformer:
    """Build the network with the weights of a file, from which all its sizes are read.

    Args:
        path: A state dict as InsightFace, CVLface or TransFace publish it, or a checkpoint that holds one.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network.
    """
    key = "patch_embed.proj.weight"
    state = under_prefix(read_state_dict(path), key=key, prefixes=_PREFIXES, path=path)
    if any(".rpe_" in name for name in state):
        raise WeightsError(
            f"{path} holds a transformer with tables of relative positions (iRPE), which is not read."
        )
    sizes = _sizes(state)
    if sizes is None:
        raise WeightsError(
            f"{path} does not fit a vision transformer of InsightFace, CVLface or TransFace: sizes do not "
            "agree, or the width is not divided by its heads."
        )
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network = VisionTransformer(
            **sizes,
            bias="blocks.0.attn.qkv.bias" in state,
            told="keypoint_linear.weight" in state,
            gated="senet.0.weight" in state,
        )
    fill(network, state, path=path, ignored=_ONLY_IN_TRAINING)
    return network


def _sizes(state: StateDict) -> dict[str, int] | None:
    names = ("patch_embed.proj.weight", "pos_embed", "feature.2.weight", "blocks.0.mlp.fc1.weight")
    if not all(name in state for name in names):
        return None
    projection, position, last, inner = (state[name] for name in names)
    if (projection.dim(), position.dim(), last.dim(), inner.dim()) != (4, 3, 2, 2):
        return None
    # Nothing in the weights says it: CVLface's ViT-B alone has sixteen heads, and a second half so narrow.
    heads = 16 if len(inner) == 3 * len(projection) else 8
    if projection.shape[0] % heads or max(projection.shape[0], len(last), len(inner)) > 65536:
        return None
    return {
        "patch": projection.shape[-1],
        "patches": position.shape[1],
        "width": projection.shape[0],
        "depth": len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
        "embedding": len(last),
        "hidden": len(inner),
        "heads": heads,
    }
