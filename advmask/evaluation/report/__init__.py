"""One page that says what an evaluation found: first in plain words, then in figures."""
