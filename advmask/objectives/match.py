"""What is minimised so that the wearer is not matched."""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from advmask.objectives.settings import MatchKind
from advmask.objectives.worst import worst_share


class MatchObjective(nn.Module):
    """Mean over recognizers and photos of how well the wearer is matched; smaller is better dodging.

    Three forms, all of the same two arrays:

    - `confidence`: the match confidence c = sigmoid(margin) itself; threshold-aware, gives up on photos
      that are far on either side of the threshold.
    - `log_confidence`: -log(1 - c) = softplus(margin); threshold-aware, and pushes hardest where the
      match is surest.
    - `similarity`: the plain mean similarity; knows no threshold. With a cosine network this is the loss
      of AdversarialMask (Zolfi et al. 2021) up to an affine map.

    Args:
        kind: Which form.
        tail: Share of the photos, those that match best, whose mean counts for each recognizer; 1 counts all.
    """

    def __init__(self, kind: MatchKind = "log_confidence", *, tail: float = 1.0) -> None:
        super().__init__()
        self.kind = kind
        self.tail = tail

    def forward(
        self,
        similarity: Float[Tensor, "recognizers batch"],
        margin: Float[Tensor, "recognizers batch"],
    ) -> Float[Tensor, ""]:
        """Compute the objective.

        Args:
            similarity: Probe against the wearer's own template, larger is more alike.
            margin: Log-odds of the match confidence, scale (similarity - threshold).
        """
        each = similarity
        if self.kind == "confidence":
            each = torch.sigmoid(margin)
        elif self.kind == "log_confidence":
            each = F.softplus(margin)
        return each.mean() if self.tail == 1 else worst_share(each, self.tail).mean()
