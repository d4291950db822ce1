"""Enrolment with masked photos, as matchers made for masks do it."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.recognizers.recognizer import Recognizer, embed_all
from advmask.render import MaskRenderer
from advmask.worn import WornPhotos

_AT_ONCE = 32  # photos


def embed_masked(
    recognizers: Sequence[Recognizer], photos: WornPhotos, texels: Float[Tensor, "3 height width"]
) -> list[Float[Tensor, "n dim"]]:
    """Embeddings of all photos under one mask, aligned as on the bare picture, by each recognizer.

    Args:
        recognizers: Frozen.
        photos: Worn in one way each.
        texels: Of the mask.
    """
    renderer = MaskRenderer()
    pieces: list[list[Tensor]] = [[] for _ in recognizers]
    for start in range(0, len(photos.crops), _AT_ONCE):
        chosen = range(start, min(start + _AT_ONCE, len(photos.crops)))
        with torch.no_grad():
            worn = renderer(texels, photos.pictures(chosen), photos.packed(chosen, [0] * len(chosen)))
        for recognizer, own in zip(recognizers, pieces, strict=True):
            own.append(embed_all(recognizer, worn, photos.landmarks(chosen)))
    return [torch.cat(own) for own in pieces]
