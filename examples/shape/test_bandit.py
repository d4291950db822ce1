"""What any shape must be: of the size drawn, and cloth that hardly stretches where it is worn."""

from pathlib import Path

import numpy as np
import yaml

import advmask
from advmask.masks.mask_building import build_mask

HERE = Path(__file__).parent


def settings() -> advmask.MaskSettings:
    said = yaml.safe_load((HERE / "mask.yaml").read_text(encoding="utf-8"))
    return advmask.MaskSettings.build(said | {"pattern": str(HERE / said["pattern"])})


def test_it_is_as_wide_and_high_as_drawn() -> None:
    mask = build_mask(settings())
    np.testing.assert_allclose(mask.size_mm, (200, 126), atol=2)


def test_the_cloth_hardly_stretches() -> None:
    mask = build_mask(settings())
    edges = np.concatenate([mask.faces[:, [a, b]] for a, b in ((0, 1), (1, 2), (2, 0))])
    worn, flat = (
        np.linalg.norm(np.diff(places[edges], axis=1)[:, 0], axis=1)
        for places in (mask.vertices_mm, mask.uv_mm)
    )
    assert np.mean((worn / flat > 0.85) & (worn / flat < 1.15)) > 0.9
