"""The vision transformer of InsightFace's and CVLface's published weights."""

from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import WeightsError
from advmask.recognizers.state_dicts import StateDict, fill, read_state_dict, under_prefix

_PREFIXES = ("", "module.", "backbone.", "model.net.", "net.", "model.")
_HEADS = 8
_HEAD_EPS = 2e-5
_ONLY_IN_TRAINING = ("mask_token",)


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
        bias: Whether queries, keys and values have one.

    Source:
        InsightFace's arcface_torch (vit_t, vit_s, vit_b); Kim et al., CVLface; after Dosovitskiy et al., "An
        Image is Worth 16x16 Words", 2021.
    """

    def __init__(
        self, *, patch: int, patches: int, width: int, depth: int, embedding: int, hidden: int, bias: bool
    ) -> None:
        super().__init__()
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, patch, stride=patch)})
        self.pos_embed = nn.Parameter(torch.zeros(1, patches, width))
        self.blocks = nn.ModuleList(_Block(width, hidden, bias=bias) for _ in range(depth))
        self.norm = nn.LayerNorm(width)
        self.feature = nn.Sequential(
            nn.Linear(width * patches, width, bias=False),
            nn.BatchNorm1d(width, eps=_HEAD_EPS),
            nn.Linear(width, embedding, bias=False),
            nn.BatchNorm1d(embedding, eps=_HEAD_EPS),
        )

    def forward(self, pictures: Float[Tensor, "batch 3 112 112"]) -> Float[Tensor, "batch embedding"]:
        """Embed normalised pictures; the embedding is not normalised."""
        values = self.patch_embed["proj"](pictures).flatten(2).transpose(1, 2) + self.pos_embed
        for block in self.blocks:
            values = block(values)
        embedding: Tensor = self.feature(self.norm(values).flatten(1))
        return embedding


class _Block(nn.Module):
    def __init__(self, width: int, hidden: int, *, bias: bool) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = nn.ModuleDict(
            {"qkv": nn.Linear(width, 3 * width, bias=bias), "proj": nn.Linear(width, width)}
        )
        self.mlp = nn.ModuleDict({"fc1": nn.Linear(width, hidden), "fc2": nn.Linear(hidden, width)})

    def forward(self, values: Float[Tensor, "batch patches width"]) -> Float[Tensor, "batch patches width"]:
        batch, patches, width = values.shape
        three = self.attn["qkv"](self.norm1(values)).reshape(batch, patches, 3, _HEADS, width // _HEADS)
        query, key, value = three.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).reshape(values.shape)
        values = values + self.attn["proj"](seen)
        result: Tensor = values + self.mlp["fc2"](F.relu6(self.mlp["fc1"](self.norm2(values))))
        return result


def load_vit(path: Path) -> VisionTransformer:
    """Build the network with the weights of a file, from which all its sizes are read.

    Args:
        path: A state dict as InsightFace or CVLface publish it, or a checkpoint that holds one.

    Raises:
        WeightsError: The file is missing, damaged, refused, or holds another network.
    """
    key = "patch_embed.proj.weight"
    state = under_prefix(read_state_dict(path), key=key, prefixes=_PREFIXES, path=path)
    if any("rpe" in name or "kprpe" in name for name in state):
        raise WeightsError(
            f"{path} holds a transformer that is told the landmarks as well (KP-RPE), or relative positions "
            "(iRPE); these are not read."
        )
    sizes = _sizes(state)
    if sizes is None:
        raise WeightsError(
            f"{path} does not fit a vision transformer of InsightFace or CVLface: sizes do not agree, or "
            "the width is not divided by eight heads."
        )
    with torch.device("meta"):  # no memory, and no draw from torch's generator
        network = VisionTransformer(**sizes, bias="blocks.0.attn.qkv.bias" in state)
    fill(network, state, path=path, ignored=_ONLY_IN_TRAINING)
    return network


def _sizes(state: StateDict) -> dict[str, int] | None:
    names = ("patch_embed.proj.weight", "pos_embed", "feature.2.weight", "blocks.0.mlp.fc1.weight")
    if not all(name in state for name in names):
        return None
    projection, position, last, inner = (state[name] for name in names)
    if (projection.dim(), position.dim(), last.dim(), inner.dim()) != (4, 3, 2, 2):
        return None
    if projection.shape[0] % _HEADS or max(projection.shape[0], len(last), len(inner)) > 65536:
        return None
    return {
        "patch": projection.shape[-1],
        "patches": position.shape[1],
        "width": projection.shape[0],
        "depth": len({name.split(".")[1] for name in state if name.startswith("blocks.")}),
        "embedding": len(last),
        "hidden": len(inner),
    }
