"""Similarity between embeddings: larger is more alike."""

from typing import Literal

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from advmask.core.precision import full_precision

Distance = Literal["cosine", "euclidean"]


def similarity(
    probes: Float[Tensor, "*batch width"], templates: Float[Tensor, "*batch width"], *, distance: Distance
) -> Float[Tensor, "*batch"]:
    """Similarity of each probe to its own template.

    Args:
        probes: Embeddings, not necessarily normalised.
        templates: Gallery templates, broadcast against the probes.
        distance: `cosine` gives the cosine in [-1, 1]; `euclidean` gives minus the distance, at most 0.
    """
    if distance == "cosine":
        return F.cosine_similarity(probes, templates, dim=-1)
    # The small constant keeps the gradient finite where probe and template coincide.
    return -torch.sqrt(((probes - templates) ** 2).sum(dim=-1) + 1e-12)


def similarity_matrix(
    probes: Float[Tensor, "n width"], templates: Float[Tensor, "m width"], *, distance: Distance
) -> Float[Tensor, "n m"]:
    """Similarity of every probe to every template."""
    if distance == "cosine":
        with full_precision(probes):
            return F.normalize(probes, dim=1) @ F.normalize(templates, dim=1).T
    return -torch.cdist(probes, templates, compute_mode="donot_use_mm_for_euclid_dist")


def mean_template(embeddings: Float[Tensor, "n width"], *, distance: Distance) -> Float[Tensor, " width"]:
    """Enrolment of a person: the mean embedding of several photos.

    Cosine networks are averaged after normalisation, so that a long embedding does not count for more.
    """
    if distance == "cosine":
        embeddings = F.normalize(embeddings, dim=1)
    return embeddings.mean(dim=0)
