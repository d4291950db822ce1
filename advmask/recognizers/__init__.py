"""Recognizers as users meet them: aligner, network, similarity, calibrated threshold."""
