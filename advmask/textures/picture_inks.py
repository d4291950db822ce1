"""Inks taken from a picture: colours that it has, and shows."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.textures.colours import in_steps, lab_of

_VISIBLE = 0.003  # share of the picture from which a colour is one of its own
_THIN = 0.01  # the same for a colour that is nowhere wider than a line, where mixtures are as well
_FLAT = 16 / 255  # by which neighbours within an area differ at most: noise of a JPEG
_AREAS = 0.2  # share from which a picture is made of areas; others are looked at as a whole
_SAME, _OTHER = 8.0, 15.0  # Delta E of 1976: one colour with its noise; another, to anybody
_NEARLY_ALL = 0.99
_MIXED = 0.08  # distance in sRGB from a mixture of two inks
_FINE = 12  # steps of the cube in which colours count as one


def picture_inks(
    texels: Float[Tensor, "3 height width"], count: int, *, at_least: int = 2
) -> Float[Tensor, "found 3"]:
    """Inks that a picture can be drawn with: colours of 8 bits that it has, frequent and far from each other.

    Of a picture in so many flat colours or fewer they are exactly these. Mixtures along edges are no colours
    of it, but thin lines are.

    Args:
        texels: The picture, sRGB in [0, 1].
        count: How many at most; fewer are found in a picture of fewer colours.
        at_least: Where fewer are found, colours far from those fill up to this.
    """
    flat = _in_areas(texels)
    seen, number, often = (
        (texels * 255).round().flatten(1).unique(dim=1, return_inverse=True, return_counts=True)
    )
    own = torch.bincount(number[flat.flatten()], minlength=len(often))
    colours = seen.T / 255
    large = own >= _VISIBLE * own.sum()
    if int(large.sum()) <= count and int(own[large].sum()) >= _NEARLY_ALL * int(own.sum()):
        found = colours[large][own[large].argsort(descending=True)]
    else:
        found = _farthest(*_merged(colours, own), colours[:0], count)
    found = _with_thin_lines(found, *_merged(colours, often), count)
    while len(found) < at_least:
        # To one colour of a drawing black or white is put, and no invented hue.
        cube = in_steps(torch.cartesian_prod(*[torch.linspace(0, 1, 4)] * 3))[:: 63 if len(found) == 1 else 1]
        found = torch.cat([found, cube[_away(cube, found).argmax()][None]])
    return found


def _in_areas(texels: Tensor) -> Tensor:
    """Where a picture is flat around a texel, (height, width) bool; everywhere where it hardly is."""
    spread = F.max_pool2d(texels, 3, stride=1, padding=1) + F.max_pool2d(-texels, 3, stride=1, padding=1)
    flat = spread.amax(dim=0) <= _FLAT
    return flat if float(flat.float().mean()) >= _AREAS else torch.ones_like(flat)


def _merged(colours: Tensor, often: Tensor) -> tuple[Tensor, Tensor]:
    """Colours that look different, each the commonest of those like it, and their shares."""
    cells = (colours * (_FINE - 1)).round().long()
    code = (cells[:, 0] * _FINE + cells[:, 1]) * _FINE + cells[:, 2]
    # Of each cell its commonest colour: the mean of two would be no colour of the picture.
    order = (code * (often.sum() + 1) + often).argsort()
    last = torch.cat([code[order][1:] != code[order][:-1], torch.ones(1, dtype=torch.bool)])
    share = torch.zeros(_FINE**3).index_add(0, code, often.float())[code[order][last]] / often.sum()
    by_share = share.argsort(descending=True)
    colours, share = colours[order][last][by_share], share[by_share]
    lab, kept = lab_of(colours), [0]
    for one in range(1, len(colours)):
        away = (lab[kept] - lab[one]).norm(dim=1)
        nearest = int(away.argmin())
        if float(away[nearest]) < _SAME:
            share[kept[nearest]] += share[one]
        else:
            kept.append(one)
    # Of a picture in very many colours each covers little.
    visible = [one for one in kept if share[one] >= min(_VISIBLE, float(share[kept].max()) / 4)]
    return colours[visible], share[visible]


def _farthest(colours: Tensor, share: Tensor, found: Tensor, count: int) -> Tensor:
    """Of colours those that are frequent and far from the ones found before, up to so many in all."""
    if not len(found):
        found = colours[share.argmax()][None]
    while len(found) < min(count, len(colours)):
        found = torch.cat([found, colours[(_away(colours, found).square() * share.sqrt()).argmax()][None]])
    return found


def _with_thin_lines(found: Tensor, colours: Tensor, share: Tensor, count: int) -> Tensor:
    """Inks found in areas, and further colours that no two of them mix to along an edge."""
    while len(found) < count:
        new = (share >= _THIN) & (_away(colours, found) > _OTHER) & (_from_mixtures(colours, found) > _MIXED)
        if not new.any():
            break
        found = torch.cat([found, colours[(_away(colours, found) * new * share.sqrt()).argmax()][None]])
    return found


def _away(colours: Tensor, found: Tensor) -> Tensor:
    """Delta E of 1976 to the nearest ink found."""
    return torch.cdist(lab_of(colours), lab_of(found)).amin(dim=1)


def _from_mixtures(colours: Tensor, found: Tensor) -> Tensor:
    """Distance in sRGB to the nearest mixture of two inks found, each with itself as well."""
    ends = torch.combinations(torch.arange(len(found)), with_replacement=True)
    first, along = found[ends[:, 0]], found[ends[:, 1]] - found[ends[:, 0]]
    to = colours[:, None] - first
    part = ((to * along).sum(-1) / along.square().sum(-1).clamp(min=1e-9)).clamp(0, 1)
    nearest: Tensor = (to - part[..., None] * along).norm(dim=-1).amin(dim=1)
    return nearest
