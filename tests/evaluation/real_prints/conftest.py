"""A small folder of people made of the portrait of scikit-image."""

from pathlib import Path

import pytest
from PIL import Image, ImageEnhance

from advmask.photos.loading import portrait_path


@pytest.fixture(scope="session")
def people_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two people, of whom the second is the mirrored first, in bare, plain (grey) and design (red)."""
    root = tmp_path_factory.mktemp("physical") / "test pictures"
    portrait = Image.open(portrait_path()).convert("RGB").crop((60, 0, 400, 300))
    for person, picture in (("ada", portrait), ("ben", portrait.transpose(Image.Transpose.FLIP_LEFT_RIGHT))):
        for condition, colour in (("bare", None), ("plain", (150, 160, 170)), ("design", (220, 20, 20))):
            folder = root / person / condition
            folder.mkdir(parents=True)
            for number, brightness in enumerate((0.8, 1.0, 1.15)):
                shown = ImageEnhance.Brightness(picture).enhance(brightness)
                if colour is not None:  # over mouth and chin
                    x0 = 125 if person == "ada" else 340 - 205
                    shown.paste(colour, (x0, 128, x0 + 80, 175))
                shown.save(folder / f"{number}.png")
    return root
