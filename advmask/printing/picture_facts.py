"""What a picture file that is to be printed says about itself."""

from pathlib import Path

from PIL import Image


def look_at(picture: Path) -> list[str]:
    """What is to be said about a picture given as a design."""
    try:
        with Image.open(picture) as opened:
            cmyk = opened.mode == "CMYK"
    except (OSError, ValueError):
        return []  # reading it told what is wrong
    return [f"{picture} holds CMYK colours; they were converted to sRGB."] if cmyk else []
