"""What a printer is expected to make of a design: a picture as asked, as printed, and what cannot be."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont

from advmask.masks.flat_pattern import FlatPattern
from advmask.printers.gamut_loss import gamut_loss
from advmask.printers.printer import Printer
from advmask.printers.settings import PrinterSettings
from advmask.printing.raster import rasterise
from advmask.printing.settings import PrintingSettings
from advmask.textures.design_files import Design
from advmask.textures.png_bytes import encode_png

OUT_OF_GAMUT = 5.0
"""Delta E 2000 above which a colour is marked."""
_RED = torch.tensor([1.0, 0.0, 0.3])
_DPI = 100
_GAP_PX = 16
_FOOT_PX = 64


def proof_png(
    design: Design, pattern: FlatPattern, printer: PrinterSettings, *, name: str, facts: Mapping[str, str]
) -> tuple[bytes, float]:
    """Draw a design as asked for, as printed, and with the colours marked that the printer misses.

    Args:
        design: The design, made for the pattern.
        pattern: The flat pattern.
        printer: Its mean print is shown.
        name: What the printer is called.
        facts: Text chunks.

    Returns:
        The PNG, and the share of the mask whose colours are missed by more than `OUT_OF_GAMUT`.

    Raises:
        ConfigError: The printer's profile or table cannot be used.
        DesignError: The design does not fit the pattern.
    """
    printing = PrintingSettings(dpi=_DPI, bleed_mm=0.0)
    design = _coarser(design)
    device = Printer(printer, texels_per_mm=design.texels_per_mm)
    with torch.no_grad():
        proof = device.proof(design.texels).clamp(0, 1)
        missed = gamut_loss(design.texels, device) > OUT_OF_GAMUT
        grey = (0.5 + 0.4 * (design.texels.mean(dim=0, keepdim=True) - 0.5)).expand(3, -1, -1)
        warning = torch.where(missed, _RED[:, None, None], grey)
    asked = rasterise(design, pattern, printing)
    # The share is of what is worn, not of the texels between the panels.
    marked = rasterise(
        replace(design, texels=missed.float().expand(3, -1, -1).contiguous()), pattern, printing
    )
    weight = asked.coverage.astype(float)
    share = float((marked.colour[..., 0] / 255.0 * weight).sum() / weight.sum())
    shown = [replace(design, texels=texels.contiguous()) for texels in (proof, warning)]
    pictures = [asked.on_white(), *(rasterise(one, pattern, printing).on_white() for one in shown)]
    words = (
        ("as asked for", "the design, sRGB"),
        (f"as printed by {name}", "simulated; colours and spread ink, one average print"),
        (
            f"red: {100 * share:.0f} % of the mask"
            if share >= 0.005
            else f"red: {100 * share:.1f} % of the mask",
            f"cannot be printed as asked (Delta E 2000 above {OUT_OF_GAMUT:g})",
        ),
    )
    return encode_png(_side_by_side(pictures, words), pixels_per_mm=_DPI / 25.4, text=facts), share


def _coarser(design: Design) -> Design:
    """A design as fine as its proof is at most: a picture may hold several times as many texels."""
    times = _DPI / 25.4 / design.texels_per_mm
    if times >= 1:
        return design
    size = [max(1, round(side * times)) for side in design.texels.shape[1:]]
    texels = F.interpolate(design.texels[None], size=size, mode="area")[0].clamp(0, 1)
    return replace(design, texels=texels, texels_per_mm=design.texels_per_mm * times, around=None)


def _side_by_side(pictures: list[np.ndarray], words: tuple[tuple[str, str], ...]) -> np.ndarray:
    height, width = pictures[0].shape[:2]
    column = max(width, 330)
    sheet = Image.new("RGB", (3 * column + 4 * _GAP_PX, height + 2 * _GAP_PX + _FOOT_PX), (255, 255, 255))
    draw = ImageDraw.Draw(sheet)
    for place, (picture, (title, below)) in enumerate(zip(pictures, words, strict=True)):
        x = _GAP_PX + place * (column + _GAP_PX)
        sheet.paste(Image.fromarray(picture), (x + (column - width) // 2, _GAP_PX))
        y = height + 2 * _GAP_PX
        for line, size, down in ((title, 18, 0), (below, 13, 26)):
            wide = draw.textlength(line, font=ImageFont.load_default(size))
            font = ImageFont.load_default(max(8, int(size * min(1.0, column / wide))))
            draw.text((x, y + down), line, fill=(0, 0, 0), font=font)
    return np.asarray(sheet)
