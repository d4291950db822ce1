"""What a picture file that is to be printed says about itself."""

from pathlib import Path

from PIL import Image

from advmask.core.errors import DesignError
from advmask.masks.flat_pattern import FlatPattern


def look_at(picture: Path, pattern: FlatPattern) -> list[str]:
    """What is to be said about a picture given as a design.

    Args:
        picture: The file.
        pattern: That it is to be printed on.

    Raises:
        DesignError: It says itself that it is for another pattern, or a print file.
    """
    try:
        with Image.open(picture) as opened:
            mode, text = opened.mode, {str(key): str(value) for key, value in opened.info.items()}
    except (OSError, ValueError):
        return []  # reading it told what is wrong, or will
    if "advmask:bleed_mm" in text:
        raise DesignError(f"{picture} is a print file; name the run folder or the picture it was made from.")
    made_for = text.get("advmask:pattern", pattern.name)
    if made_for != pattern.name:
        raise DesignError(
            f"{picture} is made for pattern {made_for} and not for {pattern.name}; add mask={made_for}."
        )
    return [f"{picture} holds CMYK colours; they were converted to sRGB."] if mode == "CMYK" else []
