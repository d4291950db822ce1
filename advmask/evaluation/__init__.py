"""Probes, control masks, metrics and tables."""
