"""What a network of four numbers is fed, for tests that never run it."""

from typing import Any

from advmask.recognizers.specification import NetworkSpecification


def tiny_specification(**changed: Any) -> NetworkSpecification:
    values = {
        "size": [16, 16],
        "channels": "rgb",
        "range": [0, 1],
        "mean": [0, 0, 0],
        "std": [1, 1, 1],
        "template": "arcface",
        "distance": "cosine",
        "embedding": 4,
    }
    return NetworkSpecification.build(values | changed)
