"""Bare, plain and design of each person side by side, with what the recognizers thought written under it."""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from advmask.evaluation.contact_sheet import contact_sheet, to_image
from advmask.evaluation.real_prints.embedded_pictures import thumbnail
from advmask.evaluation.real_prints.judging import PhysicalVerdict
from advmask.evaluation.real_prints.template_scores import PictureScores

COLUMNS = ("bare", "plain", "design", "design, matched best")
MOST_PEOPLE = 40
_LINE_PX, _MARGIN_PX = 15, 3
_GREY = 0.85


def judge_sheet(verdict: PhysicalVerdict) -> Image.Image:
    """Draw the crops by which people were recognized: the median match confidence, and the design's best.

    Of more than 40 people the first are drawn.

    Args:
        verdict: What was found.
    """
    scores = [one.scored for one in verdict.verdicts]
    people = verdict.people[:MOST_PEOPLE]
    rows = []
    for name in people:
        own = {worn: _ordered(verdict, scores, name, worn) for worn in ("bare", "plain", "design")}
        chosen = [_middle(own[worn]) for worn in ("bare", "plain", "design")]
        chosen.append(own["design"][-1] if own["design"] else None)
        rows.append([_tile(verdict, scores, place) for place in chosen])
    return contact_sheet(rows, columns=COLUMNS, names=people)


def _ordered(
    verdict: PhysicalVerdict, scores: Sequence[PictureScores], person: str, condition: str
) -> list[int]:
    """Places of the pictures with a score, by mean match confidence over recognizers."""
    mean = np.mean([one.confidence for one in scores], axis=0)
    places = [place for place in verdict.seen.of(person, condition) if np.isfinite(mean[place])]
    return sorted(places, key=lambda place: float(mean[place]))


def _middle(places: Sequence[int]) -> int | None:
    return places[len(places) // 2] if places else None


def _tile(
    verdict: PhysicalVerdict, scores: Sequence[PictureScores], place: int | None
) -> Float[Tensor, "3 height width"]:
    """A crop with a line for each recognizer under it; grey where there is none."""
    size = next(
        (len(found[0]) for one in verdict.seen.pictures if (found := thumbnail(one)) is not None), 176
    )
    crop = None if place is None else thumbnail(verdict.seen.pictures[place])
    image = to_image(torch.full((3, size, size), _GREY) if crop is None else crop)
    tile = Image.new("RGB", (size, size + _LINE_PX * len(scores) + _MARGIN_PX), "white")
    tile.paste(image, (0, 0))
    draw = ImageDraw.Draw(tile)
    font = ImageFont.load_default(size=11)
    if place is None:
        draw.text((size / 2, size / 2), "no picture to compare", fill="black", font=font, anchor="mm")
    for line, one in enumerate(scores if place is not None else ()):
        words = f"{one.recognizer.label} {one.confidence[place]:.2f}"
        if one.matched[place] == 1:
            words += ", match"
        y = size + _MARGIN_PX + _LINE_PX * line
        draw.text((2, y), _fitted(words, draw, font, size), fill="black", font=font)
    values = torch.from_numpy(np.asarray(tile).copy())
    return values.permute(2, 0, 1).float() / 255


def _fitted(
    words: str, draw: ImageDraw.ImageDraw, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, room: int
) -> str:
    """Shorten a long label in front, so that the figure stays."""
    while draw.textlength(words, font=font) > room - 4 and len(words) > 8:
        words = "…" + words.lstrip("…")[1:]
    return words
