"""Several frozen recognizers fed from the same pictures."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.recognizers.recognizer import Recognizer


class Ensemble(nn.Module):
    """Frozen recognizers; pictures are resampled once for each distinct alignment.

    Args:
        recognizers: At least one; they stay in evaluation mode and carry no gradient of their own.
    """

    def __init__(self, recognizers: Sequence[Recognizer]) -> None:
        super().__init__()
        if not recognizers:
            raise ValueError("an ensemble needs at least one recognizer")
        self.recognizers = nn.ModuleList(recognizers)
        self.assert_frozen()

    @property
    def members(self) -> list[Recognizer]:
        """The recognizers, in order."""
        return [member for member in self.recognizers if isinstance(member, Recognizer)]

    def assert_frozen(self) -> None:
        """Check that no member is in training mode and no parameter would be trained."""
        if any(module.training for member in self.members for module in member.modules()):
            raise AssertionError("a recognizer is in training mode; its statistics would drift")
        if any(parameter.requires_grad for parameter in self.recognizers.parameters()):
            raise AssertionError("a recognizer's parameter requires a gradient; recognizers are frozen")

    def forward(
        self, pictures: Float[Tensor, "batch 3 rows columns"], landmarks: Float[Tensor, "batch 5 2"]
    ) -> list[Tensor]:
        """Embeddings (B, D) of each recognizer, in order; differentiable in the pictures."""
        chips: dict[tuple[object, ...], Tensor] = {}
        embeddings = []
        for member in self.members:
            key = (member.specification.size, tuple(member.template.flatten().tolist()))
            if key not in chips:
                chips[key] = member.chips(pictures, landmarks)
            embeddings.append(member.embed(chips[key]))
        return embeddings

    def confidences(
        self, similarities: Sequence[Float[Tensor, "*shape"]]
    ) -> Float[Tensor, "recognizers *shape"]:
        """Match confidence of each recognizer's similarities, stacked."""
        return torch.stack([m.confidence(s) for m, s in zip(self.members, similarities, strict=True)])

    def train(self, mode: bool = True) -> "Ensemble":
        """The ensemble stays in evaluation mode."""
        super().train(False)
        return self
