"""Assigning the photos of a batch to several aligners, as training does."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from advmask.recognizers.aligners.aligner import Aligner, BareAligner


@dataclass(frozen=True, eq=False)
class Assignment:
    """Which photos of a batch go to which aligner, and how the hints they are shown are moved.

    Attributes:
        shares: For each aligner, in order, the numbers of its photos.
        moves: To the right, down and larger, in [-1, 1]: shares of the shake.
    """

    shares: tuple[Int[Tensor, " share"], ...]
    moves: Float[Tensor, "batch 3"]

    def photos_of(self, chosen: Sequence[bool]) -> Int[Tensor, " some"]:
        """Numbers of the photos that went to the aligners that are chosen; one truth for each, in order."""
        some = [share for share, wanted in zip(self.shares, chosen, strict=True) if wanted]
        return torch.cat([self.shares[0][:0], *some]).sort().values


def assign(aligners: int, photos: int, *, draws: torch.Generator) -> Assignment:
    """Draw which photo goes to which aligner.

    The shares differ by one photo at most, and who gets one more is drawn too.

    Args:
        aligners: How many; at least one.
        photos: How many.
        draws: On the CPU.

    Raises:
        ValueError: There is no aligner.
    """
    if not aligners:
        raise ValueError("photos can be assigned to one aligner at least")
    order = torch.randperm(photos, generator=draws)
    first = int(torch.randint(aligners, (), generator=draws))
    moves = 2 * torch.rand(photos, 3, generator=draws) - 1
    return Assignment(
        tuple(order[(place - first) % aligners :: aligners] for place in range(aligners)), moves
    )


def assigned_points(
    assigned: Assignment,
    aligners: Sequence[Aligner],
    pictures: Float[Tensor, "batch 3 rows columns"],
    hint: Float[Tensor, "batch 5 2"],
    *,
    shake: float = 0.0,
) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
    """Let each aligner find the landmarks of the photos that were assigned to it.

    Where an aligner finds no face, the hint is taken. The gradient flows through the differentiable aligners
    to the pictures.

    Args:
        assigned: Which aligner gets which photo.
        aligners: As many as photos were assigned to.
        pictures: In [0, 1], RGB.
        hint: Landmarks of the bare pictures.
        shake: How far the hint is moved before an aligner other than `bare` sees it, and how much it is
            enlarged, as a share of an eye distance (uniform in both directions), so that a box told by it
            jumps about as a detector's does. Never moves what is returned for a face not found.

    Returns:
        The landmarks, and whether a face was found.
    """
    points = hint.to(pictures.device)
    shaken = _moved(points, (shake * assigned.moves).to(points)) if shake else points
    found = torch.ones(len(pictures), dtype=torch.bool, device=pictures.device)
    for aligner, share in zip(aligners, assigned.shares, strict=True):
        if isinstance(aligner, BareAligner) or not len(share):
            continue
        rows = share.to(pictures.device)
        theirs, seen = aligner.landmarks(pictures[rows], shaken[rows])
        # Without asking which were seen, for which a GPU would have to wait.
        known = torch.where(seen[:, None, None], theirs.to(points), points[rows])
        points = points.index_put((rows,), known)
        found = found.index_put((rows,), seen)
    return points, found


def aligned_points(
    aligners: Sequence[Aligner],
    pictures: Float[Tensor, "batch 3 rows columns"],
    hint: Float[Tensor, "batch 5 2"],
    *,
    draws: torch.Generator,
    shake: float = 0.0,
) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
    """Assign a batch and let each aligner find the landmarks of its share: `assign`, then `assigned_points`.

    Args:
        aligners: At least one; one named twice gets two shares.
        pictures: In [0, 1], RGB.
        hint: Landmarks of the bare pictures.
        draws: On the CPU.
        shake: As for `assigned_points`.

    Returns:
        The landmarks, and whether a face was found.

    Raises:
        ValueError: There is no aligner.
    """
    assigned = assign(len(aligners), len(pictures), draws=draws)
    return assigned_points(assigned, aligners, pictures, hint, shake=shake)


def _moved(points: Tensor, moves: Tensor) -> Tensor:
    """Points moved right and down and enlarged about their centre, by shares of their eye distance."""
    eyes = torch.linalg.vector_norm(points[:, 1] - points[:, 0], dim=1)[:, None, None]
    centre = points.mean(dim=1, keepdim=True)
    moved: Tensor = centre + (points - centre) * (1 + moves[:, None, 2:]) + eyes * moves[:, None, :2]
    return moved
