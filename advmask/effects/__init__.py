"""What happens between the design and the recognizer, as seeded, replayable draws."""
