"""Where each texel finds its value: mirrored about the nose line, repeated as a tile, or both."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from advmask.core.errors import DesignError
from advmask.textures.fields import Extent


class Layout(nn.Module):
    """Lays a smaller rectangle, the domain, out over the texture.

    Mirror: the value depends on the distance from the nose line alone. A pattern in several panels needs no
    special care, for a mask whose halves mirror each other when worn has panels that mirror each other about
    the nose line of the pattern frame when laid flat.

    Tile: values come again every `tile` texels; the first row of tiles begins at the top, and one column of
    them has its middle on the nose line. Along an axis on which the tile is as large as the texture nothing
    is repeated. With mirror, tiles are counted outwards from the nose line instead, and those on the other
    side are mirrored.

    Args:
        height: Of the texture, texels.
        width: Of the texture, texels.
        nose_column: Column of the nose line, texels from the left edge; used to the nearest half texel.
        mirror: Whether the texture is symmetric about it.
        tile: Height and width of the tile, texels.

    Raises:
        DesignError: The nose line is not within the texture and needed, or the tile is as large as it.
    """

    rows: Tensor | None
    columns: Tensor | None

    def __init__(
        self,
        *,
        height: int,
        width: int,
        nose_column: float,
        mirror: bool = False,
        tile: tuple[int, int] | None = None,
    ) -> None:
        super().__init__()
        axis = round(2 * nose_column) / 2
        if mirror and not 0 <= axis <= width:
            raise DesignError(
                "The pattern's nose line (u = 0) does not cross it, so that nothing can be mirrored about "
                "it; use symmetry=none, or move the pattern."
            )
        if tile is not None and tile[0] >= height and tile[1] >= width:
            raise DesignError(
                "repeat_mm is as large as the whole pattern, so that nothing would be repeated; use a "
                "smaller tile, or repeat_mm=null."
            )
        tall, wide = tile or (height, width)
        row, column = torch.arange(height), torch.arange(width)
        if mirror:
            column = (column + 0.5 - axis).abs().floor().long()
        reach = int(column.max()) + 1
        repeats_rows, repeats_columns = tall < height, wide < reach
        if repeats_rows:
            row = row % tall
        if repeats_columns:
            column = (column - (0 if mirror else math.floor(axis - wide / 2))) % wide
        self.extent = Extent(
            tall if repeats_rows else height,
            wide if repeats_columns else reach,
            repeats_rows,
            repeats_columns,
        )
        # The start is taken from the wider side of the nose line; from the left where both are alike.
        self._side: Tensor | None = None
        if mirror and not repeats_columns:
            away = torch.arange(reach)
            self._side = math.ceil(axis) - 1 - away if math.ceil(axis) >= reach else math.floor(axis) + away
        self._start_width = wide if repeats_columns else width
        self.register_buffer("rows", row if repeats_rows else None, persistent=False)
        self.register_buffer("columns", column if mirror or repeats_columns else None, persistent=False)

    def forward(
        self, domain: Float[Tensor, "channels rows columns"]
    ) -> Float[Tensor, "channels height width"]:
        """The texture, made of the values of the domain."""
        if self.columns is not None:
            domain = domain.index_select(2, self.columns)
        return domain if self.rows is None else domain.index_select(1, self.rows)

    @property
    def start_size(self) -> tuple[int, int]:
        """Height and width of the texels to start from: those of a tile, or of the texture."""
        return self.extent.height, self._start_width

    def domain_of(self, start: Float[Tensor, "3 rows columns"]) -> Float[Tensor, "3 rows kept"]:
        """What of a start of `start_size` the domain holds: a whole tile, or one side of the nose line."""
        return start if self._side is None else start.index_select(2, self._side)
