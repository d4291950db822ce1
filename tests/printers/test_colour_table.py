"""The colour table against a scalar oracle, SciPy and finite differences; its plateaus; its files."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import save_file
from scipy.interpolate import RegularGridInterpolator
from torch import Tensor

from advmask.colour.srgb import linear_from_srgb
from advmask.core.errors import ConfigError
from advmask.printers.colour_table import LEAK, ColourTable, affine_pieces, grid, interpolate, perfect_table
from advmask.printers.table_files import load_table, save_table


def tetrahedral(nodes: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """One colour, by walking from the cell's first node along the largest fraction, the next, the last."""
    steps = len(nodes)
    place = colour * (steps - 1)
    corner = np.clip(np.floor(place).astype(int), 0, steps - 2)
    part = place - corner
    value = nodes[tuple(corner)].copy()
    for axis in np.argsort(-part, kind="stable"):
        onward = corner.copy()
        onward[axis] += 1
        value += part[axis] * (nodes[tuple(onward)] - nodes[tuple(corner)])
        corner = onward
    return value


@settings(max_examples=20, deadline=None)
@given(steps=st.integers(2, 9), seed=st.integers(0, 10**6))
def test_a_table_is_read_as_by_the_oracle(steps: int, seed: int) -> None:
    source = np.random.default_rng(seed)
    nodes = source.random((steps, steps, steps, 3))
    colours = source.random((30, 3))
    colours[:10] = colours[:10].round()  # corners and ties
    colours[10:20, 1] = colours[10:20, 0]
    found = ColourTable(torch.from_numpy(nodes))(torch.from_numpy(colours.T.copy()))
    wanted = np.stack([tetrahedral(nodes, colour) for colour in colours], axis=1)
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-12)


def test_an_affine_table_is_read_as_by_scipy() -> None:
    asked = grid(5)
    nodes = asked @ torch.rand(3, 3, dtype=torch.float64) + 0.1
    colours = torch.rand(200, 3, dtype=torch.float64)
    engine = RegularGridInterpolator((np.linspace(0, 1, 5),) * 3, nodes.numpy())
    found = ColourTable(nodes)(colours.T.contiguous())
    np.testing.assert_allclose(found.numpy().T, engine(colours.numpy()), atol=1e-12)


def test_a_smooth_table_is_near_scipys_trilinear_reading() -> None:
    nodes = perfect_table(17).nodes.double()
    colours = torch.rand(2000, 3, dtype=torch.float64)
    engine = RegularGridInterpolator((np.linspace(0, 1, 17),) * 3, nodes.numpy())
    found = ColourTable(nodes)(colours.T.contiguous())
    np.testing.assert_allclose(found.numpy().T, engine(colours.numpy()), atol=2e-3)


def test_neutral_colours_of_a_neutral_table_are_neutral() -> None:
    nodes = torch.rand(9, 9, 9, 3)
    diagonal = torch.arange(9)
    nodes[diagonal, diagonal, diagonal] = torch.linspace(0, 1, 9)[:, None]
    greys = torch.rand(100).expand(3, 100).contiguous()
    torch.testing.assert_close(ColourTable(nodes)(greys), greys)


def test_the_perfect_table_is_the_curve_of_srgb() -> None:
    texels = torch.rand(3, 50, 40)
    assert float((perfect_table()(texels) - linear_from_srgb(texels)).abs().max()) < 0.002


def test_the_gradient_is_the_slope_of_the_piece_read() -> None:
    # Steep by its own colour everywhere, so that nothing leaks.
    nodes = grid(5) + 0.3 * torch.rand(5, 5, 5, 3, dtype=torch.float64) / 4
    planes = affine_pieces(nodes)
    cell = torch.randint(0, 4, (3, 20))
    part = torch.stack([torch.randperm(3) for _ in range(20)], dim=1) * 0.3 + 0.2
    texels = ((cell + part.double()) / 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda asked: interpolate(asked, planes, 5), (texels,))


def test_on_a_plateau_a_little_of_the_gradient_leaks() -> None:
    planes = affine_pieces(torch.full((5, 5, 5, 3), 0.3))
    texels = torch.rand(3, 40, requires_grad=True)
    weights = torch.randn(3, 40)
    interpolate(texels, planes, 5).backward(weights)
    asked = texels.detach().clone().requires_grad_()
    linear_from_srgb(asked).backward(weights)
    assert texels.grad is not None
    assert asked.grad is not None
    assert bool((texels.grad.sign() == weights.sign()).all())
    # By the slope in the middle of the cell.
    torch.testing.assert_close(texels.grad, LEAK * asked.grad, rtol=0.3, atol=0.02)


def test_texels_out_of_the_gamut_come_back_to_it() -> None:
    """A printer that clips at a quarter of the light: bright texels all print alike and must still learn."""
    table = ColourTable(perfect_table(17).nodes.clamp(max=0.25))
    wanted = torch.tensor([0.05, 0.1, 0.2])[:, None]
    texels = torch.ones(3, 1, requires_grad=True)
    optimiser = torch.optim.Adam([texels], lr=0.02)
    for _ in range(150):
        optimiser.zero_grad()
        (table(texels) - wanted).square().sum().backward()
        optimiser.step()
    torch.testing.assert_close(table(texels).detach(), wanted, atol=2e-3, rtol=0)


def test_texels_beyond_the_range_follow_the_outermost_pieces() -> None:
    nodes = grid(5)
    texels = torch.tensor([[-0.1], [0.5], [1.2]], dtype=torch.float64)
    torch.testing.assert_close(ColourTable(nodes)(texels), texels)


@pytest.mark.parametrize("shape", [(5, 5, 5), (5, 5, 4, 3), (1, 1, 1, 3), (5, 5, 5, 4)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"\(n, n, n, 3\)"):
        ColourTable(torch.zeros(shape))


def test_a_table_is_kept_bit_for_bit(tmp_path: Path) -> None:
    table = ColourTable(torch.rand(9, 9, 9, 3))
    first, second = tmp_path / "a" / "mine.safetensors", tmp_path / "again.safetensors"
    save_table(first, table, metadata={"printer": "mine ü", "paper": "matt"})
    save_table(second, table, metadata={"paper": "matt", "printer": "mine ü"})
    assert torch.equal(load_table(first).nodes, table.nodes)
    with safe_open(first, framework="pt") as file:
        assert json.loads(file.metadata()["advmask"]) == {"printer": "mine ü", "paper": "matt"}
    assert first.read_bytes() == second.read_bytes()


def stored(path: Path, **tensors: Tensor) -> Path:
    save_file(tensors, path)
    return path


def test_other_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    text = tmp_path / "text.safetensors"
    text.write_text("a table")
    broken = torch.rand(5, 5, 5, 3)
    broken[1, 2, 3, 0] = torch.nan
    paths = [
        tmp_path / "none.safetensors",
        text,
        tmp_path,
        stored(tmp_path / "texels.safetensors", texels=torch.rand(3, 4, 5)),
        stored(tmp_path / "shape.safetensors", colour_table=torch.rand(5, 5, 4, 3)),
        stored(tmp_path / "nan.safetensors", colour_table=broken),
        stored(tmp_path / "bytes.safetensors", colour_table=torch.full((5, 5, 5, 3), 200.0)),
    ]
    for path in paths:
        with pytest.raises(ConfigError, match=r"colour table") as caught:
            load_table(path)
        assert str(path) in str(caught.value)


def test_a_table_that_is_none_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="not reflectances"):
        save_table(tmp_path / "x.safetensors", ColourTable(torch.full((3, 3, 3, 3), torch.inf)))
    assert list(tmp_path.iterdir()) == []
