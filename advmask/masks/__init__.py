"""The mask as a thing in millimetres, and where it lies on a head."""
