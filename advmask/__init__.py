"""advmask: printable face-mask patterns that make face recognition fail to match the wearer."""

__version__ = "0.1.0"
