"""Which inks a palette takes of a picture, and which of its colours none comes near: said and shown."""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from advmask.textures.colour_names import colour_code, colour_named
from advmask.textures.colours import lab_of, nearest_ink

_FAR = 20.0  # Delta E of 1976: another colour to anybody
_LEAST = 0.003  # of the picture; what covers less is counted together
_SAID, _DRAWN = 4, 10  # colours left out that are named, and drawn
_FINE = 6  # steps of the colour cube in which colours are told apart
_WIDTH, _ROW, _SWATCH, _MARGIN = 900, 84, 64, 36
_HEAD, _TEXT, _SMALL = 34, 26, 22
_WORDS = {
    "black": (0, 0, 0), "dark grey": (80, 80, 80), "grey": (130, 130, 130), "light grey": (200, 200, 200),
    "white": (255, 255, 255), "cream": (245, 235, 215), "beige": (215, 190, 150), "brown": (130, 80, 40),
    "dark brown": (70, 40, 20), "red": (215, 30, 35), "dark red": (130, 15, 25), "pink": (245, 160, 185),
    "magenta": (220, 30, 140), "orange": (245, 135, 30), "skin": (235, 180, 150), "yellow": (250, 220, 50),
    "ochre": (200, 150, 50), "olive": (115, 115, 40), "light green": (150, 210, 130), "green": (65, 140, 70),
    "dark green": (20, 75, 40), "turquoise": (60, 190, 180), "petrol": (20, 100, 110),
    "light blue": (150, 200, 235), "blue": (40, 100, 200), "dark blue": (30, 45, 95),
    "violet": (125, 70, 175), "light violet": (195, 170, 225), "dark violet": (65, 30, 90),
}  # fmt: skip
_BRIGHT = {  # what screens show, far from all of these
    "blue": (0, 0, 255), "green": (0, 255, 0), "yellow": (242, 178, 52), "violet": (150, 0, 255),
    "turquoise": (0, 255, 255), "magenta": (255, 0, 255), "light yellow": (255, 250, 170),
}  # fmt: skip


@dataclass(frozen=True)
class LeftOut:
    """A colour of the picture that no ink comes near.

    Attributes:
        colour: As `#rrggbb`.
        share: Of the picture that it covers.
        becomes: The ink that takes its place, as `#rrggbb`.
    """

    colour: str
    share: float
    becomes: str


