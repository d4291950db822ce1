"""Feature maps of an intermediate layer, for designs that should transfer to other networks."""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class FeatureSimilarity(nn.Module):
    """Mean over photos of the cosine between the feature maps of the masked and of the bare photo.

    Each map is taken as one long vector. Embeddings are what a network makes of a face for its own purposes;
    maps of an intermediate layer are more alike from network to network, and so is what spoils them.

    Source:
        Inkawhich et al., "Feature space perturbations yield more transferable adversarial examples", 2019,
        which drives an intermediate layer, with a Euclidean distance and towards another picture.
    """

    def forward(
        self, masked: Float[Tensor, "n channels rows columns"], bare: Float[Tensor, "n channels rows columns"]
    ) -> Float[Tensor, ""]:
        """The mean cosine, in [-1, 1].

        Args:
            masked: Features of the masked photos.
            bare: Of the same photos without a mask.
        """
        return F.cosine_similarity(masked.flatten(1), bare.flatten(1), dim=1).mean()
