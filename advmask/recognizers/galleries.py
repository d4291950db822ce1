"""What probes are compared with: templates of bare photos, of masked ones, or the better of the two."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from advmask.recognizers.recognizer import Recognizer
from advmask.recognizers.settings import GalleryName


@dataclass(frozen=True, eq=False)
class Gallery:
    """Enrolled people as one matcher knows them.

    Attributes:
        name: `bare`, `masked` (photos under a plain mask enrolled), or `pooled` (both; the better counts).
        own: For each kind of photo enrolled, (n, D): the template of each photo's person from other photos.
    """

    name: GalleryName
    own: tuple[Float[Tensor, "n dim"], ...]

    def similarity(
        self, recognizer: Recognizer, embeddings: Float[Tensor, "m dim"], rows: Sequence[int]
    ) -> Float[Tensor, " m"]:
        """Similarity of probes to their own people: the largest over the kinds of photos enrolled.

        Args:
            recognizer: That made the embeddings.
            embeddings: Of the probes.
            rows: Which enrolled photo each probe was made from; that photo is not in its template.
        """
        each = [recognizer.similarity(embeddings, templates[list(rows)]) for templates in self.own]
        return torch.stack(each).amax(dim=0)
