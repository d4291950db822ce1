"""Colours, each space once: sRGB and linear light, Lab, Oklab, colour difference, colour temperature."""
