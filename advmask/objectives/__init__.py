"""What is minimised, from similarities and pictures alone."""

from advmask.objectives.displacement import Displacement
from advmask.objectives.features import FeatureSimilarity
from advmask.objectives.fidelity import Fidelity
from advmask.objectives.gamut import GamutDistance
from advmask.objectives.impostor import Impostor
from advmask.objectives.match import MatchKind, MatchObjective
from advmask.objectives.minimum_feature import MinimumFeature
from advmask.objectives.non_printability import NonPrintability, printable_colours
from advmask.objectives.printability import Printability
from advmask.objectives.settings import ObjectiveSettings
from advmask.objectives.smoothness import Smoothness, resolved_mm
from advmask.objectives.worst import smooth_max, worst_share

__all__ = [
    "Displacement",
    "FeatureSimilarity",
    "Fidelity",
    "GamutDistance",
    "Impostor",
    "MatchKind",
    "MatchObjective",
    "MinimumFeature",
    "NonPrintability",
    "ObjectiveSettings",
    "Printability",
    "Smoothness",
    "printable_colours",
    "resolved_mm",
    "smooth_max",
    "worst_share",
]
