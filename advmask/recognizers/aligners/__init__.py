"""Where the landmarks come from that a recognizer aligns by."""
