"""One thin file per command: config in, rooms called, files out."""
