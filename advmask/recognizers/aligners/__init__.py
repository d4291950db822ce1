"""Where the landmarks come from that a recognizer aligns by."""

from advmask.recognizers.aligners.mtcnn import MtcnnAligner

__all__ = ["MtcnnAligner"]
