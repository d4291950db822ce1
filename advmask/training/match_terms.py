"""What the embeddings of a masked photo are compared with, and what each comparison costs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from advmask.core.errors import ConfigError
from advmask.objectives.impostor import Impostor
from advmask.objectives.match import MatchObjective
from advmask.objectives.own_terms import Embedded, OwnTerms
from advmask.objectives.settings import ObjectiveSettings
from advmask.recognizers.recognizer import Recognizer


@dataclass(frozen=True)
class Judged:
    """What a recognizer makes of a step.

    Attributes:
        term: What is minimised.
        similarity: (B,) with the wearer's own bare template; without gradient, like all below.
        margin: (B,) of that similarity; None where the recognizer has no threshold and needs none.
        further: Names and values of further terms.
    """

    term: Float[Tensor, ""]
    similarity: Float[Tensor, " batch"]
    margin: Float[Tensor, " batch"] | None
    further: Mapping[str, Float[Tensor, ""]]


class Judging(nn.Module):
    """Compares embeddings with the wearer's template, and where asked with others.

    Others are the wearer enrolled under a plain mask, and everybody else: a design should lead away from both
    of the first and towards nobody of the last. Margins take the threshold of the bare gallery throughout.

    Args:
        settings: Weights and forms.
        templates: For each recognizer (n, D): the template that each photo is matched against.
        masked_templates: The same from masked photos; needed where `masked_gallery` has a weight.
        people: Who is on each of the n photos; needed where `impostor` has a weight. Other people's templates
            are the means of their photos' templates.
        own: Terms of the user's own that look at embeddings.

    Raises:
        ConfigError: What a term with a weight needs is not there.
    """

    def __init__(
        self,
        settings: ObjectiveSettings,
        templates: Sequence[Float[Tensor, "n dim"]],
        *,
        recognizers: Sequence[Recognizer] = (),
        masked_templates: Sequence[Float[Tensor, "n dim"]] | None = None,
        people: Sequence[str] | None = None,
        own: OwnTerms | None = None,
    ) -> None:
        super().__init__()
        self.own = OwnTerms() if own is None else own
        self.match = MatchObjective(settings.match, tail=settings.tail)
        self.impostor = Impostor()
        self._masked_weight = settings.masked_gallery
        self._impostor_weight = settings.impostor
        self._keep("own", templates)
        if settings.masked_gallery:
            if masked_templates is None:
                raise ConfigError(
                    "objective.masked_gallery needs people enrolled under a plain mask, and nobody is; give "
                    "their templates, or set it to 0."
                )
            self._keep("masked", masked_templates)
        if settings.impostor:
            names = sorted(set(people or ()))
            if len(names) < 2 or people is None:
                raise ConfigError(
                    f"objective.impostor needs photos of at least two people to train on, not {len(names)}; "
                    "add photos, or set it to 0."
                )
            person = torch.tensor([names.index(name) for name in people])
            self.register_buffer("person", person, persistent=False)
            self._keep(
                "everybody",
                [
                    torch.stack([member.enrol(own[person == number]) for number in range(len(names))])
                    for member, own in zip(recognizers, templates, strict=True)
                ],
            )

    def _keep(self, kind: str, templates: Sequence[Tensor]) -> None:
        for number, template in enumerate(templates):
            self.register_buffer(f"{kind}_{number}", template, persistent=False)

    def forward(
        self,
        number: int,
        member: Recognizer,
        embedding: Float[Tensor, "batch dim"],
        photo: Int[Tensor, " batch"],
    ) -> Judged:
        """Judge one recognizer's embeddings.

        Args:
            number: Of the recognizer.
            member: The recognizer.
            embedding: Of the masked photos.
            photo: Which photos they are, of the n.
        """
        template = self.get_buffer(f"own_{number}")[photo]
        similarity = member.similarity(embedding, template)
        margin, term = self._matched(member, similarity)
        further: dict[str, Tensor] = {}
        if self._masked_weight:
            alike = member.similarity(embedding, self.get_buffer(f"masked_{number}")[photo])
            masked, more = self._matched(member, alike)
            term = term + self._masked_weight * more
            if masked is not None:
                further["masked_gallery"] = torch.sigmoid(masked.detach()).mean()
        if self._impostor_weight:
            everybody = self.get_buffer(f"everybody_{number}")
            matrix = member.calibrated.margin(member.similarity_matrix(embedding, everybody))
            person = self.get_buffer("person")[photo]
            own = person[:, None] == torch.arange(len(everybody), device=person.device)
            taken = self.impostor(matrix, own)
            term = term + self._impostor_weight * taken
            further["impostor"] = taken.detach()
        for name, value in self.own.of_embedding(
            Embedded(member.label, embedding, template, similarity, margin)
        ).items():
            term = term + value
            further[name] = value.detach()
        return Judged(term, similarity.detach(), None if margin is None else margin.detach(), further)

    def _matched(
        self, member: Recognizer, similarity: Float[Tensor, " batch"]
    ) -> tuple[Float[Tensor, " batch"] | None, Float[Tensor, ""]]:
        """The margin, if the recognizer has a threshold, and the match term, which may do without."""
        if member.calibration is None and self.match.kind == "similarity":
            return None, self.match(similarity[None], similarity[None])
        margin = member.calibrated.margin(similarity)
        return margin, self.match(similarity[None], margin[None])
