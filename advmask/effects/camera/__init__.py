"""The camera: what lies between the light of a scene and the values that a recognizer is given."""
