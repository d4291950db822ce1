"""Parts of a design that are given: a logo, a skin-coloured nose bridge, anything drawn by a mask."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import DesignError
from advmask.textures.colours import named_colour
from advmask.textures.picture_texels import read_mask_picture, read_picture_as_texels
from advmask.textures.settings import LockedSettings
from advmask.textures.starts import existing_file


class Locked(nn.Module):
    """Lays given texels over learned ones.

    Where the mask is 1 the texels are the given ones to the last bit and no gradient passes; in between both
    are mixed.

    Args:
        mask: 1 where locked, 0 where free.
        content: What is shown there, sRGB in [0, 1].
    """

    kept: Tensor
    free: Tensor

    def __init__(self, mask: Float[Tensor, "height width"], content: Float[Tensor, "3 height width"]) -> None:
        super().__init__()
        # Sums of two rounded products may pass 1 by a last bit; soft edges are kept below it.
        soft = torch.where((mask > 0) & (mask < 1), 1 - 1e-6, 1.0)
        self.register_buffer("kept", content * mask * soft)
        self.register_buffer("free", (1 - mask) * soft)

    def forward(self, texels: Float[Tensor, "3 height width"]) -> Float[Tensor, "3 height width"]:
        """Texels with the given ones laid over them."""
        return torch.addcmul(self.kept, texels, self.free)


def build_locked(
    parts: Sequence[LockedSettings],
    start: Float[Tensor, "3 height width"],
    *,
    hard: bool,
) -> Locked | None:
    """Read the parts of a design that are given.

    Args:
        parts: Which; of two that overlap the later is on top.
        start: What the design starts from, for parts that keep it.
        hard: Give masks no soft edge, so that no new colours come about.

    Returns:
        Of all parts together; None where there is none.

    Raises:
        DesignError: A mask or picture cannot be read, a mask is black all over, or nothing is left free.
    """
    if not parts:
        return None
    height, width = start.shape[1:]
    covered, shown = torch.zeros(height, width), start
    for part in parts:
        mask = _mask(part.mask, height=height, width=width)
        if hard:
            mask = (mask >= 0.5).float()
        content = _content(part.content, start)
        # The later part lies over the earlier ones, each with its share of what is covered.
        before = covered * (1 - mask)
        covered = before + mask
        of_it = torch.where(covered > 0, mask / covered.clamp(min=1e-9), 0.0)
        shown = torch.where(of_it == 1, content, shown + of_it * (content - shown))
    if float(covered.min()) == 1:
        raise DesignError("texture.locked covers the whole design, so that nothing is left to learn.")
    return Locked(covered, shown)


def _mask(name: str, *, height: int, width: int) -> Tensor:
    path = existing_file(name)
    if path is None:
        raise DesignError(
            f"There is no file {name!r} for texture.locked; name a picture that is white where the design is "
            "locked."
        )
    mask = read_mask_picture(path, height=height, width=width)
    if float(mask.max()) < 0.5:
        raise DesignError(f"The mask {path} is dark all over and locks nothing; paint white what is locked.")
    return mask


def _content(name: str, start: Tensor) -> Tensor:
    if name == "start":
        return start
    colour = named_colour(name)
    if colour is not None:
        return colour[:, None, None].expand_as(start)
    path = existing_file(name)
    if path is None:
        raise DesignError(
            f"Cannot show {name!r} in a locked part: it is neither start, a colour such as #4ab3c8, nor a "
            "picture file that exists."
        )
    return read_picture_as_texels(path, height=start.shape[1], width=start.shape[2], warn=True)
