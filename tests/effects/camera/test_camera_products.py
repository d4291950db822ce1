"""The camera's own products and filters against plain ones, in value and gradient."""

import pytest
import torch
from kornia.filters import filter2d
from torch import Tensor

from advmask.core.banded import Banded, windows_of
from advmask.effects.camera.filtering import filter_some


def slanted(batch: int, rows: int, columns: int, *, width: int) -> Banded:
    """Matrices whose band lies along the diagonal, each a little aside of the others."""
    first = torch.arange(rows) * (columns - width) / rows + torch.rand(batch, 1)
    place = torch.arange(columns)
    within = (place >= first[..., None]) & (place < first[..., None] + width)
    matrix = torch.rand(batch, rows, columns, dtype=torch.float64) * within
    return Banded(matrix, windows_of(first, first + width, columns=columns))


def gradients(result: Tensor, values: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    weights = torch.rand(result.shape, generator=generator, dtype=result.dtype)
    return torch.autograd.grad((result * weights).sum(), values)[0]


@pytest.mark.parametrize("kind", ["each", "one", "unknown"])
@pytest.mark.parametrize("size", [(100, 176), (176, 100), (44, 44), (7, 130), (133, 90)])
def test_banded_products_are_products(size: tuple[int, int], kind: str) -> None:
    banded = slanted(3, *size, width=9)
    if kind == "one":
        banded = Banded.of(banded.matrix[0], times=3)
    if kind == "unknown":
        banded = Banded(banded.matrix, None)
    lines = torch.rand(3, size[1], 11, dtype=torch.float64, requires_grad=True)
    planes = torch.rand(3, 11, size[1], dtype=torch.float64, requires_grad=True)
    for found, expected, values in (
        (banded.rows(lines), banded.matrix @ lines, lines),
        (banded.columns(planes), planes @ banded.matrix.mT, planes),
    ):
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(gradients(found, values), gradients(expected, values))


def test_windows_leave_out_zeros() -> None:
    for narrow in (
        slanted(2, 176, 176, width=9),
        Banded.of(slanted(1, 176, 176, width=9).matrix[0], times=2),
    ):
        assert narrow.windows is not None
        assert len(narrow.windows) == 2
        for windows in narrow.windows:
            assert sum((end - start) * (high - low) for start, end, low, high in windows) < 0.3 * 176**2


def test_some_photos_are_filtered_as_kornia_does() -> None:
    pictures = torch.rand(5, 2, 12, 15, dtype=torch.float64, requires_grad=True)
    chosen = torch.tensor([1, 4])
    kernels = torch.rand(2, 5, 5, dtype=torch.float64)
    found = filter_some(pictures, chosen, kernels)
    theirs = filter2d(pictures[chosen], kernels, border_type="replicate")
    expected = pictures.index_copy(0, chosen, theirs)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(gradients(found, pictures), gradients(expected, pictures))
