"""Colour temperatures by name, kelvin."""

D65_K = 6504.0
COOLEST_K, WARMEST_K = 15000.0, 2000.0
