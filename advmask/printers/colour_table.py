"""What a printer makes of every colour: a table of reflectances, interpolated within tetrahedra."""

from dataclasses import dataclass
from functools import cached_property
from itertools import permutations
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb

LEAK = 0.05
_PLANES = 15  # 12 coefficients, and the diagonal of the Jacobian once more for the backward pass


@dataclass(frozen=True)
class ColourTable:
    """Reflectances on an even grid over the colours asked for.

    Attributes:
        nodes: (n, n, n, 3) float, by red, green and blue of the sRGB asked for, in n even steps from 0 to 1;
            each the linear-light sRGB reflectance relative to a perfect white. Colours outside sRGB leave
            [0, 1] a little.

    Raises:
        ValueError: The nodes have another shape.
    """

    nodes: Float[Tensor, "..."]

    def __post_init__(self) -> None:
        shape = tuple(self.nodes.shape)
        if len(shape) != 4 or shape[3] != 3 or shape[0] < 2 or len(set(shape[:3])) > 1:
            raise ValueError(
                f"the nodes of a colour table have the shape (n, n, n, 3) with n >= 2, not {shape}"
            )

    @property
    def steps(self) -> int:
        """Number of nodes along each axis."""
        return len(self.nodes)

    @cached_property
    def planes(self) -> Float[Tensor, "15 pieces"]:
        """The table as affine pieces; see `affine_pieces`."""
        return affine_pieces(self.nodes)

    def __call__(self, srgb: Float[Tensor, "3 *size"]) -> Float[Tensor, "3 *size"]:
        """Reflectances of colours in sRGB; see `interpolate`."""
        return interpolate(srgb, self.planes.to(srgb), self.steps)


def grid(steps: int) -> Float[Tensor, "{steps} {steps} {steps} 3"]:
    """The colours asked for at the nodes of a table, sRGB, float64."""
    axis = torch.linspace(0, 1, steps, dtype=torch.float64)
    return torch.stack(torch.meshgrid(axis, axis, axis, indexing="ij"), dim=-1)


def perfect_table(steps: int = 17) -> ColourTable:
    """The table of a printer that prints what is asked for."""
    return ColourTable(linear_from_srgb(grid(steps)).float())


def affine_pieces(nodes: Float[Tensor, "n n n 3"]) -> Float[Tensor, "15 pieces"]:
    """Take a table apart into tetrahedra, six to a cell, in each of which it is affine.

    The six share the diagonal from black to white of their cell, so that neutral colours stay as smooth as
    the nodes are.

    Args:
        nodes: As in `ColourTable`.

    Returns:
        One column for each tetrahedron, cell by cell. Rows 0-11: for each channel of the reflectance its
        value at the cell's first node and its slope by red, green and blue asked for. Rows 12-14: the slopes
        of each channel by itself, at least `LEAK` times that of the sRGB curve, for the backward pass.
    """
    steps = len(nodes)
    cells = steps - 1
    pieces = nodes.new_empty(_PLANES, cells, cells, cells, 6)
    by_channel = nodes.permute(3, 0, 1, 2)
    edges = [torch.diff(by_channel, dim=1 + axis).mul_(cells) for axis in range(3)]
    middle = (torch.arange(cells, dtype=nodes.dtype, device=nodes.device) + 0.5) / cells
    least = LEAK * _srgb_slope(middle)
    coefficients = pieces[:12].view(3, 4, cells, cells, cells, 6)
    coefficients[:, 0] = by_channel[:, :-1, :-1, :-1, None]
    for order in permutations(range(3)):
        number = _number(order)
        passed: set[int] = set()
        # From the first node along the axis with the largest fraction, then the second, then the third.
        for axis in order:
            corner = [slice(1, None) if other in passed else slice(0, cells) for other in range(3)]
            corner[axis] = slice(0, cells)
            coefficients[:, 1 + axis, ..., number] = edges[axis][:, *corner]
            passed.add(axis)
    for channel in range(3):
        shape = [cells if axis == channel else 1 for axis in range(3)]
        floor = least.view(*shape, 1)
        torch.maximum(coefficients[channel, 1 + channel], floor, out=pieces[12 + channel])
    return pieces.view(_PLANES, -1)


