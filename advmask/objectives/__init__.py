"""What is minimised, from similarities and pictures alone."""

from advmask.objectives.match import MatchKind, MatchObjective
from advmask.objectives.settings import ObjectiveSettings
from advmask.objectives.smoothness import Smoothness

__all__ = ["MatchKind", "MatchObjective", "ObjectiveSettings", "Smoothness"]
