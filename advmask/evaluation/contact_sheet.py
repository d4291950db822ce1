"""Pictures side by side, with words under them."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

_LABEL_PX = 18
_GAP_PX = 4


def contact_sheet(
    rows: Sequence[Sequence[Float[Tensor, "3 height width"]]],
    *,
    columns: Sequence[str],
    names: Sequence[str] = (),
) -> Image.Image:
    """Lay pictures out in a grid with a caption above each column.

    Args:
        rows: Pictures in [0, 1], sRGB, all of one size.
        columns: Captions, one for each picture of a row.
        names: Of the rows, written to their left, over several lines where they hold line breaks.
    """
    height, width = rows[0][0].shape[-2:]
    font = ImageFont.load_default(size=12)
    ruler = ImageDraw.Draw(Image.new("RGB", (1, 1)))
    left = max(
        (round(ruler.multiline_textbbox((0, 0), name, font=font)[2]) + 2 * _GAP_PX for name in names),
        default=0,
    )
    sheet = Image.new(
        "RGB",
        (
            left + len(columns) * (width + _GAP_PX) + _GAP_PX,
            len(rows) * (height + _GAP_PX) + _GAP_PX + _LABEL_PX,
        ),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    for row, name in enumerate(names):
        y = _LABEL_PX + _GAP_PX + row * (height + _GAP_PX) + height / 2
        draw.multiline_text((_GAP_PX, y), name, fill="black", font=font, anchor="lm")
    for column, caption in enumerate(columns):
        x = left + _GAP_PX + column * (width + _GAP_PX)
        draw.text((x + width / 2, _LABEL_PX / 2 + 1), caption, fill="black", font=font, anchor="mm")
        for row, pictures in enumerate(rows):
            sheet.paste(to_image(pictures[column]), (x, _LABEL_PX + _GAP_PX + row * (height + _GAP_PX)))
    return sheet


def to_image(picture: Float[Tensor, "3 height width"]) -> Image.Image:
    """An 8-bit picture from values in [0, 1]."""
    values = (picture.detach().clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
    return Image.fromarray(np.ascontiguousarray(values))