def interpolate(
    srgb: Float[Tensor, "3 *size"], planes: Float[Tensor, "15 pieces"], steps: int
) -> Float[Tensor, "3 *size"]:
    """Read a table at colours, by tetrahedral interpolation; beyond [0, 1] its outermost pieces go on.

    The gradient is the slope of the piece that was read, with one exception: where the table answers a
    channel with next to nothing - colours out of the printer's gamut, which all print alike - that channel's
    own slope is raised to `LEAK` times the slope of the sRGB curve. This part is straight-through, for
    without it such a texel would never learn again.

    Args:
        srgb: Colours asked for; differentiable.
        planes: Of `affine_pieces`; not differentiable.
        steps: Nodes along each axis.

    Returns:
        Linear reflectances.

    Source: P. Hung, Colorimetric calibration in electronic imaging devices using a look-up-table model and
    interpolations, Journal of Electronic Imaging 2 (1993).
    """
    result: Tensor = _Interpolate.apply(srgb, planes, steps)
    return result


class _Interpolate(torch.autograd.Function):
    """Plane by plane: gathering and adding up whole rows of coefficients takes three times as long."""

    @staticmethod
    def forward(ctx: Any, srgb: Tensor, planes: Tensor, steps: int) -> Tensor:
        within, piece = _find(srgb.detach().reshape(3, -1), steps)
        ctx.save_for_backward(planes, piece)
        out = torch.empty_like(within)
        taken = torch.empty_like(within[0])
        for channel in range(3):
            row = 4 * channel
            torch.index_select(planes[row], 0, piece, out=out[channel])
            for axis in range(3):
                torch.index_select(planes[row + 1 + axis], 0, piece, out=taken)
                out[channel].addcmul_(taken, within[axis])
        return out.view(srgb.shape)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        planes, piece = ctx.saved_tensors
        gradient = gradients[0].reshape(3, -1)
        out = torch.empty_like(gradient)
        taken = torch.empty_like(gradient[0])
        for axis in range(3):
            torch.index_select(planes[12 + axis], 0, piece, out=taken)
            torch.mul(taken, gradient[axis], out=out[axis])
            for channel in {0, 1, 2} - {axis}:
                torch.index_select(planes[4 * channel + 1 + axis], 0, piece, out=taken)
                out[axis].addcmul_(taken, gradient[channel])
        return out.view(gradients[0].shape), None, None


def _find(srgb: Tensor, steps: int) -> tuple[Float[Tensor, "3 N"], Int[Tensor, " N"]]:
    """Colours relative to the first node of their cell, and the number of their tetrahedron."""
    cells = steps - 1
    cell = (srgb * cells).floor_().clamp_(0, cells - 1)
    within = torch.sub(srgb, cell, alpha=1 / cells)
    red, green, blue = within
    # Whole numbers below 2^24 are exact in float32, and sums of floats are faster than those of integers.
    piece = cell[0].mul_(6 * cells * cells).add_(cell[1], alpha=6 * cells).add_(cell[2], alpha=6)
    piece.add_(red >= green, alpha=3).add_(green >= blue).add_(red >= blue)
    return within, piece.int()


def _number(order: tuple[int, ...]) -> int:
    """Number of a tetrahedron in its cell, from its axes by falling fraction: what `_find` adds up."""
    place = [order.index(axis) for axis in range(3)]
    return 3 * (place[0] < place[1]) + (place[1] < place[2]) + (place[0] < place[2])


def _srgb_slope(srgb: Tensor) -> Tensor:
    with torch.enable_grad():
        asked = srgb.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(linear_from_srgb(asked).sum(), asked)
    return slope
