"""Where the landmarks come from that a recognizer aligns by."""

from advmask.recognizers.aligners.aligner import Aligner, BareAligner
from advmask.recognizers.aligners.aligner_names import ALIGNER_NAMES, build_aligner, build_aligners
from advmask.recognizers.aligners.dealing import Deal, aligned_points, deal, dealt_points
from advmask.recognizers.aligners.dlib5 import DlibAligner
from advmask.recognizers.aligners.mesh468 import MeshAligner
from advmask.recognizers.aligners.mtcnn import MtcnnAligner, MtcnnBoxAligner

__all__ = [
    "ALIGNER_NAMES",
    "Aligner",
    "BareAligner",
    "Deal",
    "DlibAligner",
    "MeshAligner",
    "MtcnnAligner",
    "MtcnnBoxAligner",
    "aligned_points",
    "build_aligner",
    "build_aligners",
    "deal",
    "dealt_points",
]
