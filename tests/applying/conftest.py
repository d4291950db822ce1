"""The astronaut portrait, a plain red design, and what finds faces, once for all tests here."""

import numpy as np
import pytest
import torch
from PIL import Image

from advmask.applying.face_finding import FaceFinder, FoundFace
from advmask.applying.mask_drawing import WornDesign
from advmask.applying.settings import FindSettings
from advmask.masks.mask_building import build_mask
from advmask.masks.settings import MaskSettings
from advmask.photos.loading import portrait_path
from advmask.render.settings import RenderSettings


@pytest.fixture(scope="session")
def portrait() -> Image.Image:
    return Image.open(portrait_path()).convert("RGB")


@pytest.fixture(scope="session")
def finder() -> FaceFinder:
    return FaceFinder(FindSettings())


@pytest.fixture(scope="session")
def face(portrait: Image.Image, finder: FaceFinder) -> FoundFace:
    (found,) = finder.find(portrait)
    return found


@pytest.fixture(scope="session")
def design() -> WornDesign:
    surface = build_mask(MaskSettings())
    height, width = surface.texture_size(1.0)
    texels = torch.zeros(3, height, width)
    texels[0] = 0.9
    return WornDesign(texels, 1.0, surface, RenderSettings(supersample=2))


@pytest.fixture(scope="session")
def pixels(portrait: Image.Image) -> np.ndarray:
    return np.asarray(portrait)
