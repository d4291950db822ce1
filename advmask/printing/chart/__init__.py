"""A chart to print, and what a photo of the printed chart says of the printer."""
