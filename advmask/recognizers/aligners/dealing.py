"""Dealing the photos of a batch to several aligners, as training does."""

from collections.abc import Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from advmask.recognizers.aligners.aligner import Aligner, BareAligner


def aligned_points(
    aligners: Sequence[Aligner],
    pictures: Float[Tensor, "batch 3 rows columns"],
    hint: Float[Tensor, "batch 5 2"],
    *,
    draws: torch.Generator,
    shake: float = 0.0,
) -> tuple[Float[Tensor, "batch 5 2"], Bool[Tensor, " batch"]]:
    """Let each aligner find the landmarks of its share of a batch.

    Which photo goes to which aligner is drawn; the shares differ by one photo at most, and who gets one more
    is drawn too. An aligner named twice gets two shares. Where an aligner finds no face, the hint is taken.
    The gradient flows through the differentiable aligners to the pictures.

    Args:
        aligners: At least one.
        pictures: In [0, 1], RGB.
        hint: Landmarks of the bare pictures.
        draws: On the CPU.
        shake: How far the hint is moved before an aligner other than `bare` sees it, and how much it is
            enlarged, as a share of an eye distance (uniform in both directions), so that a box told by it
            jumps about as a detector's does. Never moves what is returned for a face not found.

    Returns:
        The landmarks, and whether a face was found.

    Raises:
        ValueError: There is no aligner.
    """
    if not aligners:
        raise ValueError("photos can be dealt to one aligner at least")
    batch, parts = len(pictures), len(aligners)
    order = torch.randperm(batch, generator=draws)
    first = int(torch.randint(parts, (), generator=draws))
    moves = shake * (2 * torch.rand(batch, 3, generator=draws) - 1)
    points = hint.to(pictures.device)
    shaken = _moved(points, moves.to(points)) if shake else points
    found = torch.ones(batch, dtype=torch.bool, device=pictures.device)
    for place, aligner in enumerate(aligners):
        rows = order[(place - first) % parts :: parts].to(pictures.device)
        if isinstance(aligner, BareAligner) or not len(rows):
            continue
        theirs, seen = aligner.landmarks(pictures[rows], shaken[rows])
        points = points.index_put((rows[seen],), theirs[seen].to(points))
        found = found.index_put((rows,), seen)
    return points, found


def _moved(points: Tensor, moves: Tensor) -> Tensor:
    """Points moved right and down and enlarged about their centre, by shares of their eye distance."""
    eyes = torch.linalg.vector_norm(points[:, 1] - points[:, 0], dim=1)[:, None, None]
    centre = points.mean(dim=1, keepdim=True)
    moved: Tensor = centre + (points - centre) * (1 + moves[:, None, 2:]) + eyes * moves[:, None, :2]
    return moved