@dataclass(frozen=True)
class InkChoice:
    """The inks of a palette and what they leave of a picture.

    Attributes:
        inks: Each as `#rrggbb`, with the share of the picture that it takes.
        left_out: Colours far from every ink, the largest first.
        small: Share of the picture that further such colours cover, each of them little.
    """

    inks: tuple[tuple[str, float], ...]
    left_out: tuple[LeftOut, ...]
    small: float

    def sentences(self) -> list[str]:
        """What is said before a design is learned: every ink, and what becomes of all other colours."""
        listed = ", ".join(f"{_named(code)} ({share:.0%})" for code, share in self.inks)
        said = [f"Inks, with their shares of the start: {listed}."]
        said += [
            f"Left out: {_named(one.colour)}, {one.share:.1%} of the start, becoming {_named(one.becomes)}; "
            "to keep it, name it in texture.palette.inks, or allow more inks."
            for one in self.left_out[:_SAID]
        ]
        more = sum(one.share for one in self.left_out[_SAID:]) + self.small
        if more > 0:
            said.append(f"Left out as well: other colours, {_percent(more)} of the start together.")
        return said

    def picture(self) -> Image.Image:
        """`inks.png`: a swatch for each ink and each colour left out, with codes and shares."""
        drawn = self.left_out[:_DRAWN]
        more = sum(one.share for one in self.left_out[_DRAWN:]) + self.small
        heads = 1 + bool(drawn or more)
        height = 2 * _MARGIN + heads * 60 + (len(self.inks) + len(drawn)) * _ROW + (50 if more else 0)
        page, text = Image.new("RGB", (_WIDTH, height), "white"), ImageFont.load_default(_TEXT)
        pen, top = ImageDraw.Draw(page), _MARGIN
        pen.text((_MARGIN, top), "Inks", "#111111", ImageFont.load_default(_HEAD))
        top += 60
        for code, share in self.inks:
            _swatch(pen, _MARGIN, top, code)
            about = f"{_named(code)}    {_percent(share)} of the drawing"
            pen.text(
                (_MARGIN + _SWATCH + 24, top + 32),
                about,
                "#111111",
                ImageFont.load_default(_TEXT),
                anchor="lm",
            )
            top += _ROW
        if heads > 1:
            pen.text((_MARGIN, top), "Left out", "#111111", ImageFont.load_default(_HEAD))
            top += 60
        for one in drawn:
            _swatch(pen, _MARGIN, top, one.colour)
            about = f"{_named(one.colour)}    {_percent(one.share)}, becomes"
            place = (_MARGIN + _SWATCH + 24, top + 32)
            pen.text(place, about, "#111111", text, anchor="lm")
            end = place[0] + round(pen.textlength(about, text)) + 20
            _swatch(pen, end, top, one.becomes)
            pen.text((end + _SWATCH + 20, top + 32), one.becomes, "#111111", text, anchor="lm")
            top += _ROW
        if more:
            said = f"and other colours, {_percent(more)} together"
            pen.text((_MARGIN, top + 6), said, "#555555", ImageFont.load_default(_SMALL))
        return page


def ink_choice(texels: Float[Tensor, "3 height width"], inks: Float[Tensor, "inks 3"]) -> InkChoice:
    """Look at what inks make of a start.

    Args:
        texels: What a design starts from, sRGB in [0, 1].
        inks: sRGB in [0, 1].
    """
    nearest = nearest_ink(texels, inks)
    shares = torch.bincount(nearest.flatten(), minlength=len(inks)).double() / nearest.numel()
    codes = [colour_code(ink.tolist()) for ink in inks]
    away = (lab_of(texels.movedim(0, -1)) - lab_of(inks)[nearest]).norm(dim=-1)
    # Mixtures along an edge are one or two texels wide, and no colours of the picture.
    far = -F.max_pool2d(-(away > _FAR).float()[None], 3, stride=1, padding=1)[0] > 0.5
    left_out, small = [], 0.0
    if far.any():
        colours = texels[:, far]
        cells = (colours * (_FINE - 1)).round().long()
        code = (cells[0] * _FINE + cells[1]) * _FINE + cells[2]
        count = torch.bincount(code, minlength=_FINE**3)
        for cell in count.argsort(descending=True).tolist():
            share = float(count[cell]) / nearest.numel()
            if share < _LEAST:
                small += share
                continue
            mean = colours[:, code == cell].mean(dim=1)
            instead = codes[int(nearest[far][code == cell].mode().values)]
            left_out.append(LeftOut(colour_code(mean.tolist()), share, instead))
    return InkChoice(tuple(zip(codes, shares.tolist(), strict=True)), tuple(left_out), small)


def colour_in_words(code: str) -> str:
    """The plain word for the colour that looks most like one.

    Args:
        code: As `#rrggbb`.
    """
    words, colours = zip(*_WORDS.items(), *_BRIGHT.items(), strict=True)
    away = lab_of(torch.tensor(colours) / 255) - lab_of(torch.tensor(colour_named(code)))
    return str(words[int(away.square().sum(dim=1).argmin())])


def _named(code: str) -> str:
    return f"{code} {colour_in_words(code)}"


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.1 else f"{share:.1%}"


def _swatch(pen: ImageDraw.ImageDraw, left: int, top: int, code: str) -> None:
    pen.rectangle((left, top, left + _SWATCH, top + _SWATCH), code, "#555555", 2)
