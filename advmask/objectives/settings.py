"""Settings of the objective."""

from pydantic import Field

from advmask.objectives.match import MatchKind
from advmask.settings import Settings


class ObjectiveSettings(Settings):
    """What is minimised.

    Attributes:
        match: Form of the match term.
        smoothness: Weight of the change of colour per millimetre.
    """

    match: MatchKind = "log_confidence"
    smoothness: float = Field(default=0.0, ge=0)
