"""The artist's local page: a thin skin over the commands, bound to this machine."""
